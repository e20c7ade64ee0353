"""Of which tables rows can be left out, because no row that comes of them matters: through joins, subqueries in FROM and CTEs.

Where a join is of a kind that counts rows or looks for neighbours (ASOF, POSITIONAL), where rows are sampled or columns renamed, nothing
can be left out. Nor out of a subquery that limits its rows, numbers them, or makes one of several that differ in the column in question.
"""

from __future__ import annotations

from planner.ast import walk
from planner.distribute.expressions import is_aggregate, is_call, is_grouped, sorts_and_limits
from planner.distribute.scopes import BoundColumn, Names
from planner.logical import CteRef, DerivedTable, FromItem, JoinedItem, QueryBlock, Relation, Scan, Select

TableColumn = tuple[Scan, str]
"""A column of a table in FROM."""


def prunable(select: Select) -> frozenset[int]:
    """The relations of a block's FROM of which rows can be left out, by their identity."""
    if select.reshape is not None:
        return frozenset()
    return frozenset().union(*map(_of_item, select.items))


def _of_item(item: FromItem) -> frozenset[int]:
    if any(join.kind == "other" for join in item.joins):
        return frozenset()
    return frozenset().union(*map(_of_relation, (item.relation, *(join.relation for join in item.joins))))


def _of_relation(relation: Relation) -> frozenset[int]:
    match relation:
        case Scan():
            return frozenset((id(relation),)) if is_plain(relation) else frozenset()
        case JoinedItem():
            return frozenset((id(relation),)) | _of_item(relation.item)
        case DerivedTable() | CteRef() if not next(iter(relation.ast.values())).get("sample"):
            return frozenset((id(relation),))
        case _:
            return frozenset()


def relations_of(relation: Relation) -> frozenset[int]:
    """A relation, and those of a join in parentheses, by their identity."""
    if not isinstance(relation, JoinedItem):
        return frozenset((id(relation),))
    parts = (relation.item.relation, *(join.relation for join in relation.item.joins))
    return frozenset((id(relation),)).union(*map(relations_of, parts))


def is_plain(scan: Scan) -> bool:
    """Whether a scan reads a table as it is."""
    return not scan.sampled and not scan.rigid and scan.join_word is None


def table_column(names: Names, column: BoundColumn, prunable_here: frozenset[int]) -> TableColumn | None:
    """The table's column that a column of a block's FROM is, if rows with other values can be left out of the table wherever they can be
    left out of the relation; None where that is not certain. ``prunable_here``: those of the block's relations that are :func:`prunable`.
    """
    relation = column.relation
    if column.depth or id(relation) not in prunable_here:
        return None
    if isinstance(relation, Scan):
        return names.origin(column)
    inner = dict(names.inner_columns(relation)).get(column)
    if inner is None:
        return None
    match relation:
        case JoinedItem():
            return table_column(names, inner, prunable_here)
        case DerivedTable(query=query):
            return inner_column(names, query, inner)
        case CteRef() if (cte := names.cte(relation)) is not None and names.uses(cte) == 1:
            return inner_column(names, cte.query, inner)
        case _:
            return None


def makes_groups(query: QueryBlock, select: Select) -> bool:
    """Whether the rows of a block are those of groups, or one of all."""
    behind = [select.ast[key] for key in ("projection", "having", "qualify", "named_window")]
    nodes = walk([*behind, query.ast["order_by"]], into_queries=False)
    return is_grouped(select.ast) or any(is_call(node) and is_aggregate(node["Function"]) for node in nodes)


def inner_column(names: Names, query: QueryBlock, column: BoundColumn) -> TableColumn | None:
    """The same for a column of a subquery's own FROM that is a column of its result: leaving rows out of the table leaves only rows out of
    the result that have the same values there.
    """
    select = query.body
    if not isinstance(select, Select) or sorts_and_limits(query.ast, limits_only=True):
        return None
    ast = select.ast
    nodes = walk([ast, query.ast["order_by"]], into_queries=False)
    if any(node.get("sample") or (is_call(node) and node["Function"]["over"] is not None) for node in nodes):
        return None
    if ast["distinct"] not in (None, "Distinct"):
        return None
    if makes_groups(query, select):
        terms, modifiers = ast["group_by"].get("Expressions", [[], []])
        keys = [names.column(term) for term in terms]
        if modifiers or None in keys or column not in keys:
            return None
    return table_column(names, column, prunable(select))
