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
=================================  ===================================================================================

Never for a side whose rows are all kept. Where a join is of a kind that counts or looks for neighbours (ASOF, POSITIONAL), where rows are
sampled, or columns renamed, there is no filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from planner.distribute.classes import Classes, Pair, equivalences, join_equalities, subquery_correlations
from planner.distribute.disjoint_sets import DisjointSets
from planner.distribute.divide import Rules
from planner.distribute.outputs import bare
from planner.distribute.scopes import BoundColumn, Names
from planner.logical import FromItem, JoinedItem, Relation, Scan, Select, selects_below

WHOLE_NUMBERS = frozenset(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"))
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
    targets = {id(scan) for item in select.items for scan in _plain_scans(item)}
    if not targets or select.reshape is not None:
        return
    classes = equivalences(names, select)
    equal = _Equal(names, classes)
    for one, other in (*equal.pairs(), *_joined(names, select)):
        yield from _link(names, targets, [one], other)
    for correlation in classes.correlated:
        yield from _link(names, targets, equal.of(correlation.inner), correlation.outer)
    for looking, found in _semi_joined(names, select):
        if looking.depth == 0:
            yield from _link(names, targets, equal.of(looking), found)


def _link(names: Names, targets: set[int], columns: Iterable[BoundColumn], source: BoundColumn) -> Iterator[Link]:
    """Links from those of ``columns`` that are of targets to the table's column that ``source`` is."""
    origin = names.origin(source)
    if origin is None or not _is_plain(origin[0]):
        return
    kind = names.type(source)
    for column in columns:
        target = column.relation
        if isinstance(target, Scan) and id(target) in targets and target is not origin[0] and _compare(names.type(column), kind):
            known = names.origin(column)
            assert known is not None, "it is a table's column"
            yield Link(target, known[1], *origin)


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
    left = _scans_in(item.relation)
    for join in item.joins:
        if isinstance(join.relation, JoinedItem):
            yield from _joined_in(names, join.relation.item)
        right = _scans_in(join.relation)
        vanishing = {"inner": left | right, "left": right, "right": left}.get(join.kind, frozenset())
        found = join_equalities(names, join)
        for one, other in (*found.pairs, *_whole_numbers(names, found.refused)):
            yield from (
                (first, second) for first, second in ((one, other), (other, one)) if not first.depth and id(first.relation) in vanishing
            )
        left |= right


def _scans_in(relation: Relation) -> frozenset[int]:
    """The scans of a relation, those of a join in parentheses, by their identity."""
    match relation:
        case Scan():
            return frozenset((id(relation),))
        case JoinedItem():
            parts = (relation.item.relation, *(join.relation for join in relation.item.joins))
            return frozenset().union(*map(_scans_in, parts))
        case _:
            return frozenset()


def _whole_numbers(names: Names, pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Those of pairs of columns of other types that are whole numbers: they are equal if their values are."""
    return (pair for pair in pairs if {names.type(column) for column in pair} <= WHOLE_NUMBERS)


def _semi_joined(names: Names, select: Select) -> Iterator[tuple[BoundColumn, BoundColumn]]:
    """Columns of a block, with columns of subqueries in WHERE that must have a row with an equal one."""
    for term in select.conjuncts:
        test = bare(term)
        if (inside := test.get("InSubquery")) is not None and not inside["negated"]:
            looking, query = names.column(inside["expr"]), names.subquery(inside["subquery"])
            outputs = None if query is None else names.outputs(query)
            found = outputs[0].column if outputs is not None and len(outputs) == 1 else None
            if looking is not None and found is not None and not found.depth:
                yield looking, found
        elif (exists := test.get("Exists")) is not None and not exists["negated"]:
            query = names.subquery(exists["subquery"])
            if query is not None and isinstance(query.body, Select) and not Rules(names).calls(query, query.body)[1]:
                yield from ((pair.outer, pair.inner) for pair in subquery_correlations(names, query))


def _compare(one: str | None, other: str | None) -> bool:
    """Whether keys of one type say what values of another there may be."""
    if one is None or other is None:
        return False
    if one in WHOLE_NUMBERS and other in WHOLE_NUMBERS:
        return True
    return one == other and (one in _KEY_TYPES or one.startswith("DECIMAL("))


def _plain_scans(item: FromItem) -> list[Scan]:
    """The scans of an item of FROM of which rows may be left out."""
    if any(join.kind == "other" for join in item.joins):
        return []
    found: list[Scan] = []
    for relation in (item.relation, *(join.relation for join in item.joins)):
        match relation:
            case Scan() if _is_plain(relation):
                found.append(relation)
            case JoinedItem():
                found += _plain_scans(relation.item)
    return found


def _is_plain(scan: Scan) -> bool:
    return not scan.sampled and not scan.rigid and scan.join_word is None
