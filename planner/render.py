"""Logical plan → syntax tree → SQL. What no rule touched is printed as the user wrote it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from planner.ast import BARE_QUERY, Ast, all_of, identifier, substitute_nodes, verbatim_identifier
from planner.logical import (
    Body,
    DerivedTable,
    FromItem,
    Join,
    JoinedItem,
    Pivoted,
    QueryBlock,
    Relation,
    Scan,
    Select,
    SetOperation,
    TableFunction,
    Values,
)
from planner.parse import UNKNOWN_CHAIN, print_sql
from planner.quoting import quote_name
from planner.reshape import reshaped


def render_query(query: QueryBlock) -> Ast:
    """The syntax tree of a query whose scans read the relations that they are called after."""
    if query.given:
        return {**BARE_QUERY, "body": _body(query.body)}
    rest = {key: value for key, value in query.ast.items() if key not in ("with", "body")}
    if query.order_by is not None:
        rest["order_by"] = query.order_by
    clause = query.ast.get("with")
    if clause is not None and not query.ctes:
        clause = None
    if clause is not None:
        tables = [{**cte.ast, "query": render_query(cte.query)} for cte in query.ctes]
        clause = {**clause, "cte_tables": tables}
    return {"with": clause, "body": _body(query.body), **_with_queries(rest, query.queries)}


def _with_queries(root: Any, queries: Iterable[QueryBlock]) -> Any:
    return substitute_nodes(root, {id(query.ast): render_query(query) for query in queries})


def _body(body: Body) -> Ast:
    match body:
        case Select():
            return {"Select": _select(body)}
        case QueryBlock():
            return {"Query": render_query(body)}
        case Values():
            return _with_queries(body.ast, body.queries)  # type: ignore[no-any-return]
        case SetOperation():
            left = _body(body.operands[0])
            for ast, operand in zip(body.asts, body.operands[1:], strict=True):
                left = {"SetOperation": {**ast, "left": left, "right": _body(operand)}}
            return left


def _select(select: Select) -> Ast:
    rest = {key: value for key, value in select.ast.items() if key != "from"}
    if select.filtered:
        rest["selection"] = all_of(select.conjuncts)
    rendered: Ast = _with_queries(rest, select.queries)
    rendered = {**rendered, "from": [_item(item) for item in select.items]}
    return rendered if select.reshape is None else reshaped(rendered, select.reshape, _printed)


def _printed(select: Ast) -> str:
    return print_sql({"Query": {**BARE_QUERY, "body": {"Select": select}}}, UNKNOWN_CHAIN)


def _item(item: FromItem) -> Ast:
    return {"relation": _relation(item.relation), "joins": [_join(join) for join in item.joins]}


def _join(join: Join) -> Ast:
    rendered: Ast = _with_queries({key: value for key, value in join.ast.items() if key != "relation"}, join.queries)
    return {**rendered, "relation": _relation(join.relation)}


def _relation(relation: Relation) -> Ast:
    match relation:
        case Scan():
            return scan_factor(relation)
        case DerivedTable():
            return {"Derived": {**relation.ast["Derived"], "subquery": render_query(relation.query)}}
        case JoinedItem():
            return {"NestedJoin": {**relation.ast["NestedJoin"], "table_with_joins": _item(relation.item)}}
        case Pivoted():
            return {relation.kind: {**relation.ast[relation.kind], "table": _relation(relation.relation)}}
        case TableFunction():
            return _with_queries(relation.ast, relation.queries)  # type: ignore[no-any-return]
        case _:
            return relation.ast


def scan_factor(scan: Scan) -> Ast:
    """The FROM entry of a scan: its relation, under the name by which the user's SQL refers to it."""
    factor = scan.ast["Table"]
    alias = factor["alias"]
    if scan.join_word is not None:
        alias = {"explicit": True, "name": verbatim_identifier(f"{quote_name(scan.alias)} {scan.join_word}"), "columns": []}
    elif alias is None:
        alias = {"explicit": True, "name": identifier(scan.alias), "columns": []}
    return {"Table": {**factor, "name": [{"Identifier": verbatim_identifier(scan.name)}], "alias": alias, "args": None}}


def print_expression(expression: Ast, chain_terms: int) -> str:
    """An expression as SQL."""
    return print_sql({"Query": {**BARE_QUERY, "body": {"Values": {**_BARE_VALUES, "rows": [[expression]]}}}}, chain_terms)[
        len("VALUES (") : -1
    ]


_BARE_VALUES: Ast = {"explicit_row": False, "value_keyword": False}
