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


class Forgotten(VolleyError):
    """The server does not know a query any more."""

    status = Status.NOT_FOUND


@dataclass(eq=False)
class _Followed:
    take: Callable[[QueryStatus], None]
    lost: Callable[[VolleyError], None]
    looks: int = 0
    due: float = 0.0


class Follower:
    """One thread that asks for the status of every active query, quickly at first, five times a second later.

    A server that does not answer is asked on until it does; a query that it does not know any more is lost.
    """

    def __init__(self, server: Server, post: Post) -> None:
        self._server = server
        self._post = post
        self._followed: dict[str, _Followed] = {}
        self._lock = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="tui-follower", daemon=True)
        self._thread.start()

    def add(self, query_id: str, take: Callable[[QueryStatus], None], lost: Callable[[VolleyError], None]) -> None:
        """Follows a query until it has ended: ``take(status)`` at each look, on the thread of the loop."""
        with self._lock:
            self._followed.setdefault(query_id, _Followed(take, lost))
            self._lock.notify()

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
                now = time.monotonic()
                due = {query_id: item for query_id, item in self._followed.items() if item.due <= now}
                if not due:
                    self._lock.wait(max(0.001, min(item.due for item in self._followed.values()) - now))
                    continue
            for query_id, item in due.items():
                self._look(query_id, item)

    def _look(self, query_id: str, item: _Followed) -> None:
        """One look at one query; must not hold the lock, since the server may be slow."""
        ended = False
        try:
            status = self._server.status(query_id)
        except Exception as raised:
            error = as_volley_error(raised)
            if error.status is Status.NOT_FOUND:
                ended = True
                self._post(lambda: item.lost(error))
        else:
            if status is None:
                ended = True
                self._post(lambda: item.lost(Forgotten("the server does not know this query any more", remedy="run it again")))
            else:
                found = status
                ended = found.state in ENDED
                self._post(lambda: item.take(found))
        with self._lock:
            item.due = time.monotonic() + POLL_SECONDS[min(item.looks, len(POLL_SECONDS) - 1)]
            item.looks += 1
            if ended:
                self._followed.pop(query_id, None)
