"""Tickets, commands and the bodies of actions that no client of ours would send: refused with words, and forgotten."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.client import Client
from flight_server.errors import ClientError
from flight_server.protocol.any_message import pack
from flight_server.protocol.client_errors import from_flight_error
from flight_server.protocol.flight_sql_pb2 import CommandStatementQuery
from planner.errors import Status
from tests.e2e.refusals import no_insides
from tests.e2e.running_server import RunningServer

UNKNOWN = "0" * 32
CALL = flight.FlightCallOptions(timeout=10)
REFUSALS = {Status.INVALID_ARGUMENT, Status.NOT_FOUND, Status.UNIMPLEMENTED, Status.CANCELLED, Status.PERMISSION_DENIED}


@pytest.fixture(scope="module", name="query_id")
def _query_id(server: RunningServer) -> str:
    with Client(server.uri) as client:
        submitted = client.submit("SELECT id FROM events LIMIT 1000")
        assert list(client.watch(submitted.query_id))[-1].state == "completed"
        return submitted.query_id


@pytest.fixture(name="plain")
def _plain(server: RunningServer) -> Iterator[flight.FlightClient]:
    with flight.connect(server.uri) as connected:
        yield connected


def refusal(call: Callable[[], object], uri: str, places: list[str]) -> ClientError | None:
    """What a call was refused with; None if it was answered."""
    try:
        call()
    except (pa.ArrowException, KeyError, OSError) as error:
        told = from_flight_error(error, uri)
        no_insides(str(told), places)
        return told
    return None


TICKETS = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"17",
    b'"text"',
    b"\x00\x01\x02",
    b"\xff" * 40,
    b'{"query_id": null}',
    b'{"query_id": 17}',
    b'{"query_id": ""}',
    b'{"query_id": "../../etc/passwd"}',
    b'{"query_id": "' + b"a" * 100_000 + b'"}',
    b'{"query_id": "%s", "cursor": [0, 0]}',
    b'{"query_id": "%s", "cursor": [0, 0, -1]}',
    b'{"query_id": "%s", "cursor": [0, 0, 1e300]}',
    b'{"query_id": "%s", "cursor": [99999999999999999999999, 0, 0]}',
    b'{"query_id": "%s", "cursor": "start"}',
    b'{"query_id": "%s", "cursor": {"file": 0}}',
    b'{"query_id": "%s", "cursor": [7, 0, 0]}',
    b'{"query_id": "%s", "cursor": [0, 7, 0]}',
    b'{"query_id": "%s", "cursor": [0, 0, 1001]}',
    b'{"query_id": "%s", "limit": -1}',
    b'{"query_id": "%s", "limit": "all"}',
    b'{"query_id": "%s", "follow": "yes"}',
    b'{"query_id": "%s", "exchange": "exchange-0", "peek": 0}',
    b'{"query_id": "%s", "exchange": "exchange-0", "peek": -3}',
    b'{"query_id": "%s", "exchange": "exchange-0", "peek": 100000000}',
    b'{"query_id": "%s", "exchange": 5, "peek": 1}',
    b'{"query_id": "%s", "exchange": "exchange-0", "peek": 1}',
    b'{"exchange": "nowhere"}',
    b'{"exchange": "nowhere", "consumer": "me"}',
    b'{"exchange": null, "consumer": null}',
    b'{"exchange": ["a"], "consumer": "me"}',
    b"[" * 100_000,
    b'{"query_id":' * 10_000,
]


@pytest.mark.parametrize("ticket", TICKETS, ids=[repr(ticket[:60]) for ticket in TICKETS])
def test_tickets(server: RunningServer, plain: flight.FlightClient, places: list[str], query_id: str, ticket: bytes) -> None:
    data = ticket.replace(b"%s", query_id.encode())
    told = refusal(lambda: plain.do_get(flight.Ticket(data), CALL).read_all(), server.uri, places)
    assert told is not None
    assert told.status in REFUSALS
    assert plain.do_get(flight.Ticket(f'{{"query_id": "{query_id}"}}')).read_all().num_rows == 1000


def test_a_ticket_of_another_query_tells_nothing_of_it(server: RunningServer, plain: flight.FlightClient, places: list[str]) -> None:
    told = refusal(lambda: plain.do_get(flight.Ticket(f'{{"query_id": "{UNKNOWN}"}}'), CALL).read_all(), server.uri, places)
    assert told is not None
    assert told.status is Status.NOT_FOUND


def mutated(data: bytes, chance: random.Random) -> bytes:
    """``data`` with a few bytes changed, lost, doubled, or cut off."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(6):
            case 0:
                changed[at:at] = bytes([chance.randrange(256)])
            case 1:
                del changed[at : at + chance.randint(1, 5)]
            case 2:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                changed = changed[:at]
            case 4:
                changed[at:at] = changed[: chance.randint(0, len(changed))]
            case 5:
                changed[at:at] = chance.choice([b"null", b"-1", b"[]", b"{}", b'"', b"1e99", b"\\u0000", b"true", b"9" * 30])
    return bytes(changed)


def bodies(query_id: str) -> list[bytes]:
    statement = pack(CommandStatementQuery(query="SELECT 1"))
    lease = {"key": ["fragment-0", "events", 0, []], "epoch": 1}
    return [
        json.dumps({"query_id": query_id, "cursor": [0, 0, 5], "follow": False, "limit": 10}).encode(),
        json.dumps({"query_id": query_id, "exchange": "exchange-0", "peek": 3}).encode(),
        json.dumps({"exchange": f"{query_id}.shares-0", "consumer": "x/0", "max_records": 1, "wait_seconds": 0.1}).encode(),
        json.dumps({"exchange": f"{query_id}.shares-0", "consumer": "x/0", "leases": [lease]}).encode(),
        json.dumps({"query_id": query_id}).encode(),
        json.dumps({"pattern": "%", "details": False}).encode(),
        statement,
    ]


def calls_with(plain: flight.FlightClient, name: str, data: bytes) -> list[Callable[[], object]]:
    """Each way in which ``data`` can be said to a server."""
    descriptor = flight.FlightDescriptor.for_command(data)
    # gRPC itself refuses paths that are not UTF-8.
    path = flight.FlightDescriptor.for_path(data.decode("utf-8", "replace"), "x")
    return [
        lambda: plain.do_get(flight.Ticket(data), CALL).read_all(),
        lambda: list(plain.do_action(flight.Action(name, data), CALL)),
        lambda: plain.get_flight_info(descriptor, CALL),
        lambda: plain.get_schema(descriptor, CALL),
        lambda: plain.get_flight_info(path, CALL),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_random_mutations(server: RunningServer, plain: flight.FlightClient, places: list[str], query_id: str, seed: int) -> None:
    chance = random.Random(seed)
    names = [action.type for action in plain.list_actions()]
    names += ["exchange.ack", "exchange.heartbeat", "exchange.release", "operator.start", "operator.stop", "local.status", "nonsense", ""]
    whole = bodies(query_id)
    refused = 0
    for _ in range(60):
        data = mutated(chance.choice(whole), chance)
        name = chance.choice(names)
        told = refusal(chance.choice(calls_with(plain, name, data)), server.uri, places)
        if told is not None:
            refused += 1
            assert told.status in REFUSALS, told
    assert refused > 20
    assert server.process.poll() is None
    with Client(server.uri) as client:
        assert client.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_what_is_not_served_says_so(server: RunningServer, plain: flight.FlightClient, places: list[str]) -> None:
    schema = pa.schema([("x", pa.int64())])

    def put() -> None:
        writer, _ = plain.do_put(flight.FlightDescriptor.for_path("events"), schema, CALL)
        with writer:
            writer.write_batch(pa.record_batch([pa.array([1])], schema=schema))

    def exchange() -> None:
        writer, reader = plain.do_exchange(flight.FlightDescriptor.for_path("events"), CALL)
        with writer:
            writer.begin(schema)
            writer.done_writing()
            reader.read_all()

    for call in (put, exchange, lambda: list(plain.do_action(flight.Action("nonsense", b""), CALL))):
        told = refusal(call, server.uri, places)
        assert told is not None
        assert told.status is Status.UNIMPLEMENTED
