"""Plans that were made a moment ago to tell a schema: ADBC prepares every statement and executes it at once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from planner.physical import PhysicalPlan

REUSE_SECONDS = 0.1
MAX_PLANS = 64


class PlannedAhead:
    """Keeps a plan for ``REUSE_SECONDS``, for one query: the tables that it saw are as fresh as if the query had come that much earlier.

    Thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._plans: OrderedDict[str, tuple[PhysicalPlan, float]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, sql: str, plan: PhysicalPlan) -> None:
        """Keeps ``plan`` for the next query of the same text."""
        with self._lock:
            self._plans[sql] = (plan, self._clock() + REUSE_SECONDS)
            self._plans.move_to_end(sql)
            while len(self._plans) > MAX_PLANS:
                self._plans.popitem(last=False)

    def take(self, sql: str) -> PhysicalPlan | None:
        """The plan of ``sql``, if it is there and fresh; it is nobody else's then."""
        with self._lock:
            plan, until = self._plans.pop(sql, (None, 0.0))
        return plan if self._clock() <= until else None
