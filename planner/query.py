"""The planning of one query: survey → bind → optimize → check with the kernel's binder → fragments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa

from planner.arrow_types import told_type
from planner.ast import Ast, substitute_nodes
from planner.bind import Binder
from planner.catalog import Catalog, Column
from planner.column_names import with_user_names
from planner.errors import PlannerError, Status, VolleyError
from planner.explain import plan_text
from planner.fragment import Fragmenter
from planner.kernel_errors import translate
from planner.logical import QueryBlock, Scan, Select, all_scans, rewrite_scans, rewrite_selects
from planner.optimize import RULES, RULES_BEFORE_OPENING, apply
from planner.options import PlanOptions
from planner.origins import with_origins
from planner.parse import ParsedSql, print_sql
from planner.physical import PhysicalPlan
from planner.qualified_names import shorten_names
from planner.render import render_query
from planner.scan_inputs import ScanInputs
from planner.session import SessionStatements
from planner.survey import Outline, Survey, Values, survey
from planner.typed_literals import binding_key


@dataclass
class QueryPlanner:
    """Plans the queries of one statement. ``adaptable``: see :func:`~planner.survey.survey`. ``named``: columns that are computed from
    parameters are called after them, and not after values.
    """

    outline: Outline
    catalog: Catalog
    options: PlanOptions
    parameters: Values | None = None
    adaptable: bool = False
    named: bool = True

    @property
    def parsed(self) -> ParsedSql:
        """The statement."""
        return self.outline.parsed

    @cached_property
    def surveyed(self) -> Survey:
        """What a look over the whole statement found."""
        column_name = self.catalog.column_name if self.named else None
        session = SessionStatements(self.parsed, self.catalog, self.options)
        return survey(self.outline, self.parameters, told=session.told, adaptable=self.adaptable, column_name=column_name)

    @cached_property
    def binder(self) -> Binder:
        """The statement's binder."""
        return Binder(self.parsed, self.catalog, self.surveyed.prefix)

    def plan(self, ast: Ast) -> PhysicalPlan:
        """The physical plan of a query of the surveyed statement."""
        bound = apply(RULES_BEFORE_OPENING, self.binder.query(ast))
        query = apply(RULES, self._shortened(self._opened(bound)))
        query, sql, schema = self._checked(query)
        named = with_user_names(query, schema, self.surveyed.prefix, self.parsed.scanned.chain_terms)
        if named is not None:
            query, schema = named
            sql = self._print(query)
        columns = tuple(Column(field.name, told_type(field)) for field in schema)
        inputs = ScanInputs(self.catalog, self.options, self.parsed.scanned.chain_terms)
        fragmenter = Fragmenter(inputs, self.surveyed.prefix)
        (fragments, exchanges), choice = fragmenter.fragments(query, sql, columns, schema)
        text = plan_text(fragments, exchanges, choice)
        return PhysicalPlan(self.parsed.sql, fragments, exchanges, with_origins(query, schema), text, choice=choice)

    def refusal(self, ast: Ast) -> str | None:
        """What the kernel's binder says against a query of the surveyed statement, in its own words; None where it accepts the query."""
        query = _whole(self._shortened(self._opened(self.binder.query(ast))))
        try:
            self._schema(query, self._print(query))
        except VolleyError as error:
            return error.message
        return None

    def _opened(self, query: QueryBlock) -> QueryBlock:
        """The query with the columns of its scans."""
        known: dict[int, tuple[Column, ...]] = {}

        def open_scans(select: Select) -> Select:
            def open_scan(scan: Scan) -> Scan:
                if id(scan.table) not in known:
                    known[id(scan.table)] = self.catalog.columns(scan.table)
                return replace(scan, columns=known[id(scan.table)])

            return rewrite_scans(select, open_scan)

        return rewrite_selects(query, open_scans)

    def _shortened(self, query: QueryBlock) -> QueryBlock:
        """The query without schemas in its names."""
        shorter = shorten_names(query, self.parsed) if self.surveyed.qualified else {}
        if not shorter:
            return query
        binder = Binder(self.parsed, self.catalog, self.surveyed.prefix, tables=self.binder.tables, files=self.binder.files)
        opened = {scan.name: scan for scan in all_scans(query)}

        def keep_opened(scan: Scan) -> Scan:
            return replace(scan, table=opened[scan.name].table, columns=opened[scan.name].columns)

        bound = binder.query(substitute_nodes(query.ast, shorter))
        return rewrite_selects(bound, lambda select: rewrite_scans(select, keep_opened))

    def _checked(self, query: QueryBlock) -> tuple[QueryBlock, str, pa.Schema]:
        """The query, its SQL and its schema, as the kernel's binder sees it.

        A query that is refused with its columns pruned is tried with all of them: it may mean a column in a way that names alone
        do not tell, and if it is refused still, the kernel's message tells all that there is.
        """
        sql = self._print(query)
        try:
            return query, sql, self._schema(query, sql)
        except VolleyError as error:
            if isinstance(error, PlannerError) or error.status is not Status.INVALID_ARGUMENT:
                raise
        whole = _whole(query)
        try:
            return whole, sql, self._schema(whole, sql)
        except VolleyError as error:
            if isinstance(error, PlannerError) or error.status is not Status.INVALID_ARGUMENT:
                raise
            raise translate(error, self.parsed, all_scans(whole), self.surveyed.prefix) from None

    def _print(self, query: QueryBlock) -> str:
        return print_sql({"Query": render_query(query)}, self.parsed.scanned.chain_terms)

    def _schema(self, query: QueryBlock, sql: str) -> pa.Schema:
        return self.catalog.result_schema(sql, {scan.name: scan.needed for scan in all_scans(query)}, self._same_as)

    @cached_property
    def _same_as(self) -> str | None:
        """A name for this statement with all values that make no other schema; None where it must be bound with just these."""
        kinds = [binding_key(value) for value in self.parameters or ()]
        if not kinds or None in kinds or self.adaptable or not self.named or not self.outline.only_in_conditions:
            return None
        return "\0".join((self.parsed.sql, *map(str, kinds)))


def _whole(query: QueryBlock) -> QueryBlock:
    """The query with all columns of its tables."""
    return rewrite_selects(query, lambda select: rewrite_scans(select, lambda scan: replace(scan, needed=scan.columns)))
