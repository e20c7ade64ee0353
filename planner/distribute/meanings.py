"""What a name may mean, and what a subquery shows of itself."""

from __future__ import annotations

from dataclasses import dataclass

from planner.ast import Ast
from planner.logical import Relation


@dataclass(frozen=True, slots=True)
class BoundColumn:
    """A column of a relation in FROM, called ``name`` by the relation. ``depth``: 0 of the block's own FROM, 1 of the block around it …

    Behind GROUP BY with grouping sets, a name that means it is NULL in the rows of sets without it.
    """

    relation: Relation
    name: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class ColumnField:
    """What is inside of a column's value: a struct's field, a list's member."""

    column: BoundColumn


@dataclass(frozen=True, slots=True)
class SelectAlias:
    """An item of the block's own select list, by its place; behind a set operation a column of the result, by its place."""

    item: int


Meaning = BoundColumn | ColumnField | SelectAlias | None
"""None: not known for certain."""


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A column of a subquery's result: the ``expression`` that it is, and the ``column`` of its FROM, if it is one and nothing else.

    ``name`` is None where it is derived from the expression's text: no name that people write without quotes. Both others are None
    where several SELECTs, or both sides of a join, give the values.
    """

    name: str | None
    expression: Ast | None = None
    column: BoundColumn | None = None


Outputs = tuple[OutputColumn, ...] | None
"""The columns of a result, in order; None where they are not known."""
