"""A query that would run for an hour, for clients that give up: it must not go on at the server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow.flight as flight

from flight_server.protocol.messages import ENDED, QueryLine, decode
from tests.e2e.waiting import eventually

START_SECONDS = 60.0
"""A program has to start first."""
END_SECONDS = 20.0


def endless(client: str) -> str:
    """The query as ``client`` asks it, so that the clients' queries can be told apart."""
    return f"SELECT count(*) AS {client} FROM big AS a, big AS b WHERE a.i * b.i % 7919 = 7918"


def started_endless(uri: str, client: str) -> None:
    """Returns when the client's query is running."""
    _await_running(uri, endless(client))


def states_of_endless(uri: str, client: str) -> list[str]:
    """The states in which the client's queries of that kind have ended, as soon as all of them have."""
    return ended_states(uri, endless(client))


def ended_states(uri: str, sql: str) -> list[str]:
    """The states in which all queries with that text have ended, as soon as there are some and they have."""
    return eventually(
        lambda: states if ENDED.issuperset(states := states_of(uri, sql)) else None, END_SECONDS, "queries that nobody waits for have ended"
    )


def states_of(uri: str, sql: str) -> list[str]:
    """The states of all queries with that text."""
    with flight.connect(uri) as connection:
        lines = [decode(result.body, QueryLine) for result in connection.do_action(flight.Action("query.list", b"{}"))]
        return [line.state for line in lines if line.sql == sql]


@contextmanager
def once_it_runs(uri: str, sql: str, act: Callable[[], object]) -> Iterator[None]:
    """While a client waits for ``sql`` in the body, another thread does ``act`` as soon as the server runs it."""

    def wait() -> None:
        _await_running(uri, sql)
        act()

    actor = threading.Thread(target=wait)
    actor.start()
    try:
        yield
    finally:
        actor.join()


def _await_running(uri: str, sql: str) -> None:
    eventually(lambda: "running" in states_of(uri, sql), START_SECONDS, "the query is running")
