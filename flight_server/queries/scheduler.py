"""Admission: how many queries run at once, how many wait, and who is turned away. Pure: no threads, no clock.

A query that waits for its reader (a look) lends its place to others meanwhile, and goes on as soon as it is read on: then, for a while, one
more runs than may. Nobody waits for readers that may never come: where more would pause than may, the one that has paused for longest
goes on to its end.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["run", "wait", "refuse"]


@dataclass(frozen=True, slots=True)
class Pause:
    """What follows from a query's pausing: ``following`` may start, ``freed`` has to go on, since too many pause."""

    following: str | None = None
    freed: str | None = None


@dataclass(frozen=True, slots=True)
class AdmissionStatistics:
    """How full the server is. ``paused`` wait for their readers; they are not among those ``running``."""

    running: int
    waiting: int
    paused: int = 0


class Admission:
    """A bounded number of running queries and a bounded first-come, first-served line behind them; as many as run may pause.

    Running and paused ones together are never more than ``2 * max_running``. Not thread-safe: its owner holds a lock.
    """

    def __init__(self, max_running: int, max_waiting: int) -> None:
        assert max_running > 0, "a server that runs nothing"
        assert max_waiting >= 0
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._running: set[str] = set()
        self._paused: OrderedDict[str, None] = OrderedDict()
        self._waiting: OrderedDict[str, None] = OrderedDict()

    def arrive(self, query_id: str) -> Verdict:
        """A new query: it runs now, waits, or finds no room."""
        assert query_id not in self._running
        assert query_id not in self._waiting
        assert query_id not in self._paused
        if len(self._running) < self._max_running:
            self._running.add(query_id)
            return "run"
        if len(self._waiting) < self._max_waiting:
            self._waiting[query_id] = None
            return "wait"
        return "refuse"

    def leave(self, query_id: str) -> str | None:
        """A query has ended, whether it ran or waited. Returns the one that may start in its place, or None.

        One that is not here (any more) changes nothing.
        """
        if query_id in self._waiting:
            del self._waiting[query_id]
            return None
        if query_id not in self._running:
            self._paused.pop(query_id, None)
            return None
        self._running.remove(query_id)
        return self._next()

    def pause(self, query_id: str) -> Pause:
        """A running query waits for its reader. Where as many have paused already as may, the one that has for longest runs again."""
        if query_id not in self._running:
            return Pause()
        self._running.remove(query_id)
        self._paused[query_id] = None
        freed = None
        if len(self._paused) > self._max_running:
            freed, _ = self._paused.popitem(last=False)
            self._running.add(freed)
        return Pause(self._next(), freed)

    def resume(self, query_id: str) -> None:
        """A query that had paused goes on, whoever has its place by now."""
        if query_id in self._paused:
            del self._paused[query_id]
            self._running.add(query_id)

    def _next(self) -> str | None:
        if not self._waiting or len(self._running) >= self._max_running:
            return None
        following, _ = self._waiting.popitem(last=False)
        self._running.add(following)
        return following

    def statistics(self) -> AdmissionStatistics:
        """How many run, wait and have paused."""
        return AdmissionStatistics(len(self._running), len(self._waiting), len(self._paused))
