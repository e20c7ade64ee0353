"""The ways that were taken, as fragments and exchanges: partial blocks on shares, and over their answers the rest of the query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from planner.arrow_types import survives_arrow
from planner.ast import BARE_TABLE, Ast, verbatim_identifier
from planner.catalog import Column
from planner.distribute.scopes import Names
from planner.distribute.two_steps import TwoSteps
from planner.distribute.ways import DividedBlock, Way
from planner.errors import VolleyError
from planner.logical import Answers, Body, Cte, CteRef, QueryBlock, Select, all_scans, relations_below, rewrite
from planner.parse import print_sql
from planner.physical import ExchangeInput, ExchangeKind, Fragment, PlannedExchange, ScanInput, Share, Split
from planner.render import render_query
from planner.scan_inputs import ScanInputs
from planner.splits import ScanExtent

Graph = tuple[tuple[Fragment, ...], tuple[PlannedExchange, ...]]
"""Fragments, producers first, and the exchanges between them."""


class NotBuilt(Exception):
    """A block did not come out as it should; None: nobody knows which. The message says why."""

    def __init__(self, block: DividedBlock | None, why: str) -> None:
        super().__init__(why)
        self.block = block


class GraphBuilder:
    """Makes the fragments of the ways that were taken."""

    def __init__(self, names: Names, inputs: ScanInputs, prefix: str, extents: Mapping[str, ScanExtent], ways: Sequence[Way]) -> None:
        self._whole = names.query
        self._names = names
        self._inputs = inputs
        self._prefix = prefix
        self._extents = extents
        self._blocks = {id(block.cut.select.ast): block for way in ways for block in way.blocks}
        self._ctes: dict[int, Cte] = {}
        self._clauses: dict[int, Ast] = {}
        self._columns: dict[str, tuple[Column, ...]] = {}
        self._exchanges: dict[str, int] = {}
        self._fragments: list[Fragment] = []

    def graph(self, schema: pa.Schema, result: tuple[Column, ...], sql: str) -> Graph:
        """The graph of a query whose result has ``schema``, and whose text, printed whole, is ``sql``. Raises ``NotBuilt``."""
        streamed = next((block for block in self._blocks.values() if block.steps is None), None)
        if streamed is not None:
            fragment = Fragment(0, sql, self._arms(self._whole, streamed.shares), 0, streamed.shares)
            return (fragment,), (PlannedExchange(0, "result", result),)
        final = self._without_unused_ctes(rewrite(self._whole, self._select, self._query, self._note))
        text = self._print(final)
        try:
            made = self._inputs.catalog.result_schema(text, self._known(final))
        except VolleyError as error:
            raise NotBuilt(None, str(error)) from None
        if made.names != schema.names or made.types != schema.types:
            raise NotBuilt(None, "its columns would be others")
        number = len(self._fragments)
        self._fragments.append(Fragment(number, text, self._arms(final), number))
        exchanges = [PlannedExchange(place, self._kind(place), self._columns[name]) for name, place in self._exchanges.items()]
        return tuple(self._fragments), (*exchanges, PlannedExchange(number, "result", result))

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
        partial, probe = (self._with_ctes(steps.partial(query.body, probe=probe)) for probe in (False, True))
        try:
            bound = self._inputs.catalog.bound_columns(self._print(probe), self._known(probe))
        except VolleyError as error:
            raise NotBuilt(block, str(error)) from None
        columns = bound[: len(steps.answers)]
        if not all(survives_arrow(column.type) for column in columns):
            raise NotBuilt(block, "a column would be of another type behind an exchange")
        kinds = iter([column.type for column in bound[len(columns) :]])
        types = {answer.name: [next(kinds) for _ in answer.arguments] for answer in steps.answers}
        number = len(self._fragments)
        name = f"{self._prefix}x{number}"
        self._columns[name], self._exchanges[name] = columns, number
        self._fragments.append(Fragment(number, self._print(partial), self._arms(partial, block.shares), number, block.shares))
        table = {"Table": {**BARE_TABLE, "name": [{"Identifier": verbatim_identifier(name)}]}}
        return steps.final(query, Answers(table, name, name), types)

    def _with_ctes(self, query: QueryBlock) -> QueryBlock:
        """The block with the CTEs around it that it reads."""
        inner = {id(cte.ast) for relation in _nested(query) for cte in relation.ctes}
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

    def _arms(self, query: QueryBlock, shares: Sequence[Share] = ()) -> tuple[ScanInput | ExchangeInput, ...]:
        divided: dict[str, dict[Split, None]] = {}
        for part in (part for share in shares for part in share.inputs):
            divided.setdefault(part.name, {}).update(dict.fromkeys(part.splits))
        arms: list[ScanInput | ExchangeInput] = []
        for scan in all_scans(query):
            extent = self._extents[scan.name]
            if scan.name in divided:
                arms.append(self._inputs.in_shares(scan, extent, tuple(divided[scan.name])))
            else:
                arms.append(self._inputs.whole(scan, extent))
        return (*arms, *(ExchangeInput(name, self._exchanges[name], self._columns[name]) for name in _answers(query)))

    def _known(self, query: QueryBlock) -> dict[str, tuple[Column, ...]]:
        return {scan.name: scan.needed for scan in all_scans(query)} | {name: self._columns[name] for name in _answers(query)}

    def _print(self, query: QueryBlock) -> str:
        return print_sql({"Query": render_query(query)}, self._inputs.chain_terms)


def _answers(query: QueryBlock) -> list[str]:
    return list(dict.fromkeys(relation.name for relation in relations_below(query) if isinstance(relation, Answers)))


def _nested(query: QueryBlock) -> Iterator[QueryBlock]:
    found: list[QueryBlock] = []

    def note(node: QueryBlock) -> QueryBlock:
        found.append(node)
        return node

    rewrite(query, lambda select: select, note)
    return iter(found)
