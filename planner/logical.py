"""The logical plan: a query as blocks of typed nodes that hold their expressions as syntax trees.

::

    QueryBlock ─┬─ ctes: QueryBlock …
                └─ body: Select ─┬─ items: Scan, CteRef, DerivedTable, TableFunction … and their joins
                                 ├─ conjuncts of WHERE
                                 └─ subqueries of its expressions: QueryBlock …
                         SetOperation of bodies, Values, or a QueryBlock in parentheses

Nodes are immutable; the optimizer makes new ones. Each keeps the ``ast`` it was bound from, and nothing below ``ast`` is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from planner.ast import Ast
from planner.catalog import Column, Table

JoinKind = Literal["inner", "left", "right", "full", "other"]


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A table in FROM. ``name`` is what the fragment's SQL calls it, ``alias`` what the user's SQL does.

    ``columns`` are the table's, ``needed`` those that the query uses. ``predicates`` are conjuncts that hold for every row that
    matters. ``rigid``: its rows or columns count as they are (sampling, renamed columns, pivots), so nothing may be left out.
    ``sampled``: not to be distributed: it is read in part, or only asked for its columns.
    ``in_schema``: FROM names the table without an alias, so that names may put the schema before it.
    """

    ast: Ast
    name: str
    alias: str
    table: Table
    columns: tuple[Column, ...] = ()
    needed: tuple[Column, ...] = ()
    predicates: tuple[Ast, ...] = ()
    rigid: bool = False
    sampled: bool = False
    in_schema: bool = False
    join_word: str | None = None
    files_total: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class CteRef:
    """A CTE in FROM."""

    ast: Ast
    name: str
    alias: str


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What the shares of a block have answered, in FROM: an exchange's records, called ``name`` in the fragment's SQL."""

    ast: Ast
    name: str
    alias: str


@dataclass(frozen=True, slots=True, eq=False)
class DerivedTable:
    """A subquery in FROM, LATERAL or not."""

    ast: Ast
    alias: str | None
    query: QueryBlock


@dataclass(frozen=True, slots=True, eq=False)
class TableFunction:
    """``range(…)``, ``unnest(…)`` and the like in FROM; ``queries`` are subqueries in their arguments."""

    ast: Ast
    alias: str | None
    queries: tuple[QueryBlock, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class JoinedItem:
    """A join in parentheses."""

    ast: Ast
    alias: str | None
    item: FromItem


@dataclass(frozen=True, slots=True, eq=False)
class Pivoted:
    """PIVOT or UNPIVOT (``kind``) over a relation."""

    ast: Ast
    kind: str
    alias: str | None
    relation: Relation


Relation = Scan | CteRef | Answers | DerivedTable | TableFunction | JoinedItem | Pivoted


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """The right side of a join, and how it joins. ``on`` are the conjuncts of ON; ``queries`` the subqueries in them."""

    ast: Ast
    kind: JoinKind
    relation: Relation
    on: tuple[Ast, ...] = ()
    using: tuple[str, ...] = ()
    natural: bool = False
    queries: tuple[QueryBlock, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FromItem:
    """One item of a FROM list: a relation and what is joined to it, from left to right."""

    relation: Relation
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reshape:
    """What a SELECT with marks (``spellings``) stands for: SUMMARIZE, DESCRIBE, PIVOT or UNPIVOT (``kind``) of all rows of its FROM.

    ``on`` are the items behind ON, ``using`` those behind USING, ``name`` and ``value`` those behind INTO; as items of a select list.
    """

    kind: str
    on: tuple[Ast, ...] = ()
    using: tuple[Ast, ...] = ()
    name: tuple[Ast, ...] = ()
    value: tuple[Ast, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Select:
    """SELECT … FROM … WHERE …. ``conjuncts`` are those of WHERE; ``queries`` the subqueries of all its expressions."""

    ast: Ast
    items: tuple[FromItem, ...] = ()
    conjuncts: tuple[Ast, ...] = ()
    queries: tuple[QueryBlock, ...] = ()
    filtered: bool = False
    """Conjuncts were taken out: WHERE is to be made anew from those that are left."""
    reshape: Reshape | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """VALUES (…), (…)."""

    ast: Ast
    queries: tuple[QueryBlock, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SetOperation:
    """UNION, EXCEPT, INTERSECT, a left-deep chain flat: ``operands`` has one more than ``asts``, the operators in order."""

    asts: tuple[Ast, ...]
    operands: tuple[Body, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cte:
    """A named query of WITH."""

    ast: Ast
    name: str
    query: QueryBlock


@dataclass(frozen=True, slots=True, eq=False)
class QueryBlock:
    """A whole query block: WITH, body, ORDER BY and LIMIT. ``queries`` are the subqueries in ORDER BY and LIMIT.

    ``exists``: it stands in EXISTS, so that only whether it has rows matters. ``order_by`` is printed instead of the tree's own, where
    it is not None. ``given``: of the tree only the place counts, and the body, which reads the query's rows from where they are.
    """

    ast: Ast
    body: Body
    ctes: tuple[Cte, ...] = ()
    queries: tuple[QueryBlock, ...] = ()
    exists: bool = False
    order_by: Ast | None = None
    given: bool = False


Body = Select | Values | SetOperation | QueryBlock


def relations(select: Select) -> Iterator[Relation]:
    """The relations of a block's FROM, those inside of parenthesized joins and pivots too, not those of subqueries."""
    for item in select.items:
        yield from relations_of_item(item)


def relations_of_item(item: FromItem) -> Iterator[Relation]:
    """The relations of one item of FROM."""
    for relation in (item.relation, *(join.relation for join in item.joins)):
        yield from _with_inner(relation)


def _with_inner(relation: Relation) -> Iterator[Relation]:
    yield relation
    match relation:
        case JoinedItem():
            yield from relations_of_item(relation.item)
        case Pivoted():
            yield from _with_inner(relation.relation)


def block_scans(select: Select) -> list[Scan]:
    """The scans of a block's own FROM."""
    return [relation for relation in relations(select) if isinstance(relation, Scan)]


def scans_of(node: Body | Relation) -> Iterator[Scan]:
    """Every scan in a body or a relation, those of subqueries included."""
    return (relation for relation in relations_below(node) if isinstance(relation, Scan))


def selects_below(node: Body | Relation) -> Iterator[Select]:
    """Every block in a body or a relation, those of subqueries included."""
    return (part for part in _parts(node) if isinstance(part, Select))


def joins_below(node: Body | Relation) -> Iterator[Join]:
    """Every join in a body or a relation, those of subqueries included."""
    return (join for part in _parts(node) if isinstance(part, FromItem) for join in part.joins)


def queries_below(node: Body | Relation | FromItem) -> Iterator[QueryBlock]:
    """Every query block in it, itself among them."""
    return (part for part in _parts(node) if isinstance(part, QueryBlock))


def relations_below(node: Body | Relation | FromItem) -> Iterator[Relation]:
    """Every relation in a body, a relation or an item of FROM, those of subqueries included."""
    return (part for part in _parts(node) if not isinstance(part, Body | FromItem))


def _parts(node: Body | Relation | FromItem) -> Iterator[Body | Relation | FromItem]:
    stack = [node]
    while stack:
        part = stack.pop()
        yield part
        match part:
            case QueryBlock():
                stack += [part.body, *part.queries, *(cte.query for cte in part.ctes)]
            case Select():
                stack += [*part.items, *part.queries]
            case SetOperation():
                stack += part.operands
            case Values() | TableFunction():
                stack += part.queries
            case FromItem():
                stack.append(part.relation)
                for join in part.joins:
                    stack += [join.relation, *join.queries]
            case DerivedTable():
                stack.append(part.query)
            case JoinedItem():
                stack.append(part.item)
            case Pivoted():
                stack.append(part.relation)


def rewrite_selects(query: QueryBlock, change: Callable[[Select], Select]) -> QueryBlock:
    """``query`` with each Select replaced by what ``change`` makes of it, inner ones first."""
    return rewrite(query, change, lambda node: node)


def rewrite(
    query: QueryBlock,
    change: Callable[[Select], Body],
    change_query: Callable[[QueryBlock], QueryBlock],
    note: Callable[[Ast, Cte], None] = lambda _clause, _cte: None,
) -> QueryBlock:
    """``query`` with each Select, then each query block, replaced by what is made of it, inner ones first.

    CTEs come before the body that they stand before; ``note`` is told of each, with its WITH, before that body is looked at.
    """

    def of_cte(clause: Ast, cte: Cte) -> Cte:
        made = replace(cte, query=of_query(cte.query))
        note(clause, made)
        return made

    def of_query(node: QueryBlock) -> QueryBlock:
        ctes = tuple(of_cte(node.ast["with"], cte) for cte in node.ctes)
        body, queries = of_body(node.body), tuple(map(of_query, node.queries))
        return change_query(replace(node, ctes=ctes, body=body, queries=queries))

    def of_body(body: Body) -> Body:
        match body:
            case Select():
                items = tuple(map(of_item, body.items))
                return change(replace(body, items=items, queries=tuple(map(of_query, body.queries))))
            case Values():
                return replace(body, queries=tuple(map(of_query, body.queries))) if body.queries else body
            case SetOperation():
                return replace(body, operands=tuple(map(of_body, body.operands)))
            case QueryBlock():
                return of_query(body)

    def of_item(item: FromItem) -> FromItem:
        joins = tuple(replace(join, relation=of_relation(join.relation), queries=tuple(map(of_query, join.queries))) for join in item.joins)
        return FromItem(of_relation(item.relation), joins)

    def of_relation(relation: Relation) -> Relation:
        match relation:
            case DerivedTable():
                return replace(relation, query=of_query(relation.query))
            case TableFunction() if relation.queries:
                return replace(relation, queries=tuple(map(of_query, relation.queries)))
            case JoinedItem():
                return replace(relation, item=of_item(relation.item))
            case Pivoted():
                return replace(relation, relation=of_relation(relation.relation))
            case _:
                return relation

    return of_query(query)


def rewrite_scans(select: Select, change: Callable[[Scan], Scan]) -> Select:
    """``select`` with each scan of its own FROM replaced."""

    def of_item(item: FromItem) -> FromItem:
        return FromItem(of_relation(item.relation), tuple(replace(join, relation=of_relation(join.relation)) for join in item.joins))

    def of_relation(relation: Relation) -> Relation:
        match relation:
            case Scan():
                return change(relation)
            case JoinedItem():
                return replace(relation, item=of_item(relation.item))
            case Pivoted():
                return replace(relation, relation=of_relation(relation.relation))
            case _:
                return relation

    return replace(select, items=tuple(map(of_item, select.items)))


def all_scans(query: QueryBlock) -> list[Scan]:
    """Every scan of a query, subqueries included, in the order of their names."""
    found: list[Scan] = []

    def collect(select: Select) -> Select:
        found.extend(block_scans(select))
        return select

    rewrite_selects(query, collect)
    return sorted(found, key=lambda scan: int(scan.name.rpartition("_")[2]))
