"""Which small tables tell that rows of a large one do not matter: of its rows, only those whose key is in a filtered table meet any.

::

    FROM lineitem JOIN part ON p_partkey = l_partkey WHERE p_brand = 'Brand#23'
    lineitem's rows that matter:  l_partkey IN (SELECT p_partkey FROM part WHERE p_brand = 'Brand#23')

Certain it is where the column, in every row that the block makes, equals one of the other table's rows for which its conditions are true:
both tables stand in the block's own FROM and are in one class; or the column is looked for in a subquery behind IN; or the block stands in
another's WHERE, and its column equals one there of which that is so. It is never more than a hint: the join itself stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.ast import Ast
from planner.distribute.classes import subquery_correlations
from planner.distribute.divide import NotDivisible, Rules, in_where
from planner.distribute.outputs import bare
from planner.distribute.prunable import is_plain
from planner.distribute.scopes import BoundColumn, Names
from planner.logical import Body, DerivedTable, QueryBlock, Scan, Select, SetOperation, relations
from planner.scan_inputs import reading_only

_DEEPEST = 3
"""Through so many subqueries, one in another, is looked."""


@dataclass(frozen=True, slots=True)
class Reducer:
    """``column`` of a scan is one of the values in column ``key`` of those rows of ``scan`` that satisfy its predicates."""

    column: str
    scan: Scan
    key: str


@dataclass(frozen=True, slots=True)
class _Around:
    """The block in whose WHERE a subquery stands."""

    select: Select
    query: QueryBlock


@dataclass(slots=True)
class Reductions:
    """Finds reducers in one query."""

    names: Names
    rules: Rules
    _home: dict[str, Select] = field(default_factory=dict)
    _around: dict[int, _Around] = field(default_factory=dict)

    def of(self, scan: Scan) -> list[Reducer]:
        """All that is known to reduce the rows of a scan, each table once."""
        self._note_blocks(self.names.query)
        home = self._home.get(scan.name)
        if home is None:
            return []
        found: dict[str, Reducer] = {}
        for column in scan.needed:
            for other, key in self._values(home, BoundColumn(scan, column.name), 0):
                if other is not scan and other.predicates and is_plain(other):
                    found.setdefault(other.name, Reducer(column.name, reading_only(other, (key,)), key))
        return list(found.values())

    def needs_key(self, scan: Scan, key: str) -> bool:
        """Whether rows in which ``key`` is NULL do not matter, because it must equal another table's column, or one around the block."""
        self._note_blocks(self.names.query)
        home = self._home.get(scan.name)
        if home is None:
            return False
        equal = self._equal(home, BoundColumn(scan, key))
        around = self._around.get(id(home))
        if around is not None and any(pair.inner in equal for pair in subquery_correlations(self.names, around.query)):
            return True
        beside = {id(relation) for relation in relations(home) if isinstance(relation, Scan) and relation is not scan}
        return any(id(column.relation) in beside for column in equal)

    def _equal(self, select: Select, column: BoundColumn) -> frozenset[BoundColumn]:
        """The columns that equal ``column`` in every row of the block; none, where the block cannot be divided anyway."""
        try:
            return self.rules.classes(select).of(column)
        except NotDivisible:
            return frozenset()

    def _values(self, select: Select, column: BoundColumn, depth: int) -> Iterator[tuple[Scan, str]]:
        """Columns of tables one of whose values ``column`` is, in every row of the block that matters."""
        equal = self._equal(select, column)
        own = {id(relation) for relation in relations(select)}
        for other in equal:
            if isinstance(other.relation, Scan) and id(other.relation) in own:
                yield other.relation, other.name
        if depth == _DEEPEST:
            return
        for test in _looked_for(select):
            looks = self.names.column(test["expr"])
            inner = self.names.subquery(test["subquery"])
            if inner is not None and looks is not None and looks.depth == 0 and looks in equal:
                yield from self._listed(inner)
        around = self._around.get(id(select))
        if around is None:
            return
        looked = next((test["expr"] for test in _looked_for(around.select) if test["subquery"] is around.query.ast), None)
        for pair in subquery_correlations(self.names, around.query, looked):
            if pair.inner in equal and pair.outer.depth == 0:
                yield from self._values(around.select, pair.outer, depth + 1)

    def _listed(self, query: QueryBlock) -> Iterator[tuple[Scan, str]]:
        """The columns of tables whose values a subquery gives in its only column."""
        outputs = self.names.outputs(query)
        column = outputs[0].column if outputs is not None and len(outputs) == 1 else None
        body = _only_select(query)
        if column is None or column.depth or body is None:
            return
        own = {id(relation) for relation in relations(body)}
        for other in self._equal(body, column):
            if isinstance(other.relation, Scan) and id(other.relation) in own:
                yield other.relation, other.name

    def _note_blocks(self, query: QueryBlock) -> None:
        """Notes in which block each scan stands, and which block is around which."""
        if self._home:
            return
        stack: list[tuple[Body, _Around | None]] = [(query, None)]
        while stack:
            body, around = stack.pop()
            match body:
                case QueryBlock():
                    stack += [(cte.query, None) for cte in body.ctes]
                    stack += [(inner, None) for inner in body.queries]
                    stack.append((body.body, around))
                case SetOperation():
                    stack += [(operand, None) for operand in body.operands]
                case Select():
                    if around is not None:
                        self._around[id(body)] = around
                    where = in_where(body)
                    stack += [(inner, _Around(body, inner) if id(inner.ast) in where else None) for inner in body.queries]
                    for relation in relations(body):
                        if isinstance(relation, Scan):
                            self._home[relation.name] = body
                        elif isinstance(relation, DerivedTable):
                            stack.append((relation.query, None))


def _looked_for(select: Select) -> Iterator[Ast]:
    """The conditions of WHERE that say what is among the rows of a subquery."""
    for term in select.conjuncts:
        test = bare(term).get("InSubquery")
        if test is not None and not test["negated"]:
            yield test


def _only_select(query: QueryBlock) -> Select | None:
    body = query.body
    while isinstance(body, QueryBlock):
        body = body.body
    return body if isinstance(body, Select) and body.reshape is None else None
