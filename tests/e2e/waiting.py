"""Waiting for what another process does: asking again and again, up to a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.02

Found = TypeVar("Found")


def eventually(ask: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """The first true answer of ``ask``; fails with ``what`` if there is none within ``seconds``."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := ask()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        pause.wait(POLL_SECONDS)
    return found


def spin(seconds: float) -> None:
    """Takes so much processor time. On a machine that others keep busy it lasts as much longer as anybody's work does."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def promptly(ask: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """As :func:`eventually`, but by a clock that runs slower on a busy machine: the processor time of one who does nothing but wait."""
    end = time.thread_time() + seconds
    while not (found := ask()):
        assert time.thread_time() < end, f"not within {seconds:g} s of processor time: {what}"
        spin(POLL_SECONDS)
    return found
