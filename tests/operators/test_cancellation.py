from __future__ import annotations

import pytest

from operators.cancellation import Cancellation
from planner.errors import VolleyError


def test_the_first_cancel_counts_and_calls_each_callback_once() -> None:
    cancellation, calls = Cancellation(), []
    first = VolleyError("first")
    with cancellation.on_cancel(lambda: calls.append("inside")):
        cancellation.cancel(first)
        cancellation.cancel(VolleyError("second"))
    assert calls == ["inside"]
    assert cancellation.error is first
    with pytest.raises(VolleyError, match="first"):
        cancellation.check()


def test_a_callback_is_not_called_after_its_block() -> None:
    cancellation, calls = Cancellation(), []
    with cancellation.on_cancel(lambda: calls.append("late")):
        pass
    cancellation.cancel(VolleyError("stop"))
    assert calls == []


def test_a_block_that_starts_after_the_cancel_does_not_run() -> None:
    cancellation = Cancellation()
    cancellation.cancel(VolleyError("stop"))
    with pytest.raises(VolleyError, match="stop"), cancellation.on_cancel(lambda: None):
        pytest.fail("it ran")
