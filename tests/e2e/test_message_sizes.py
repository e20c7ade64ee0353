"""Every message is one that clients with gRPC's default limit of 4 MiB read, and each batch of a result has a place to go on from."""

from __future__ import annotations

from collections.abc import Iterator

import adbc_driver_flightsql.dbapi as flight_sql
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest
from adbc_driver_flightsql import DatabaseOptions

from flight_server.protocol.messages import BatchPlace, QueryRef, ResultTicket, decode, encode
from tests.e2e.running_server import RunningServer

GRPC_DEFAULT = 4 << 20
COLUMNS = 2_000
TABLES = 40
WORD = "even" * 200
RESULTS = {
    "numbers": "SELECT range AS n, range * 2 AS m, range / 3.0 AS r FROM range(600000)",
    "texts": "SELECT range AS n, repeat('é', CAST(1 + range % 700 AS INTEGER)) AS t FROM range(30000)",
    "lists": "SELECT range AS n, range(range % 300) AS l FROM range(30000)",
    "a long word": f"SELECT CAST(CASE WHEN range % 2 = 0 THEN '{WORD}' ELSE 'odd' END AS ENUM ('odd', '{WORD}')) AS e FROM range(40000)",
    "many columns": "SELECT * FROM wide_00, range(400)",
}


@pytest.fixture(name="wide", scope="module")
def _wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of tables with thousands of columns."""
    folder = tmp_path_factory.mktemp("wide")
    table = pa.table({f"a_column_whose_name_says_what_is_in_it_{column}": pa.array([column, None]) for column in range(COLUMNS)})
    for number in range(TABLES):
        pq.write_table(table, folder / f"wide_{number:02}.parquet")
    with RunningServer("--data", str(folder), "--threads", "2") as running:
        yield running
        assert running.stop() == 0, running.log


@pytest.fixture(name="narrow")
def _narrow(wide: RunningServer) -> Iterator[flight.FlightClient]:
    """A client that refuses what gRPC refuses where nobody says otherwise."""
    with flight.FlightClient(wide.uri, generic_options=[("grpc.max_receive_message_length", GRPC_DEFAULT)]) as client:
        yield client


@pytest.mark.parametrize("name", RESULTS)
def test_a_client_with_grpcs_default_limit_reads_any_result_and_can_go_on_from_any_batch(narrow: flight.FlightClient, name: str) -> None:
    info = narrow.get_flight_info(flight.FlightDescriptor.for_command(RESULTS[name]))
    reader = narrow.do_get(info.endpoints[0].ticket)
    chunks = list(reader)
    assert len(chunks) > 3
    places = [decode(chunk.app_metadata, BatchPlace) for chunk in chunks]
    assert [place.next for place in places] == [*(place.cursor for place in places[1:]), None]
    whole = pa.Table.from_batches([chunk.data for chunk in chunks], info.schema)
    query_id = decode(info.app_metadata, QueryRef).query_id
    for index in (1, len(chunks) - 1):
        rest = narrow.do_get(flight.Ticket(encode(ResultTicket(query_id, places[index].cursor, True)))).read_all()
        assert rest.equals(whole.slice(sum(chunk.data.num_rows for chunk in chunks[:index])))


def test_one_row_that_is_larger_travels_alone_and_the_limit_can_be_raised(narrow: flight.FlightClient, wide: RunningServer) -> None:
    sql = "SELECT range AS n, repeat('x', CASE range WHEN 1 THEN 5000000 ELSE 3 END) AS t FROM range(3)"
    info = narrow.get_flight_info(flight.FlightDescriptor.for_command(sql))
    with pytest.raises(flight.FlightCancelledError):
        list(narrow.do_get(info.endpoints[0].ticket))
    with flight.FlightClient(wide.uri) as patient:
        assert [chunk.data.num_rows for chunk in patient.do_get(info.endpoints[0].ticket)] == [1, 1, 1]


def test_the_schemas_of_wide_tables_come_in_messages_that_can_be_read(wide: RunningServer) -> None:
    limit = {DatabaseOptions.WITH_MAX_MSG_SIZE.value: str(GRPC_DEFAULT)}
    with flight_sql.connect(wide.uri, db_kwargs=limit, autocommit=True) as connection:
        objects = connection.adbc_get_objects(depth="columns").read_all().to_pylist()
    tables = objects[0]["catalog_db_schemas"][0]["db_schema_tables"]
    assert [len(table["table_columns"]) for table in tables] == [COLUMNS] * TABLES
