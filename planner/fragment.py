"""Logical plan → physical plan: fragments for several workers where that saves something, else one.

Where a plan for several workers is asked for whatever it costs, and no block can be divided for certain, tables are gathered: shares give
their rows, and one fragment does all the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from planner.arrow_types import survives_arrow
from planner.ast import walk
from planner.catalog import Column
from planner.choices import PlanChoice
from planner.distribute import Graph, distributed, with_runtime_filters
from planner.logical import QueryBlock, Scan, Select, TableFunction, all_scans, relations, rewrite_selects
from planner.optimize.prune_columns import prune_columns
from planner.optimize.pushed import without_pushed
from planner.parse import print_sql
from planner.physical import ExchangeInput, Fragment, PlannedExchange, ScanInput
from planner.quoting import quote_name
from planner.render import render_query
from planner.scan_inputs import ScanInputs, reading_only
from planner.splits import ScanExtent
from planner.time_zones import UTC

MOST_CHAIN_TERMS = 200
"""Statements with longer chains of operators are not divided: what compares expressions goes as deep as they are."""
SERIAL_BYTES = 4 << 20
_NEVER = PlanChoice(undivided="distribute is never")
_CHAINS = PlanChoice(undivided=f"chains of more than {MOST_CHAIN_TERMS} operators in it are not looked at")
_CHEAP_TYPES = ("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "DATE", "FLOAT", "BIGINT", "DOUBLE", "TIMESTAMP")


@dataclass(frozen=True, slots=True)
class Fragmenter:
    """Turns one optimized query into fragments. ``prefix`` begins no name of the statement."""

    inputs: ScanInputs
    prefix: str

    def fragments(self, query: QueryBlock, sql: str, result: tuple[Column, ...], schema: pa.Schema) -> tuple[Graph, PlanChoice | None]:
        """The graph that runs ``query``, and why it is so. ``sql`` is the whole query, printed, ``result`` and ``schema`` its columns."""
        extents = {scan.name: self.inputs.extent(scan) for scan in all_scans(query)}
        graph, choice = self._graph(query, extents, (schema, result, sql))
        plain = self.inputs.chain_terms <= MOST_CHAIN_TERMS
        fragments, exchanges = with_runtime_filters(graph, query, self.inputs, extents) if plain else graph
        if (zone := self.inputs.catalog.time_zone) != UTC:
            fragments = tuple(replace(fragment, time_zone=zone) for fragment in fragments)
        return (fragments, exchanges), choice

    def _graph(
        self, query: QueryBlock, extents: Mapping[str, ScanExtent], result: tuple[pa.Schema, tuple[Column, ...], str]
    ) -> tuple[Graph, PlanChoice | None]:
        scans = all_scans(query)
        options = self.inputs.options
        choice = None
        if options.workers > 1 and scans:
            graph, choice = self._divided(query, extents, result)
            if graph is not None:
                return graph, choice
            forced = options.forced and choice is not _NEVER
            gathered = [scan for scan in scans if _may_be_gathered(scan)] if forced else []
            if gathered and sum(extents[scan.name].decoded_bytes(scan.needed) for scan in gathered) <= options.gather_bytes:
                return self._gather(query, gathered, extents, result[1]), choice
        return self._single(query, scans, extents, result[2], result[1]), choice

    def _divided(
        self, query: QueryBlock, extents: Mapping[str, ScanExtent], result: tuple[pa.Schema, tuple[Column, ...], str]
    ) -> tuple[Graph | None, PlanChoice | None]:
        if self.inputs.options.distribute == "never":
            return None, _NEVER
        if self.inputs.chain_terms > MOST_CHAIN_TERMS:
            return None, _CHAINS
        return distributed(query, self.inputs, self.prefix, extents, result)

    def _single(
        self, query: QueryBlock, scans: list[Scan], extents: Mapping[str, ScanExtent], sql: str, result: tuple[Column, ...]
    ) -> Graph:
        inputs = tuple(self.inputs.whole(scan, extents[scan.name]) for scan in scans)
        return (Fragment(0, sql, inputs, 0, serial=is_small_union(query, scans)),), (PlannedExchange(0, "result", result),)

    def _gather(self, query: QueryBlock, distributed: list[Scan], extents: Mapping[str, ScanExtent], result: tuple[Column, ...]) -> Graph:
        final = prune_columns(without_pushed(query, {id(term) for scan in distributed for term in scan.predicates}))
        names = {scan.name: number for number, scan in enumerate(distributed)}
        fragments: list[Fragment] = []
        exchanges: list[PlannedExchange] = []
        inputs: list[ScanInput | ExchangeInput] = []
        for scan in all_scans(final):
            if scan.name not in names:
                inputs.append(self.inputs.whole(scan, extents[scan.name]))
                continue
            number = names[scan.name]
            columns = scan.needed or (_cheapest(scan),)
            fragments.append(self._scan_fragment(number, scan, columns, extents[scan.name]))
            exchanges.append(PlannedExchange(number, "gather", columns))
            inputs.append(ExchangeInput(scan.name, number, columns))
        last = len(fragments)
        fragments.append(Fragment(last, print_sql({"Query": render_query(final)}, self.inputs.chain_terms), tuple(inputs), last))
        exchanges.append(PlannedExchange(last, "result", result))
        return tuple(fragments), tuple(exchanges)

    def _scan_fragment(self, number: int, scan: Scan, columns: tuple[Column, ...], extent: ScanExtent) -> Fragment:
        predicate = self.inputs.predicate(scan)
        where = f" WHERE {predicate}" if predicate else ""
        sql = f"SELECT {', '.join(quote_name(column.name) for column in columns)} FROM {scan.name}{where}"
        reading = reading_only(scan, [column.name for column in columns])
        shares = self.inputs.shares(reading, extent)
        return Fragment(number, sql, (self.inputs.divided(reading, extent, shares),), number, shares)


def _may_be_gathered(scan: Scan) -> bool:
    return not scan.sampled and all(survives_arrow(column.type) for column in scan.needed)


def _cheapest(scan: Scan) -> Column:
    """A column that carries the number of rows where no column is needed."""
    ranks = {kind: rank for rank, kind in enumerate(_CHEAP_TYPES)}
    return min(scan.columns, key=lambda column: ranks.get(column.type, len(ranks)))


def is_small_union(query: QueryBlock, scans: Sequence[Scan]) -> bool:
    """Whether the query joins branches by UNION and reads little: no more than ``SERIAL_BYTES`` of files, and no function's rows."""
    if sum(file.size_bytes for scan in scans for file in scan.table.files) > SERIAL_BYTES:
        return False
    functions = False

    def look(select: Select) -> Select:
        nonlocal functions
        functions = functions or any(isinstance(relation, TableFunction) for relation in relations(select))
        return select

    rewrite_selects(query, look)
    return not functions and any("SetOperation" in node for node in walk(query.ast))
