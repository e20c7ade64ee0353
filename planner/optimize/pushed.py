"""A query without conditions that were applied to its tables' rows before it sees them."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from planner.ast import NO_SPAN, Ast, all_of
from planner.logical import FromItem, Join, JoinedItem, QueryBlock, Relation, Select, rewrite_selects

_TRUE: Ast = {"Value": {"value": {"Boolean": True}, "span": NO_SPAN}}


def without_pushed(query: QueryBlock, pushed: Container[int]) -> QueryBlock:
    """The query without the conjuncts of WHERE and ON whose ids are ``pushed``: predicates of scans that all rows satisfy by now."""

    def change(select: Select) -> Select:
        items = tuple(map(of_item, select.items))
        left = tuple(term for term in select.conjuncts if id(term) not in pushed)
        return replace(select, items=items, conjuncts=left, filtered=select.filtered or len(left) < len(select.conjuncts))

    def of_item(item: FromItem) -> FromItem:
        return FromItem(of_relation(item.relation), tuple(map(of_join, item.joins)))

    def of_relation(relation: Relation) -> Relation:
        return replace(relation, item=of_item(relation.item)) if isinstance(relation, JoinedItem) else relation

    def of_join(join: Join) -> Join:
        join = replace(join, relation=of_relation(join.relation))
        left = tuple(term for term in join.on if id(term) not in pushed)
        if len(left) == len(join.on):
            return join
        kind = next(iter(join.ast["join_operator"]))
        return replace(join, ast={**join.ast, "join_operator": {kind: {"On": all_of(left) or _TRUE}}}, on=left)

    return rewrite_selects(query, change)
