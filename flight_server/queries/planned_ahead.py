"""Plans that were made a moment ago to tell a schema: ADBC prepares every statement and executes it at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from cachetools import TTLCache

from planner.physical import PhysicalPlan

REUSE_SECONDS = 0.1
MAX_PLANS = 64

PlanKey = Hashable
"""A statement's text, and whatever else a plan of it hangs on."""


class PlannedAhead:
    """Keeps a plan for ``REUSE_SECONDS``, for one query: the tables that it saw are as fresh as if the query had come that much earlier.

    Thread-safe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._plans: TTLCache[PlanKey, PhysicalPlan] = TTLCache(MAX_PLANS, REUSE_SECONDS, timer=clock)
        self._lock = threading.Lock()

    def put(self, key: PlanKey, plan: PhysicalPlan) -> None:
        """Keeps ``plan`` for the next query of the same key."""
        with self._lock:
            self._plans[key] = plan

    def take(self, key: PlanKey) -> PhysicalPlan | None:
        """The plan of that key, if it is there and fresh; it is nobody else's then."""
        with self._lock:
            return self._plans.pop(key, None)
