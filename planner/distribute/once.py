"""What shares see whole, and a fragment of its own evaluates once for all of them: what is worth that, and what is left in its place."""

from __future__ import annotations

from dataclasses import dataclass, field

from planner.ast import NO_GROUPS, Ast, identifier, verbatim, walk
from planner.distribute.costs import Costs
from planner.distribute.expressions import is_aggregate, is_call, is_grouped, sorts_and_limits
from planner.distribute.scopes import Names
from planner.distribute.sent import Sent
from planner.logical import Answers, FromItem, QueryBlock, Select, all_scans, queries_below
from planner.quoting import quote_name

ONCE_BYTES = 16 << 20
"""What reads less than that is evaluated again by each share that needs it."""


@dataclass(slots=True)
class Worth:
    """Tells which subqueries and CTEs of a query are worth a fragment."""

    names: Names
    costs: Costs
    _alone: set[int] = field(default_factory=set)

    def is_worth_a_fragment(self, query: QueryBlock) -> bool:
        """Whether a query, as it is by now, mentions nothing around it, reads much, and has few rows."""
        if not self._alone:
            self._alone |= {id(node.ast) for node in queries_below(self.names.query) if self.names.correlated(node) is False}
        if query.exists or id(query.ast) not in self._alone or not _has_few_rows(query):
            return False
        if self.names.reads_itself(query):
            return False
        return self.costs.options.forced or self.costs.bytes(all_scans(query)) >= ONCE_BYTES


def reading(query: QueryBlock, near: Select, answers: Answers, rows: Sent) -> QueryBlock:
    """What stands in the place of ``query``: all of ``answers``, which are its rows as they were sent. ``near``: any SELECT."""
    texts = {name: verbatim(f"{quote_name(name)}::{kind}") for name, kind in rows.as_text.items()}
    items = [
        {"ExprWithAlias": {"expr": texts[column.name], "alias": identifier(column.name)}}
        if column.name in texts
        else {"UnnamedExpr": {"Identifier": identifier(column.name)}}
        for column in rows.columns
    ]
    plain: Ast = {"having": None, "qualify": None, "named_window": [], "group_by": NO_GROUPS, "distinct": None, "selection": None}
    select = Select({**near.ast, **plain, "projection": items}, (FromItem(answers),), filtered=True)
    return QueryBlock(query.ast, select, exists=query.exists, given=True)


def _has_few_rows(query: QueryBlock) -> bool:
    """Whether there are likely to be fewer rows than are read for them."""
    body = query.body
    if sorts_and_limits(query.ast, limits_only=True):
        return True
    if not isinstance(body, Select):
        return False
    called = (node["Function"] for node in walk(body.ast["projection"], into_queries=False) if is_call(node))
    return is_grouped(body.ast) or body.ast["distinct"] is not None or any(map(is_aggregate, called))
