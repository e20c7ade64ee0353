"""``information_schema``: what there is, as the standard's views tell it, made of the catalog for one query.

The columns are DuckDB's. Those that would be NULL in every row have the type that DuckDB gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.catalog import CATALOG_NAME, INFORMATION_SCHEMA, SCHEMA_NAME, Catalog, Column
from planner.errors import VolleyError
from planner.literals import quote_literal
from planner.quoting import quote_name

VIEW_ROWS = "rows_of_information_schema"
"""What a view's rows are called in a fragment's SQL."""

Row = tuple[object, ...]

_PRECISIONS = {
    "TINYINT": (8, 2, 0),
    "SMALLINT": (16, 2, 0),
    "INTEGER": (32, 2, 0),
    "BIGINT": (64, 2, 0),
    "HUGEINT": (128, 2, 0),
    "FLOAT": (24, 2, 0),
    "DOUBLE": (53, 2, 0),
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


_TABLE = "table_catalog table_schema table_name"
_CONSTRAINT = "constraint_catalog constraint_schema constraint_name"


def _columns(*groups: tuple[str, str]) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for kind, names in groups for name in names.split())


VIEWS = {
    "schemata": _columns(
        (
            "VARCHAR",
            "catalog_name schema_name schema_owner default_character_set_catalog default_character_set_schema default_character_set_name"
            " sql_path",
        ),
    ),
    "tables": _columns(
        (
            "VARCHAR",
            "table_catalog table_schema table_name table_type self_referencing_column_name reference_generation"
            " user_defined_type_catalog user_defined_type_schema user_defined_type_name is_insertable_into is_typed commit_action"
            " TABLE_COMMENT",
        ),
    ),
    "columns": _columns(
        ("VARCHAR", "table_catalog table_schema table_name column_name"),
        ("INTEGER", "ordinal_position"),
        ("VARCHAR", "column_default is_nullable data_type"),
        (
            "INTEGER",
            "character_maximum_length character_octet_length numeric_precision numeric_precision_radix numeric_scale datetime_precision",
        ),
        ("VARCHAR", "interval_type"),
        ("INTEGER", "interval_precision"),
        (
            "VARCHAR",
            "character_set_catalog character_set_schema character_set_name collation_catalog collation_schema collation_name"
            " domain_catalog domain_schema domain_name udt_catalog udt_schema udt_name scope_catalog scope_schema scope_name",
        ),
        ("BIGINT", "maximum_cardinality"),
        ("VARCHAR", "dtd_identifier"),
        ("BOOLEAN", "is_self_referencing is_identity"),
        ("VARCHAR", "identity_generation identity_start identity_increment identity_maximum identity_minimum"),
        ("BOOLEAN", "identity_cycle"),
        ("VARCHAR", "is_generated generation_expression"),
        ("BOOLEAN", "is_updatable"),
        ("VARCHAR", "COLUMN_COMMENT"),
    ),
    "views": _columns(
        (
            "VARCHAR",
            "table_catalog table_schema table_name view_definition check_option is_updatable is_insertable_into is_trigger_updatable"
            " is_trigger_deletable is_trigger_insertable_into",
        ),
    ),
    "table_constraints": _columns(
        ("VARCHAR", f"{_CONSTRAINT} {_TABLE} constraint_type is_deferrable initially_deferred enforced nulls_distinct"),
    ),
    "key_column_usage": _columns(
        ("VARCHAR", f"{_CONSTRAINT} {_TABLE} column_name"), ("BIGINT", "ordinal_position position_in_unique_constraint")
    ),
    "referential_constraints": _columns(
        (
            "VARCHAR",
            f"{_CONSTRAINT} unique_constraint_catalog unique_constraint_schema unique_constraint_name match_option update_rule delete_rule",
        ),
    ),
    "check_constraints": _columns(("VARCHAR", f"{_CONSTRAINT} check_clause")),
    "constraint_table_usage": _columns(("VARCHAR", f"{_TABLE} {_CONSTRAINT} constraint_type")),
    "constraint_column_usage": _columns(("VARCHAR", f"{_TABLE} column_name {_CONSTRAINT} constraint_type constraint_text")),
    "character_sets": _columns(
        (
            "VARCHAR",
            "character_set_catalog character_set_schema character_set_name character_repertoire form_of_use default_collate_catalog"
            " default_collate_schema default_collate_name",
        ),
    ),
}
"""The views' columns."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """Rows of a view, of the columns called ``names``; ``same`` are columns with one value in all rows."""

    names: tuple[str, ...]
    rows: Sequence[Row]
    same: dict[str, object]


def view_sql(view: str, catalog: Catalog) -> str:
    """A SELECT of all rows of one of ``VIEWS``. Only ``columns`` opens tables; those that cannot be read have none."""
    listed = _rows_of(view, catalog)
    values = ", ".join("(" + ", ".join(map(quote_literal, row)) + ")" for row in listed.rows)
    if not listed.rows:
        values = "(" + ", ".join("NULL" for _ in listed.names) + ")"
    items = ", ".join(_item(column, listed) for column in VIEWS[view])
    where = "" if listed.rows else " WHERE FALSE"
    return f"SELECT {items} FROM (VALUES {values}) AS {VIEW_ROWS}({', '.join(listed.names)}){where}"


def _item(column: Column, listed: _Listed) -> str:
    value = column.name if column.name in listed.names else quote_literal(listed.same.get(column.name))
    return f"CAST({value} AS {column.type}) AS {quote_name(column.name)}"


def _rows_of(view: str, catalog: Catalog) -> _Listed:
    match view:
        case "schemata":
            rows: list[Row] = [(SCHEMA_NAME,), (INFORMATION_SCHEMA,)]
            return _Listed(("schema_name",), rows, {"catalog_name": CATALOG_NAME, "schema_owner": CATALOG_NAME})
        case "tables":
            rows = [(name,) for name in catalog.table_names()]
            same: dict[str, object] = {"table_type": "BASE TABLE", "is_insertable_into": "NO", "is_typed": "NO"}
            return _Listed(("table_name",), rows, {**_PLACE, **same})
        case "columns":
            names = (
                "table_name",
                "column_name",
                "ordinal_position",
                "data_type",
                "numeric_precision",
                "numeric_precision_radix",
                "numeric_scale",
            )
            rows = [row for name in catalog.table_names() for row in _column_rows(name, catalog)]
            return _Listed(names, rows, {**_PLACE, "is_nullable": "YES", "is_generated": "NEVER"})
        case "character_sets":
            sets: list[Row] = [("UTF8", "UCS", "UTF8", CATALOG_NAME, "ucs_basic")]
            return _Listed(
                ("character_set_name", "character_repertoire", "form_of_use", "default_collate_catalog", "default_collate_name"), sets, {}
            )
        case _:
            # There are no views, no keys and no constraints; tools ask for them all the same.
            return _Listed((VIEWS[view][0].name,), [], {})


_PLACE: dict[str, object] = {"table_catalog": CATALOG_NAME, "table_schema": SCHEMA_NAME}


def _column_rows(name: str, catalog: Catalog) -> Iterator[Row]:
    try:
        table = catalog.table(name, quoted=True)
        columns = () if table is None else catalog.columns(table)
    except VolleyError:
        return  # whoever reads the table itself is told what is wrong with it
    for place, column in enumerate(columns, 1):
        yield name, column.name, place, column.type, *_precision(column.type)


def _precision(kind: str) -> tuple[int | None, int | None, int | None]:
    decimal = _DECIMAL.fullmatch(kind)
    return (int(decimal[1]), 10, int(decimal[2])) if decimal else _PRECISIONS.get(kind, (None, None, None))
