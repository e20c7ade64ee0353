"""Which blocks of a query run on shares, of which tables: the ways are looked at one by one, and those that save most are taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from planner.arrow_types import survives_arrow
from planner.ast import Ast, verbatim_identifier, walk
from planner.catalog import Column
from planner.distribute.classes import Pair
from planner.distribute.divide import Cut, NotDivisible, cuts, sorts_and_limits
from planner.distribute.ranges import KeyedScan, aligned_shares
from planner.distribute.scopes import Names, bind_names
from planner.distribute.two_steps import OneStep, TwoSteps, two_steps
from planner.errors import VolleyError
from planner.logical import Answers, Body, Cte, CteRef, QueryBlock, Scan, Select, all_scans, relations_below, rewrite
from planner.parse import print_sql
from planner.physical import ExchangeInput, ExchangeKind, Fragment, PlannedExchange, ScanInput, Share
from planner.render import print_expression, render_query
from planner.scan_inputs import ScanInputs
from planner.splits import ScanExtent, parallel_splits, shares_of

Graph = tuple[tuple[Fragment, ...], tuple[PlannedExchange, ...]]
"""Fragments, producers first, and the exchanges between them."""

DECODED_SIZE = 4
LEAST_GAIN = 1.25


@dataclass(frozen=True, slots=True)
class Way:
    """A way to divide tables: ``divided`` scans by their keys (None: anywhere), where that cuts the query, and what it saves."""

    divided: Mapping[str, str | None]
    cuts: tuple[Cut, ...]
    steps: tuple[TwoSteps | None, ...]
    shares: tuple[tuple[Share, ...], ...]
    saved: float


@dataclass(slots=True)
class Distributor:
    """Plans one query. ``extents`` are those of its scans; ``prefix`` begins no name of the statement."""

    query: QueryBlock
    inputs: ScanInputs
    prefix: str
    extents: Mapping[str, ScanExtent]
    forced: bool
    names: Names = field(init=False)
    refused: list[tuple[Mapping[str, str | None], str]] = field(default_factory=list)

    def graph(self, schema: pa.Schema, result: tuple[Column, ...], sql: str) -> Graph | None:
        """The graph of fragments and exchanges that runs the query; None where one fragment is as good, or nothing else is certain."""
        self.names = bind_names(self.query)
        ways = sorted(self._ways(), key=lambda way: way.saved, reverse=True)
        taken: list[Way] = []
        for way in ways:
            if (self.forced or way.saved > 0) and not any(_meet(way, other) for other in taken):
                taken.append(way)
        while taken:
            try:
                return _Builder(self, taken).graph(schema, result, sql)
            except _Failed as failed:
                self.refused.append((taken[-1].divided, str(failed)))
                taken = [way for way in taken if failed.cut not in way.cuts] if failed.cut is not None else taken[:-1]
        return None

    # -- ways -----------------------------------------------------------------------------------------------------------

    def _ways(self) -> Iterator[Way]:
        scans = all_scans(self.query)
        for scan in scans:
            if self._is_large(scan):
                yield from self._way({scan.name: None})
        for keys in self._aligned():
            if any(self._is_large(scan) for scan in scans if scan.name in keys):
                yield from self._way(keys)

    def _is_large(self, scan: Scan) -> bool:
        rows = self.extents[scan.name].rows
        least = self.inputs.options.distribute_rows
        return not scan.sampled and (rows >= least if rows is not None else least == 0)

    def _way(self, divided: Mapping[str, str | None]) -> Iterator[Way]:
        try:
            found = tuple(cuts(self.query, self.names, divided))
            steps = tuple(
                None if self._streams(cut) else two_steps(cut.query, self.names, self, self.prefix, complete=cut.complete) for cut in found
            )
        except (NotDivisible, OneStep) as error:
            self.refused.append((divided, str(error)))
            return
        saved, shares = 0.0, []
        for cut in found:
            parts = [scan for scan in cut.inside() if scan.name in divided]
            whole = [scan for scan in cut.inside() if scan.name not in divided]
            made = self._shares(parts, divided, whole)
            if made is None:
                self.refused.append((divided, "its row groups do not lie in ranges of the key"))
                return
            assert parts, "a block is cut because of a table in it"
            shares.append(made)
            saved += self._saved(parts, whole, len(made))
        if found:
            yield Way(divided, found, steps, tuple(shares), saved)

    def _streams(self, cut: Cut) -> bool:
        return cut.query is self.query and cut.complete and not sorts_and_limits(cut.query.ast)

    def _bytes(self, scans: Iterable[Scan]) -> int:
        return DECODED_SIZE * sum(self.extents[scan.name].column_bytes([column.name for column in scan.needed]) for scan in scans)

    def _saved(self, parts: Sequence[Scan], whole: Sequence[Scan], shares: int) -> float:
        """Bytes that the busiest worker is spared, next to one worker that does it all."""
        divided, repeated, workers = self._bytes(parts), self._bytes(whole), self.inputs.options.workers
        each = divided / min(workers, shares) + repeated * -(-shares // workers)
        return divided + repeated - LEAST_GAIN * each

    def _shares(self, parts: Sequence[Scan], divided: Mapping[str, str | None], whole: Sequence[Scan]) -> tuple[Share, ...] | None:
        options = self.inputs.options
        beside = self._bytes(whole)
        each = max(1, min(options.splits_per_worker, int(self._bytes(parts) / (4 * beside)) if beside else options.splits_per_worker))
        wanted = options.workers * each
        if any(divided[scan.name] is not None for scan in parts):
            keyed = [KeyedScan(scan, divided[scan.name] or "", self.extents[scan.name]) for scan in parts]
            counts = (options.workers * several for several in range(each, 0, -1))
            return next((shares for count in counts if (shares := aligned_shares(keyed, count)) is not None), None)
        (scan,) = parts
        least = 0 if self.forced else options.split_rows
        return shares_of(scan.name, parallel_splits(scan, self.extents[scan.name], wanted, least, options.max_split_rows))

    def _aligned(self) -> Iterator[dict[str, str | None]]:
        """For each key that tables are joined by, those tables that are written in its order."""
        parents: dict[tuple[str, str], tuple[str, str]] = {}
        scans = {scan.name: scan for scan in all_scans(self.query)}

        def root(column: tuple[str, str]) -> tuple[str, str]:
            while (parent := parents.setdefault(column, column)) != column:
                column = parent
            return column

        for one, other in self._compared():
            ids = [(origin[0].name, origin[1]) for column in (one, other) if (origin := self.names.origin(column)) is not None]
            if len(ids) == 2 and self.names.type(one) == self.names.type(other):
                parents[root(ids[0])] = root(ids[1])
        classes: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
        for name, key in list(parents):
            if KeyedScan(scans[name], key, self.extents[name]).may_be_aligned():
                classes[root((name, key))].setdefault(name, key)
        yield from (found for found in classes.values() if len(found) > 1)

    def _compared(self) -> Iterator[Pair]:
        """Pairs of columns that are set equal anywhere, as they stand in their own blocks."""
        for node in walk(self.query.ast):
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

    # -- the writer of two steps ----------------------------------------------------------------------------------------

    def expression(self, ast: Ast) -> str:
        """See ``Writer``."""
        return print_expression(ast, self.inputs.chain_terms)

    def column_name(self, ast: Ast) -> str | None:
        """See ``Writer``."""
        return self.inputs.catalog.column_name(self.expression(ast))


def _meet(way: Way, other: Way) -> bool:
    """Whether two ways cut the same block, or one what is inside the other's."""
    return any(
        one.select is two.select or not _is_apart(one, steps, two, others)
        for one, steps in zip(way.cuts, way.steps, strict=True)
        for two, others in zip(other.cuts, other.steps, strict=True)
    )


def _is_apart(one: Cut, steps: TwoSteps | None, two: Cut, others: TwoSteps | None) -> bool:
    """Whether neither is inside of the other, or what is has one row to answer, which every share of the other may well have."""
    first, second = ({scan.name for scan in cut.inside()} for cut in (one, two))
    if not first & second:
        return True
    inner = steps if first < second else others if second < first else None
    return inner is not None and inner.is_single_row


class _Failed(Exception):
    """A cut did not come out as it should; None: nobody knows which."""

    def __init__(self, cut: Cut | None, why: str) -> None:
        super().__init__(why)
        self.cut = cut


class _Builder:
    """Makes the fragments of the ways that were taken."""

    def __init__(self, distributor: Distributor, ways: Sequence[Way]) -> None:
        self._plan = distributor
        self._inputs = distributor.inputs
        found = [item for way in ways for item in zip(way.cuts, way.steps, way.shares, strict=True)]
        self._cuts = {id(cut.select.ast): (cut, steps, shares) for cut, steps, shares in found}
        self._ctes: dict[int, Cte] = {}
        self._clauses: dict[int, Ast] = {}
        self._columns: dict[str, tuple[Column, ...]] = {}
        self._exchanges: dict[str, int] = {}
        self._fragments: list[Fragment] = []

    def graph(self, schema: pa.Schema, result: tuple[Column, ...], sql: str) -> Graph:
        """The graph. Raises ``_Failed``."""
        for _, steps, shares in self._cuts.values():
            if steps is None:
                fragment = Fragment(0, sql, self._arms(self._plan.query, {part.name for part in shares[0].inputs}, shares), 0, shares)
                return (fragment,), (PlannedExchange(0, "result", result),)
        final = rewrite(self._plan.query, self._select, self._query, self._note)
        text = self._print(final)
        try:
            made = self._inputs.catalog.result_schema(text, self._known(final))
        except VolleyError as error:
            raise _Failed(None, str(error)) from None
        if made.names != schema.names or made.types != schema.types:
            raise _Failed(None, "its columns would be others")
        number = len(self._fragments)
        self._fragments.append(Fragment(number, text, self._arms(final), number))
        arms = [(arm, fragment) for fragment in self._fragments for arm in fragment.inputs if isinstance(arm, ExchangeInput)]
        kinds: dict[int, ExchangeKind] = {arm.exchange: "broadcast" if fragment.shares else "gather" for arm, fragment in arms}
        exchanges = [PlannedExchange(number, kinds[number], self._columns[name]) for name, number in self._exchanges.items()]
        return tuple(self._fragments), (*exchanges, PlannedExchange(number, "result", result))

    def _select(self, select: Select) -> Body:
        found = self._cuts.get(id(select.ast))
        if found is None or not found[0].is_operand:
            return select
        return self._apply(replace(found[0].query, body=select), *found)

    def _query(self, query: QueryBlock) -> QueryBlock:
        found = self._cuts.get(id(query.body.ast)) if isinstance(query.body, Select) else None
        return query if found is None or found[0].is_operand else self._apply(query, *found)

    def _note(self, clause: Ast, cte: Cte) -> None:
        self._ctes[id(cte.ast)] = cte
        self._clauses[id(cte.ast)] = clause

    def _apply(self, query: QueryBlock, cut: Cut, steps: TwoSteps | None, shares: tuple[Share, ...]) -> QueryBlock:
        assert steps is not None
        assert isinstance(query.body, Select)
        partial, probe = (self._with_ctes(steps.partial(query.body, probe=probe)) for probe in (False, True))
        try:
            bound = self._inputs.catalog.bound_columns(self._print(probe), self._known(probe))
        except VolleyError as error:
            raise _Failed(cut, str(error)) from None
        columns = bound[: len(steps.answers)]
        if not all(survives_arrow(column.type) for column in columns):
            raise _Failed(cut, "a column would be of another type behind an exchange")
        kinds = iter([column.type for column in bound[len(columns) :]])
        types = {answer.name: [next(kinds) for _ in answer.arguments] for answer in steps.answers}
        number = len(self._fragments)
        name = f"{self._plan.prefix}x{number}"
        self._columns[name], self._exchanges[name] = columns, number
        arms = self._arms(partial, {part.name for part in shares[0].inputs}, shares)
        self._fragments.append(Fragment(number, self._print(partial), arms, number, shares))
        return steps.final(query, Answers(_table(name), name, name), types)

    def _with_ctes(self, query: QueryBlock) -> QueryBlock:
        """The block with the CTEs around it that it reads."""
        inner = {id(cte.ast) for relation in _blocks(query) for cte in relation.ctes}
        needed: dict[int, Cte] = {}

        def add(node: QueryBlock) -> None:
            for relation in relations_below(node):
                cte = self._plan.names.cte(relation) if isinstance(relation, CteRef) else None
                if cte is not None and id(cte.ast) not in inner and id(cte.ast) not in needed:
                    known = self._ctes[id(cte.ast)]
                    add(known.query)
                    needed[id(cte.ast)] = known

        add(query)
        if not needed:
            return query
        clauses = [self._clauses[place] for place in needed]
        clause = {**clauses[0], "recursive": any(clause["recursive"] for clause in clauses)}
        return replace(query, ast={**query.ast, "with": clause}, ctes=tuple(needed.values()))

    def _arms(self, query: QueryBlock, divided: Iterable[str] = (), shares: Sequence[Share] = ()) -> tuple[ScanInput | ExchangeInput, ...]:
        arms: list[ScanInput | ExchangeInput] = []
        for scan in all_scans(query):
            extent = self._plan.extents[scan.name]
            if scan.name in divided:
                splits = dict.fromkeys(
                    split for share in shares for part in share.inputs if part.name == scan.name for split in part.splits
                )
                arms.append(replace(self._inputs.bare(scan, extent), splits=tuple(splits)))
            else:
                arms.append(self._inputs.whole(scan, extent))
        arms += [ExchangeInput(name, self._exchanges[name], self._columns[name]) for name in _answers(query)]
        return tuple(arms)

    def _known(self, query: QueryBlock) -> dict[str, tuple[Column, ...]]:
        return {scan.name: scan.needed for scan in all_scans(query)} | {name: self._columns[name] for name in _answers(query)}

    def _print(self, query: QueryBlock) -> str:
        return print_sql({"Query": render_query(query)}, self._inputs.chain_terms)


def _answers(query: QueryBlock) -> list[str]:
    return list(dict.fromkeys(relation.name for relation in relations_below(query) if isinstance(relation, Answers)))


def _blocks(query: QueryBlock) -> Iterator[QueryBlock]:
    found: list[QueryBlock] = []

    def note(node: QueryBlock) -> QueryBlock:
        found.append(node)
        return node

    rewrite(query, lambda select: select, note)
    return iter(found)


def _table(name: str) -> Ast:
    factor = {"name": [{"Identifier": verbatim_identifier(name)}], "alias": None, "args": None, "with_hints": [], "version": None}
    rest = {"with_ordinality": False, "partitions": [], "json_path": None, "sample": None, "index_hints": []}
    return {"Table": {**factor, **rest}}
