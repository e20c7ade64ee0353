"""Threads for what may wait. Their answers are delivered on the thread of the loop, so that widgets need no locks."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from planner.errors import Status, VolleyError

THREADS = 6
Answer = TypeVar("Answer")


class Post(Protocol):
    """Hands a call over to the thread of the loop; safe from any thread. Calls after the loop has ended are dropped."""

    def __call__(self, call: Callable[[], None], /) -> None: ...


class Unexpected(VolleyError):
    """A failure in the program itself, told as plainly as any other."""

    status = Status.INTERNAL


class Background:
    """A few daemon threads and a queue. ``submit`` is for the thread of the loop; it never waits."""

    def __init__(self, post: Post, threads: int = THREADS) -> None:
        self._post = post
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"tui-{number}", daemon=True) for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(
        self, call: Callable[[], Answer], done: Callable[[Answer], None], failed: Callable[[VolleyError], None] = lambda _error: None
    ) -> None:
        """Runs ``call`` on some thread; then ``done`` with its answer, or ``failed`` with its error, on the thread of the loop."""

        def task() -> None:
            try:
                answer = call()
            except Exception as raised:
                error = as_volley_error(raised)
                self._post(lambda: failed(error))
            else:
                self._post(lambda: done(answer))

        self._tasks.put(task)

    def close(self) -> None:
        """Lets the threads end once they are through with what they do. Does not wait for them."""
        for _ in self._threads:
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()


def as_volley_error(raised: Exception) -> VolleyError:
    """``raised`` as something that can be shown."""
    if isinstance(raised, VolleyError):
        return raised
    return Unexpected(f"{type(raised).__name__}: {raised}")
