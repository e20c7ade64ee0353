"""Stopping what is under way: one object that a query's threads, kernels and waits all listen to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from planner.errors import VolleyError


class Cancellation:
    """Set once, with the error that says why. Thread-safe.

    A callback registered with :meth:`on_cancel` runs exactly once if the cancellation comes while it is registered (or had
    come before), in the thread that cancels; it must not block.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._error: VolleyError | None = None
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._next_key = 0

    @property
    def error(self) -> VolleyError | None:
        """Why it was cancelled; None while it was not."""
        return self._error

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._error is not None

    def check(self) -> None:
        """Raises the error if it was cancelled."""
        if self._error is not None:
            raise self._error

    def cancel(self, error: VolleyError) -> None:
        """Cancels, because of ``error``. Only the first call counts."""
        with self._lock:
            if self._error is not None:
                return
            self._error = error
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            callback()

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        """Has ``callback`` called if the cancellation comes inside the block; raises the error if it had come before."""
        with self._lock:
            self.check()
            key = self._next_key
            self._next_key += 1
            self._callbacks[key] = callback
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.pop(key, None)
