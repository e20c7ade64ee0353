"""Plans that are not the ones that save most: whichever way to divide is taken, the answer is the same, so tests take any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from planner import PlanOptions, plan
from planner.catalog import Catalog
from planner.distribute.ways import Way, Ways
from planner.physical import PhysicalPlan

Order = Callable[[list[Way]], list[Way]]


@contextmanager
def preferred(order: Order) -> Iterator[set[str]]:
    """While it lasts, ways to divide are tried in another order than by what they save. Gives what rules said of those that are none."""
    found = Ways.found
    refusals: set[str] = set()

    def in_order(self: Ways, large: Sequence[str]) -> list[Way]:
        ways = order(found(self, large))
        refusals.update(why for _, why in self.refused)
        return ways

    Ways.found = in_order  # type: ignore[method-assign]
    try:
        yield refusals
    finally:
        Ways.found = found  # type: ignore[method-assign]


def as_they_are(ways: list[Way]) -> list[Way]:
    """The planner's own order."""
    return ways


def all_plans(sql: str, catalog: Catalog, options: PlanOptions) -> list[PhysicalPlan]:
    """The plans that take each of the ways first, those that differ. The first one is the planner's own choice."""
    plans: dict[str, PhysicalPlan] = {}
    first, ways = 0, 1
    while first < ways:

        def order(found: list[Way], first: int = first) -> list[Way]:
            nonlocal ways
            ways = len(found)
            return found[first:] + found[:first]

        with preferred(order):
            made = plan(sql, catalog, options)
        plans.setdefault(made.text, made)
        first += 1
    return list(plans.values())
