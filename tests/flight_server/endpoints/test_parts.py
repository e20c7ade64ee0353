from __future__ import annotations

from collections.abc import Iterator

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.endpoints.parts import MAX_PARTS, PARTS_HEADER, part_of, part_tickets
from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import pack
from flight_server.protocol.messages import AHEAD_HEADER, START, ResultTicket, encode
from tests.flight_server.fake_service import Served

ROWS = 2500
SQL = "SELECT n, name FROM numbers"


@pytest.fixture(name="served", scope="module")
def _served() -> Iterator[Served]:
    with Served() as running:
        yield running


@pytest.fixture(name="client")
def _client(served: Served) -> Iterator[flight.FlightClient]:
    with flight.FlightClient(served.uri) as connected:
        yield connected


def asking(parts: str) -> flight.FlightCallOptions:
    return flight.FlightCallOptions(headers=[(PARTS_HEADER.encode(), parts.encode())])


def started(client: flight.FlightClient, sql: str, parts: str) -> flight.FlightInfo:
    return client.get_flight_info(flight.FlightDescriptor.for_command(pack(pb.CommandStatementQuery(query=sql))), asking(parts))


def test_a_result_has_the_endpoints_that_were_asked_for(client: flight.FlightClient) -> None:
    info = started(client, SQL, "2")
    assert (len(info.endpoints), info.ordered) == (2, False)
    parts = [client.do_get(endpoint.ticket).read_all() for endpoint in info.endpoints]
    # Row groups of 1,000 rows: the first and the third, and the second.
    assert [part.num_rows for part in parts] == [1500, 1000]
    assert all(part.schema.equals(info.schema, check_metadata=True) for part in parts)
    assert sorted(pa.concat_tables(parts).column("n").to_pylist()) == list(range(ROWS))
    assert client.do_get(info.endpoints[1].ticket).read_all().equals(parts[1]), "a part can be read again"


def test_parts_beyond_the_row_groups_are_empty(client: flight.FlightClient) -> None:
    info = started(client, SQL, "5")
    assert [client.do_get(endpoint.ticket).read_all().num_rows for endpoint in info.endpoints] == [1000, 1000, 500, 0, 0]


def test_without_the_header_there_is_one_endpoint(client: flight.FlightClient) -> None:
    info = client.get_flight_info(flight.FlightDescriptor.for_command(pack(pb.CommandStatementQuery(query=SQL))))
    assert (len(info.endpoints), info.ordered) == (1, True)
    assert len(started(client, SQL, "1").endpoints) == 1


def test_adbcs_partitions_are_the_parts(served: Served) -> None:
    options = {f"adbc.flight.sql.rpc.call_header.{PARTS_HEADER}": "3"}
    with dbapi.connect(served.uri, options, autocommit=True) as connection, connection.cursor() as cursor:
        partitions, schema = cursor.adbc_execute_partitions(SQL)
        assert (len(partitions), schema.names) == (3, ["n", "name"])
        numbers = []
        for partition in partitions:
            cursor.adbc_read_partition(partition)
            numbers += cursor.fetch_arrow_table().column("n").to_pylist()
        assert sorted(numbers) == list(range(ROWS))
        cursor.execute(SQL + " WHERE n < ?", [10])
        assert len(cursor.fetchall()) == 10


@pytest.mark.parametrize("value", ["0", "-1", "two", str(MAX_PARTS + 1), "1.0", "1e1"])
def test_another_number_of_endpoints_is_refused(client: flight.FlightClient, value: str) -> None:
    with pytest.raises(pa.ArrowInvalid, match=f"the header {PARTS_HEADER} must be a number from 1 to {MAX_PARTS}"):
        started(client, SQL, value)


@pytest.mark.parametrize("value", ["-1", "one", "1000001", "9" * 30, "1.0"])
def test_a_look_that_goes_no_number_ahead_is_refused(client: flight.FlightClient, value: str) -> None:
    options = flight.FlightCallOptions(headers=[(AHEAD_HEADER.encode(), value.encode())])
    command = pack(pb.CommandStatementQuery(query=SQL))
    with pytest.raises(pa.ArrowInvalid, match=f"the header {AHEAD_HEADER} must be a number from 0 to 1000000"):
        client.get_flight_info(flight.FlightDescriptor.for_command(command), options)


def test_cancelling_a_result_in_parts_stops_its_query(served: Served, client: flight.FlightClient) -> None:
    info = started(client, "SELECT 'endless' AS e", "2")
    request = pb.CancelFlightInfoRequest(info=info.serialize()).SerializeToString()
    (answer,) = client.do_action(flight.Action("CancelFlightInfo", request))
    assert pb.CancelFlightInfoResult.FromString(answer.body.to_pybytes()).status == pb.CANCEL_STATUS_CANCELLED
    reader = client.do_get(info.endpoints[1].ticket)
    with pytest.raises(flight.FlightCancelledError):
        list(reader)


def test_handles_of_other_kinds_are_no_parts() -> None:
    assert [part_of(handle) for handle in part_tickets("q", 2)] != [None, None]
    others = [
        encode(ResultTicket("q", START, True)),
        b"",
        b'{"query_id": "q", "part": 2, "parts": 2}',
        b'{"query_id": "q", "part": -1, "parts": 2}',
    ]
    assert [part_of(handle) for handle in others] == [None] * 4
