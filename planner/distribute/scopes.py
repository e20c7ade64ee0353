"""Names → columns of relations, by the kernel's rules, through every scope of a query.

A bare name is a column of the block's FROM, else an alias of its select list where the clause may use one, else a whole row, else a
name of the block around. Only in ORDER BY and DISTINCT ON, and there only for what stands alone, aliases come first. ``a.b`` is column
``b`` of the relation ``a``, else a field of a column ``a``. A subquery in FROM sees what stands before it there, then the blocks around.
The query is taken to be one that the kernel accepts. **What names alone do not tell for certain has no meaning here.**
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from planner.ast import Ast
from planner.distribute.binding import NameBinder, may_be_columns
from planner.distribute.meanings import BoundColumn, ColumnField, Meaning, OutputColumn, Outputs, SelectAlias
from planner.distribute.mentions import mentions
from planner.distribute.outputs import starred
from planner.logical import Body, Cte, CteRef, DerivedTable, Join, QueryBlock, Relation, Scan, Select, SetOperation
from planner.quoting import folded

__all__ = ["BoundColumn", "ColumnField", "Columns", "Meaning", "Names", "OutputColumn", "Outputs", "SelectAlias", "bind_names"]

Columns = tuple[tuple[BoundColumn, ...], bool]
"""Columns that are mentioned, each once, and whether these are certainly all."""


@dataclass(frozen=True, slots=True)
class Names:
    """The meanings of a query's names. Nodes of trees, blocks and relations are told apart by their identity."""

    query: QueryBlock
    _found: NameBinder
    _free: dict[int, Columns] = field(default_factory=dict)

    def meaning(self, node: Ast) -> Meaning:
        """What a name of the syntax tree means: an ``Identifier``, a ``CompoundIdentifier`` or a ``CompoundFieldAccess``."""
        return self._found.shown.meanings.get(id(node))

    def column(self, expression: Ast) -> BoundColumn | None:
        """The column that an expression is, parentheses aside; None for any other expression."""
        return self._found.shown.column(expression)

    def columns(self, select: Select, *roots: Any) -> Columns:
        """The columns that expressions of a block mention, as the block sees them (depth 0: of its own FROM), those of their
        subqueries included. An alias stands for what its item mentions.
        """
        found: dict[BoundColumn, None] = {}
        sure, stack, expanded = True, list(roots), set[int]()
        while stack:
            mentioned = mentions(stack.pop())
            sure &= not mentioned.doubtful and not may_be_columns(mentioned.words, self._found.scopes.get(id(select)))
            for mention in mentioned.names:
                match self.meaning(mention.node):
                    case BoundColumn() as column:
                        found[column] = None
                    case ColumnField(column):
                        found[column] = None
                    case SelectAlias(item):
                        if item not in expanded:
                            expanded.add(item)
                            stack.append(select.ast["projection"][item])
                    case None:
                        sure = False
            for star in mentioned.stars:
                outputs = self._found.shown.star_outputs(select, star)
                sure &= outputs is not None and all(output.column is not None for output in outputs)
                found |= dict.fromkeys(output.column for output in outputs or () if output.column is not None)
            for ast in mentioned.queries:
                columns, known = self.outer_columns(self._found.queries[id(ast)])
                found |= dict.fromkeys(columns)
                sure &= known
        return tuple(found), sure

    def correlated(self, query: Body) -> bool | None:
        """Whether a query mentions columns of blocks around it, or of relations before it in FROM; None where that is not certain."""
        columns, sure = self.outer_columns(query)
        return True if columns else False if sure else None

    def outer_columns(self, query: Body) -> Columns:
        """The columns of blocks around ``query`` that it mentions, as the innermost of these blocks sees them."""
        known = self._free.get(id(query))
        if known is None:
            found: dict[BoundColumn, None] = {}
            sure = self._add_outer(query, found)
            known = self._free[id(query)] = tuple(found), sure
        return known

    def _add_outer(self, body: Body, found: dict[BoundColumn, None]) -> bool:
        """Adds what a body mentions of the blocks around it. Returns whether that is certainly all."""
        if isinstance(body, SetOperation):
            known = [self._add_outer(operand, found) for operand in body.operands]
            return all(known)
        block = self._found.blocks[id(body)]
        below: list[BoundColumn] = []
        sure = not block.doubtful
        for query in block.queries:
            columns, complete = self.outer_columns(query)
            below += columns
            sure &= complete
        if isinstance(body, QueryBlock):  # with no FROM of its own: what its CTEs see around them is what it sees
            found |= dict.fromkeys(below)
            return self._add_outer(body.body, found) and sure
        found |= dict.fromkeys(replace(column, depth=column.depth - 1) for column in (*block.columns, *below) if column.depth)
        return sure

    def known(self, query: QueryBlock) -> bool:
        """Whether all names of a query's own block have a meaning, and nothing else there may mean columns. Subqueries do not count."""
        bodies: list[Body] = [query]
        for body in bodies:
            if isinstance(body, SetOperation):
                bodies += body.operands
                continue
            if self._found.blocks[id(body)].doubtful:
                return False
            if isinstance(body, QueryBlock):
                bodies.append(body.body)
        return True

    def outputs(self, query: QueryBlock) -> Outputs:
        """The columns of a query's result, called as one who selects from it calls them."""
        return self._found.shown.outputs(query)

    def star(self, select: Select) -> Outputs:
        """What ``*`` stands for in a block: columns of its relations, but those of both sides of a full join with USING."""
        return starred(self._found.shown.frames[id(select)])

    def starred(self, select: Select, item: Ast) -> Outputs:
        """What a star in a block's select list stands for, in order."""
        return self._found.shown.star_outputs(select, item)

    def origin(self, column: BoundColumn) -> tuple[Scan, str] | None:
        """The column of a table that ``column`` is, through subqueries in FROM and CTEs.

        Each of its values is one of the table's, or NULL where an outer join met no row.
        """
        return self._found.shown.origin(column)

    def source(self, column: BoundColumn) -> tuple[Select, Ast] | None:
        """The expression that a column of a subquery in FROM or of a CTE is, with the SELECT that it stands in."""
        relation = column.relation
        query = relation.query if isinstance(relation, DerivedTable) else None
        if isinstance(relation, CteRef) and (cte := self.cte(relation)) is not None:
            query = cte.query
        if query is None or not isinstance(query.body, Select):
            return None
        outputs = self._found.shown.relation_outputs(relation) or ()
        found = [output.expression for output in outputs if output.name == column.name]
        return (query.body, found[0]) if len(found) == 1 and found[0] is not None else None

    def type(self, column: BoundColumn) -> str | None:
        """The column's type, where it is plainly a table's column."""
        return self._found.shown.type(column)

    def subquery(self, ast: Ast) -> QueryBlock | None:
        """The block that was bound from a query in an expression."""
        return self._found.queries.get(id(ast))

    def cte(self, reference: CteRef) -> Cte | None:
        """The CTE that a relation is."""
        return self._found.shown.ctes.get(id(reference))

    def uses(self, cte: Cte) -> int:
        """How often a CTE stands in a FROM."""
        return sum(used is cte for used in self._found.shown.ctes.values())

    def inner_columns(self, relation: Relation) -> list[tuple[BoundColumn, BoundColumn]]:
        """The columns of a derived table, a CTE or a join with an alias, each with the column of its own FROM that it is."""
        outputs = self._found.shown.relation_outputs(relation) or ()
        named = [(output.name, output.column) for output in outputs]
        return [
            (BoundColumn(relation, name), column) for name, column in named if name is not None and column is not None and not column.depth
        ]

    def relation(self, select: Select, alias: str) -> Relation | None:
        """The relation of a block's FROM that is called so, if there is one and no more."""
        source = self._found.shown.frames[id(select)].relations.get(folded(alias))
        return None if source is None else source.relation

    def using(self, join: Join) -> tuple[tuple[BoundColumn | None, BoundColumn | None], ...] | None:
        """The pairs of columns that USING or NATURAL compares; None for a NATURAL join of which they are not known."""
        return self._found.pairs.get(id(join), ())


def bind_names(query: QueryBlock) -> Names:
    """The meanings of all names of a query whose scans have their columns, and which the kernel accepts."""
    binder = NameBinder()
    binder.query(query, None, {})
    return Names(query, binder)
