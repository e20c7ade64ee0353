from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import cast

import pyarrow as pa
import pytest

from flight_server.cli.running_statement import RunningStatement
from flight_server.cli.showing import shown_rows
from flight_server.client import Client, Submitted
from flight_server.errors import ClientError
from flight_server.protocol.messages import ResultTicket
from planner.errors import Status
from tests.flight_server.fake_service import Served


class SlowClient:
    """Answers a submission only when it is let; notes what is killed."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()
        self.killed: list[str] = []

    def submit(self, sql: str, parameters: Sequence[object], *, ahead: int | None) -> Submitted:
        self.asked.set()
        assert self.answer.wait(10)
        return Submitted("q", pa.schema([]), ResultTicket("q"))

    def kill(self, query_id: str, *, timeout: float) -> None:
        self.killed.append(query_id)


def test_a_query_that_is_given_up_before_the_server_answers_is_killed_when_it_does() -> None:
    client, raised = SlowClient(), []
    execution = RunningStatement(cast(Client, client), "SELECT 1")

    def enter() -> None:
        with pytest.raises(ClientError) as told:
            execution.__enter__()
        raised.append(told.value.status)

    thread = threading.Thread(target=enter)
    thread.start()
    assert client.asked.wait(10)
    execution.abandon()
    assert client.killed == []
    client.answer.set()
    thread.join(10)
    assert raised == [Status.CANCELLED]
    assert client.killed == ["q"]


def test_a_look_is_dropped_while_its_rows_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with Served() as served, Client(served.uri) as client:
        showing, drop = threading.Event(), client.drop

        def slow_drop(query_id: str, *, timeout: float) -> None:
            assert showing.wait(10)
            drop(query_id, timeout=timeout)

        monkeypatch.setattr(client, "drop", slow_drop)
        with RunningStatement(client, "SELECT n FROM numbers", look=True) as execution:
            shown = shown_rows(execution, 3, "soon")
            assert (shown.table["n"].to_pylist(), shown.total, shown.least) == ([0, 1, 2], None, 2_000)
            assert len(client.queries()) == 1
            showing.set()
        assert client.queries() == []


@pytest.mark.parametrize(("error", "state"), [(None, []), (KeyboardInterrupt, ["killed"])])
def test_who_gives_a_look_up_kills_it(error: type[BaseException] | None, state: list[str]) -> None:
    with Served() as served, Client(served.uri) as client:
        with contextlib.suppress(KeyboardInterrupt), RunningStatement(client, "SELECT n FROM numbers", look=True):
            if error is not None:
                raise error
        assert [line.state for line in client.queries()] == state
