"""Which table a column of the result comes from, where that is plain: for tools that show it beside the column.

Told of a single SELECT whose items are columns and stars over tables; an expression, a subquery's column, or one that two tables have
comes from no table. It travels with the schema, as metadata of the field, and never changes what a query means.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from planner.ast import Ast, name_parts
from planner.logical import FromItem, QueryBlock, Relation, Scan, Select
from planner.quoting import folded

TABLE_KEY = b"volley:table"
"""The metadata of a field that names its table."""


def with_origins(query: QueryBlock, schema: pa.Schema) -> pa.Schema:
    """``schema``, with the names of the tables from which its columns come."""
    select = query.body
    if not isinstance(select, Select) or select.reshape is not None:
        return schema
    scans = [relation for item in select.items for relation in _relations(item)]
    tables = _tables(select, scans)
    if tables is None or len(tables) != len(schema) or not any(tables):
        return schema
    fields = [field if table is None else _from(field, table) for field, table in zip(schema, tables, strict=True)]
    return pa.schema(fields, schema.metadata)


def _from(field: pa.Field, table: str) -> pa.Field:
    return field.with_metadata({**(field.metadata or {}), TABLE_KEY: table.encode()})


def _relations(item: FromItem) -> Iterator[Relation]:
    yield item.relation
    for join in item.joins:
        yield join.relation


def _tables(select: Select, relations: list[Relation]) -> list[str | None] | None:
    """The table of each column; None where it cannot be told how many columns an item makes."""
    scans = [relation for relation in relations if isinstance(relation, Scan) and _named(relation)]
    complete = len(scans) == len(relations)
    tables: list[str | None] = []
    for item in select.ast["projection"]:
        if "Wildcard" in item:
            if not complete or _changed(item["Wildcard"]) or not _side_by_side(select):
                return None
            tables += [scan.table.name for scan in scans for _ in scan.columns]
        elif "QualifiedWildcard" in item:
            scan = _starred(item["QualifiedWildcard"], scans, relations)
            if scan is None:
                return None
            tables += [scan.table.name] * len(scan.columns)
        else:
            expression = item["UnnamedExpr"] if "UnnamedExpr" in item else item.get("ExprWithAlias", {}).get("expr")
            tables.append(None if expression is None else _table_of(expression, scans, complete))
    return tables


def _named(scan: Scan) -> bool:
    """Whether FROM names a table, with the columns that it has."""
    factor = scan.ast["Table"]
    parts = name_parts(factor["name"]) or ()
    renamed = bool((factor.get("alias") or {}).get("columns"))
    return factor.get("args") is None and bool(parts) and parts[-1]["quote_style"] != "'" and not renamed


def _changed(star: Ast) -> bool:
    return any(value for key, value in star.items() if key.startswith("opt_"))


def _side_by_side(select: Select) -> bool:
    """Whether a star is the columns of all relations, one after another."""
    joins = [join for item in select.items for join in item.joins]
    return not any(join.using or join.natural or join.kind == "other" for join in joins)


def _starred(star: list[Ast], scans: list[Scan], relations: list[Relation]) -> Scan | None:
    name, options = star
    parts = name_parts(name["ObjectName"]) if "ObjectName" in name else None
    if not parts or len(parts) != 1 or _changed(options):
        return None
    alias = folded(str(parts[0]["value"]))
    return _called(alias, scans) if sum(relation.alias == alias for relation in relations if hasattr(relation, "alias")) == 1 else None


def _called(alias: str, scans: list[Scan]) -> Scan | None:
    return next((scan for scan in scans if scan.alias == alias), None)


def _table_of(expression: Ast, scans: list[Scan], complete: bool) -> str | None:
    if "Identifier" in expression:
        having = [scan for scan in scans if _has(scan, str(expression["Identifier"]["value"]))]
        return having[0].table.name if complete and len(having) == 1 else None
    if "CompoundIdentifier" not in expression:
        return None
    names = [str(part["value"]) for part in expression["CompoundIdentifier"]]
    # With a column of that name, it may be a field of a struct.
    if len(names) != 2 or any(_has(scan, names[0]) for scan in scans):
        return None
    called = [scan for scan in scans if scan.alias == folded(names[0])]
    return called[0].table.name if len(called) == 1 and _has(called[0], names[1]) else None


def _has(scan: Scan, name: str) -> bool:
    return any(folded(column.name) == folded(name) for column in scan.columns)
