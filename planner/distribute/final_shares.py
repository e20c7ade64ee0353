"""The final step of a block share by share: answers meet by a hash of what is grouped by, and each group is put together in one share.

::

    SELECT c, sum(x) AS s FROM t GROUP BY c ORDER BY s DESC LIMIT 3

    partial, on each share of t       SELECT c AS k0, sum(x) EXPORT_STATE AS a1 FROM t GROUP BY ALL, and the bucket of each row, hash(k0)
    complete, on some buckets each    SELECT k0 AS i0, <sum of a1> AS i1 FROM answers GROUP BY k0 ORDER BY i1 DESC LIMIT 3
    rest, over all answers            SELECT i0 AS c, i1 AS s FROM complete ORDER BY s DESC LIMIT 3

The kernel's ``hash`` is the one by which it finds groups: values that are of one group, a NULL or a NaN among them, have one hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from planner.ast import BARE_QUERY, Ast, identifier, is_query, walk
from planner.distribute.expressions import Meanings, hangs_on_arrival, is_aggregate, is_call, is_grouped, sorts_and_limits
from planner.distribute.sent import bucket_number
from planner.distribute.two_steps import ArgumentTypes, OneStep, TwoSteps, Writer, present, two_steps
from planner.logical import Answers, QueryBlock, Select


@dataclass(frozen=True, slots=True)
class FinalShares:
    """A block in three steps. ``first`` are its two steps; ``rest`` is what is left when its groups are complete."""

    first: TwoSteps
    rest: TwoSteps
    terms: tuple[Ast, ...]
    """Expressions of the block, by whose values its answers are told apart."""

    def bucket(self, buckets: int) -> str:
        """The number of an answer's bucket, in SQL over the columns of the partial block."""
        listed = ", ".join(self.first.writer.expression(self.first.behind(term)) for term in self.terms)
        return bucket_number(listed, buckets)

    def complete(self, query: QueryBlock, answers: Answers, types: ArgumentTypes, as_text: Mapping[str, str]) -> QueryBlock:
        """The block that makes complete groups of ``answers``. ``query`` is the block as it is by now."""
        whole = self.first.final(query, answers, types, as_text)
        assert isinstance(whole.body, Select)
        groups = [self.first.behind(expression) for expression in self.first.group_expressions()]
        items = [
            {"ExprWithAlias": {"expr": self.first.behind(answer.expression), "alias": identifier(answer.name)}}
            for answer in self.rest.answers
        ]
        ast = {**whole.body.ast, "projection": items, "group_by": {"Expressions": [groups, []]}}
        order, limit = self.rest.first_rows or (None, None)
        select = replace(whole.body, ast=ast, queries=present(whole.body.queries, {**ast, "from": None}))
        return QueryBlock({**BARE_QUERY, "body": None, "order_by": order, "limit_clause": limit}, select)


def final_shares(query: QueryBlock, steps: TwoSteps, writer: Writer, is_repeatable: Callable[[QueryBlock], bool]) -> FinalShares | None:
    """The three steps of ``query``, whose two are ``steps``; None where its groups cannot be told apart by a hash.

    ``is_repeatable``: whether a subquery behind WHERE, which each share would evaluate, gives the same rows there.
    """
    behind = present(steps.select.queries, {**steps.select.ast, "selection": None, "from": None})
    if steps.kind == "columns" and hangs_on_arrival([steps.select.ast, query.ast["order_by"]]):
        return None
    if query.queries or not all(map(is_repeatable, behind)):
        return None
    try:
        terms = _terms(query, steps)
        rest = two_steps(query, steps.names, writer, steps.prefix, complete=True)
        for expression in (*terms, *(answer.expression for answer in rest.answers)):
            steps.behind(expression)
    except OneStep:
        return None
    return FinalShares(steps, rest, tuple(terms)) if terms else None


def is_streamed(query: QueryBlock) -> bool:
    """Whether complete groups are rows of the block, in any order."""
    return not sorts_and_limits(query.ast)


def _terms(query: QueryBlock, steps: TwoSteps) -> list[Ast]:
    """What all rows have in common that must be in one share: of one group, of one window's partition, or equal ones."""
    if steps.complete or steps.kind not in ("groups", "distinct", "columns"):
        return []
    ast = steps.select.ast
    calls = [
        node["Function"] for node in walk([ast[key] for key in _BEHIND] + [query.ast["order_by"]], into_queries=False) if is_call(node)
    ]
    together: list[list[Ast]] = []
    if is_grouped(ast) or any(is_aggregate(call) for call in calls):
        if steps.has_sets:
            return []
        together.append(list(steps.group_expressions()))
    if ast["distinct"] is not None:
        if ast["distinct"] != "Distinct":
            return []
        together.append(list(_items(ast)))
    for over in (call["over"] for call in calls if call["over"] is not None):
        if "WindowSpec" not in over or over["WindowSpec"]["window_name"] is not None:
            return []
        together.append(list(over["WindowSpec"]["partition_by"]))
    if not together:
        return []
    meanings = Meanings(steps.names)
    others = [{meanings.of(expression) for expression in listed} for listed in together[1:]]
    return [term for term in together[0] if _is_of_a_row(term) and all(meanings.of(term) in other for other in others)]


_BEHIND = ("projection", "having", "qualify", "named_window")


def _items(select: Ast) -> Iterator[Ast]:
    for item in select["projection"]:
        if "UnnamedExpr" in item:
            yield item["UnnamedExpr"]
        elif "ExprWithAlias" in item:
            yield item["ExprWithAlias"]["expr"]


def _is_of_a_row(expression: Ast) -> bool:
    """Whether it can be told of a row alone."""
    nodes = walk(expression, into_queries=False)
    return not any(is_query(node) or (is_call(node) and (node["Function"]["over"] or is_aggregate(node["Function"]))) for node in nodes)
