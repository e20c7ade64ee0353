"""Names of the result's columns: those that the kernel would derive from the user's own text."""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow as pa

from planner.ast import Ast, identifier
from planner.information_schema import VIEW_ROWS
from planner.logical import Body, QueryBlock, Scan, Select, SetOperation, all_scans
from planner.render import print_expression


def with_user_names(query: QueryBlock, schema: pa.Schema, prefix: str, chain_terms: int) -> tuple[QueryBlock, pa.Schema] | None:
    """The query with aliases, and its schema, where a derived name tells what a fragment calls a relation; None where none does.

    ``SELECT (SELECT max(a) FROM t)`` is called after its text, and that says ``in_0`` where the user said ``t``, and all rows of a view
    of information_schema where the user said the view.
    """
    if not any(prefix in name or VIEW_ROWS in name for name in schema.names):
        return None
    scans = {scan.name: scan for scan in all_scans(query)}
    texts = _texts(query.body, chain_terms) if any(VIEW_ROWS in name for name in schema.names) else {}
    names = [texts.get(place, name) if VIEW_ROWS in name else _user_name(name, scans, prefix) for place, name in enumerate(schema.names)]
    body = _aliased(query.body, schema.names, names)
    if names == schema.names or body is None:
        return None
    fields = [field.with_name(name) for field, name in zip(schema, names, strict=True)]
    return replace(query, body=body), pa.schema(fields, schema.metadata)


def _texts(body: Body, chain_terms: int) -> dict[int, str]:
    """The items of the first SELECT as the user wrote them, by their places."""
    match body:
        case SetOperation():
            return _texts(body.operands[0], chain_terms)
        case QueryBlock():
            return _texts(body.body, chain_terms)
        case Select():
            items = enumerate(body.ast["projection"])
            return {place: print_expression(item["UnnamedExpr"], chain_terms) for place, item in items if "UnnamedExpr" in item}
        case _:
            return {}


def _user_name(name: str, scans: dict[str, Scan], prefix: str) -> str:
    def written(found: re.Match[str]) -> str:
        scan = scans.get(found[1])
        if scan is None:
            return found[0]
        return scan.table.name if scan.ast["Table"]["alias"] is None else scan.table.name + (found[2] or "")

    return re.sub(rf"\b({re.escape(prefix)}\d+)( AS (?:\"[^\"]*\"|\w+))?", written, name)


def _aliased(body: Body, derived: list[str], names: list[str]) -> Body | None:
    """The body whose first SELECT names its items; None where items and columns do not correspond one to one."""
    match body:
        case SetOperation():
            first = _aliased(body.operands[0], derived, names)
            return None if first is None else replace(body, operands=(first, *body.operands[1:]))
        case QueryBlock():
            inner = _aliased(body.body, derived, names)
            return None if inner is None else replace(body, body=inner)
        case Select() if body.reshape is None:
            items = body.ast["projection"]
            if len(items) != len(names) or not all("UnnamedExpr" in item or "ExprWithAlias" in item for item in items):
                return None
            aliased = [item if old == new else _alias(item, new) for item, old, new in zip(items, derived, names, strict=True)]
            return replace(body, ast={**body.ast, "projection": aliased})
        case _:
            return None


def _alias(item: Ast, name: str) -> Ast:
    return {"ExprWithAlias": {"expr": item["UnnamedExpr"], "alias": identifier(name)}} if "UnnamedExpr" in item else item
