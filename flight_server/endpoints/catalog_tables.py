"""What Flight SQL's catalog commands answer: catalogs, schemas, tables, their types and (no) keys, as Arrow tables.

There is one catalog, ``volley``, with one schema, ``main``. Schemas and orders are those of the protocol.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from flight_server.endpoints.column_metadata import described
from flight_server.protocol.like import like
from flight_server.protocol.messages import TableListRequest
from flight_server.protocol.service import Tables
from flight_server.protocol.wire_types import wire_schema
from planner.catalog import CATALOG_NAME, SCHEMA_NAME

TABLE_TYPES = ("TABLE",)
_ASKED_FOR_TABLES = frozenset(("TABLE", "BASE TABLE"))
"""Grafana asks for what information_schema calls it."""

CATALOGS_SCHEMA = pa.schema([pa.field("catalog_name", pa.string(), False)])
DB_SCHEMAS_SCHEMA = pa.schema([pa.field("catalog_name", pa.string()), pa.field("db_schema_name", pa.string(), False)])
TABLE_TYPES_SCHEMA = pa.schema([pa.field("table_type", pa.string(), False)])
TABLES_SCHEMA = pa.schema(
    [
        pa.field("catalog_name", pa.string()),
        pa.field("db_schema_name", pa.string()),
        pa.field("table_name", pa.string(), False),
        pa.field("table_type", pa.string(), False),
    ]
)
TABLES_WITH_SCHEMA_SCHEMA = TABLES_SCHEMA.append(pa.field("table_schema", pa.binary(), False))
PRIMARY_KEYS_SCHEMA = pa.schema(
    [
        pa.field("catalog_name", pa.string()),
        pa.field("db_schema_name", pa.string()),
        pa.field("table_name", pa.string(), False),
        pa.field("column_name", pa.string(), False),
        pa.field("key_sequence", pa.int32(), False),
        pa.field("key_name", pa.string()),
    ]
)
"""In the order of Arrow's own servers and drivers, which is not that of the protocol's text."""
FOREIGN_KEYS_SCHEMA = pa.schema(
    [
        pa.field("pk_catalog_name", pa.string()),
        pa.field("pk_db_schema_name", pa.string()),
        pa.field("pk_table_name", pa.string(), False),
        pa.field("pk_column_name", pa.string(), False),
        pa.field("fk_catalog_name", pa.string()),
        pa.field("fk_db_schema_name", pa.string()),
        pa.field("fk_table_name", pa.string(), False),
        pa.field("fk_column_name", pa.string(), False),
        pa.field("key_sequence", pa.int32(), False),
        pa.field("fk_key_name", pa.string()),
        pa.field("pk_key_name", pa.string()),
        pa.field("update_rule", pa.uint8(), False),
        pa.field("delete_rule", pa.uint8(), False),
    ]
)


def catalogs() -> pa.Table:
    """The answer of GetCatalogs."""
    return pa.table([[CATALOG_NAME]], schema=CATALOGS_SCHEMA)


def db_schemas(request: Any) -> pa.Table:
    """The answer of GetDbSchemas."""
    here = _in_catalog(request) and _in_schema(request)
    return pa.table([[CATALOG_NAME], [SCHEMA_NAME]] if here else [[], []], schema=DB_SCHEMAS_SCHEMA)


def table_types() -> pa.Table:
    """The answer of GetTableTypes."""
    return pa.table([list(TABLE_TYPES)], schema=TABLE_TYPES_SCHEMA)


def tables_schema(request: Any) -> pa.Schema:
    """The schema of what ``tables`` answers."""
    return TABLES_WITH_SCHEMA_SCHEMA if request.include_schema else TABLES_SCHEMA


def tables(request: Any, known: Tables) -> pa.Table:
    """The answer of GetTables. A table that cannot be read right now is listed without columns: the others must stay visible."""
    wanted = _has_tables(request)
    pattern = request.table_name_filter_pattern if request.HasField("table_name_filter_pattern") else None
    if not request.include_schema:
        names = [table.name for table in known.tables(TableListRequest(pattern, details=False))] if wanted else []
        return pa.table(_named(names), schema=TABLES_SCHEMA)
    found = list(known.schemas(pattern)) if wanted else []
    schemas = [wire_schema(described(schema or pa.schema([]), name)).serialize().to_pybytes() for name, schema in found]
    return pa.table([*_named([name for name, _ in found]), schemas], schema=TABLES_WITH_SCHEMA_SCHEMA)


def _named(names: list[str]) -> list[list[str]]:
    return [[CATALOG_NAME] * len(names), [SCHEMA_NAME] * len(names), names, ["TABLE"] * len(names)]


def _has_tables(request: Any) -> bool:
    typed = not request.table_types or any(kind.upper() in _ASKED_FOR_TABLES for kind in request.table_types)
    return typed and _in_catalog(request) and _in_schema(request)


def _in_catalog(request: Any) -> bool:
    return not request.HasField("catalog") or request.catalog == CATALOG_NAME


def _in_schema(request: Any) -> bool:
    if not request.HasField("db_schema_filter_pattern"):
        return True
    return like(request.db_schema_filter_pattern).fullmatch(SCHEMA_NAME) is not None
