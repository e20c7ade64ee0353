"""The optimizer: rules over the logical plan, one a file, each a function ``QueryBlock -> QueryBlock`` that never changes an answer.

The tables' columns become known between the two lists: what partitions rule out is never opened.
"""

from __future__ import annotations

from collections.abc import Callable

from planner.logical import QueryBlock
from planner.optimize.prune_columns import prune_columns
from planner.optimize.prune_partitions import prune_partitions
from planner.optimize.push_filters import push_filters

Rule = Callable[[QueryBlock], QueryBlock]

RULES_BEFORE_OPENING: tuple[Rule, ...] = (prune_partitions,)
RULES: tuple[Rule, ...] = (push_filters, prune_columns)


def apply(rules: tuple[Rule, ...], query: QueryBlock) -> QueryBlock:
    """``query`` after all ``rules``, in order."""
    for rule in rules:
        query = rule(query)
    return query
