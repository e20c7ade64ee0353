"""Equivalence classes of columns in a block: those that are equal in every row that it makes, because AND-ed conditions say so.

Counted are ``a = b`` in WHERE (within OR, what all branches say), in ON and USING of inner joins, and across a subquery in FROM or a CTE
that is used once: its column is the column inside. What ON of an outer join says holds only where it found a row, so it is no equality of
the block; :func:`join_equalities` tells what one join compares. Equal types are asked for: of another type, an equal value may have
another hash, and another place in an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from planner.ast import Ast
from planner.distribute.disjoint_sets import DisjointSets
from planner.distribute.mentions import mentions
from planner.distribute.outputs import bare
from planner.distribute.scopes import BoundColumn, Names
from planner.logical import CteRef, DerivedTable, FromItem, Join, JoinedItem, QueryBlock, Relation, Select

_ASOF = frozenset(("RightAnti", "RightSemi"))
"""The parser's joins that stand for ASOF (``spellings.joins``); the last column of their USING is not compared by ``=``."""

Pair = tuple[BoundColumn, BoundColumn]


@dataclass(frozen=True, slots=True)
class Equalities:
    """What conditions say is equal: pairs of columns, and columns with the constants that they are. ``refused`` pairs are equal too, but
    their types differ, or are not known.
    """

    pairs: tuple[Pair, ...] = ()
    constants: tuple[tuple[BoundColumn, Ast], ...] = ()
    refused: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Correlation:
    """An equality between a column ``inner`` of a subquery's FROM and ``outer``, as the block around the subquery sees it."""

    inner: BoundColumn
    outer: BoundColumn


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a block. Columns have depth 0, those inside of subqueries in FROM, too: the relation tells where they are.

    ``correlated`` are the equalities with columns of blocks around. A constant belongs to all columns of its column's class.
    """

    classes: tuple[frozenset[BoundColumn], ...]
    constants: tuple[tuple[BoundColumn, Ast], ...]
    refused: tuple[Pair, ...]
    correlated: tuple[Correlation, ...]
    _class_of: dict[BoundColumn, frozenset[BoundColumn]]

    def of(self, column: BoundColumn) -> frozenset[BoundColumn]:
        """All columns that are equal to ``column``, itself among them."""
        column = _here(column)
        return self._class_of.get(column) or frozenset((column,))

    def equal(self, left: BoundColumn, right: BoundColumn) -> bool:
        """Whether two columns are in one class."""
        return _here(right) in self.of(left)


def equivalences(names: Names, select: Select) -> Classes:
    """The classes of a block."""
    found = _Collector(names)
    found.select(select)
    return found.classes()


def join_equalities(names: Names, join: Join) -> Equalities:
    """What one join's ON, USING or NATURAL compares: of all kinds of joins, the equalities between the rows that it puts together.

    In ON, both columns of a pair may be of one side, or one of a block around.
    """
    using = [(left, right) for left, right in names.using(join) or () if left is not None and right is not None]
    operator = join.ast["join_operator"]
    if using and type(operator) is dict and _ASOF.intersection(operator):
        using.pop()
    return _typed(names, (*using, *_pairs(names, join.on)), _constants(names, join.on))


def subquery_correlations(names: Names, query: QueryBlock, compared: Ast | None = None) -> tuple[Correlation, ...]:
    """The equalities between a subquery and the block around it. ``compared`` is what stands before IN: it equals the only column."""
    select = _only_select(query)
    if select is None:
        return ()
    found = equivalences(names, select).correlated
    outer = None if compared is None else names.column(compared)
    outputs = names.outputs(query)
    inner = outputs[0].column if outputs is not None and len(outputs) == 1 else None
    if outer is None or inner is None or inner.depth or names.type(inner) is None or names.type(inner) != names.type(outer):
        return found
    return (Correlation(inner, outer), *found)


@dataclass(slots=True)
class _Collector:
    names: Names
    identities: list[Pair] = field(default_factory=list)
    joined: DisjointSets[BoundColumn] = field(default_factory=DisjointSets)
    constants: list[tuple[BoundColumn, Ast]] = field(default_factory=list)
    refused: list[Pair] = field(default_factory=list)
    correlated: list[Correlation] = field(default_factory=list)

    def select(self, select: Select) -> None:
        for item in select.items:
            for equalities in self._item(item):
                self._add(equalities)
        self._add(_typed(self.names, _pairs(self.names, select.conjuncts), _constants(self.names, select.conjuncts)))

    def _item(self, item: FromItem) -> list[Equalities]:
        """The equalities that hold in every row of an item of FROM."""
        held = self._relation(item.relation)
        for join in item.joins:
            right = self._relation(join.relation)
            match join.kind:
                case "inner":
                    held += [*right, join_equalities(self.names, join)]
                case "right":
                    held = right
                case "full":
                    held = []
        return held

    def _relation(self, relation: Relation) -> list[Equalities]:
        """The equalities that hold in every row of a relation. Its columns are put together with those that they are, inside of it."""
        match relation:
            case JoinedItem():
                held = self._item(relation.item)
                for column, same in self.names.inner_columns(relation):
                    self._identify(column, same)
                return held
            case DerivedTable(query=query):
                return self._inside(relation, query)
            case CteRef() if (cte := self.names.cte(relation)) is not None and self.names.uses(cte) == 1:
                return self._inside(relation, cte.query)
            case _:
                return []

    def _inside(self, relation: Relation, query: QueryBlock) -> list[Equalities]:
        select = _only_select(query)
        if select is None:
            return []
        for column, same in self.names.inner_columns(relation):
            self._identify(column, same)
        inner = _Collector(self.names)
        inner.select(select)
        for column, same in inner.identities:
            self._identify(column, same)
        pairs = [(listed[0], column) for listed in inner.joined.sets() for column in listed[1:]]
        pairs += [(correlation.inner, correlation.outer) for correlation in inner.correlated]
        return [Equalities(tuple(pairs), tuple(inner.constants), tuple(inner.refused))]

    def _identify(self, column: BoundColumn, same: BoundColumn) -> None:
        """A column of a subquery in FROM is the column that it is there, whatever joins are around."""
        self.identities.append((column, same))
        self.joined.join(column, same)

    def _add(self, equalities: Equalities) -> None:
        for left, right in equalities.pairs:
            if left.depth and right.depth:
                continue
            if left.depth or right.depth:
                inner, outer = (right, left) if left.depth else (left, right)
                self.correlated.append(Correlation(inner, replace(outer, depth=outer.depth - 1)))
            else:
                self.joined.join(left, right)
        self.constants += equalities.constants
        self.refused += equalities.refused

    def classes(self) -> Classes:
        classes = tuple(frozenset(listed) for listed in self.joined.sets() if len(listed) > 1)
        of = {column: each for each in classes for column in each}
        return Classes(classes, tuple(self.constants), tuple(self.refused), tuple(self.correlated), of)


def _here(column: BoundColumn) -> BoundColumn:
    return replace(column, depth=0) if column.depth else column


def _only_select(query: QueryBlock) -> Select | None:
    body = query.body
    while isinstance(body, QueryBlock):
        body = body.body
    return body if isinstance(body, Select) and body.reshape is None else None


def _typed(names: Names, pairs: Iterable[Pair], constants: Iterable[tuple[BoundColumn, Ast]]) -> Equalities:
    """The equalities, pairs of columns of one known type apart from others."""
    equal: list[Pair] = []
    refused: list[Pair] = []
    for left, right in dict.fromkeys(pairs):
        kind = names.type(left)
        (refused if kind is None or kind != names.type(right) else equal).append((left, right))
    return Equalities(tuple(equal), tuple(constants), tuple(refused))


def _pairs(names: Names, terms: Iterable[Ast]) -> Iterator[Pair]:
    """The pairs of columns that must be equal where all terms are true."""
    for term in _terms(terms):
        operator = term.get("BinaryOp")
        if operator is None:
            continue
        if operator["op"] == "Eq":
            left, right = names.column(operator["left"]), names.column(operator["right"])
            if left is not None and right is not None and left != right:
                yield left, right
        elif operator["op"] == "Or":
            first, *others = [dict.fromkeys(_pairs(names, (branch,))) for branch in _branches(term)]
            yield from (pair for pair in first if all(pair in other or pair[::-1] in other for other in others))


def _constants(names: Names, terms: Iterable[Ast]) -> Iterator[tuple[BoundColumn, Ast]]:
    for term in _terms(terms):
        operator = term.get("BinaryOp")
        if operator is None or operator["op"] != "Eq":
            continue
        for side, other in (("left", "right"), ("right", "left")):
            column = names.column(operator[side])
            if column is not None and not column.depth and _is_constant(operator[other]):
                yield column, operator[other]


def _is_constant(expression: Ast) -> bool:
    found = mentions(expression)
    return not (found.names or found.queries or found.functions or found.doubtful)


def _terms(terms: Iterable[Ast]) -> Iterator[Ast]:
    """The terms of all ANDs, without parentheses around them."""
    stack = list(terms)[::-1]
    while stack:
        term = bare(stack.pop())
        operator = term.get("BinaryOp")
        if operator is not None and operator["op"] == "And":
            stack += (operator["right"], operator["left"])
        else:
            yield term


def _branches(term: Ast) -> list[Ast]:
    """The branches of the ORs at the top of a term."""
    branches: list[Ast] = []
    stack = [term]
    while stack:
        node = bare(stack.pop())
        operator = node.get("BinaryOp")
        if operator is not None and operator["op"] == "Or":
            stack += (operator["right"], operator["left"])
        else:
            branches.append(node)
    return branches
