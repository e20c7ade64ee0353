"""Several statements of a file at a time: what is left of them when one stops."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import cast

import pyarrow as pa

from flight_server.cli.batch import _Runner, _Task
from flight_server.client import Client, Submitted
from flight_server.client.statements import split_statements
from flight_server.errors import ClientError
from flight_server.protocol.messages import ResultTicket
from planner.errors import Status


class SlowClient:
    """Refuses ``SELECT bad`` and answers any other submission only when it is let; notes what is killed."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()
        self.killed: list[str] = []

    def submit(self, sql: str, parameters: Sequence[object], *, ahead: int | None) -> Submitted:
        if sql == "SELECT bad":
            raise ClientError("there is no column 'bad'", status=Status.NOT_FOUND)
        self.asked.set()
        assert self.answer.wait(10)
        return Submitted("q", pa.schema([]), ResultTicket("q"))

    def kill(self, query_id: str, *, timeout: float) -> None:
        self.killed.append(query_id)


def test_a_query_that_the_server_has_not_answered_for_is_killed_before_the_process_may_end() -> None:
    client = SlowClient()
    tasks = [_Task("f", statement) for statement in split_statements("SELECT bad; SELECT 1")]
    outcomes = _Runner(cast(Client, client), 10, 2).outcomes(tasks, keep_going=True)
    assert next(outcomes).error is not None
    assert client.asked.wait(10)
    killed_by_then: list[list[str]] = []

    def stop() -> None:
        outcomes.close()  # type: ignore[attr-defined]
        killed_by_then.append(list(client.killed))

    stopping = threading.Thread(target=stop)
    stopping.start()
    client.answer.set()
    stopping.join(10)
    assert set(killed_by_then[0]) == {"q"}
