from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import cast

import pyarrow as pa
import pytest

from flight_server.cli.running_statement import RunningStatement
from flight_server.client import Client, Submitted
from flight_server.errors import ClientError
from flight_server.protocol.messages import ResultTicket
from planner.errors import Status


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
