"""Keeping leases alive while the kernel works: one timer for all leases that a process holds, and a few threads that call.

The threads are several because a call may hang at a worker that hangs: leases from other workers must not be lost for that.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

CALLING_THREADS = 8

Run = Callable[[Callable[[], None]], object]

log = logging.getLogger(__name__)


@dataclass(order=True, slots=True)
class _Due:
    at: float
    order: int
    interval: float = field(compare=False)
    beat: Callable[[], None] = field(compare=False)
    ended: bool = field(default=False, compare=False)
    under_way: bool = field(default=False, compare=False)


class Heartbeats:
    """Calls each registered ``beat`` every ``interval`` seconds until its block ends, never twice at once. Thread-safe.

    A beat that raises is logged and called again at its next turn: a lease that was lost shows at its ack, which is fenced.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._heap: list[_Due] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._pool = ThreadPoolExecutor(CALLING_THREADS, thread_name_prefix="heartbeat")
        self._stopped = False

    @contextmanager
    def keep(self, interval: float, beat: Callable[[], None]) -> Iterator[None]:
        """Has ``beat`` called every ``interval`` seconds while the block runs."""
        assert interval > 0
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
        """Ends the threads; does not wait for calls that are under way."""
        with self._condition:
            self._stopped = True
            self._condition.notify()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def beat_due(self, now: float, run: Run = lambda beat: beat()) -> float | None:
        """Has ``run`` call the beats that are due at ``now``; returns when the next one is, or None."""
        with self._condition:
            taken = self._take(now)
            following = self._heap[0].at if self._heap else None
        for due in taken:
            try:
                run(partial(_call, due))
            except Exception:
                # No thread could be had just now, say: the beat is due again at its next turn.
                due.under_way = False
                log.exception("a heartbeat could not be called")
        return following

    def _take(self, now: float) -> list[_Due]:
        taken = []
        while self._heap and (self._heap[0].ended or self._heap[0].at <= now):
            due = heapq.heappop(self._heap)
            if due.ended:
                continue
            due.at = now + due.interval
            heapq.heappush(self._heap, due)
            if not due.under_way:
                due.under_way = True
                taken.append(due)
        return taken

    def _run(self) -> None:
        while not self._stopped:
            following = self.beat_due(self._clock(), self._submit)
            with self._condition:
                if self._stopped:
                    return
                earlier = self._heap and (following is None or self._heap[0].at < following)
                if not earlier:
                    self._condition.wait(None if following is None else max(0.0, following - self._clock()))

    def _submit(self, beat: Callable[[], None]) -> None:
        # Under the lock of stop(): a pool that is shut down takes nothing more.
        with self._condition:
            if not self._stopped:
                self._pool.submit(beat)


def _call(due: _Due) -> None:
    try:
        if not due.ended:
            due.beat()
    except Exception:
        log.warning("a heartbeat failed", exc_info=True)
    finally:
        due.under_way = False
