from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from operators.exchange.heartbeats import Heartbeats


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
    def fail() -> None:
        raise ZeroDivisionError

    heartbeats, beats = Heartbeats(clock=lambda: 0.0), []
    with heartbeats.keep(1.0, fail), heartbeats.keep(1.0, lambda: beats.append("well")), caplog.at_level(logging.WARNING):
        assert heartbeats.beat_due(1.0) == 2.0
    assert beats == ["well"]
    assert "a heartbeat failed" in caplog.text
    heartbeats.stop()


def test_a_beat_that_hangs_delays_no_other_and_is_not_called_twice_at_once() -> None:
    beats: list[str] = []
    hanging: list[Callable[[], None]] = []
    heartbeats = Heartbeats(clock=lambda: 0.0)

    def run(beat: Callable[[], None]) -> None:
        # The first call is the one that hangs: it ends when the test says so.
        if hanging:
            beat()
        else:
            hanging.append(beat)

    with heartbeats.keep(1.0, lambda: beats.append("slow")), heartbeats.keep(1.0, lambda: beats.append("well")):
        assert heartbeats.beat_due(1.0, run) == 2.0
        assert heartbeats.beat_due(2.0, run) == 3.0
        assert beats == ["well", "well"]
        hanging[0]()
        assert heartbeats.beat_due(3.0, run) == 4.0
    assert beats == ["well", "well", "slow", "slow", "well"]
    heartbeats.stop()


def test_a_beat_that_cannot_be_called_now_is_called_at_its_next_turn() -> None:
    heartbeats, beats = Heartbeats(clock=lambda: 0.0), []

    def refuse(_beat: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    with heartbeats.keep(1.0, lambda: beats.append("first")), heartbeats.keep(1.0, lambda: beats.append("second")):
        assert heartbeats.beat_due(1.0, refuse) == 2.0
        assert heartbeats.beat_due(2.0) == 3.0
    assert beats == ["first", "second"]
    heartbeats.stop()


def test_beats_come_by_themselves() -> None:
    heartbeats = Heartbeats()
    beaten, blocked = threading.Event(), threading.Event()

    def block() -> None:
        blocked.wait(20.0)

    with heartbeats.keep(0.001, block), heartbeats.keep(0.001, beaten.set):
        assert beaten.wait(20.0)
        blocked.set()
    heartbeats.stop()


def test_a_beat_whose_block_has_ended_is_not_called_any_more() -> None:
    heartbeats, beats = Heartbeats(clock=lambda: 0.0), []
    late: list[Callable[[], None]] = []
    with heartbeats.keep(1.0, lambda: beats.append("late")):
        heartbeats.beat_due(1.0, late.append)
    late[0]()
    assert beats == []
    heartbeats.stop()
