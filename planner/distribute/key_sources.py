"""Which columns of scans can only matter with values that columns of other tables have: where a runtime filter may stand.

A row of a scan matters only if it is in a row that its block makes. What compares its column with another one, and leaves out rows that
are not equal, leaves out those whose value no row of the other table has. That is so whatever joins are around it: where such a row goes,
only a row with NULLs can come in its place, and that has no equal values either.

=================================  ===================================================================================
the keys are of                    where
=================================  ===================================================================================
a table that is joined             ON or USING sets the columns equal, of an inner join; of LEFT and RIGHT for the side
                                   whose rows without partners are left out
a table of the same block          WHERE does, or inner joins do in several steps (``classes``); through subqueries in FROM
a table of a block around          WHERE of a subquery sets its column equal to one outside (EXISTS, NOT EXISTS, IN, NOT IN, scalars)
a table behind IN                  the term stands alone in WHERE, or in an AND, and is not negated
a table in EXISTS                  likewise, and EXISTS is false where its FROM has no rows: there is no aggregate
what looks, for a table behind IN  likewise, if rows can be left out of the subquery (``prunable``)
=================================  ===================================================================================

Never for a side whose rows are all kept. ``prunable`` says of which relations rows can be left out at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from planner.distribute.classes import Classes, Pair, equivalences, join_equalities, subquery_correlations
from planner.distribute.disjoint_sets import DisjointSets
from planner.distribute.outputs import bare
from planner.distribute.prunable import TableColumn, inner_column, is_plain, makes_groups, prunable, relations_of, table_column
from planner.distribute.ranges import WHOLE_NUMBERS
from planner.distribute.scopes import BoundColumn, Names
from planner.logical import FromItem, JoinedItem, QueryBlock, Scan, Select, selects_below

_KEY_TYPES = WHOLE_NUMBERS | {"DATE", "TIMESTAMP", "VARCHAR"}
MOST_STEPS = 3
"""Tables from which keys come, one narrowed by the next, at most."""
MOST_LINKS = 8
"""So many of a table's links are looked at: a class of many columns has a link from each to each."""


@dataclass(frozen=True, slots=True)
class Link:
    """Of ``target`` only those rows matter whose ``column`` has a value that ``source`` has in ``key``."""

    target: Scan
    column: str
    source: Scan
    key: str


@dataclass(frozen=True, slots=True)
class KeySource:
    """The values of ``key`` in the rows of ``scan`` that its predicates leave, and of these only rows whose columns have keys of others."""

    scan: Scan
    key: str
    narrowed: tuple[tuple[str, KeySource], ...] = ()

    def sources(self) -> Iterator[KeySource]:
        """Itself, and all that narrow it."""
        yield self
        for _, source in self.narrowed:
            yield from source.sources()

    @property
    def selects(self) -> bool:
        """Whether it may have fewer keys than its table."""
        return any(source.scan.predicates for source in self.sources())


@dataclass(slots=True)
class KeySources:
    """All links of a query, by the names of their targets."""

    names: Names
    links: dict[str, list[Link]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for select in selects_below(self.names.query):
            for link in _links(self.names, select):
                self.links.setdefault(link.target.name, []).append(link)

    def source(self, link: Link, small: frozenset[str], seen: frozenset[str] = frozenset()) -> KeySource:
        """The keys of a link, narrowed by those of other tables, which are among the ``small``."""
        seen = seen | {link.target.name, link.source.name}
        narrowed: dict[tuple[str, str], tuple[str, KeySource]] = {}
        if len(seen) <= MOST_STEPS:
            for other in self.links.get(link.source.name, ())[:MOST_LINKS]:
                if other.source.name in small and other.source.name not in seen:
                    source = self.source(other, small, seen)
                    if source.selects:
                        narrowed.setdefault((other.column, other.source.name), (other.column, source))
        return KeySource(link.source, link.key, tuple(narrowed.values()))


def _links(names: Names, select: Select) -> Iterator[Link]:
    targets = prunable(select)
    if not targets:
        return
    classes = equivalences(names, select)
    equal = _Equal(names, classes)
    for one, other in (*equal.pairs(), *_joined(names, select)):
        yield from _link(names, [table_column(names, one, targets)], [other])
    for correlation in classes.correlated:
        yield from _link(names, [table_column(names, column, targets) for column in equal.of(correlation.inner)], [correlation.outer])
    for looking, query, found in _looked_for(names, select):
        around = equal.of(looking)
        yield from _link(names, [table_column(names, column, targets) for column in around], [found])
        if query is not None:
            yield from _link(names, [inner_column(names, query, found)], around)


def _link(names: Names, columns: Iterable[TableColumn | None], sources: Iterable[BoundColumn]) -> Iterator[Link]:
    """Links from tables' columns to those that the ``sources`` are."""
    targets = [column for column in columns if column is not None]
    for source in sources if targets else ():
        origin = names.origin(source)
        if origin is None or not is_plain(origin[0]):
            continue
        for target, name in targets:
            kind = next(column.type for column in target.columns if column.name == name)
            if target is not origin[0] and _compare(kind, names.type(source)):
                yield Link(target, name, *origin)


@dataclass(slots=True)
class _Equal:
    """Columns of a block that are equal in each of its rows; whole numbers of other types too."""

    names: Names
    classes: Classes
    _sets: DisjointSets[BoundColumn] = field(default_factory=DisjointSets)

    def __post_init__(self) -> None:
        for known in self.classes.classes:
            first, *others = known
            for column in others:
                self._sets.join(first, column)
        for one, other in _whole_numbers(self.names, self.classes.refused):
            if not (one.depth or other.depth):
                self._sets.join(one, other)

    def pairs(self) -> Iterator[tuple[BoundColumn, BoundColumn]]:
        """All pairs, each in both orders."""
        for columns in self._sets.sets():
            yield from ((one, other) for one in columns for other in columns if one is not other)

    def of(self, column: BoundColumn) -> list[BoundColumn]:
        """All that equal ``column``, itself among them."""
        return next((columns for columns in self._sets.sets() if column in columns), [column])


def _joined(names: Names, select: Select) -> Iterator[tuple[BoundColumn, BoundColumn]]:
    """Pairs of columns that ON or USING compares, where a row whose first column equals no second one is in no row of the join."""
    for item in select.items:
        yield from _joined_in(names, item)


def _joined_in(names: Names, item: FromItem) -> Iterator[tuple[BoundColumn, BoundColumn]]:
    if isinstance(item.relation, JoinedItem):
        yield from _joined_in(names, item.relation.item)
    left = relations_of(item.relation)
    for join in item.joins:
        if isinstance(join.relation, JoinedItem):
            yield from _joined_in(names, join.relation.item)
        right = relations_of(join.relation)
        vanishing = {"inner": left | right, "left": right, "right": left}.get(join.kind, frozenset())
        found = join_equalities(names, join)
        for one, other in (*found.pairs, *_whole_numbers(names, found.refused)):
            yield from (
                (first, second) for first, second in ((one, other), (other, one)) if not first.depth and id(first.relation) in vanishing
            )
        left |= right


def _whole_numbers(names: Names, pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Those of pairs of columns of other types that are whole numbers: they are equal if their values are."""
    return (pair for pair in pairs if {names.type(column) for column in pair} <= WHOLE_NUMBERS)


def _looked_for(names: Names, select: Select) -> Iterator[tuple[BoundColumn, QueryBlock | None, BoundColumn]]:
    """Columns of a block, with columns of subqueries in WHERE that must have a row with an equal one; of IN, the subquery too."""
    for term in select.conjuncts:
        test = bare(term)
        if (inside := test.get("InSubquery")) is not None and not inside["negated"]:
            looking, query = names.column(inside["expr"]), names.subquery(inside["subquery"])
            outputs = None if query is None else names.outputs(query)
            found = outputs[0].column if outputs is not None and len(outputs) == 1 else None
            if looking is not None and not looking.depth and found is not None and not found.depth:
                yield looking, query, found
        elif (exists := test.get("Exists")) is not None and not exists["negated"]:
            query = names.subquery(exists["subquery"])
            if query is not None and isinstance(query.body, Select) and not makes_groups(query, query.body):
                pairs = subquery_correlations(names, query)
                yield from ((pair.outer, None, pair.inner) for pair in pairs if not pair.outer.depth)


def _compare(one: str | None, other: str | None) -> bool:
    """Whether keys of one type say what values of another there may be."""
    if one is None or other is None:
        return False
    if one in WHOLE_NUMBERS and other in WHOLE_NUMBERS:
        return True
    return one == other and (one in _KEY_TYPES or one.startswith("DECIMAL("))
