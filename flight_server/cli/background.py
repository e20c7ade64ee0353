"""Waiting so that Ctrl-C is heard: calls into Arrow and gRPC are not interrupted by signals, waits of Python are."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

BATCHES_AHEAD = 4
STOP_CHECK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def _taken(passed: queue.Queue[T]) -> T:
    """The next item. The system hands a signal to any thread, and Python acts on it only when the main thread wakes: so it does."""
    while True:
        with contextlib.suppress(queue.Empty):
            return passed.get(timeout=STOP_CHECK_SECONDS)


def interruptible(source: Callable[[], Iterator[T]], ahead: int = BATCHES_AHEAD) -> Generator[T, None, None]:
    """Iterates over ``source()`` in a thread, at most ``ahead`` items before the caller. Errors are raised here.

    When the caller stops early, the thread closes the source after the item that it waits for, and ends.
    """
    passed: queue.Queue[_Item[T] | _End] = queue.Queue(ahead)
    stopped = threading.Event()

    def put(item: _Item[T] | _End) -> bool:
        while not stopped.is_set():
            try:
                passed.put(item, timeout=STOP_CHECK_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        error: BaseException | None = None
        try:
            for value in source():
                if not put(_Item(value)):
                    return
        except BaseException as raised:  # handed over to whoever waits
            error = raised
        put(_End(error))

    threading.Thread(target=work, name="flight-reader", daemon=True).start()
    try:
        while True:
            match _taken(passed):
                case _Item(value):
                    yield value
                case _End(None):
                    return
                case _End(error):
                    assert error is not None
                    raise error
    finally:
        stopped.set()


def waiting(call: Callable[[], T]) -> T:
    """``call()`` in a thread, waited for so that Ctrl-C is heard."""

    def once() -> Iterator[T]:
        yield call()

    for value in interruptible(once):
        return value
    raise AssertionError("a call returns or raises")
