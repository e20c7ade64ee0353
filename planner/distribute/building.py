"""The ways that were taken, as fragments and exchanges: partial blocks on shares, and over their answers the rest of the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from planner.ast import BARE_QUERY, BARE_TABLE, Ast, verbatim_identifier
from planner.catalog import Column
from planner.distribute.final_shares import FinalShares, is_streamed
from planner.distribute.once import Worth, reading
from planner.distribute.sent import Sent, sent
from planner.distribute.two_steps import TwoSteps
from planner.distribute.ways import DividedBlock, Way, Ways
from planner.errors import VolleyError
from planner.logical import (
    Answers,
    Body,
    Cte,
    CteRef,
    QueryBlock,
    Scan,
    Select,
    all_scans,
    queries_below,
    relations_below,
    rewrite,
)
from planner.optimize.pushed import without_pushed
from planner.parse import print_sql
from planner.physical import ExchangeInput, ExchangeKind, Fragment, PlannedExchange, ScanInput, Share, Split
from planner.render import render_query

Graph = tuple[tuple[Fragment, ...], tuple[PlannedExchange, ...]]
"""Fragments, producers first, and the exchanges between them."""


class NotBuilt(Exception):
    """A block did not come out as it should; None: nobody knows which. The message says why."""

    def __init__(self, block: DividedBlock | None, why: str) -> None:
        super().__init__(why)
        self.block = block


class GraphBuilder:
    """Makes the fragments of the ways that were taken."""

    def __init__(self, ways: Ways, taken: Sequence[Way]) -> None:
        self._ways = ways
        self._whole = ways.names.query
        self._names = ways.names
        self._inputs = ways.inputs
        self._prefix = ways.prefix
        self._extents = ways.extents
        self._costs = ways.costs
        self._blocks = {id(block.cut.select.ast): block for way in taken for block in way.blocks}
        self._ctes: dict[int, Cte] = {}
        self._clauses: dict[int, Ast] = {}
        self._columns: dict[str, tuple[Column, ...]] = {}
        self._exchanges: dict[str, int] = {}
        self._hash_exchanges: list[PlannedExchange] = []
        self._hashed: dict[str, PlannedExchange] = {}
        self._buckets: dict[str, int] = {}
        self._estimates: dict[str, int] = {}
        self._given: dict[int, QueryBlock] = {}
        self._begun: set[int] = set()
        self._worth = Worth(self._names, self._costs)
        self._fragments: list[Fragment] = []

    def graph(self, schema: pa.Schema, result: tuple[Column, ...], sql: str) -> Graph:
        """The graph of a query whose result has ``schema``, and whose text, printed whole, is ``sql``. Raises ``NotBuilt``."""
        streamed = next((block for block in self._blocks.values() if block.steps is None), None)
        final = rewrite(self._whole, self._select, self._query, self._note)
        if streamed is not None:
            self._put_out(streamed)
            cut_off = bool(self._exchanges)  # other blocks, whose answers each share sees whole
            whole = _unfiltered(self._once(self._without_unused_ctes(final) if cut_off else final, streamed), streamed)
            text = self._print(whole) if streamed.tables or self._given or cut_off else sql
            if cut_off:
                self._check(text, self._known(whole, streamed), schema)
            number = len(self._fragments)
            return self._ended(Fragment(number, text, self._arms(whole, streamed), number, streamed.shares), result)
        final = self._without_unused_ctes(self._once(final, None) if self._given else final)
        text = self._print(final)
        self._check(text, self._known(final), schema)
        number = len(self._fragments)
        return self._ended(Fragment(number, text, self._arms(final), number), result)

    def _check(self, text: str, known: dict[str, tuple[Column, ...]], schema: pa.Schema) -> None:
        """Raises ``NotBuilt`` where the last fragment would not give the columns of the query."""
        try:
            made = self._inputs.catalog.result_schema(text, known)
        except VolleyError as error:
            raise NotBuilt(None, str(error)) from None
        if made.names != schema.names or made.types != schema.types:
            raise NotBuilt(None, "its columns would be others")

    def _ended(self, last: Fragment, result: tuple[Column, ...]) -> Graph:
        """The graph, with its last fragment."""
        self._fragments.append(last)
        exchanges = [self._exchange(name, place) for name, place in self._exchanges.items()]
        exchanges += self._hash_exchanges
        exchanges.sort(key=lambda exchange: exchange.id)
        return tuple(self._fragments), (*exchanges, PlannedExchange(last.id, "result", result))

    def _put_out(self, block: DividedBlock) -> None:
        """Makes the fragments that put a block's tables out into hash exchanges."""
        for table in block.tables:
            number = len(self._fragments)
            beside = [reducer.scan for reducer in table.reducers]
            shares = self._costs.shares([table.scan], {table.scan.name: None}, beside)
            arms = self._scan_arms([table.scan, *beside], shares)
            sql = table.sql(self._inputs, self._costs.buckets, f"{self._prefix}b")
            self._fragments.append(Fragment(number, sql, arms, number, shares))
            estimate = round(self._costs.exchanged(table))
            exchange = PlannedExchange(number, "hash", table.given, self._costs.buckets, estimate)
            self._hash_exchanges.append(exchange)
            self._hashed |= dict.fromkeys(table.readers, exchange)

    def _exchange(self, name: str, place: int) -> PlannedExchange:
        buckets = self._buckets.get(name, 0)
        return PlannedExchange(place, "hash" if buckets else self._kind(place), self._columns[name], buckets, self._estimates.get(name))

    def _kind(self, exchange: int) -> ExchangeKind:
        """Of one reader's that runs once, it goes to that; all else is kept for whoever comes."""
        arms = [(fragment, arm) for fragment in self._fragments for arm in fragment.inputs if isinstance(arm, ExchangeInput)]
        readers = [fragment for fragment, arm in arms if arm.exchange == exchange]
        if not readers:
            raise NotBuilt(None, "a CTE that nothing reads is divided")
        return "gather" if len(readers) == 1 and not readers[0].parallel else "broadcast"

    def _without_unused_ctes(self, query: QueryBlock) -> QueryBlock:
        """The query without the CTEs that only blocks read which are fragments of their own now."""

        def change(node: QueryBlock) -> QueryBlock:
            kept: list[Cte] = []
            below: list[Body] = [node.body, *node.queries]
            for cte in reversed(node.ctes):  # each is read by those behind it, or by itself
                refs = (relation for part in below for relation in relations_below(part) if isinstance(relation, CteRef))
                found = [self._names.cte(relation) for relation in refs]
                if None in found or any(known is not None and known.ast is cte.ast for known in found):
                    kept.insert(0, cte)
                    below.append(cte.query)
            return replace(node, ctes=tuple(kept))

        return rewrite(query, lambda select: select, change)

    def _note(self, clause: Ast, cte: Cte) -> None:
        self._ctes[id(cte.ast)] = cte
        self._clauses[id(cte.ast)] = clause

    def _select(self, select: Select) -> Body:
        block = self._blocks.get(id(select.ast))
        if block is None or not block.cut.is_operand or block.steps is None:
            return select
        return self._apply(replace(block.cut.query, body=select), block, block.steps)

    def _query(self, query: QueryBlock) -> QueryBlock:
        block = self._blocks.get(id(query.body.ast)) if isinstance(query.body, Select) else None
        if block is None or block.cut.is_operand or block.steps is None:
            return query
        return self._apply(query, block, block.steps)

    def _apply(self, query: QueryBlock, block: DividedBlock, steps: TwoSteps) -> QueryBlock:
        """Makes the block's fragment. Returns what is left in its place."""
        assert isinstance(query.body, Select)
        self._put_out(block)
        partials = (steps.partial(query.body, probe=probe) for probe in (False, True))
        partial, probe = (_unfiltered(self._once(self._with_ctes(made), block), block) for made in partials)
        bound = self._bound(block, probe, shares=block)
        rows = self._sent(block, bound[: len(steps.answers)])
        kinds = iter([column.type for column in bound[len(steps.answers) :]])
        types = {answer.name: [next(kinds) for _ in answer.arguments] for answer in steps.answers}
        final, ranges = block.final, None if block.ranges is None or block.final is not None else block.ranges
        bucket = final.bucket(self._costs.buckets) if final is not None else None if ranges is None else ranges.number()
        answers = self._answers(rows.sql(self._print(partial), self._prefix, bucket), partial, rows.columns, block)
        if bucket is not None:
            self._estimates[answers.name] = round(block.answers)
            self._buckets[answers.name] = self._costs.buckets if ranges is None else ranges.count
        if final is None or (query.ast is self._whole.ast and is_streamed(query)):
            return steps.final(query, answers, types, rows.as_text)
        return self._complete(block, final, query, final.complete(query, answers, types, rows.as_text))

    def _complete(self, block: DividedBlock, final: FinalShares, query: QueryBlock, groups: QueryBlock) -> QueryBlock:
        """Makes the fragment of a block's complete ``groups``, and returns what is left to be asked of them."""
        complete = self._once(self._with_ctes(groups), block)
        rows = self._sent(block, self._bound(block, complete))
        bucket = None if block.ranges is None else block.ranges.number()
        made = self._answers(rows.sql(self._print(complete), self._prefix, bucket), complete, rows.columns)
        if block.ranges is not None:
            self._buckets[made.name] = block.ranges.count
        return final.rest.final(query, made, {}, rows.as_text)

    def _answers(self, sql: str, query: QueryBlock, columns: tuple[Column, ...], block: DividedBlock | None = None) -> Answers:
        """Adds the fragment of a query that ``sql`` asks, and the exchange that it puts out into: which it returns as a relation."""
        number = len(self._fragments)
        name = f"{self._prefix}x{number}"
        self._fragments.append(Fragment(number, sql, self._arms(query, block), number, () if block is None else block.shares))
        self._columns[name], self._exchanges[name] = columns, number
        return Answers({"Table": {**BARE_TABLE, "name": [{"Identifier": verbatim_identifier(name)}]}}, name, name)

    def _bound(self, block: DividedBlock, query: QueryBlock, shares: DividedBlock | None = None) -> tuple[Column, ...]:
        """The columns of a fragment of the block, which runs on the ``shares`` of one."""
        try:
            return self._inputs.catalog.bound_columns(self._print(query), self._known(query, shares))
        except VolleyError as error:
            raise NotBuilt(block, str(error)) from None

    def _sent(self, block: DividedBlock, columns: Sequence[Column]) -> Sent:
        rows = sent(columns)
        if rows is None:
            raise NotBuilt(block, "a column would be of another type behind an exchange")
        return rows

    def _with_ctes(self, query: QueryBlock) -> QueryBlock:
        """The block with the CTEs around it that it reads."""
        inner = {id(cte.ast) for inside in queries_below(query) for cte in inside.ctes}
        needed: dict[int, Cte] = {}
        seen: set[int] = set()

        def add(node: QueryBlock) -> None:
            for relation in relations_below(node):
                cte = self._names.cte(relation) if isinstance(relation, CteRef) else None
                if cte is not None and id(cte.ast) not in inner and id(cte.ast) not in seen:
                    seen.add(id(cte.ast))  # before it is looked into: a recursive one reads itself
                    known = self._ctes[id(cte.ast)]
                    add(known.query)
                    needed[id(cte.ast)] = known

        add(query)
        if not needed:
            return query
        clauses = [self._clauses[place] for place in needed]
        clause = {**clauses[0], "recursive": any(clause["recursive"] for clause in clauses)}
        return replace(query, ast={**query.ast, "with": clause}, ctes=tuple(needed.values()))

    def _once(self, query: QueryBlock, block: DividedBlock | None) -> QueryBlock:
        """The query of a fragment that runs on shares of ``block``, with what is evaluated once for all of them in fragments of its own.

        That is what must be, and what is worth it. Where there is no block: what was so for one.
        """
        parts = frozenset[str]() if block is None else block.divided

        def of(place: int, node: QueryBlock) -> QueryBlock:
            known = self._given.get(place)
            if known is None and block is not None and not node.given and place not in self._begun:
                here = parts.isdisjoint(scan.name for scan in all_scans(node))
                if here and (place in self._ways.once or self._worth.is_worth_a_fragment(node)):
                    self._begun.add(place)
                    known = self._given[place] = self._evaluated(node, block)
            return known or node

        def change(node: QueryBlock) -> QueryBlock:
            node = replace(node, ctes=tuple(replace(cte, query=of(id(cte.ast), cte.query)) for cte in node.ctes))
            return node if node.ast is query.ast else of(id(node.ast), node)

        return rewrite(query, lambda select: select, change)

    def _evaluated(self, query: QueryBlock, block: DividedBlock) -> QueryBlock:
        """Makes a query's fragment, which runs once. Returns what reads its rows, in the query's place."""
        asked = QueryBlock({**BARE_QUERY, "body": None}, query) if query.ctes else query
        asked = self._once(self._with_ctes(asked), block)
        columns = self._bound(block, asked)
        if len({column.name for column in columns}) < len(columns):
            raise NotBuilt(block, "two columns of a subquery have one name")
        rows = self._sent(block, columns)
        answers = self._answers(rows.sql(self._print(asked), self._prefix), asked, rows.columns)
        return reading(query, block.cut.select, answers, rows)

    def _arms(self, query: QueryBlock, block: DividedBlock | None = None) -> tuple[ScanInput | ExchangeInput, ...]:
        """The inputs of a fragment that runs ``query``, on the shares of ``block`` if there is one."""
        may_be_cut = self._ways.may_be_cut(block) if block is not None else frozenset[str]()
        read = frozenset(name for table in block.tables for name in table.readers) if block is not None else frozenset[str]()
        arms: list[ScanInput | ExchangeInput] = []
        for scan in all_scans(query):
            if scan.name not in read:
                arms += self._scan_arms([scan], () if block is None else block.shares)
            elif block is not None:
                exchange = self._hashed[scan.name]
                arms.append(ExchangeInput(scan.name, exchange.id, exchange.columns, True, scan.name in may_be_cut))
        for name in _answers(query):
            arms.append(ExchangeInput(name, self._exchanges[name], self._columns[name], bucketed=name in self._buckets))
        return tuple(arms)

    def _scan_arms(self, scans: Sequence[Scan], shares: Sequence[Share]) -> tuple[ScanInput, ...]:
        divided: dict[str, dict[Split, None]] = {}
        for part in (part for share in shares for part in share.inputs):
            divided.setdefault(part.name, {}).update(dict.fromkeys(part.splits))
        arms: list[ScanInput] = []
        for scan in scans:
            extent = self._extents[scan.name]
            if scan.name in divided:
                arms.append(self._inputs.in_shares(scan, extent, tuple(divided[scan.name])))
            else:
                arms.append(self._inputs.whole(scan, extent))
        return tuple(arms)

    def _known(self, query: QueryBlock, block: DividedBlock | None = None) -> dict[str, tuple[Column, ...]]:
        """The columns of what a fragment reads."""
        return {arm.name: arm.columns for arm in self._arms(query, block)}

    def _print(self, query: QueryBlock) -> str:
        return print_sql({"Query": render_query(query)}, self._inputs.chain_terms)


def _unfiltered(query: QueryBlock, block: DividedBlock) -> QueryBlock:
    """The query without the conditions that the fragments of a block's tables have applied."""
    readers = {name for table in block.tables for name in table.readers}
    if not readers:
        return query
    return without_pushed(query, {id(term) for scan in all_scans(query) if scan.name in readers for term in scan.predicates})


def _answers(query: QueryBlock) -> list[str]:
    return list(dict.fromkeys(relation.name for relation in relations_below(query) if isinstance(relation, Answers)))
