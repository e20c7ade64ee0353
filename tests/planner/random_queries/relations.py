"""FROM: tables, derived tables, CTEs, VALUES and what is made of lists, and joins of all kinds between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from planner.quoting import quote_name
from tests.planner.random_queries.expressions import INEXACT, ORDERED_KINDS, Expressions, Visible
from tests.planner.random_queries.lake import RandomTable

ALIASES = ("r", "s", "T", "two words", "q", "Order", "ü")
USUAL_JOINS = (0, 0, 0, 1, 1, 1, 2)
PLAIN_JOINS = ("JOIN", "JOIN", "INNER JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN")


@dataclass(frozen=True, slots=True)
class Source:
    """Something that may stand in FROM: its SQL, and names and kinds of its columns."""

    sql: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """A FROM list, and what is visible behind it. ``terms`` are conditions that WHERE has to have for it."""

    sql: str
    visible: tuple[Visible, ...]
    terms: tuple[str, ...] = ()


@dataclass(slots=True)
class Names:
    """The aliases of one query, each new, and the constructs that it uses."""

    used: int = 0
    constructs: set[str] = field(default_factory=set)

    def alias(self, expressions: Expressions) -> str:
        self.used += 1
        return f"{expressions.pick.choice(ALIASES)}{self.used}"


@dataclass(frozen=True, slots=True)
class Relations:
    """Random FROM lists. ``derived(depth)`` makes a query to stand in parentheses, with its columns."""

    expressions: Expressions
    tables: Sequence[RandomTable]
    names: Names
    derived: Callable[[int], Source]

    def from_list(self, depth: int, ctes: Sequence[Source] = (), joins: Sequence[int] = USUAL_JOINS) -> Joined:
        """A relation and one of so many numbers of ``joins``."""
        pick = self.expressions.pick
        joined = self._first(depth, ctes)
        wanted = pick.choice(joins)
        nested = self._nested(joined, depth, ctes) if wanted == 1 and pick.random() < 0.12 else None
        for _ in range(0 if nested else wanted):
            joined = self._join(joined, depth, ctes)
        if nested is not None:
            joined = nested
        elif pick.random() < 0.15 and wanted < 2 and max(joins):
            joined = self._beside(joined, depth, ctes)
        elif pick.random() < 0.25:
            joined = replace(joined, visible=self._unqualified(joined.visible))
        return joined

    def table(self) -> tuple[RandomTable, str]:
        """Any table; large ones more often."""
        table = self.expressions.pick.choice(
            sorted(self.tables, key=lambda table: table.rows)[self.expressions.pick.choice((0, 1, 2, 2)) :]
        )
        return table, quote_name(table.name)

    def _first(self, depth: int, ctes: Sequence[Source]) -> Joined:
        alias = self.names.alias(self.expressions)
        source = self._source(depth, ctes)
        return Joined(f"{source.sql} AS {quote_name(alias)}", _visible(alias, source.columns))

    def _source(self, depth: int, ctes: Sequence[Source]) -> Source:
        pick = self.expressions.pick
        if ctes and pick.random() < 0.6:
            return pick.choice(ctes)
        if depth > 0 and pick.random() < 0.2:
            self.names.constructs.add("derived table")
            return self.derived(depth - 1)
        if pick.random() < 0.04:
            self.names.constructs.add("VALUES")
            return Source("(SELECT * FROM (VALUES (1, 'a'), (2, NULL), (NULL, 'Rome')) AS v(k, name))", (("k", "int"), ("name", "text")))
        table, sql = self.table()
        return Source(sql, tuple((column.name, column.kind) for column in table.fields))

    def _join(self, left: Joined, depth: int, ctes: Sequence[Source]) -> Joined:
        pick = self.expressions.pick
        alias = self.names.alias(self.expressions)
        name = quote_name(alias)
        drawn = pick.random()
        lists = [column for column in left.visible if column.kind == "list"]
        if drawn < 0.06 and lists:
            self.names.constructs.add("unnest")
            made = f"{left.sql}, unnest({pick.choice(lists).sql}) AS {name}(e)"
            return Joined(made, (*left.visible, Visible(f"{name}.e", "int", "e")))
        source = self._source(depth, ctes)
        right = _visible(alias, source.columns)
        relation = f"{source.sql} AS {name}"
        if drawn < 0.12:
            return self._lateral(left, alias)
        if drawn < 0.18:
            asof = self._asof(left, alias)
            if asof is not None:
                return asof
        common = _common(left.visible, right)
        if drawn < 0.34 and common:
            return self._using(left, relation, right, common)
        if drawn < 0.42:
            self.names.constructs.add("cross join")
            condition = self.equalities(left.visible, right)
            where = f" JOIN {relation} ON {condition}" if condition and pick.random() < 0.7 else f" CROSS JOIN {relation}"
            return Joined(left.sql + where, left.visible + right)
        kind = pick.choice(PLAIN_JOINS)
        self.names.constructs.add(kind.lower())
        condition = self.equalities(left.visible, right) or "true"
        if pick.random() < 0.16:
            self.names.constructs.add("unequal join")
            condition = self._inequality(left.visible, right) or condition
        if pick.random() < 0.25:
            condition += f" AND {self.expressions.condition(left.visible + right, 1)}"
        shown = left.visible if kind in ("SEMI JOIN", "ANTI JOIN") else left.visible + right
        return Joined(f"{left.sql} {kind} {relation} ON {condition}", shown)

    def _beside(self, left: Joined, depth: int, ctes: Sequence[Source]) -> Joined:
        """A comma, with the equality in WHERE: nothing may stand behind it, since its ON would not see what is before the comma."""
        other = self._first(depth, ctes)
        equal = self.equalities(left.visible, other.visible)
        if equal is None or _has_bare_names(left):
            return left
        self.names.constructs.add("comma")
        if self.expressions.pick.random() < 0.3:  # what all branches say holds
            equal = (
                f"({equal} AND {self.expressions.condition(left.visible, 1)} OR {self.expressions.condition(other.visible, 1)} AND {equal})"
            )
        return Joined(f"{left.sql}, {other.sql}", left.visible + other.visible, (equal,))

    def _nested(self, left: Joined, depth: int, ctes: Sequence[Source]) -> Joined | None:
        """A join in parentheses, joined as one relation."""
        pick = self.expressions.pick
        one, other = self._first(depth, ctes), self._first(0, ctes)
        inside = self.equalities(one.visible, other.visible)
        around = self.equalities(left.visible, one.visible if pick.random() < 0.5 else other.visible)
        if inside is None or around is None or _has_bare_names(left):
            return None
        self.names.constructs.add("join in parentheses")
        kinds = [pick.choice(("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")) for _ in range(2)]
        relation = f"({one.sql} {kinds[0]} {other.sql} ON {inside})"
        return Joined(f"{left.sql} {kinds[1]} {relation} ON {around}", left.visible + one.visible + other.visible)

    def equalities(self, left: Sequence[Visible], right: Sequence[Visible]) -> str | None:
        """One or two equalities between columns of both sides; of the same name where there are such, mostly."""
        pick = self.expressions.pick
        pairs = [(one, two) for one in left for two in right if one.kind == two.kind and one.kind not in (INEXACT, "float")]
        named = [(one, two) for one, two in pairs if one.label == two.label] or pairs
        named += [(one, two) for one, two in named if one.kind == "int"] * 3
        if not pairs:
            return None
        chosen = [pick.choice(named if pick.random() < 0.9 else pairs) for _ in range(pick.choice((1, 1, 1, 1, 1, 2)))]
        word = "IS NOT DISTINCT FROM" if pick.random() < 0.07 else "="
        return " AND ".join(f"{one.sql} {word} {two.sql}" if pick.random() < 0.5 else f"{two.sql} {word} {one.sql}" for one, two in chosen)

    def _inequality(self, left: Sequence[Visible], right: Sequence[Visible]) -> str | None:
        pick = self.expressions.pick
        pairs = [(one, two) for one in left for two in right if one.kind == two.kind and one.kind in ORDERED_KINDS]
        if not pairs:
            return None
        one, two = pick.choice(pairs)
        either = f"({one.sql} = {two.sql} OR {self.equalities(left, right) or 'false'})"
        unequal = (f"{one.sql} < {two.sql}", f"{one.sql} >= {two.sql}", f"({one.sql} = {two.sql} OR {two.sql} IS NULL)")
        return pick.choice((*unequal, either, either))

    def _using(self, left: Joined, relation: str, right: tuple[Visible, ...], common: list[str]) -> Joined:
        """USING or NATURAL: a merged column is called without a table."""
        pick = self.expressions.pick
        kind = pick.choice(("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"))
        natural = pick.random() < 0.35 and kind.split()[0] not in ("SEMI", "ANTI")
        merged = common if natural else pick.sample(common, min(len(common), pick.choice((1, 1, 2))))
        self.names.constructs.add("NATURAL" if natural else "USING")
        self.names.constructs.add(kind.lower())
        tail = "" if natural else f" USING ({', '.join(map(quote_name, merged))})"
        sql = f"{left.sql} {'NATURAL ' if natural else ''}{kind} {relation}{tail}"
        if kind in ("SEMI JOIN", "ANTI JOIN"):
            return Joined(sql, left.visible)
        shown = [replace(column, sql=quote_name(column.label)) if column.label in merged else column for column in left.visible]
        # The sides' own columns stay visible under their tables' names.
        apart = [column for column in right if column.label not in merged or pick.random() < 0.2]
        return Joined(sql, (*shown, *apart))

    def _lateral(self, left: Joined, alias: str) -> Joined:
        pick = self.expressions.pick
        table, sql = self.table()
        inner = _visible(f"{alias}i", tuple((column.name, column.kind) for column in table.fields))
        condition = self.equalities(left.visible, inner)
        value = self.expressions.column(inner)
        if condition is None or value is None:
            return left
        self.names.constructs.add("LATERAL")
        call, kind = pick.choice(((f"max({value.sql})", value.kind), ("count(*)", "int"), (f"min({value.sql})", value.kind)))
        query = f"SELECT {call} AS m FROM {sql} AS {quote_name(alias + 'i')} WHERE {condition}"
        made = f"{left.sql}, LATERAL ({query}) AS {quote_name(alias)}"
        return Joined(made, (*left.visible, Visible(f"{quote_name(alias)}.m", kind, "m")))

    def _asof(self, left: Joined, alias: str) -> Joined | None:
        """ASOF of which only the keys are seen on the right: rows with equal keys are as good as each other."""
        pick = self.expressions.pick
        table, sql = self.table()
        right = _visible(alias, tuple((column.name, column.kind) for column in table.fields))
        kinds = ("int", "date", "timestamp", "decimal")
        ordered = [(one, two) for one in left.visible for two in right if one.kind == two.kind and one.kind in kinds]
        keys = [
            (one, two) for one in left.visible for two in right if one.kind == two.kind and one.label == two.label and one.kind != INEXACT
        ]
        if not ordered or not keys:
            return None
        one, two = pick.choice(ordered)
        key, other = pick.choice(keys)
        if other is two:
            return None
        self.names.constructs.add("ASOF")
        word = pick.choice(("ASOF JOIN", "ASOF LEFT JOIN"))
        condition = f"{key.sql} = {other.sql} AND {one.sql} {pick.choice(('>=', '>', '<=', '<'))} {two.sql}"
        return Joined(f"{left.sql} {word} {sql} AS {quote_name(alias)} ON {condition}", (*left.visible, other, two))

    def _unqualified(self, visible: tuple[Visible, ...]) -> tuple[Visible, ...]:
        """Names without their tables where only one column has them."""
        labels = [column.label.lower() for column in visible]
        return tuple(
            replace(column, sql=quote_name(column.label))
            if labels.count(column.label.lower()) == 1 and not self._hidden(column)
            else column
            for column in visible
        )

    def _hidden(self, column: Visible) -> bool:
        """Whether a relation whose columns are not all in the list (ASOF, SEMI) may have a column of that name, too."""
        return bool(self.names.constructs & {"ASOF", "USING", "NATURAL", "semi join", "anti join", "LATERAL"})


def _has_bare_names(joined: Joined) -> bool:
    """Whether it has columns that are called without their tables, which others beside it may have, too."""
    return any("." not in column.sql for column in joined.visible)


def _visible(alias: str, columns: tuple[tuple[str, str], ...]) -> tuple[Visible, ...]:
    return tuple(Visible(f"{quote_name(alias)}.{quote_name(name)}", kind, name) for name, kind in columns)


def _common(left: tuple[Visible, ...], right: tuple[Visible, ...]) -> list[str]:
    """The names that stand exactly once on the left, and on the right; none where one stands for values that cannot be compared."""
    labels = [column.label for column in left]
    kinds = {column.label: column.kind for column in left}
    if any(kinds.get(column.label, column.kind) != column.kind for column in right):
        return []
    return [column.label for column in right if labels.count(column.label) == 1 and column.kind not in (INEXACT, "float", "list", "struct")]
