"""Names of the result's columns: those that the kernel would derive from the user's own text."""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow as pa

from planner.ast import Ast, identifier, walk
from planner.information_schema import VIEW_ROWS
from planner.logical import Body, QueryBlock, Scan, Select, SetOperation, all_scans
from planner.references import function_name
from planner.render import print_expression


def with_user_names(query: QueryBlock, schema: pa.Schema, prefix: str, chain_terms: int) -> tuple[QueryBlock, pa.Schema] | None:
    """The query with aliases, and its schema, where a derived name tells what a fragment calls a relation; None where none does.

    ``SELECT (SELECT max(a) FROM t)`` is called after its text, and that says ``in_0`` where the user said ``t``, and all rows of a view
    of information_schema where the user said the view.
    """
    if not any(prefix in name or VIEW_ROWS in name for name in schema.names):
        return None
    scans = {scan.name: scan for scan in all_scans(query)}
    items = _items(query.body)
    names = list(schema.names)
    for place, column in _places(items, len(names)).items():
        item, name = items[place], names[column]
        if VIEW_ROWS in name and "UnnamedExpr" in item:
            names[column] = print_expression(item["UnnamedExpr"], chain_terms)
        elif "UnnamedExpr" in item:
            names[column] = _user_name(name, scans, prefix)
    body = _aliased(query.body, schema.names, names)
    if names == schema.names or body is None:
        return None
    fields = [field.with_name(name) for field, name in zip(schema, names, strict=True)]
    return replace(query, body=body), pa.schema(fields, schema.metadata)


def _items(body: Body) -> list[Ast]:
    """The items of the first SELECT; none where that is no plain one."""
    match body:
        case SetOperation():
            return _items(body.operands[0])
        case QueryBlock():
            return _items(body.body)
        case Select() if body.reshape is None:
            return list(body.ast["projection"])
        case _:
            return []


def _places(items: list[Ast], columns: int) -> dict[int, int]:
    """Which column an item is, by their places. Items between two stars are left out: nobody knows how many columns are before them."""
    stars = [place for place, item in enumerate(items) if _may_be_several(item)]
    if not stars:
        return {place: place for place in range(len(items))} if len(items) == columns else {}
    behind = range(stars[-1] + 1, len(items))
    return {place: place for place in range(stars[0])} | {place: place + columns - len(items) for place in behind}


def _may_be_several(item: Ast) -> bool:
    """Whether an item of a select list may be other than one column: a star, COLUMNS, or a struct that is unnested."""
    if "UnnamedExpr" not in item and "ExprWithAlias" not in item:
        return True
    nodes = list(walk(item, into_queries=False))
    called = {function_name(node["Function"]) for node in nodes if type(node.get("Function")) is dict and "name" in node["Function"]}
    return bool(called & {"columns", "unnest"}) or any("QualifiedWildcard" in node for node in nodes)


def _user_name(name: str, scans: dict[str, Scan], prefix: str) -> str:
    def written(found: re.Match[str]) -> str:
        scan = scans.get(found[1])
        if scan is None:
            return found[0]
        return scan.table.name if scan.ast["Table"]["alias"] is None else scan.table.name + (found[2] or "")

    return re.sub(rf"\b({re.escape(prefix)}\d+)( AS (?:\"[^\"]*\"|\w+))?", written, name)


def _aliased(body: Body, derived: list[str], names: list[str]) -> Body | None:
    """The body whose first SELECT names its items as ``names`` has them; None where there is no such SELECT."""
    match body:
        case SetOperation():
            first = _aliased(body.operands[0], derived, names)
            return None if first is None else replace(body, operands=(first, *body.operands[1:]))
        case QueryBlock():
            inner = _aliased(body.body, derived, names)
            return None if inner is None else replace(body, body=inner)
        case Select() if body.reshape is None:
            items = list(body.ast["projection"])
            for place, column in _places(items, len(names)).items():
                if derived[column] != names[column]:
                    items[place] = _alias(items[place], names[column])
            return replace(body, ast={**body.ast, "projection": items})
        case _:
            return None


def _alias(item: Ast, name: str) -> Ast:
    return {"ExprWithAlias": {"expr": item["UnnamedExpr"], "alias": identifier(name)}} if "UnnamedExpr" in item else item
