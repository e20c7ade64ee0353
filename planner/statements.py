"""Which statement it is: a query, a question about tables or plans, or something that is refused (``refusals``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from planner.ast import Ast, name_parts
from planner.catalog import Catalog, Column
from planner.explain import plan_text
from planner.literals import quote_literal
from planner.options import PlanOptions
from planner.physical import Fragment, PhysicalPlan, PlannedExchange
from planner.prepared import Prepared, prepare
from planner.query import QueryPlanner
from planner.quoting import quote_name
from planner.refusals import refused

TABLES_COLUMNS = (Column("name", "VARCHAR"),)
PLAN_COLUMNS = (Column("plan", "VARCHAR"),)
DESCRIBE_COLUMNS = (Column("column_name", "VARCHAR"), Column("column_type", "VARCHAR"), Column("null", "VARCHAR"))


def plan(statement: str | Prepared, catalog: Catalog, options: PlanOptions, parameters: Sequence[object] | None = None) -> PhysicalPlan:
    """The physical plan of one statement, of its text or as :func:`~planner.prepared.prepare` gave it.

    Raises a ``PlannerError`` that says what is wrong, where and what to do; whatever ``catalog`` raises goes through. ``parameters``
    are the values of ``?`` and ``$1``; None means that there are none.
    """
    parsed = (prepare(statement, options.limits) if isinstance(statement, str) else statement).parsed
    (kind,) = parsed.ast
    planner = QueryPlanner(parsed, catalog, options, parameters)
    match kind:
        case "Query":
            return planner.plan(planner.surveyed.ast[kind])
        case "Explain":
            return _explain(planner)
        case "ExplainTable":
            return _describe_table(parsed.ast[kind], planner)
        case "ShowTables":
            return _show_tables(planner)
        case "ShowVariable" if [str(part["value"]).lower() for part in parsed.ast[kind]["variable"]] == ["all", "tables"]:
            return _show_tables(planner)
        case _:
            raise refused(kind, parsed)


def _explain(planner: QueryPlanner) -> PhysicalPlan:
    ast = planner.parsed.ast["Explain"]
    (kind,) = ast["statement"]
    if kind != "Query":
        raise refused(kind, planner.parsed)
    plan = planner.plan(planner.surveyed.ast["Explain"]["statement"][kind])
    if ast["describe_alias"] != "Explain":
        rows = [(field.name, column.type, "YES") for field, column in zip(plan.schema, plan.exchanges[-1].columns, strict=True)]
        return _listing(planner, DESCRIBE_COLUMNS, rows)
    if ast["analyze"]:
        return replace(plan, schema=pa.schema([pa.field("plan", pa.string())]), analyze=True)
    return _listing(planner, PLAN_COLUMNS, [(line,) for line in plan.text.split("\n")])


def _describe_table(ast: Ast, planner: QueryPlanner) -> PhysicalPlan:
    table = planner.binder.table(ast["table_name"], name_parts(ast["table_name"]) or ())
    columns = planner.catalog.columns(table)
    return _listing(planner, DESCRIBE_COLUMNS, [(column.name, column.type, "YES") for column in columns])


def _show_tables(planner: QueryPlanner) -> PhysicalPlan:
    return _listing(planner, TABLES_COLUMNS, [(name,) for name in planner.catalog.table_names()])


def _listing(planner: QueryPlanner, columns: tuple[Column, ...], rows: Sequence[tuple[str, ...]]) -> PhysicalPlan:
    """A plan that gives ``rows``, in their order."""
    names = ", ".join(quote_name(column.name) for column in columns)
    values = ", ".join("(" + ", ".join(quote_literal(cell) for cell in row) + ")" for row in rows)
    empty = ", ".join(f"NULL::VARCHAR AS {quote_name(column.name)}" for column in columns)
    sql = f"SELECT * FROM (VALUES {values}) AS listed({names})" if rows else f"SELECT {empty} WHERE FALSE"
    fragments = (Fragment(0, sql, (), 0),)
    exchanges = (PlannedExchange(0, "result", columns),)
    return PhysicalPlan(planner.parsed.sql, fragments, exchanges, planner.catalog.result_schema(sql, {}), plan_text(fragments, exchanges))
