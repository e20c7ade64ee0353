from __future__ import annotations

import typing
from collections.abc import Iterator

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow as pa
import pyarrow.flight as flight
import pytest
from google.protobuf.message import Message

from flight_server.endpoints.transactions import Transactions
from flight_server.errors import UnknownHandle
from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import pack, read, unpack
from tests.flight_server.fake_service import Served

UNKNOWN = "there is no such transaction"


@pytest.fixture(name="uri", scope="module")
def _uri() -> Iterator[str]:
    with Served() as running:
        yield running.uri


@pytest.fixture(name="client")
def _client(uri: str) -> Iterator[flight.FlightClient]:
    with flight.FlightClient(uri) as connected:
        yield connected


def act(client: flight.FlightClient, name: str, message: Message) -> list[bytes]:
    return [answer.body.to_pybytes() for answer in client.do_action(flight.Action(name, pack(message)))]


def begin(client: flight.FlightClient) -> bytes:
    (answer,) = act(client, "BeginTransaction", pb.ActionBeginTransactionRequest())
    packed = unpack(answer)
    assert packed is not None
    return bytes(read(packed, pb.ActionBeginTransactionResult).transaction_id)


def end(client: flight.FlightClient, transaction: bytes, action: int = pb.ActionEndTransactionRequest.COMMIT) -> list[bytes]:
    return act(client, "EndTransaction", pb.ActionEndTransactionRequest(transaction_id=transaction, action=action))


def test_a_connection_without_autocommit_reads_commits_and_rolls_back(uri: str) -> None:
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT 1 AS one").fetchall() == [(1,)]
        connection.commit()
        assert cursor.execute("SELECT ? + 1 AS two", [1]).fetchall() == [(2,)]
        connection.rollback()
        assert cursor.execute("SELECT 3 AS three").fetchall() == [(3,)]


def test_statements_carry_a_transaction_until_it_ends(client: flight.FlightClient) -> None:
    transaction = begin(client)
    statement = pb.CommandStatementQuery(query="SELECT 1 AS one", transaction_id=transaction)
    descriptor = flight.FlightDescriptor.for_command(pack(statement))
    info = client.get_flight_info(descriptor)
    assert client.do_get(info.endpoints[0].ticket).read_all().to_pylist() == [{"one": 1}]
    assert client.get_schema(descriptor).schema.names == ["one"]
    assert act(client, "CreatePreparedStatement", pb.ActionCreatePreparedStatementRequest(query="SELECT 1", transaction_id=transaction))
    assert end(client, transaction) == []
    calls: list[typing.Callable[[], object]] = [
        lambda: client.get_flight_info(descriptor),
        lambda: client.get_schema(descriptor),
        lambda: act(
            client, "CreatePreparedStatement", pb.ActionCreatePreparedStatementRequest(query="SELECT 1", transaction_id=transaction)
        ),
        lambda: end(client, transaction),
    ]
    for call in calls:
        with pytest.raises(KeyError, match=UNKNOWN):
            call()


def test_an_end_is_a_commit_or_a_rollback(client: flight.FlightClient) -> None:
    with pytest.raises(pa.ArrowInvalid, match="neither COMMIT nor ROLLBACK"):
        end(client, begin(client), pb.ActionEndTransactionRequest.UNSPECIFIED)
    assert end(client, begin(client), pb.ActionEndTransactionRequest.ROLLBACK) == []


def test_transactions_are_told_of_in_sql_info(client: flight.FlightClient) -> None:
    info = client.get_flight_info(flight.FlightDescriptor.for_command(pack(pb.CommandGetSqlInfo(info=[8, 562, 563, 564]))))
    told = client.do_get(info.endpoints[0].ticket).read_all().to_pylist()
    # The protocol's numbers: transactions without savepoints, READ COMMITTED, and nothing else.
    assert {row["info_name"]: row["value"] for row in told} == {8: 1, 562: 2, 563: True, 564: 1 << 2}


def test_a_transaction_is_its_owners(client: flight.FlightClient) -> None:
    transactions = Transactions()
    handle = transactions.begin("ann")
    transactions.check(handle, "ann")
    transactions.check(b"", "bob")
    for refused in (transactions.check, transactions.end):
        with pytest.raises(UnknownHandle, match=UNKNOWN):
            refused(handle, "bob")
    transactions.end(handle, "ann")


def test_the_longest_unused_are_forgotten() -> None:
    transactions = Transactions(2)
    first, second = transactions.begin(""), transactions.begin("")
    transactions.check(first, "")
    third = transactions.begin("")
    transactions.check(first, "")
    transactions.check(third, "")
    with pytest.raises(UnknownHandle, match=UNKNOWN):
        transactions.check(second, "")
