"""SHOW and DESCRIBE: questions about tables, answered by lists of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from planner.ast import Ast, name_parts, span_of
from planner.bind import Binder, view_of
from planner.catalog import CATALOG_NAME, INFORMATION_SCHEMA, SCHEMA_NAME, SCHEMA_PREFIXES, Column
from planner.errors import InvalidQuery, NotSupported, UnknownTable
from planner.information_schema import VIEWS
from planner.literals import quote_literal
from planner.parse import ParsedSql
from planner.physical import SessionChange
from planner.quoting import folded, quote_name

TABLES_COLUMNS = (Column("name", "VARCHAR"),)
DATABASES_COLUMNS = (Column("database_name", "VARCHAR"),)
SCHEMAS_COLUMNS = (Column("database_name", "VARCHAR"), Column("schema_name", "VARCHAR"))
CREATE_COLUMNS = (Column("name", "VARCHAR"), Column("sql", "VARCHAR"))
DESCRIBE_COLUMNS = (Column("column_name", "VARCHAR"), Column("column_type", "VARCHAR"), Column("null", "VARCHAR"))


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of text in their order, of which ``condition`` (SQL, or None) keeps some. ``change``: what the statement sets."""

    columns: tuple[Column, ...]
    rows: Sequence[tuple[str, ...]]
    condition: str | None = None
    change: SessionChange | None = None

    def sql(self) -> str:
        """A SELECT of the rows."""
        names = ", ".join(quote_name(column.name) for column in self.columns)
        if not self.rows:
            return f"SELECT {', '.join(f'NULL::{column.type} AS {quote_name(column.name)}' for column in self.columns)} WHERE FALSE"
        values = ", ".join("(" + ", ".join(quote_literal(cell) for cell in row) + ")" for row in self.rows)
        where = f" WHERE {self.condition}" if self.condition else ""
        return f"SELECT * FROM (VALUES {values}) AS listed({names}){where}"


def described_columns(columns: Sequence[Column]) -> Answer:
    """What DESCRIBE says of these columns."""
    return Answer(DESCRIBE_COLUMNS, [(column.name, column.type, "YES") for column in columns])


def described(binder: Binder, name: list[Ast]) -> Answer:
    """DESCRIBE of a table, or of a view of information_schema. Raises ``UnknownTable``."""
    return described_columns(_columns(binder, name))


def _columns(binder: Binder, name: list[Ast]) -> Sequence[Column]:
    parts = name_parts(name) or ()
    view = view_of(parts)
    return VIEWS[view] if view is not None else binder.catalog.columns(binder.table(name, parts))


def shown(kind: str, parsed: ParsedSql, binder: Binder) -> Answer | None:
    """What a SHOW statement of this kind gives; None where it is no SHOW that there is.

    Raises ``UnknownTable``, ``InvalidQuery`` and ``NotSupported``.
    """
    ast = parsed.ast[kind]
    match kind:
        case "ShowTables" | "ShowViews":
            _check_schema(ast, parsed)
            names = binder.catalog.table_names() if kind == "ShowTables" else ()
            return _filtered(Answer(TABLES_COLUMNS, [(name,) for name in names]), "name", ast, parsed)
        case "ShowColumns":
            place = ast["show_options"]["show_in"]
            if place is None or not place["parent_name"]:
                raise parsed.error(InvalidQuery, "SHOW COLUMNS needs a table", None, "Write SHOW COLUMNS FROM orders.")
            return _filtered(described(binder, place["parent_name"]), "column_name", ast, parsed)
        case "ShowSchemas":
            schemas = [(CATALOG_NAME, SCHEMA_NAME), (CATALOG_NAME, INFORMATION_SCHEMA)]
            return _filtered(Answer(SCHEMAS_COLUMNS, schemas), "schema_name", ast, parsed)
        case "ShowDatabases":
            return _filtered(Answer(DATABASES_COLUMNS, [(CATALOG_NAME,)]), "database_name", ast, parsed)
        case "ShowCreate":
            return _created(ast, parsed, binder)
        case "ShowVariable":
            return _variable(ast["variable"], binder)
        case _:
            return None


def _variable(parts: list[Ast], binder: Binder) -> Answer:
    """SHOW, SHOW ALL TABLES, and SHOW t: as DESCRIBE."""
    if [folded(str(part["value"])) for part in parts] in ([], ["all", "tables"]):
        return Answer(TABLES_COLUMNS, [(name,) for name in binder.catalog.table_names()])
    return described(binder, [{"Identifier": part} for part in parts])


def _created(ast: Ast, parsed: ParsedSql, binder: Binder) -> Answer:
    if ast["obj_type"] != "Table":
        kind = str(ast["obj_type"]).upper()
        raise parsed.error(NotSupported, f"there are no objects of kind {kind}", span_of(ast["obj_name"]), "Write SHOW CREATE TABLE t.")
    columns = ", ".join(f"{quote_name(column.name)} {column.type}" for column in _columns(binder, ast["obj_name"]))
    parts = name_parts(ast["obj_name"]) or ()
    name = view_of(parts) or binder.table(ast["obj_name"], parts).name
    return Answer(CREATE_COLUMNS, [(name, f"CREATE TABLE {quote_name(name)} ({columns})")])


def _check_schema(ast: Ast, parsed: ParsedSql) -> None:
    """Raises where FROM names a schema that is not the one."""
    place = ast["show_options"]["show_in"]
    if place is None or not place["parent_name"]:
        return
    names = tuple(folded(str(part["value"])) for part in name_parts(place["parent_name"]) or ())
    if names not in SCHEMA_PREFIXES:
        remedy = f"All tables are in {CATALOG_NAME}.{SCHEMA_NAME}; SHOW TABLES lists them."
        raise parsed.error(UnknownTable, f"there is no schema '{'.'.join(names)}'", span_of(place["parent_name"]), remedy)


def _filtered(listing: Answer, column: str, ast: Ast, parsed: ParsedSql) -> Answer:
    """The listing with the statement's LIKE, applied by the kernel."""
    position: Any = ast["show_options"]["filter_position"]
    if position is None:
        return listing
    ((way, pattern),) = next(iter(position.values())).items()
    if way == "Where":
        remedy = f"Write LIKE, or SELECT … FROM {INFORMATION_SCHEMA}.tables WHERE …."
        raise parsed.error(NotSupported, "WHERE in SHOW is not supported", span_of(pattern), remedy)
    return replace(listing, condition=f"{quote_name(column)} {'ILIKE' if way == 'ILike' else 'LIKE'} {quote_literal(pattern)}")
