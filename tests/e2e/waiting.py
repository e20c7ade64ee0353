"""Waiting for what another process does: asking again and again, up to a deadline."""

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
