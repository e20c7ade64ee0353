"""What one query runs: a plan, or several, where the client sent several rows of parameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from planner.physical import PhysicalPlan


class Runs:
    """The plans of a query, whose rows go into its one result, one run's after another's. Iterated once, by the query's own thread.

    ``first`` is there when the query is accepted, and tells its schema; ``following`` are made when their turn comes. With a ``total``
    of 0, nothing is run.
    """

    def __init__(self, first: PhysicalPlan, following: Iterable[PhysicalPlan] = (), total: int = 1) -> None:
        self.first = first
        self.total = total
        self._following = following
        self._begun = 0

    def __iter__(self) -> Iterator[PhysicalPlan]:
        for plan in itertools.chain((self.first,), self._following) if self.total else ():
            self._begun += 1
            yield plan

    def progress(self, share: float) -> float:
        """How much of all runs is done, if ``share`` of the present one is."""
        return (max(self._begun - 1, 0) + share) / self.total if self.total else 0.0
