"""Runtime filters: the keys of small tables, read before the large tables that they are joined with, prune what is read of these.

``key_sources`` says where that is right; here is decided where it pays. A key prunes by what row groups' statistics say of their ranges, or
by the partitions of files. It pays where that may spare more than it costs to wait for the keys: where files are fetched from elsewhere,
where whole partitions need not be read, or where a fragment reads the large table without the small one. In a fragment that reads both from
this machine's disks, the kernel does the same by itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from planner.catalog import Column, RowGroup
from planner.distribute.building import Graph
from planner.distribute.key_sources import KeySource, KeySources
from planner.distribute.scopes import bind_names
from planner.key_pruning import KEY_COLUMNS, MOST_KEYS
from planner.logical import QueryBlock, Scan, all_scans
from planner.physical import ExchangeInput, Fragment, PlannedExchange, RuntimeFilter, ScanInput
from planner.quoting import folded, quote_name
from planner.row_groups import RowGroups
from planner.scan_inputs import ScanInputs, reading_only
from planner.splits import ScanExtent, read_extent

MOST_FILTERS = 8
SMALL_SOURCE = 4
"""Keys are read from tables of at most one such part of the bytes that they may spare."""
FORCED_SOURCE = 1 << 20
"""Where all filters are wanted, from tables of so many bytes too: to read a large one twice would only make tests slow."""


def with_runtime_filters(graph: Graph, query: QueryBlock, inputs: ScanInputs, extents: Mapping[str, ScanExtent]) -> Graph:
    """The graph that runs ``query``, with filters where they pay, and the fragments that give their keys before all others."""
    planner = _FilterPlanner(graph, inputs, extents)
    scans = all_scans(query)
    targets = [scan for scan in scans if planner.may_be_pruned(scan)]
    if not targets or not any(other.predicates for other in scans if targets != [other]):
        return graph  # before any name is looked at: most queries end here
    planner.find(KeySources(bind_names(query)), targets, scans)
    return planner.graph()


@dataclass(slots=True)
class _FilterPlanner:
    plan: Graph
    inputs: ScanInputs
    extents: Mapping[str, ScanExtent]
    _filters: dict[str, list[RuntimeFilter]] = field(default_factory=dict)
    _made: dict[str, tuple[Fragment, PlannedExchange]] = field(default_factory=dict)

    def may_be_pruned(self, scan: Scan) -> bool:
        """Whether a filter might pay for a scan, as far as its size and the place of its files tell."""
        options = self.inputs.options
        if scan.sampled or not scan.table.files:
            return False
        if options.filters_forced:
            return True
        beside = options.workers > 1 or bool(scan.table.partition_columns) or self._is_elsewhere(scan)
        return beside and _bytes(scan, self.extents[scan.name]) >= options.filter_bytes

    def find(self, links: KeySources, targets: Iterable[Scan], scans: Iterable[Scan]) -> None:
        """Plans the filters of ``targets``."""
        sizes = {scan.name: _bytes(scan, self.extents[scan.name]) for scan in scans}
        for target in sorted(targets, key=lambda scan: sizes[scan.name], reverse=True):
            most = max(sizes[target.name] // SMALL_SOURCE, FORCED_SOURCE if self.inputs.options.filters_forced else 0)
            small = frozenset(name for name, size in sizes.items() if size <= most)
            best: dict[str, KeySource] = {}
            for link in links.links.get(target.name, ()):
                if link.source.name in small:
                    source = links.source(link, small)
                    known = best.get(link.column)
                    if source.selects and (known is None or _rank(source) > _rank(known)):
                        best[link.column] = source
            for column, source in best.items():
                if sum(map(len, self._filters.values())) < MOST_FILTERS:
                    self._add(target, column, source, sum(sizes[each.scan.name] for each in source.sources()))

    def _add(self, target: Scan, column: str, source: KeySource, source_bytes: int) -> None:
        partition = next((known for known in target.table.partition_columns if folded(known.name) == folded(column)), None)
        extent = self.extents[target.name]
        if partition is None and any(file.groups is None for file in extent.files):
            if not (self._is_elsewhere(target) or self.inputs.options.filters_forced):
                return
            extent = read_extent(target, self.inputs.catalog)  # whoever fetches the files needs their footers anyhow
        if partition is None:
            self.inputs.catalog.read_ahead(target.table.files, (column,))
        if not self._pays(target, column, partition, extent, source, source_bytes):
            return
        groups = {} if partition else {file.file.path: file.groups for file in extent.files if file.groups is not None}
        exchange = self._keys(source)
        found = RuntimeFilter(target.name, column, exchange, source.scan.table.name, partition, groups)
        self._filters.setdefault(target.name, []).append(found)

    def _pays(self, target: Scan, column: str, partition: Column | None, extent: ScanExtent, source: KeySource, source_bytes: int) -> bool:
        options = self.inputs.options
        if options.filters_forced:
            return partition is not None or any(any(True for _ in _ranges(file.groups or (), column)) for file in extent.files)
        least = options.filter_bytes
        if partition is None and not self._is_elsewhere(target):
            least = options.start_bytes
            if not self._is_read_without(target, source.scan):
                return False
        part = 1 - 1 / len({dict(file.partitions).get(column) for file in target.table.files}) if partition else _prunable(extent, column)
        spared = part * _bytes(target, extent)
        return spared >= max(least, SMALL_SOURCE * source_bytes)

    def _is_read_without(self, target: Scan, source: Scan) -> bool:
        """Whether a fragment reads the one and not the other."""
        names = [{arm.name for arm in fragment.inputs if isinstance(arm, ScanInput)} for fragment in self.plan[0]]
        return any(target.name in read and source.name not in read for read in names)

    def _is_elsewhere(self, scan: Scan) -> bool:
        return self.inputs.catalog.is_elsewhere(scan.table.files[0])

    def _keys(self, source: KeySource) -> int:
        """The exchange with the keys of ``source``, whose fragment may be there already."""
        keys = f"SELECT DISTINCT {self._column(source.scan, source.key)} AS key FROM {self._rows(source)}"
        sql = (
            f"SELECT min(key) AS low, max(key) AS high, CASE WHEN count(*) <= {MOST_KEYS} THEN list(key ORDER BY key) END AS keys "
            f"FROM ({keys}) WHERE key IS NOT NULL"
        )
        if sql not in self._made:
            fragments, exchanges = self.plan
            number = max(*(fragment.id for fragment in fragments), *(exchange.id for exchange in exchanges), -1) + 1 + len(self._made)
            kind = next(column.type for column in source.scan.columns if column.name == source.key)
            columns = tuple(map(Column, KEY_COLUMNS, (kind, kind, f"{kind}[]")))
            fragment = Fragment(number, sql, self._scans(source), number, time_zone=self.inputs.catalog.time_zone)
            self._made[sql] = fragment, PlannedExchange(number, "filter", columns)
        return self._made[sql][0].output

    def _rows(self, source: KeySource) -> str:
        """A table and what is asked of its rows."""
        predicate = self.inputs.predicate(source.scan)
        terms = [] if predicate is None else [f"({predicate})"]
        for column, other in source.narrowed:
            keys = f"SELECT {self._column(other.scan, other.key)} FROM {self._rows(other)}"
            terms.append(f"{self._column(source.scan, column)} IN ({keys})")
        return f"{source.scan.name}{' WHERE ' if terms else ''}{' AND '.join(terms)}"

    @staticmethod
    def _column(scan: Scan, name: str) -> str:
        return f"{scan.name}.{quote_name(name)}"

    def _scans(self, source: KeySource) -> tuple[ScanInput, ...]:
        needed: dict[str, tuple[Scan, set[str]]] = {}
        for each in source.sources():
            _, columns = needed.setdefault(each.scan.name, (each.scan, set()))
            columns |= {each.key, *(column for column, _ in each.narrowed)}
        return tuple(self.inputs.whole(reading_only(scan, columns), self.extents[name]) for name, (scan, columns) in needed.items())

    def graph(self) -> Graph:
        """The graph with the filters."""
        fragments, exchanges = self.plan
        if not self._made:
            return self.plan
        readers: dict[int, set[str]] = {}
        for arm in (arm for fragment in fragments for arm in fragment.inputs if isinstance(arm, ExchangeInput)):
            readers.setdefault(arm.exchange, set()).add(arm.name)
        kept = tuple(replace(each, filters=tuple(self._filters_of(each, readers.get(each.output, set())))) for each in fragments)
        used = {each.exchange for fragment in kept for each in fragment.filters}
        made = [(fragment, exchange) for fragment, exchange in self._made.values() if exchange.id in used]
        return (*(fragment for fragment, _ in made), *kept), (*(exchange for _, exchange in made), *exchanges)

    def _filters_of(self, fragment: Fragment, readers: Set[str]) -> Iterator[RuntimeFilter]:
        """Those of a fragment's scans. ``readers``: by which names its rows are read: of scans, if it reads for several of one table."""
        others = readers & self.extents.keys()
        for arm in fragment.inputs:
            for found in self._filters.get(arm.name, ()) if isinstance(arm, ScanInput) else ():
                if all((found.column, found.exchange) in self._asked(name) for name in others):
                    yield found

    def _asked(self, name: str) -> set[tuple[str, int]]:
        """The columns of a scan that have filters, with where their keys are."""
        return {(each.column, each.exchange) for each in self._filters.get(name, ())}


def _rank(source: KeySource) -> tuple[bool, int]:
    """Which of two sources is likely to have fewer keys: the one with more conditions, on its own rows first."""
    return bool(source.scan.predicates), sum(len(each.scan.predicates) for each in source.sources())


def _bytes(scan: Scan, extent: ScanExtent) -> int:
    """Bytes of files that a scan reads, as far as that is known."""
    if any(file.groups is None for file in extent.files):
        return sum(file.file.size_bytes for file in extent.files)
    return extent.column_bytes([column.name for column in scan.needed])


def _prunable(extent: ScanExtent, column: str) -> float:
    """The part of the row groups in which one value of a column is not, by the groups' ranges: 0 where all of them have all values."""
    groups, known = 0, []
    for file in extent.files:
        groups += len(file.groups or ())
        known += [(low, high) for low, high in _ranges(file.groups or (), column) if low is not None and high is not None]
    if not known:
        return 0.0
    lows, highs = sorted(low for low, _ in known), sorted(high for _, high in known)
    meeting = sum(bisect_right(lows, low) - bisect_left(highs, low) for low, _ in known)
    return len(known) / groups * (1 - meeting / len(known) ** 2)


def _ranges(groups: Sequence[RowGroup], column: str) -> Iterator[tuple[Any, Any]]:
    """What statistics tell of a column: the least and the greatest value in each row group of which they tell any."""
    if not isinstance(groups, RowGroups):
        ranges = (group.ranges.get(column) for group in groups)
        yield from ((known.minimum, known.maximum) for known in ranges if known is not None)
    elif column in groups.names:
        chunks = groups.column(column)
        yield from zip(chunks.minimums, chunks.maximums, strict=True)
