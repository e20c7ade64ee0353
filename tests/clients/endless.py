"""A query that would run for an hour, for clients that give up: it must not go on at the server."""

from __future__ import annotations

import pyarrow.flight as flight

from flight_server.protocol.messages import ENDED, QueryLine, decode
from tests.e2e.waiting import eventually

END_SECONDS = 20.0


def endless(client: str) -> str:
    """The query as ``client`` asks it, so that the clients' queries can be told apart."""
    return f"SELECT count(*) AS {client} FROM big AS a, big AS b WHERE a.i * b.i % 7919 = 7918"


def started_endless(uri: str, client: str) -> None:
    """Returns when the client's query is running."""
    with flight.connect(uri) as connection:
        eventually(lambda: "running" in _states(connection, client), END_SECONDS, "the query is running")


def states_of_endless(uri: str, client: str) -> list[str]:
    """The states in which the client's queries of that kind have ended, as soon as all of them have."""
    with flight.connect(uri) as connection:

        def ended() -> list[str]:
            states = _states(connection, client)
            return states if ENDED.issuperset(states) else []

        return eventually(ended, END_SECONDS, "queries that nobody waits for have ended")


def _states(connection: flight.FlightClient, client: str) -> list[str]:
    lines = [decode(result.body, QueryLine) for result in connection.do_action(flight.Action("query.list", b"{}"))]
    return [line.state for line in lines if line.sql == endless(client)]
