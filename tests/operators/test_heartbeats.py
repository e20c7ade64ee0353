from __future__ import annotations

import logging

import pytest

from operators.heartbeats import Heartbeats


def test_beats_come_at_their_interval_until_the_block_ends() -> None:
    now, beats = 0.0, []
    heartbeats = Heartbeats(clock=lambda: now)
    with heartbeats.keep(5.0, lambda: beats.append(now)):
        assert heartbeats.beat_due(4.9) == 5.0
        assert heartbeats.beat_due(5.0) == 10.0
        assert heartbeats.beat_due(10.0) == 15.0
    assert len(beats) == 2
    assert heartbeats.beat_due(15.0) is None
    assert len(beats) == 2
    heartbeats.stop()


def test_a_beat_that_fails_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    heartbeats, beats = Heartbeats(clock=lambda: 0.0), []
    with heartbeats.keep(1.0, lambda: 1 / 0), heartbeats.keep(1.0, lambda: beats.append("well")), caplog.at_level(logging.WARNING):  # type: ignore[arg-type, func-returns-value]
        assert heartbeats.beat_due(1.0) == 2.0
    assert beats == ["well"]
    assert "a heartbeat failed" in caplog.text
    heartbeats.stop()
