"""Which statement it is: a query, a question about tables or plans, or something that is refused (``refusals``)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pyarrow as pa

from planner.catalog import Catalog, Column
from planner.errors import InvalidQuery, PlannerError
from planner.explain import explain_form, plan_json, plan_text
from planner.options import PlanOptions
from planner.physical import Fragment, PhysicalPlan, PlannedExchange
from planner.prepared import Prepared, prepare
from planner.query import QueryPlanner
from planner.refusals import refused
from planner.session import SessionStatements
from planner.show import Answer, described, described_columns, shown
from planner.survey import Values
from planner.typed_literals import is_adaptable

PLAN_COLUMNS = (Column("plan", "VARCHAR"),)


def plan(statement: str | Prepared, catalog: Catalog, options: PlanOptions, parameters: Values | None = None) -> PhysicalPlan:
    """The physical plan of one statement, of its text or as :func:`~planner.prepared.prepare` gave it.

    Raises a ``PlannerError`` that says what is wrong, where and what to do; whatever ``catalog`` raises goes through. ``parameters``
    are the values of ``?`` and ``$1``; None means that there are none. A value has its own type in the statement; only where it means
    nothing with that (``date + ?``, whose integer may have 32 bits only), an integer or a NULL is what a literal would be.
    """
    outline = (prepare(statement, options.limits) if isinstance(statement, str) else statement).outline
    try:
        return _planned(QueryPlanner(outline, catalog, options, parameters))
    except InvalidQuery:
        if not parameters or not any(is_adaptable(value) for value in parameters):
            raise
        with suppress(PlannerError):
            return _planned(QueryPlanner(outline, catalog, options, parameters, adaptable=True))
        raise


def _planned(planner: QueryPlanner) -> PhysicalPlan:
    parsed = planner.parsed
    (kind,) = parsed.ast
    match kind:
        case "Query":
            return planner.plan(planner.surveyed.ast[kind])
        case "Explain":
            return _explain(planner)
        case "ExplainTable":
            return listing_plan(planner, described(planner.binder, parsed.ast[kind]["table_name"]))
        case _:
            session = SessionStatements(parsed, planner.catalog, planner.options)
            listing = session.answer(kind) or shown(kind, parsed, planner.binder)
            if listing is None:
                raise refused(kind, parsed)
            return listing_plan(planner, listing)


def _explain(planner: QueryPlanner) -> PhysicalPlan:
    ast = planner.parsed.ast["Explain"]
    (kind,) = ast["statement"]
    if kind != "Query":
        raise refused(kind, planner.parsed)
    form = explain_form(ast, planner.parsed)
    plan = planner.plan(planner.surveyed.ast["Explain"]["statement"][kind])
    if ast["describe_alias"] != "Explain":
        return listing_plan(planner, described_columns(plan.exchanges[-1].columns))
    if form.analyze:
        return replace(plan, schema=pa.schema([pa.field("plan", pa.string())]), analyze="json" if form.json else "text")
    lines = [plan_json(plan)] if form.json else plan.text.split("\n")
    return listing_plan(planner, Answer(PLAN_COLUMNS, [(line,) for line in lines]))


def listing_plan(planner: QueryPlanner, listing: Answer) -> PhysicalPlan:
    """A plan that gives the listing's rows, in their order."""
    sql = listing.sql()
    fragments = (Fragment(0, sql, (), 0, time_zone=planner.catalog.time_zone),)
    exchanges = (PlannedExchange(0, "result", listing.columns),)
    schema = planner.catalog.result_schema(sql, {})
    return PhysicalPlan(planner.parsed.sql, fragments, exchanges, schema, plan_text(fragments, exchanges), change=listing.change)
