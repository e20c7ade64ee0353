"""Asks for the status of queries until they have ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flight_server.protocol.messages import ENDED, QueryStatus
from planner.errors import Status, VolleyError
from tui.link.background import Post, as_volley_error
from tui.link.server import Server

POLL_SECONDS = (0.02, 0.03, 0.05, 0.1, 0.2)  # the first looks come quickly: most queries are short
HELD_SECONDS = 2.0  # nothing happens to what waits for its reader; asking keeps it from being abandoned
AWAY_SECONDS = 1.0
SILENT_SECONDS = 3.0
"""For so long a query may be without an answer before its user is told."""
LOST_SECONDS = 30.0
"""For so long a server may answer, and not for a query, before that is taken for lost."""
ANSWER_SECONDS = 5.0


class Forgotten(VolleyError):
    """The server does not know a query any more."""

    status = Status.NOT_FOUND


class NoOwner(VolleyError):
    """The server is there, and nobody answers for a query."""

    status = Status.UNAVAILABLE


@dataclass(eq=False)
class _Followed:
    """A query that is followed. ``looks`` since it was last woken; ``silent_since``: when it was first without an answer, in a row."""

    take: Callable[[QueryStatus], None]
    lost: Callable[[VolleyError], None]
    silent: Callable[[VolleyError], None]
    looks: int = 0
    due: float = 0.0
    woken: bool = False
    silent_since: float | None = None


class Follower:
    """One thread that asks for the status of every active query, quickly at first, five times a second later; of what is held, seldom.

    A server that does not answer is asked on until it does. A query that it does not know any more is lost, and so is one for which
    nobody answers for ``LOST_SECONDS`` while the server itself does: its owner is gone. ``clock`` gives seconds from any origin.
    """

    def __init__(self, server: Server, post: Post, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._post = post
        self._clock = clock
        self._followed: dict[str, _Followed] = {}
        self._lock = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="tui-follower", daemon=True)
        self._thread.start()

    def add(
        self,
        query_id: str,
        take: Callable[[QueryStatus], None],
        lost: Callable[[VolleyError], None],
        silent: Callable[[VolleyError], None] = lambda _error: None,
    ) -> None:
        """Follows a query until it has ended: ``take(status)`` at each look, on the thread of the loop.

        ``silent(error)`` is called there while nothing has been heard of it for ``SILENT_SECONDS``.
        """
        with self._lock:
            self._followed.setdefault(query_id, _Followed(take, lost, silent))
            self._lock.notify()

    def wake(self, query_id: str) -> None:
        """Something is about to happen to a query: looks at it quickly again. Changes nothing for one that is not followed."""
        with self._lock:
            item = self._followed.get(query_id)
            if item is not None:
                item.woken = True
                self._lock.notify()

    def forget(self, query_id: str) -> None:
        """Follows a query no more."""
        with self._lock:
            self._followed.pop(query_id, None)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._lock.notify()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._followed and not self._closed:
                    self._lock.wait()
                if self._closed:
                    return
                wait = (self.next_due() or 0.0) - self._clock()
                if wait > 0:
                    self._lock.wait(wait)
                    continue
            self.look_at_due()

    def next_due(self) -> float | None:
        """When to look again, by the clock; None if nothing is followed."""
        with self._lock:
            for item in self._followed.values():
                if item.woken:
                    item.woken, item.looks = False, 0
                    item.due = min(item.due, self._clock() + POLL_SECONDS[0])
            return min((item.due for item in self._followed.values()), default=None)

    def look_at_due(self) -> None:
        """Looks at all whose time has come."""
        now = self._clock()
        with self._lock:
            due = {query_id: item for query_id, item in self._followed.items() if item.due <= now}
        for query_id, item in due.items():
            self._look(query_id, item)

    def _look(self, query_id: str, item: _Followed) -> None:
        """One look at one query; must not hold the lock, since the server may be slow."""
        try:
            status = self._server.status(query_id)
        except Exception as raised:
            wait = self._unheard(item, as_volley_error(raised))
        else:
            item.silent_since = None
            wait = self._heard(item, status)
        with self._lock:
            if wait is None:
                self._followed.pop(query_id, None)
            else:
                item.due = self._clock() + wait
                item.looks += 1  # a waking that came meanwhile is heeded when the next look is reckoned

    def _heard(self, item: _Followed, status: QueryStatus | None) -> float | None:
        """Tells of an answer; the seconds to the next look, or None if that was the last."""
        if status is None:
            self._post(lambda: item.lost(Forgotten("the server does not know this query any more", remedy="run it again")))
            return None
        self._post(lambda: item.take(status))
        if status.state in ENDED:
            return None
        if item.looks < len(POLL_SECONDS):
            return POLL_SECONDS[item.looks]
        return HELD_SECONDS if status.result.held else POLL_SECONDS[-1]

    def _unheard(self, item: _Followed, error: VolleyError) -> float | None:
        """Tells that there was none; the seconds to the next look, or None if there will be none."""
        if error.status is Status.NOT_FOUND:
            self._post(lambda: item.lost(error))
            return None
        now = self._clock()
        if item.silent_since is None:
            item.silent_since = now
        if now - item.silent_since >= LOST_SECONDS and self._answers():
            self._post(lambda: item.lost(NoOwner(f"for {LOST_SECONDS:.0f} s nobody has answered for this query: {error}")))
            return None
        if now - item.silent_since >= SILENT_SECONDS:
            self._post(lambda: item.silent(error))
        return AWAY_SECONDS

    def _answers(self) -> bool:
        """Whether the server itself answers. Until then, that nobody answers for a query says nothing about it."""
        try:
            self._server.workers(timeout=ANSWER_SECONDS)
        except Exception:
            return False
        return True
