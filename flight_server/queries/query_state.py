"""The life of a query as a pure state machine: queued → running → completed, failed or killed.

Nothing here waits, locks or looks at a clock: a state and an event give the next state. An ended query stays as it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flight_server.protocol.messages import ENDED, QueryPhase
from planner.errors import VolleyError


@dataclass(frozen=True, slots=True)
class Started:
    """There was room: the query runs."""


@dataclass(frozen=True, slots=True)
class Completed:
    """Every row of the result is there, and stored."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot go on, because of ``error``."""

    error: VolleyError


@dataclass(frozen=True, slots=True)
class Killed:
    """Somebody stopped it; ``error`` says who or why."""

    error: VolleyError


Event = Started | Completed | Failed | Killed


@dataclass(frozen=True, slots=True)
class QueryState:
    """Where a query is in its life. Times are Unix seconds."""

    submitted_at: float
    phase: QueryPhase = "queued"
    started_at: float | None = None
    ended_at: float | None = None
    error: VolleyError | None = None

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it."""
        return self.phase in ENDED

    def on(self, event: Event, now: float) -> QueryState:
        """The state after ``event``. An ended query ignores every event: the first ending counts."""
        if self.ended:
            return self
        match event:
            case Started():
                assert self.phase == "queued", f"a query starts once, this one is {self.phase}"
                return replace(self, phase="running", started_at=now)
            case Completed():
                assert self.phase == "running", f"only a running query completes, this one is {self.phase}"
                return replace(self, phase="completed", ended_at=now)
            case Failed(error):
                return replace(self, phase="failed", ended_at=now, error=error)
            case Killed(error):
                return replace(self, phase="killed", ended_at=now, error=error)
