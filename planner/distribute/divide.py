"""By what may a statement's tables be divided, so that its blocks can run on shares: the rules.

A relation in a block is *whole* in each share, or *divided*: each of its rows is in exactly one share. Divided rows lie anywhere, or rows
that are equal in a *key* lie in one share. The rules below say what that makes of joins, subqueries, groups and windows. They only ever
say yes where it is certain; a function, a clause or a name that they do not know divides nothing.

=====================  ==================================================================================================
construct              divided, where
=====================  ==================================================================================================
inner join             one side is whole, or both are divided by keys that are equal in every row that is left
LEFT (RIGHT mirrored)  the right side is whole, or both are divided by keys that ON sets equal; never the right side alone
FULL                   both are divided by keys that ON sets equal
SEMI, ANTI             as LEFT
EXISTS, scalar         the inner rows are whole, or divided by a key that WHERE sets equal to one of the outer rows'
IN                     the inner rows are whole, or divided by the column that is looked for, and the outer ones by what looks
NOT IN                 the inner rows are whole: a NULL anywhere answers for all
GROUP BY, DISTINCT     complete in a share where a key is among what is grouped by; else in two steps
windows                complete where each PARTITION BY has a key; else in two steps
ORDER BY, LIMIT        in two steps
set operations         each side by itself
=====================  ==================================================================================================

What is whole is evaluated again in each share, and must give the same rows there; or once, for all shares, where it mentions nothing around
it: where there is a LIMIT, or a window. A clock and ``random()`` are in no share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from planner.ast import BARE_QUERY, Ast, is_query, walk
from planner.distribute.classes import Classes, Pair, equivalences, join_equalities, subquery_correlations
from planner.distribute.expressions import is_aggregate, is_call, is_grouped, shows_collations, sorts_and_limits
from planner.distribute.outputs import bare
from planner.distribute.partial_aggregates import AGGREGATES, WITH_PARTIAL_FORM
from planner.distribute.prunable import is_plain
from planner.distribute.scopes import BoundColumn, Names
from planner.functions import CLOCK_VALUES, ROW_BY_ROW, TABLE_FUNCTIONS, WINDOW_FUNCTIONS
from planner.logical import (
    Body,
    CteRef,
    DerivedTable,
    FromItem,
    Join,
    JoinedItem,
    QueryBlock,
    Relation,
    Scan,
    Select,
    SetOperation,
    Values,
    relations_below,
    scans_of,
)
from planner.quoting import folded
from planner.references import function_name

Keys = frozenset[BoundColumn]
"""By what rows are divided: equal values of any of these columns are in one share. Empty: rows are anywhere."""

ANYWHERE: Keys = frozenset()


_SIDES: Mapping[str, str] = {"left": "the left", "right": "the right", "full": "the full", "semi": "the semi or anti"}


class NotDivisible(Exception):
    """The tables cannot be divided in this way for certain. The message says why."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A block whose FROM and WHERE run on shares. ``query`` has ``select`` for its body; it is made up around an operand of a UNION.

    ``complete``: groups, windows and distinct rows are complete in their shares; what sorts and limits rows of all shares is left.
    """

    query: QueryBlock
    select: Select
    complete: bool

    @property
    def is_operand(self) -> bool:
        """Whether it is a bare SELECT between UNIONs."""
        return self.query.ast.get("body", self) is None

    def inside(self) -> Iterator[Scan]:
        """The scans of its FROM and WHERE."""
        return from_and_where(self.select)


JoinSide = Literal["inner", "left", "right", "full", "semi"]
_NARROWING = ("Semi", "Anti")
"""The parser's joins that are the kernel's of that name; LEFT SEMI stands for POSITIONAL (``spellings.joins``)."""


@dataclass(slots=True)
class Rules:
    """The rules for one query, whose blocks are looked at once for all ways to divide it."""

    names: Names
    repeatable: set[int] = field(default_factory=set)
    """The trees of what gives the same rows whenever it is evaluated."""
    once: set[int] = field(default_factory=set)
    """The trees of subqueries and CTEs that might not, and are to be evaluated once for all shares, which can be done."""
    _classes: dict[int, Classes] = field(default_factory=dict)
    _collates: bool = field(init=False)
    _calls: dict[int, tuple[list[Ast], bool]] = field(default_factory=dict)
    _scans: dict[int, tuple[Body | Relation, frozenset[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._collates = shows_collations(self.names.query.ast)

    def cuts(self, divided: Mapping[str, str | None]) -> list[Cut]:
        """Where the query is to be cut if its scans ``divided`` are: by the column of that name, or None for rows that lie anywhere.

        Raises ``NotDivisible``.
        """
        if self._collates:
            raise NotDivisible("behind an exchange text would not be compared by its collation any more")
        divider = _Divider(self, self.names, divided)
        divider.closed(self.names.query)
        return divider.cuts

    def is_repeatable(self, query: QueryBlock) -> bool:
        """Whether a query gives the same rows in whichever share it is evaluated."""
        try:
            _Divider(self, self.names, {}).repeatable(query)
        except NotDivisible:
            return False
        return True

    def scans(self, node: Body | Relation) -> frozenset[str]:
        """The names of all scans in it."""
        known = self._scans.get(id(node))
        if known is None:  # the node is kept, since one that is made up for a moment would leave its id to another
            known = self._scans[id(node)] = node, frozenset(scan.name for scan in scans_of(node))
        return known[1]

    def calls(self, query: QueryBlock, select: Select) -> tuple[list[Ast], bool]:
        """The functions that a block calls behind WHERE, and whether its rows are those of groups, or one of all."""
        known = self._calls.get(id(select))
        if known is None:
            called = [node["Function"] for node in walk(_behind_where(query, select), into_queries=False) if is_call(node)]
            known = self._calls[id(select)] = called, is_grouped(select.ast) or any(map(is_aggregate, called))
        return known

    def classes(self, select: Select) -> Classes:
        """The classes of a block that may be divided. Raises ``NotDivisible`` where it calls what depends on more than its rows."""
        known = self._classes.get(id(select))
        if known is None:
            if select.reshape is not None:
                raise NotDivisible("a PIVOT or the like reads the table")
            check_functions([value for key, value in select.ast.items() if key != "from"], ROW_BY_ROW | AGGREGATES | WINDOW_FUNCTIONS)
            for item in select.items:
                check_functions([join.ast["join_operator"] for join in item.joins], ROW_BY_ROW)
            known = self._classes[id(select)] = equivalences(self.names, select)
        return known


@dataclass(slots=True)
class _Divider:
    rules: Rules
    names: Names
    divided: Mapping[str, str | None]
    cuts: list[Cut] = field(default_factory=list)
    _looked_into: set[int] = field(default_factory=set)
    """The trees of CTEs that are whole if what they read is."""

    # -- blocks ---------------------------------------------------------------------------------------------------------

    def closed(self, query: QueryBlock) -> None:
        """A query of which all rows are to be in one place: it is cut where its shares end."""
        keys, complete = self._query(query)
        if keys is not None:
            self._cut(query, complete)

    def _query(self, query: QueryBlock) -> tuple[Keys | None, bool]:
        """By what the rows of a query's FROM are divided, and whether all that its body asks of them is complete in their share.

        None where they are whole, or have been cut below.
        """
        if not self._has_divided(query):
            return None, True
        for cte in query.ctes:
            if query.ast["with"]["recursive"] and self._has_divided(cte.query):
                raise NotDivisible("a recursive query reads the table")
            self.closed(cte.query)
        body = query.body
        if isinstance(body, QueryBlock):
            self.closed(body)
            return None, True
        if isinstance(body, SetOperation):
            for operand in body.operands:
                self._operand(operand)
            return None, True
        if isinstance(body, Values):
            raise NotDivisible("a table is read in VALUES")
        keys = self._rows(body)
        complete = keys is None or self._is_complete(query, body, keys)
        self._behind(query, body, repeated=keys is not None and (complete or not self.rules.calls(query, body)[1]))
        return keys, complete

    def _operand(self, body: Body) -> None:
        if isinstance(body, Select):
            self.closed(QueryBlock({**BARE_QUERY, "body": None}, body))
        elif isinstance(body, QueryBlock):
            self.closed(body)
        elif self._has_divided(body):
            raise NotDivisible("a set operation stands in another")

    def _cut(self, query: QueryBlock, complete: bool) -> None:
        assert isinstance(query.body, Select), "only a SELECT has rows of its own"
        if query is not self.names.query and self.names.correlated(query.body) is not False:
            raise NotDivisible("it is read in a subquery that mentions rows around it")
        self.cuts.append(Cut(query, query.body, complete))

    def _behind(self, query: QueryBlock, select: Select, *, repeated: bool) -> None:
        """Subqueries behind WHERE, each by itself, over all rows. ``repeated``: each share evaluates them."""
        where = in_where(select)
        for inner in (*select.queries, *query.queries):
            if id(inner.ast) not in where:
                if not self.names.outer_columns(inner)[1]:
                    raise NotDivisible("a subquery may have an aggregate in it that is this block's")
                self.closed(inner)
                if repeated:
                    self.repeatable(inner)

    def _is_complete(self, query: QueryBlock, select: Select, keys: Keys) -> bool:
        """Whether each group, window and set of equal rows is in one share."""
        ast = select.ast
        called, groups = self.rules.calls(query, select)
        if not keys:
            whole = groups or ast["distinct"] or ast["qualify"]
            return not (whole or any(function["over"] is not None for function in called))
        if groups:
            terms = ast["group_by"].get("Expressions", [[]])[0]
            if not self._mentions_key(terms, keys):
                return False
        # Which row DISTINCT ON keeps is said by ORDER BY, which is asked of all rows.
        if ast["distinct"] is not None and (ast["distinct"] != "Distinct" or not self._mentions_key(_items(ast), keys)):
            return False
        windows = [function["over"] for function in called if function["over"] is not None]
        return all("WindowSpec" in over and self._mentions_key(over["WindowSpec"]["partition_by"], keys) for over in windows)

    def _mentions_key(self, expressions: Iterable[Ast], keys: Keys) -> bool:
        columns = (self._own(expression) for expression in expressions)
        return any(column in keys for column in columns)

    def _own(self, expression: Ast) -> BoundColumn | None:
        column = self.names.column(expression)
        return column if column is not None and column.depth == 0 else None

    # -- FROM and WHERE -------------------------------------------------------------------------------------------------

    def _rows(self, select: Select) -> Keys | None:
        """By what the rows of FROM and WHERE are divided; None where all of them are whole."""
        if not self._has_divided(select) or not any(scan.name in self.divided for scan in from_and_where(select)):
            return None
        classes = self.rules.classes(select)
        keys: Keys | None = None
        for place, item in enumerate(select.items):
            other = self._item(item, classes)
            keys = self._joined("inner", keys, other, (), classes) if place else other
        keys = None if keys is None else _closed(keys, classes)
        where = in_where(select)
        for inner in select.queries:
            if id(inner.ast) in where:
                self._subquery(inner, select, keys)
        return keys

    def _item(self, item: FromItem, classes: Classes) -> Keys | None:
        keys = self._relation(item.relation, classes)
        for join in item.joins:
            other = self._relation(join.relation, classes)
            for inner in join.queries:
                self._whole(inner)
            keys = self._joined(_side(join, item), keys, other, join_equalities(self.names, join).pairs, classes)
        return keys

    def _joined(self, side: JoinSide | None, left: Keys | None, right: Keys | None, pairs: Iterable[Pair], classes: Classes) -> Keys | None:
        """The table of joins."""
        if left is None and right is None:
            return None
        if side is None:
            raise NotDivisible("a join of another kind reads the table")
        if right is None:
            if side in ("inner", "left", "semi"):
                return left
            raise NotDivisible(f"the rows of {_SIDES[side]} join's other side would come from each share again")
        if left is None:
            if side in ("inner", "right"):
                return right
            raise NotDivisible(f"the rows of {_SIDES[side]} join's other side would come from each share again")
        equal = any((one in left and other in right) or (other in left and one in right) for one, other in pairs)
        match side:
            case "inner" if equal or _closed(left, classes) & right:
                return left | right
            case "left" | "semi" if equal:
                return left
            case "right" if equal:
                return right
            case "full" if equal:
                return ANYWHERE
            case _:
                raise NotDivisible("two divided tables are joined, but not by what divides them")

    def _relation(self, relation: Relation, classes: Classes) -> Keys | None:
        if next(iter(relation.ast.values())).get("sample"):
            raise NotDivisible("each share would have another sample")
        match relation:
            case Scan() if relation.name in self.divided:
                key = self.divided[relation.name]
                if not is_plain(relation):
                    raise NotDivisible("the table is read in a way that only makes sense as a whole")
                return ANYWHERE if key is None else frozenset((BoundColumn(relation, key),))
            case Scan():
                return None
            case JoinedItem():
                keys = self._item(relation.item, classes)
                return keys if relation.alias is None or keys is None else ANYWHERE
            case DerivedTable():
                return self._derived(relation)
            case CteRef():
                self._whole_cte(relation)
                return None
            case _:
                if self._has_divided(relation):
                    raise NotDivisible("a function or a PIVOT reads the table")
                self.repeatable(relation)
                return None

    def _derived(self, relation: DerivedTable) -> Keys | None:
        query = relation.query
        if not self._has_divided(query):
            self._whole_query(id(query.ast), query)
            return None
        keys, complete = self._query(query)
        if keys is None:
            return None
        if not complete or sorts_and_limits(query.ast):
            self._cut(query, complete)
            return None
        if self.names.correlated(query) is not False:
            raise NotDivisible("a subquery in FROM mentions what stands before it")
        return frozenset(column for column, inside in self.names.inner_columns(relation) if inside in keys)

    # -- subqueries in WHERE --------------------------------------------------------------------------------------------

    def _whole(self, query: QueryBlock) -> None:
        """A subquery that each share evaluates."""
        if self._has_divided(query):
            raise NotDivisible("a subquery in ON reads the table")
        self.repeatable(query)

    def _subquery(self, query: QueryBlock, select: Select, keys: Keys | None) -> None:
        """A subquery in WHERE: whole, or divided as the rows around it are, or cut off. ``keys`` are those of the rows around it."""
        if not self._has_divided(query):
            if keys is not None:
                self._whole_query(id(query.ast), query)
            return
        inner, complete = self._query(query)
        if inner is None:
            self.repeatable(query)
        elif keys is not None and (self._is_beside(query, inner, keys) or (complete and self._is_looked_for(query, select, inner, keys))):
            return
        else:
            self._cut(query, complete)

    def _is_beside(self, query: QueryBlock, inner: Keys, keys: Keys) -> bool:
        """Whether all the rows that matter to a row around are in its share, because WHERE sets their keys equal."""
        return any(pair.inner in inner and pair.outer in keys for pair in subquery_correlations(self.names, query))

    def _is_looked_for(self, query: QueryBlock, select: Select, inner: Keys, keys: Keys) -> bool:
        """Whether it stands behind IN, and rows that are looked for are in the share of the row that looks."""
        if sorts_and_limits(query.ast):
            return False
        # Anywhere deeper than AND, it would matter whether a row that is not found is so for certain: a NULL in another share unmakes that.
        tests = [test["InSubquery"] for term in select.conjuncts if "InSubquery" in (test := bare(term))]
        looks = next((test["expr"] for test in tests if test["subquery"] is query.ast and not test["negated"]), None)
        return any(pair.inner in inner and pair.outer in keys for pair in subquery_correlations(self.names, query, looks))

    def repeatable(self, node: QueryBlock | Relation) -> None:
        """Raises ``NotDivisible`` where two evaluations of what is whole, or of a CTE that it reads, might differ."""
        if id(node.ast) in self.rules.repeatable:
            return
        _check_repeatable(node.ast)
        self.rules.repeatable.add(id(node.ast))  # before what it reads is looked at: a recursive CTE reads itself
        try:
            for relation in relations_below(node):
                if isinstance(relation, CteRef):
                    self._whole_cte(relation)
        except NotDivisible:
            self.rules.repeatable.remove(id(node.ast))
            raise

    def _whole_cte(self, relation: CteRef) -> None:
        cte = self.names.cte(relation)
        if cte is None:
            raise NotDivisible("a recursive query reads itself")
        place = id(cte.ast)
        if place in self._looked_into:  # a recursive one reads itself
            return
        self._looked_into.add(place)
        try:
            self._whole_query(place, cte.query)
        finally:
            self._looked_into.discard(place)

    def _whole_query(self, place: int, query: QueryBlock) -> None:
        """A query whose rows each share sees, evaluated in each; or else once, and its tree ``place`` is noted. Raises ``NotDivisible``."""
        if place in self.rules.once:
            return
        try:
            self.repeatable(query)
        except NotDivisible:
            if query.exists or self.names.correlated(query) is not False or self.names.reads_itself(query) or _is_of_the_moment(query.ast):
                raise
            for relation in relations_below(query):
                if isinstance(relation, CteRef):
                    self._whole_cte(relation)
            self.rules.once.add(place)

    def _has_divided(self, node: Body | Relation) -> bool:
        return not self.rules.scans(node).isdisjoint(self.divided)


def from_and_where(select: Select) -> Iterator[Scan]:
    """The scans of a block's FROM and WHERE, those of subqueries there included."""
    for item in select.items:
        yield from (relation for relation in relations_below(item) if isinstance(relation, Scan))
    where = in_where(select)
    for query in select.queries:
        if id(query.ast) in where:
            yield from scans_of(query)


def in_where(select: Select) -> set[int]:
    """The ids of all nodes in the WHERE of a block that has subqueries; of any other, nobody asks."""
    if not select.queries:
        return set()
    return {id(node) for term in select.conjuncts for node in walk(term, into_queries=False)}


def _check_repeatable(ast: Ast) -> None:
    for node in walk(ast):
        if is_query(node) and sorts_and_limits(node, limits_only=True):
            raise NotDivisible("a LIMIT might leave other rows in each share")
        if node.get("sample") or (type(node.get("distinct")) is dict):
            raise NotDivisible("each share might have other rows of a sample, or of DISTINCT ON")
    check_functions(ast, ROW_BY_ROW | WITH_PARTIAL_FORM | TABLE_FUNCTIONS, into_queries=True)


def _is_of_the_moment(ast: Ast) -> bool:
    """Whether a query may have other rows at another time, were its tables read in the same order."""
    allowed = ROW_BY_ROW | AGGREGATES | WINDOW_FUNCTIONS | TABLE_FUNCTIONS
    for node in walk(ast):
        if node.get("sample") or ("Identifier" in node and folded(str(node["Identifier"]["value"])) in CLOCK_VALUES):
            return True
        if is_call(node) and ((name := function_name(node["Function"])) not in allowed or name in CLOCK_VALUES):
            return True
    return False


def check_functions(root: Any, allowed: frozenset[str], *, into_queries: bool = False) -> None:
    """Raises ``NotDivisible`` where something is called that is not ``allowed``, or the clock is read."""
    for node in walk(root, into_queries=into_queries):
        if is_call(node):
            name = function_name(node["Function"])
            if name not in allowed or name in CLOCK_VALUES:
                raise NotDivisible(f"{name} may be another in each share")
            if into_queries and node["Function"]["over"] is not None:
                raise NotDivisible("each share might number rows otherwise")
        elif "Identifier" in node and folded(str(node["Identifier"]["value"])) in CLOCK_VALUES:
            raise NotDivisible("the clock is read")


def _closed(keys: Keys, classes: Classes) -> Keys:
    """The keys, and all that equals one of them."""
    return keys.union(*(classes.of(key) for key in keys))


def _items(select: Ast) -> Iterator[Ast]:
    for item in select["projection"]:
        expression = item["UnnamedExpr"] if "UnnamedExpr" in item else item.get("ExprWithAlias", {}).get("expr")
        if expression is not None:
            yield expression


def _behind_where(query: QueryBlock, select: Select) -> list[Any]:
    keys = ("projection", "having", "qualify", "named_window", "group_by")
    return [*(select.ast[key] for key in keys), query.ast["order_by"]]


def _side(join: Join, item: FromItem) -> JoinSide | None:
    """How a join treats its sides; None for kinds that the rules do not know."""
    place = item.joins.index(join)
    left = item.joins[place - 1].relation if place else item.relation
    if isinstance(left, Scan) and left.join_word is not None:
        return None
    match join.kind:
        case "inner" | "left" | "right" | "full":
            return join.kind
        case _:
            operator = join.ast["join_operator"]
            return "semi" if type(operator) is dict and next(iter(operator)) in _NARROWING else None
