"""Keeping leases alive while the kernel works: one thread for all leases that a process holds."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass(order=True, slots=True)
class _Due:
    at: float
    order: int
    interval: float = field(compare=False)
    beat: Callable[[], None] = field(compare=False)
    ended: bool = field(default=False, compare=False)


class Heartbeats:
    """Calls each registered ``beat`` every ``interval`` seconds until its block ends. Thread-safe.

    A beat that raises is logged and called again at its next turn: a lease that was lost shows at its ack, which is fenced.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._heap: list[_Due] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._stopped = False

    @contextmanager
    def keep(self, interval: float, beat: Callable[[], None]) -> Iterator[None]:
        """Has ``beat`` called every ``interval`` seconds while the block runs."""
        due = _Due(self._clock() + interval, next(self._order), interval, beat)
        with self._condition:
            heapq.heappush(self._heap, due)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="heartbeats", daemon=True)
                self._thread.start()
            if self._heap[0] is due:
                self._condition.notify()
        try:
            yield
        finally:
            due.ended = True

    def stop(self) -> None:
        """Ends the thread."""
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def beat_due(self, now: float) -> float | None:
        """Calls the beats that are due at ``now``; returns when the next one is, or None."""
        for due in self._take(now):
            try:
                due.beat()
            except Exception:
                log.warning("a heartbeat failed", exc_info=True)
            if not due.ended:
                due.at = now + due.interval
                with self._condition:
                    heapq.heappush(self._heap, due)
        with self._condition:
            return self._heap[0].at if self._heap else None

    def _take(self, now: float) -> list[_Due]:
        taken = []
        with self._condition:
            while self._heap and (self._heap[0].ended or self._heap[0].at <= now):
                due = heapq.heappop(self._heap)
                if not due.ended:
                    taken.append(due)
        return taken

    def _run(self) -> None:
        while not self._stopped:
            following = self.beat_due(self._clock())
            with self._condition:
                if self._stopped:
                    return
                earlier = self._heap and (following is None or self._heap[0].at < following)
                if not earlier:
                    self._condition.wait(None if following is None else max(0.0, following - self._clock()))
