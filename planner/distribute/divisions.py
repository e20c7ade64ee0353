"""The divisions of a query's tables that may be worth a look: by which tables, and by which of their columns.

What is suggested here is only that: whether it can be done is for the rules of ``divide`` to say, and whether it pays for ``costs``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from planner.arrow_types import survives_arrow
from planner.ast import walk
from planner.distribute.classes import Pair
from planner.distribute.costs import Costs
from planner.distribute.disjoint_sets import DisjointSets
from planner.distribute.prunable import is_plain
from planner.distribute.ranges import KeyedScan
from planner.distribute.scopes import BoundColumn, Names
from planner.logical import Scan, all_scans, joins_below
from planner.splits import ScanExtent

MOST_HASHED = 24
"""So many divisions by hash are looked at, those first that may save most."""
_HASHED_TYPES = frozenset(
    (
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE", "BOOLEAN",
        "VARCHAR", "BLOB", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE",
    )
)  # fmt: skip
"""The types, and DECIMAL, of whose equal values the kernel's ``hash`` is equal: of 0.0 and -0.0, and of all NaN, too. Of an INTERVAL it
is not."""

TableColumn = tuple[str, str]
"""The name of a scan, and of one of its columns."""


@dataclass(frozen=True, slots=True)
class Division:
    """The names of scans that are divided, with the columns by which they are; None: their rows lie anywhere.

    By a column's ranges, as the tables' files are written; or, ``hashed``, by its values' hash, through an exchange.
    """

    keys: Mapping[str, str | None]
    hashed: bool = False


@dataclass(frozen=True, slots=True)
class Divisions:
    """Suggests divisions of one query."""

    names: Names
    extents: Mapping[str, ScanExtent]
    costs: Costs

    def suggested(self, large: Sequence[str]) -> Iterator[Division]:
        """Those that divide one of the ``large`` scans, alone or with others."""
        yield from (Division({name: None}) for name in large)
        joined: DisjointSets[TableColumn] = DisjointSets()
        for pair in self._compared():
            first, second = map(self._origin, pair)
            if first is not None and second is not None and self.names.type(pair[0]) == self.names.type(pair[1]):
                joined.join(first, second)
        scans = {scan.name: scan for scan in all_scans(self.names.query)}
        for columns in joined.sets():
            keys = {name: key for name, key in reversed(columns) if KeyedScan(scans[name], key, self.extents[name]).may_be_aligned()}
            if len(keys) > 1 and not keys.keys().isdisjoint(large):
                yield Division(dict(reversed(keys.items())))
        for column in self._grouped():
            if (origin := self._origin(column)) is not None:
                joined.root(origin)
        yield from self._hashed(joined.sets(), scans, frozenset(large))

    def _hashed(self, sets: list[list[TableColumn]], scans: Mapping[str, Scan], large: frozenset[str]) -> Iterator[Division]:
        """Of each set of columns, the tables that have them, from the largest on. Among like ones, the keys of most values come first."""
        found: list[tuple[float, float, Division]] = []
        for columns in sets:
            keys = {name: key for name, key in reversed(columns) if _may_be_hashed(scans[name], key)}
            values = max((_values(self.extents[name], key) for name, key in keys.items()), default=0)
            by_size = sorted(keys, key=lambda name: (self.costs.bytes([scans[name]]), name), reverse=True)
            for several in range(1, len(by_size) + 1):
                chosen = by_size[:several]
                most = self.costs.most_saved_by_hash([scans[name] for name in chosen])
                if large.intersection(chosen) and (self.costs.options.forced or most > 0):
                    found.append((most, values, Division({name: keys[name] for name in chosen}, hashed=True)))
        found.sort(key=lambda item: item[:2], reverse=True)
        yield from (division for _, _, division in found[:MOST_HASHED])

    def _origin(self, column: BoundColumn) -> TableColumn | None:
        origin = self.names.origin(column)
        return None if origin is None else (origin[0].name, origin[1])

    def _compared(self) -> Iterator[Pair]:
        """Pairs of columns that are set equal anywhere, as they stand in their own blocks."""
        for node in walk(self.names.query.ast):
            if "BinaryOp" in node and node["BinaryOp"]["op"] == "Eq":
                one, other = self.names.column(node["BinaryOp"]["left"]), self.names.column(node["BinaryOp"]["right"])
            elif "InSubquery" in node:
                query = self.names.subquery(node["InSubquery"]["subquery"])
                outputs = None if query is None else self.names.outputs(query)
                one, other = self.names.column(node["InSubquery"]["expr"]), outputs[0].column if outputs else None
            else:
                continue
            if one is not None and other is not None:
                yield one, other
        for join in joins_below(self.names.query):
            for one, other in self.names.using(join) or ():
                if one is not None and other is not None:
                    yield one, other

    def _grouped(self) -> Iterator[BoundColumn]:
        """Columns that rows are grouped by anywhere, or that make the parts of windows."""
        for node in walk(self.names.query.ast):
            terms = []
            if type(node.get("group_by")) is dict:
                terms = node["group_by"].get("Expressions", [[]])[0]
            elif "partition_by" in node:
                terms = node["partition_by"]
            for term in terms:
                if (column := self.names.column(term)) is not None:
                    yield column


def _values(extent: ScanExtent, key: str) -> float:
    """About how many values a column has, as far as the bounds of whole numbers tell it."""
    found = (known for file in extent.files for known in file.ranges(key))
    bounds = [bound for low, high, _ in found for bound in (low, high) if type(bound) is int]
    return max(bounds) - min(bounds) if bounds else 0


def _may_be_hashed(scan: Scan, key: str) -> bool:
    kind = next(column.type for column in scan.columns if column.name == key)
    known = kind in _HASHED_TYPES or kind.startswith("DECIMAL(")
    return known and is_plain(scan) and all(survives_arrow(column.type) for column in scan.needed)
