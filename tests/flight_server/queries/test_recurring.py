from __future__ import annotations

import logging
import threading

import pytest

from flight_server.queries.recurring import Recurring
from operators.errors import StorageError

PATIENCE = 20.0


@pytest.mark.parametrize("error", [RuntimeError("no bucket"), StorageError("no bucket")], ids=["a bug", "trouble"])
def test_an_error_is_logged_and_the_next_turn_comes(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    again = threading.Event()
    turns: list[int] = []

    def work() -> None:
        turns.append(len(turns))
        if len(turns) == 1:
            raise error
        again.set()

    recurring = Recurring("expiry", 0.001, work)
    recurring.start()
    assert again.wait(PATIENCE), "the first error ended it"
    recurring.stop()
    assert "expiry did not work" in caplog.text
    assert caplog.records[0].levelno == (logging.ERROR if isinstance(error, RuntimeError) else logging.WARNING)
    assert "no bucket" in caplog.text


def test_what_never_started_can_be_stopped() -> None:
    Recurring("expiry", 0.001, lambda: pytest.fail("it ran")).stop()
