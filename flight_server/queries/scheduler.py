"""Admission: how many queries run at once, how many wait, and who is turned away. Pure: no threads, no clock."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["run", "wait", "refuse"]


@dataclass(frozen=True, slots=True)
class AdmissionStatistics:
    """How full the server is."""

    running: int
    waiting: int


class Admission:
    """A bounded number of running queries and a bounded first-come, first-served line behind them.

    Not thread-safe: its owner holds a lock.
    """

    def __init__(self, max_running: int, max_waiting: int) -> None:
        assert max_running > 0, "a server that runs nothing"
        assert max_waiting >= 0
        self._max_running = max_running
        self._max_waiting = max_waiting
        self._running: set[str] = set()
        self._waiting: OrderedDict[str, None] = OrderedDict()

    def arrive(self, query_id: str) -> Verdict:
        """A new query: it runs now, waits, or finds no room."""
        assert query_id not in self._running
        assert query_id not in self._waiting
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
            return None
        self._running.remove(query_id)
        if not self._waiting:
            return None
        following, _ = self._waiting.popitem(last=False)
        self._running.add(following)
        return following

    def statistics(self) -> AdmissionStatistics:
        """How many run and wait."""
        return AdmissionStatistics(running=len(self._running), waiting=len(self._waiting))
