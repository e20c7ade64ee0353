"""Which statement it is: a query, a question about tables or plans, or something that is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from planner.ast import Ast, name_parts, span_of
from planner.catalog import Catalog, Column
from planner.errors import NotReadOnly, NotSupported, PlannerError
from planner.explain import plan_text
from planner.limits import ScannedSql, position_at, scan_sql
from planner.literals import quote_literal
from planner.options import PlanOptions
from planner.parse import ParsedSql, parse_scanned
from planner.physical import Exchange, Fragment, PhysicalPlan
from planner.query import QueryPlanner
from planner.words import words

_WRITING = words(
    """
    insert update delete merge create drop alter truncate copy replace upsert comment grant revoke attach detach install load call
    set reset pragma use export import vacuum analyze checkpoint cluster refresh
    """
)
_SESSION = words(
    """
    begin start commit rollback savepoint release abort prepare execute deallocate declare fetch close lock listen notify
    """
)
_REWRITES = {
    "from": "Write SELECT * FROM ….",
    "table": "Write SELECT * FROM ….",
    "summarize": "Write SELECT with aggregates, or DESCRIBE for the columns.",
    "pivot": "Write SELECT … FROM … PIVOT (…).",
    "unpivot": "Write SELECT … FROM … UNPIVOT (…).",
}
_FIRST_WORD = re.compile(r"(?:\s+|--[^\n]*\n|/\*.*?\*/|\()*([A-Za-z_]+)", re.DOTALL)

QUERIES_ONLY = "Send SELECT, VALUES, EXPLAIN, SHOW TABLES or DESCRIBE."
TABLES_COLUMNS = (Column("name", "VARCHAR"),)
PLAN_COLUMNS = (Column("plan", "VARCHAR"),)
DESCRIBE_COLUMNS = (Column("column_name", "VARCHAR"), Column("column_type", "VARCHAR"), Column("null", "VARCHAR"))


def plan(
    sql: str,
    catalog: Catalog,
    options: PlanOptions = PlanOptions(),  # noqa: B008
    parameters: Sequence[object] | None = None,
) -> PhysicalPlan:
    """The physical plan of one statement.

    Raises a ``PlannerError`` that says what is wrong, where and what to do; whatever ``catalog`` raises goes through. ``parameters``
    are the values of ``?`` and ``$1``; None means that there are none.
    """
    scanned = scan_sql(sql, options.limits)
    refuse_by_first_word(scanned)
    parsed = parse_scanned(scanned)
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
            raise _refused(kind, parsed)


def refuse_by_first_word(scanned: ScannedSql) -> None:
    """Raises ``NotReadOnly`` or ``NotSupported`` for statements that are known by their first word, whether they parse or not."""
    found = _FIRST_WORD.match(scanned.original)
    word = found[1].lower() if found else ""
    if found is None or (word not in _WRITING and word not in _SESSION and word not in _REWRITES):
        return
    raise _refusal(word, scanned, found.start(1))


def _refusal(word: str, scanned: ScannedSql, offset: int) -> PlannerError:
    position = position_at(scanned.original, offset)
    if word in _WRITING:
        return NotReadOnly(
            f"{word.upper()} is refused: only queries are accepted here",
            sql=scanned.original,
            position=position,
            length=len(word),
            remedy=QUERIES_ONLY,
        )
    return NotSupported(
        f"{word.upper()} as a statement is not supported",
        sql=scanned.original,
        position=position,
        length=len(word),
        remedy=_REWRITES.get(word, "There are no transactions or cursors in SQL; prepare statements through the client."),
    )


def _refused(kind: str, parsed: ParsedSql) -> PlannerError:
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind).upper()
    error = NotSupported if kind.startswith("Show") else NotReadOnly
    return parsed.error(error, f"{words} is refused: only queries are accepted here", span_of(parsed.ast), QUERIES_ONLY)


def _explain(planner: QueryPlanner) -> PhysicalPlan:
    ast = planner.parsed.ast["Explain"]
    (kind,) = ast["statement"]
    if kind != "Query":
        raise _refused(kind, planner.parsed)
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
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join("(" + ", ".join(quote_literal(cell) for cell in row) + ")" for row in rows)
    empty = ", ".join(f'NULL::VARCHAR AS "{column.name}"' for column in columns)
    sql = f"SELECT * FROM (VALUES {values}) AS listed({names})" if rows else f"SELECT {empty} WHERE FALSE"
    fragments = (Fragment(0, sql, (), 0),)
    exchanges = (Exchange(0, "result", columns),)
    return PhysicalPlan(planner.parsed.sql, fragments, exchanges, planner.catalog.result_schema(sql, {}), plan_text(fragments, exchanges))
