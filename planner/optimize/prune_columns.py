"""Column pruning: each scan keeps the columns that a name in its block, or in a subquery of it, can mean."""

from __future__ import annotations

from dataclasses import replace

from planner.logical import (
    Body,
    Cte,
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
    relations,
    rewrite_scans,
)
from planner.references import References, references


def prune_columns(query: QueryBlock) -> QueryBlock:
    """Sets ``needed`` of every scan. Subqueries may be correlated, so what they mention counts for every block around them."""
    return _query(query, References())[0]


def _query(query: QueryBlock, above: References) -> tuple[QueryBlock, References]:
    """The pruned query, and all that it mentions. ``above`` is what ORDER BY of a surrounding parenthesis mentions."""
    mentioned = references(*(value for key, value in query.ast.items() if key not in ("with", "body")))
    mentioned.add(above)
    queries = _queries(query.queries, mentioned)
    if query.exists and isinstance(query.body, Select):
        body: Body
        body, inner = _select(query.body, mentioned, stars=False)
    else:
        body, inner = _body(query.body, mentioned)
    mentioned.add(inner)
    ctes: list[Cte] = []
    for cte in query.ctes:
        pruned, inner = _query(cte.query, References())
        mentioned.add(inner)
        ctes.append(replace(cte, query=pruned))
    return replace(query, body=body, ctes=tuple(ctes), queries=queries), mentioned


def _queries(queries: tuple[QueryBlock, ...], mentioned: References) -> tuple[QueryBlock, ...]:
    """Prunes subqueries and adds what they mention to ``mentioned``."""
    pruned: list[QueryBlock] = []
    for query in queries:
        node, inner = _query(query, References())
        mentioned.add(inner)
        pruned.append(node)
    return tuple(pruned)


def _body(body: Body, above: References) -> tuple[Body, References]:
    match body:
        case Select():
            return _select(body, above)
        case QueryBlock():
            return _query(body, above)
        case Values():
            mentioned = references(body.ast)
            return replace(body, queries=_queries(body.queries, mentioned)), mentioned
        case SetOperation():
            mentioned, operands = References(), []
            for operand in body.operands:
                pruned, inner = _body(operand, above)
                mentioned.add(inner)
                operands.append(pruned)
            return replace(body, operands=tuple(operands)), mentioned


def _select(select: Select, above: References, *, stars: bool = True) -> tuple[Select, References]:
    """Without ``stars``, a ``*`` in the select list asks for nothing: EXISTS looks at no column."""
    kept = [value for key, value in select.ast.items() if key not in ("from", "selection", "projection")]
    projection = [item for item in select.ast["projection"] if stars or "Wildcard" not in item]
    mentioned = references(*kept, *projection, *select.conjuncts)
    mentioned.add(above)
    queries = _queries(select.queries, mentioned)
    items = tuple(_item(item, mentioned) for item in select.items)
    select = replace(select, items=items, queries=queries)
    # A join with an alias calls all its columns by that: of which table one is, is not known here.
    renamed = any(isinstance(relation, JoinedItem) and relation.alias is not None for relation in relations(select))
    if select.reshape is not None or renamed or any(join.natural for join in _joins(select)):
        mentioned.everything = True
    return rewrite_scans(select, lambda scan: _scan(scan, mentioned)), mentioned


def _scan(scan: Scan, mentioned: References) -> Scan:
    if scan.rigid or mentioned.needs_all(scan.alias):
        return replace(scan, needed=scan.columns)
    return replace(scan, needed=tuple(column for column in scan.columns if mentioned.needs(column.name, scan.alias)))


def _joins(select: Select) -> list[Join]:
    joins = [join for item in select.items for join in item.joins]
    for relation in relations(select):
        if isinstance(relation, JoinedItem):
            joins += relation.item.joins
    return joins


def _item(item: FromItem, mentioned: References) -> FromItem:
    joins: list[Join] = []
    for join in item.joins:
        _mention(mentioned, references(join.ast["join_operator"]))
        queries = _queries(join.queries, mentioned)
        joins.append(replace(join, relation=_relation(join.relation, mentioned), queries=queries))
    return FromItem(_relation(item.relation, mentioned), tuple(joins))


def _relation(relation: Relation, mentioned: References) -> Relation:
    match relation:
        case DerivedTable():
            query, inner = _query(relation.query, References())
            mentioned.add(inner)
            return replace(relation, query=query)
        case TableFunction():
            _mention(mentioned, references(relation.ast))
            return replace(relation, queries=_queries(relation.queries, mentioned))
        case JoinedItem():
            return replace(relation, item=_item(relation.item, mentioned))
        case Pivoted():
            mentioned.everything = True
            return replace(relation, relation=_relation(relation.relation, mentioned))
        case _:
            return relation


def _mention(mentioned: References, found: References) -> None:
    mentioned.add(found)
    mentioned.everything |= found.everything
