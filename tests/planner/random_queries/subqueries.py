"""Subqueries in expressions: correlated or not, at any depth, in conditions and as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.planner.random_queries.aggregates import Aggregates
from tests.planner.random_queries.expressions import INEXACT, ORDERED_KINDS, Expressions, Visible
from tests.planner.random_queries.relations import Names, Relations, Source

FORMS = ("EXISTS", "EXISTS", "NOT EXISTS", "NOT EXISTS", "IN", "NOT IN", "NOT IN", "scalar", "scalar", "ALL", "ANY", "rows")


@dataclass(frozen=True, slots=True)
class Subqueries:
    """Random subqueries over what the block around them sees."""

    expressions: Expressions
    aggregates: Aggregates
    relations: Relations
    names: Names

    def condition(self, visible: Sequence[Visible], ctes: Sequence[Source], depth: int = 1) -> str:
        """A condition with a subquery in it."""
        pick = self.expressions.pick
        form = pick.choice(FORMS)
        correlated = form in ("EXISTS", "NOT EXISTS") or (form != "rows" and pick.random() < 0.5)
        source, inner, where = self._inner(visible, ctes, depth, correlated)
        if form in ("EXISTS", "NOT EXISTS"):
            self.names.constructs.add(form)
            return f"{form} (SELECT {pick.choice(('1', '*', 'NULL'))} FROM {source}{where})"
        outer = self.expressions.column(visible, *(ORDERED_KINDS if form in ("ALL", "ANY", "scalar") else ()))
        wanted = outer and self.expressions.column(inner, outer.kind)
        if outer is None or wanted is None:
            self.names.constructs.add("EXISTS")
            return f"EXISTS (SELECT 1 FROM {source}{where})"
        self.names.constructs.add(f"{form} (subquery)")
        if form == "rows":
            also = self.expressions.column(visible)
            second = also and self.expressions.column(inner, also.kind)
            word = pick.choice(("IN", "NOT IN"))
            if also is not None and second is not None:
                return f"({outer.sql}, {also.sql}) {word} (SELECT {wanted.sql}, {second.sql} FROM {source}{where})"
            form = word
        if form in ("IN", "NOT IN"):
            return f"{outer.sql} {form} (SELECT {wanted.sql} FROM {source}{where})"
        if form in ("ALL", "ANY"):
            return f"{outer.sql} {pick.choice(('<', '>=', '<>', '='))} {form} (SELECT {wanted.sql} FROM {source}{where})"
        call = pick.choice(("min", "max"))
        return f"{outer.sql} {pick.choice(('<', '>=', '='))} (SELECT {call}({wanted.sql}) FROM {source}{where})"

    def scalar(self, visible: Sequence[Visible], ctes: Sequence[Source]) -> tuple[str, str]:
        """A value and its kind: an aggregate, or the first row in a total order."""
        pick = self.expressions.pick
        self.names.constructs.add("scalar (subquery)")
        source, inner, where = self._inner(visible, ctes, 1, correlated=pick.random() < 0.75)
        shown = self.expressions.column(inner)
        if pick.random() < 0.15 and shown is not None:
            self.names.constructs.add("top 1 (subquery)")
            rest = self.expressions.total_order([column for column in inner if column.kind != INEXACT])
            return f"(SELECT {shown.sql} FROM {source}{where} ORDER BY {rest} LIMIT 1)", shown.kind
        sql, kind = self.aggregates.exact(inner)
        return f"(SELECT {sql} FROM {source}{where})", kind

    def _inner(
        self, visible: Sequence[Visible], ctes: Sequence[Source], depth: int, correlated: bool
    ) -> tuple[str, tuple[Visible, ...], str]:
        """FROM and WHERE of a subquery; correlated by an equality, and sometimes by something else besides or instead."""
        pick = self.expressions.pick
        joined = self.relations.from_list(0, ctes, (0, 0, 0, 1))
        terms = list(joined.terms)
        if correlated:
            equal = self.relations.equalities(visible, joined.visible)
            if equal is not None:
                self.names.constructs.add("correlated")
                terms.append(equal)
            one = self.expressions.column(visible, *ORDERED_KINDS)
            two = one and self.expressions.column(joined.visible, one.kind)
            if one and two and pick.random() < 0.15:
                self.names.constructs.add("correlated unequally")
                terms = [*(terms if pick.random() < 0.5 else []), f"{two.sql} {pick.choice(('<', '<>', '>='))} {one.sql}"]
        if pick.random() < 0.4:
            terms.append(self.expressions.condition(joined.visible, 1))
        if depth and pick.random() < 0.12:
            self.names.constructs.add("subquery in a subquery")
            seen = [*joined.visible, *visible] if pick.random() < 0.5 else joined.visible
            terms.append(self.condition(seen, ctes, depth - 1))
        return joined.sql, joined.visible, f" WHERE {' AND '.join(terms)}" if terms else ""
