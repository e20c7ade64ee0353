"""Waiting in the background, and the progress bar."""

from __future__ import annotations

import io
import signal
import sys
import threading
from collections.abc import Iterator

import pytest
from rich.console import Console

from flight_server.cli import progress
from flight_server.cli.background import interruptible, waiting
from flight_server.cli.progress import QueryProgress, describe
from flight_server.client import Client
from flight_server.protocol.messages import OperatorStatus, QueryStatus, ResultStatus
from tests.flight_server.fake_service import Served


def test_items_come_in_order_and_errors_where_they_happen() -> None:
    def source() -> Iterator[int]:
        yield from range(100)
        raise ValueError("at the end")

    seen: list[int] = []
    with pytest.raises(ValueError, match="at the end"):
        seen.extend(interruptible(source))
    assert seen == list(range(100))


def test_a_caller_that_stops_early_closes_the_source() -> None:
    closed = threading.Event()

    def source() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    items = interruptible(source)
    assert [next(items), next(items)] == [0, 1]
    items.close()
    assert closed.wait(10)


def test_the_source_is_only_a_little_ahead() -> None:
    made: list[int] = []

    def source() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    items = interruptible(source, ahead=2)
    next(items)
    items.close()
    assert len(made) < 10


def test_a_call_returns_or_raises() -> None:
    assert waiting(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        waiting(lambda: 1 // 0)


def test_how_far_a_query_is() -> None:
    scan = OperatorStatus("fragment-0", "producer", "scan", records_total=8, records_done=3)
    status = QueryStatus("id", "SELECT 1", "running", operators=[scan], result=ResultStatus(rows=1, bytes=1200))
    assert describe(status) == "3 of 8 records · 1 row, 1.2 kB"
    assert describe(QueryStatus("id", "SELECT 1", "queued")) == ""


def test_a_bar_on_a_terminal_is_drawn_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    drawn = threading.Event()

    class Screen(io.StringIO):
        def write(self, text: str) -> int:
            if "running" in text:
                drawn.set()
            return super().write(text)

    screen = Screen()
    with Served() as served, Client(served.uri) as client:
        query_id = client.submit("SELECT 'endless' AS x").query_id
        with QueryProgress(client, query_id, Console(file=screen, force_terminal=True, width=100)) as bar:
            assert drawn.wait(10)
            bar.stop()
            bar.stop()
        client.kill(query_id)
    assert screen.getvalue().endswith(("\x1b[1A\x1b[2K", "\x1b[?25h", "\x1b[2K"))


def test_no_bar_where_nobody_looks() -> None:
    screen = io.StringIO()
    with Served() as served, Client(served.uri) as client:
        with QueryProgress(client, "0" * 32, Console(file=screen)):
            pass
        assert screen.getvalue() == ""


def test_an_interrupt_is_heard_whichever_thread_the_system_hands_it_to() -> None:
    let_go, waiting_now = threading.Event(), threading.Event()
    too_late: list[bool] = []
    waiter = threading.get_ident()

    def source() -> Iterator[int]:
        waiting_now.set()
        too_late.extend([] if let_go.wait(10) else [True])
        yield 1

    def interrupt() -> None:
        waiting_now.wait(10)
        while sys._current_frames()[waiter].f_code.co_name != "wait":
            pass
        let_go.wait(0.2)  # from there to the lock itself is a moment that nothing tells
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # to this thread, not to the one that waits

    other = threading.Thread(target=interrupt)
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(interruptible(source))
        assert too_late == []
    finally:
        let_go.set()
        other.join()
