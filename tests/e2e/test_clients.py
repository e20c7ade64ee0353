"""The clients that people have: ADBC's DB-API, and plain pyarrow.flight with tickets written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import adbc_driver_flightsql.dbapi as adbc
import adbc_driver_manager
import duckdb
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import pack
from tests.e2e.answers import rows_of, same_rows
from tests.e2e.running_server import RunningServer
from tests.e2e.served_lake import EVENTS
from tests.e2e.waiting import eventually

ROWS = "SELECT id, person, amount FROM events"
BY_KIND = "SELECT kind, count(*) AS n FROM events JOIN kinds USING (kind_id) GROUP BY kind ORDER BY kind"


@pytest.fixture(name="uri", params=["server", "cluster"])
def _uri(request: pytest.FixtureRequest) -> str:
    running: RunningServer = request.getfixturevalue(request.param)
    return running.uri


@pytest.fixture(name="connection")
def _connection(uri: str) -> Iterator[adbc.Connection]:
    with adbc.connect(uri, autocommit=True) as connection:
        yield connection


@pytest.fixture(name="cursor")
def _cursor(connection: adbc.Connection) -> Iterator[adbc.Cursor]:
    with connection.cursor() as cursor:
        yield cursor


@pytest.fixture(name="plain")
def _plain(uri: str) -> Iterator[flight.FlightClient]:
    with flight.connect(uri) as client:
        yield client


# -- ADBC ---------------------------------------------------------------------------------------------------------------


def test_rows_one_by_one_some_and_all(cursor: adbc.Cursor) -> None:
    cursor.execute("SELECT kind_id, kind FROM kinds ORDER BY kind_id")
    assert [column[0] for column in cursor.description] == ["kind_id", "kind"]
    assert cursor.fetchone() == (0, "kind 0")
    assert cursor.fetchmany(3) == [(1, "kind 1"), (2, "kind 2"), (3, "kind 3")]
    rest = cursor.fetchall()
    assert len(rest) == 996
    assert rest[-1] == (999, "kind 9")
    assert cursor.fetchone() is None


def test_tables_and_batches(cursor: adbc.Cursor, oracle: duckdb.DuckDBPyConnection) -> None:
    truth = oracle.sql(ROWS).to_arrow_table()
    cursor.execute(ROWS)
    same_rows(cursor.fetch_arrow_table(), truth)
    cursor.execute(ROWS)
    reader = cursor.fetch_record_batch()
    assert reader.schema.names == ["id", "person", "amount"]
    batches = list(reader)
    assert len(batches) > 3
    assert sum(batch.num_rows for batch in batches) == EVENTS
    cursor.execute(BY_KIND)
    same_rows(cursor.fetch_arrow_table(), oracle.sql(BY_KIND).to_arrow_table())


def test_a_cursor_is_used_again_and_left_half_way(cursor: adbc.Cursor) -> None:
    for n in range(5):
        cursor.execute(ROWS)
        assert len(cursor.fetchmany(10)) == 10
        cursor.execute(f"SELECT {n} AS n")
        assert cursor.fetchall() == [(n,)]


@pytest.mark.parametrize(
    ("sql", "parameters", "rows"),
    [
        ("SELECT ? AS a, ? AS b", [1, "two"], [(1, "two")]),
        ("SELECT $2 AS b, $1 AS a", [1, "two"], [("two", 1)]),
        ("SELECT count(*) AS n FROM events WHERE person = ?", ["person-7"], [(492,)]),
        ("SELECT count(*) AS n FROM events WHERE id BETWEEN ? AND ?", [10, 19], [(10,)]),
        ("SELECT ? AS quoted", ['it\'s "it"; --'], [('it\'s "it"; --',)]),
        ("SELECT ? IS NULL AS n", [None], [(True,)]),
        ("SELECT ? + 0.5 AS n", [1.25], [(1.75,)]),
        ("SELECT id FROM events WHERE id IN (?, ?) ORDER BY id LIMIT ?", [5, 3, 1], [(3,)]),
    ],
)
def test_parameters(cursor: adbc.Cursor, sql: str, parameters: list[Any], rows: list[tuple[Any, ...]]) -> None:
    cursor.execute(sql, parameters)
    assert [tuple(float(v) if type(v).__name__ == "Decimal" else v for v in row) for row in cursor.fetchall()] == rows
    cursor.execute(sql, parameters)
    assert len(cursor.fetchall()) == len(rows), "a prepared statement may be run again"


def test_prepared_once_run_often(cursor: adbc.Cursor) -> None:
    schema = cursor.adbc_prepare("SELECT count(*) AS n FROM events WHERE kind_id = ?")
    assert schema is None or len(schema) == 1
    for kind in (1, 2, 3):
        cursor.execute("SELECT count(*) AS n FROM events WHERE kind_id = ?", [kind])
        assert cursor.fetchall() == [(480,)]


def test_catalogs_tables_and_columns(connection: adbc.Connection) -> None:
    objects = connection.adbc_get_objects(depth="all").read_all().to_pylist()
    (catalog,) = [entry for entry in objects if entry["catalog_name"] == "volley"]
    (schema,) = catalog["catalog_db_schemas"]
    tables = {table["table_name"]: table for table in schema["db_schema_tables"]}
    assert schema["db_schema_name"] == "main"
    assert {"events", "kinds", "people", "odd"} <= set(tables)
    assert [column["column_name"] for column in tables["kinds"]["table_columns"]] == ["kind_id", "kind"]
    found = connection.adbc_get_objects(depth="tables", table_name_filter="kin%").read_all().to_pylist()
    assert [table["table_name"] for table in found[0]["catalog_db_schemas"][0]["db_schema_tables"]] == ["kinds"]
    assert connection.adbc_get_table_schema("kinds").names == ["kind_id", "kind"]
    assert connection.adbc_get_table_types() == ["TABLE"]
    assert connection.adbc_get_info()["vendor_name"] == "Volley"


def test_a_schema_without_running(cursor: adbc.Cursor) -> None:
    schema = cursor.adbc_execute_schema("SELECT id, person AS who, amount * 2 AS twice FROM events")
    assert schema.names == ["id", "who", "twice"]
    assert schema.field("twice").type == pa.float64()


def test_partitions_are_tickets(connection: adbc.Connection, cursor: adbc.Cursor) -> None:
    partitions, schema = cursor.adbc_execute_partitions(BY_KIND)
    assert schema is None or schema.names == ["kind", "n"]
    rows = []
    for partition in partitions:
        with connection.cursor() as other:
            other.adbc_read_partition(partition)
            rows += other.fetchall()
    assert len(rows) == 10


def read_partition(cursor: adbc.Cursor, partition: bytes) -> pa.Table:
    cursor.adbc_read_partition(partition)
    return cursor.fetch_arrow_table()


def test_several_partitions_where_they_are_asked_for(uri: str, oracle: duckdb.DuckDBPyConnection) -> None:
    options = {"adbc.flight.sql.rpc.call_header.x-volley-endpoints": "3"}
    with adbc.connect(uri, options, autocommit=True) as connection, connection.cursor() as cursor:
        partitions, _ = cursor.adbc_execute_partitions(ROWS)
        parts = [read_partition(cursor, partition) for partition in partitions]
    assert len(parts) == 3
    assert all(part.num_rows for part in parts)
    same_rows(pa.concat_tables(parts).sort_by("id"), oracle.sql(f"{ROWS} ORDER BY id").to_arrow_table())


def test_a_query_that_fails_fails_each_of_its_partitions(uri: str) -> None:
    options = {"adbc.flight.sql.rpc.call_header.x-volley-endpoints": "2"}
    with adbc.connect(uri, options, autocommit=True) as connection, connection.cursor() as cursor:
        partitions, _ = cursor.adbc_execute_partitions(
            "SELECT id, CAST(CASE WHEN id = 70000 THEN 'x' ELSE '1' END AS INTEGER) AS n FROM events"
        )
        for partition in partitions:
            with pytest.raises(adbc.Error, match="Could not convert string 'x'"):
                read_partition(cursor, partition)


@pytest.fixture(name="session")
def _session(cluster: RunningServer) -> Iterator[adbc.Connection]:
    """A connection to three workers that keeps cookies, and so has a session."""
    with adbc.connect(cluster.uri, {"adbc.flight.sql.rpc.with_cookie_middleware": "true"}, autocommit=True) as connection:
        yield connection


def test_a_session_gives_its_statements_so_long(session: adbc.Connection) -> None:
    session.adbc_connection.set_options(**{"adbc.flight.sql.session.option.statement_timeout": "1s"})
    with session.cursor() as cursor:
        with pytest.raises(adbc.Error, match="longer than the 1 s that its session gives to a statement") as told:
            cursor.execute("SELECT count(*) AS n FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7").fetchall()
        assert isinstance(told.value, adbc_driver_manager.Error)
        assert told.value.status_code.name == "TIMEOUT"
        cursor.execute("SELECT 1 AS one")
        assert cursor.fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("distribute", "table", "shared"),
    [
        ("always", "kinds", True),
        ("always", "events", True),
        ("never", "kinds", False),
        ("never", "events", False),
        ("auto", "events", True),
    ],
)
def test_a_session_says_whether_workers_share_a_scan(session: adbc.Connection, distribute: str, table: str, shared: bool) -> None:
    session.adbc_connection.set_options(**{"adbc.flight.sql.session.option.distribute": distribute})
    with session.cursor() as cursor:
        cursor.execute(f"EXPLAIN SELECT count(kind_id) AS n FROM {table}")
        assert any("gather" in line for (line,) in cursor.fetchall()) is shared
        cursor.execute(f"SELECT count(kind_id) AS n FROM {table}")
        assert cursor.fetchall() == [(1000 if table == "kinds" else EVENTS,)]


@pytest.mark.parametrize(
    ("sql", "status", "words"),
    [
        ("SELECT 1 +", "INVALID_ARGUMENT", "EOF"),
        ("SELECT persn FROM events", "INVALID_ARGUMENT", "person"),
        ("SELECT * FROM evnts", "NOT_FOUND", "events"),
        ("SELECT 1 / 0", "INVALID_ARGUMENT", "zero"),
        ("DROP TABLE events", "NOT_IMPLEMENTED", "DROP"),
        ("SAVEPOINT a", "NOT_IMPLEMENTED", "savepoints"),
        ("SET TimeZone = 'Europe/Berlin'", "NOT_IMPLEMENTED", "AT TIME ZONE"),
        ("USE other", "NOT_FOUND", "volley.main"),
    ],
)
def test_statuses(cursor: adbc.Cursor, sql: str, status: str, words: str) -> None:
    with pytest.raises(adbc.Error) as told:
        cursor.execute(sql).fetchall()
    assert isinstance(told.value, adbc_driver_manager.Error)
    assert told.value.status_code.name == status
    assert words.lower() in str(told.value).lower()
    assert "Traceback" not in str(told.value)
    cursor.execute("SELECT 1 AS one")
    assert cursor.fetchall() == [(1,)]


@pytest.mark.parametrize("sql", ["BEGIN", "SET search_path TO main", "USE volley.main", "SET TIME ZONE 'UTC'", "COMMIT", "ROLLBACK"])
def test_what_tools_send_first_is_accepted(cursor: adbc.Cursor, sql: str) -> None:
    cursor.execute(sql)
    assert (cursor.fetch_arrow_table().num_rows, cursor.description[0][0]) == (0, "Success")
    cursor.executescript(sql)


def test_transactions_are_accepted_for_reading(uri: str) -> None:
    with adbc.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) AS n FROM kinds")
        assert cursor.fetchall() == [(1000,)]
        connection.commit()
        cursor.execute("SELECT count(*) AS n FROM kinds WHERE kind_id < ?", [10])
        assert cursor.fetchall() == [(10,)]
        connection.rollback()


def test_the_catalog_and_the_schema_are_volleys(cursor: adbc.Cursor) -> None:
    cursor.execute(
        "SELECT current_catalog, current_catalog(), current_database(), current_schema(), current_schemas(true), upper(current_database())"
    )
    assert cursor.fetchall() == [("volley", "volley", "volley", "main", ["main"], "VOLLEY")]
    cursor.execute("SELECT count(*) AS n FROM information_schema.tables WHERE table_catalog = current_catalog AND table_name = 'kinds'")
    assert cursor.fetchall() == [(1,)]


def test_types_arrive_as_they_are(cursor: adbc.Cursor, oracle: duckdb.DuckDBPyConnection) -> None:
    sql = """SELECT 1::TINYINT a, 1::UBIGINT b, 1.5::FLOAT c, 1.25::DECIMAL(9, 2) d, true e, 'ä' f, '\\x41'::BLOB g, DATE '2020-02-29' h,
        TIME '12:34:56' i, TIMESTAMP '2020-01-01 00:00:00.123456' j, [1, NULL] k, {'x': 1, 'y': 'z'} l, MAP {'a': 1} m, NULL::INTEGER n,
        TIMESTAMPTZ '2020-01-01 00:00:00+00' o, 'red'::ENUM ('red', 'green') p, [[1], []] q"""
    cursor.execute(sql)
    answer, truth = cursor.fetch_arrow_table(), oracle.sql(sql).to_arrow_table()
    assert rows_of(answer) == rows_of(truth)
    differing = [field.name for field, other in zip(answer.schema, truth.schema, strict=True) if field.type != other.type]
    assert differing == ["p"], "dictionaries travel as plain values; nothing else changes"


def told_of(schema: pa.Schema) -> list[tuple[str, str]]:
    """The SQL type and the table of each column, by the protocol's metadata."""
    prefix = b"ARROW:FLIGHT:SQL:"
    told = [field.metadata or {} for field in schema]
    return [(facts.get(prefix + b"TYPE_NAME", b"").decode(), facts.get(prefix + b"TABLE_NAME", b"").decode()) for facts in told]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT id, person, amount * 2 AS twice FROM events", [("BIGINT", "events"), ("VARCHAR", "events"), ("DOUBLE", "")]),
        ("SELECT * FROM kinds LIMIT 10", [("BIGINT", "kinds"), ("VARCHAR", "kinds")]),
        (BY_KIND, [("VARCHAR", "kinds"), ("BIGINT", "")]),
        (
            "SELECT sum(id) AS total, '101'::BIT AS bits, TIMETZ '12:00:00+01' AS clock, uuid() AS name,"
            " 'b'::ENUM ('a', 'b, c', 'it''s', 'b') AS e,"
            " [1::HUGEINT] AS l, 1::UHUGEINT AS u, '{}'::JSON AS j, now() AS t FROM events WHERE id < 300000",
            [
                (kind, "")
                for kind in (
                    "HUGEINT",
                    "BIT",
                    "TIME WITH TIME ZONE",
                    "UUID",
                    "ENUM",
                    "HUGEINT[]",
                    "UHUGEINT",
                    "JSON",
                    "TIMESTAMP WITH TIME ZONE",
                )
            ],
        ),
        ("SELECT id::HUGEINT AS h, person FROM events WHERE id < 300000", [("HUGEINT", ""), ("VARCHAR", "events")]),
    ],
)
def test_a_stream_tells_of_its_columns_what_was_announced(
    cursor: adbc.Cursor, plain: flight.FlightClient, sql: str, told: list[tuple[str, str]]
) -> None:
    command = flight.FlightDescriptor.for_command(pack(pb.CommandStatementQuery(query=sql)))
    info = plain.get_flight_info(command)
    assert told_of(info.schema) == told
    assert plain.get_schema(command).schema.equals(info.schema, check_metadata=True)
    ticket = info.endpoints[0].ticket
    assert all(plain.do_get(ticket).read_all().schema.equals(info.schema, check_metadata=True) for _ in range(2))
    cursor.execute(sql)
    assert told_of(cursor.fetch_arrow_table().schema) == told
    bare = plain.get_flight_info(flight.FlightDescriptor.for_command(sql))
    schemas = [bare.schema, plain.do_get(bare.endpoints[0].ticket).read_all().schema]
    schemas.append(plain.get_schema(flight.FlightDescriptor.for_command(sql)).schema)
    assert all(field.metadata is None for schema in schemas for field in schema)


def test_describe_tells_the_kernels_types(cursor: adbc.Cursor) -> None:
    cursor.execute("DESCRIBE SELECT sum(id) AS total, '101'::BIT AS bits, [uuid()] AS l FROM events")
    told = {row["column_name"]: row["column_type"] for row in cursor.fetch_arrow_table().to_pylist()}
    assert told == {"total": "HUGEINT", "bits": "BIT", "l": "UUID[]"}


def test_a_stream_through_another_worker_tells_it_too(cluster: RunningServer) -> None:
    with flight.connect(cluster.uri) as first:
        other, *_ = sorted({worker["uri"] for worker in act(first, "worker.list")} - {cluster.uri})
        info = first.get_flight_info(
            flight.FlightDescriptor.for_command(pack(pb.CommandStatementQuery(query="SELECT id, 1 AS one FROM events")))
        )
        assert told_of(info.schema) == [("BIGINT", "events"), ("INTEGER", "")]
    with flight.connect(other) as second:
        stream = second.do_get(info.endpoints[0].ticket)
        assert stream.schema.equals(info.schema, check_metadata=True)
        assert stream.read_all().num_rows == EVENTS


def test_empty_results_have_their_schema(cursor: adbc.Cursor) -> None:
    cursor.execute("SELECT id, person FROM events WHERE id < 0")
    table = cursor.fetch_arrow_table()
    assert (table.num_rows, table.column_names) == (0, ["id", "person"])
    assert table.schema.field("person").type == pa.string()


# -- plain Flight -------------------------------------------------------------------------------------------------------


def submit(plain: flight.FlightClient, sql: str) -> tuple[str, flight.FlightInfo]:
    info = plain.get_flight_info(flight.FlightDescriptor.for_command(sql.encode()))
    return json.loads(info.app_metadata)["query_id"], info


def chunks(plain: flight.FlightClient, **ticket: object) -> list[tuple[pa.RecordBatch, dict[str, Any]]]:
    reader = plain.do_get(flight.Ticket(json.dumps(ticket)))
    return [(chunk.data, json.loads(chunk.app_metadata.to_pybytes())) for chunk in reader]


def test_the_one_endpoint_reads_all(plain: flight.FlightClient, oracle: duckdb.DuckDBPyConnection) -> None:
    query_id, info = submit(plain, BY_KIND)
    (endpoint,) = info.endpoints
    assert json.loads(endpoint.ticket.ticket)["query_id"] == query_id
    assert endpoint.expiration_time is not None
    table = plain.do_get(endpoint.ticket).read_all()
    assert info.schema == table.schema
    same_rows(table, oracle.sql(BY_KIND).to_arrow_table())
    assert plain.do_get(endpoint.ticket).read_all().equals(table), "a ticket may be used again"


def test_the_cursor_loop(plain: flight.FlightClient, oracle: duckdb.DuckDBPyConnection) -> None:
    query_id, info = submit(plain, ROWS)
    cursor: list[int] | None = [0, 0, 0]
    parts = []
    groups = 0
    while cursor is not None:
        for batch, place in chunks(plain, query_id=query_id, cursor=cursor, follow=False):
            parts.append(batch)
            cursor = place["next"]
        groups += 1
    assert groups >= 4
    same_rows(pa.Table.from_batches(parts, info.schema), oracle.sql(ROWS).to_arrow_table())


def test_limits(plain: flight.FlightClient) -> None:
    query_id, _ = submit(plain, "SELECT id FROM events")
    for limit, follow in ((1, False), (1, True), (100_000, False), (200_000, True), (0, True)):
        read = chunks(plain, query_id=query_id, cursor=[0, 0, 7], follow=follow, limit=limit)
        ids = [n for batch, _ in read for n in batch.column(0).to_pylist()]
        assert ids == list(range(7, 7 + limit))
        assert read[-1][1]["next"] is not None
    (batch, place), *_ = chunks(plain, query_id=query_id, cursor=[0, 0, 0], limit=3)
    assert (batch.num_rows, place["cursor"], place["next"]) == (3, [0, 0, 0], [0, 0, 3])


def test_schemas(plain: flight.FlightClient) -> None:
    command = flight.FlightDescriptor.for_command(BY_KIND.encode())
    assert plain.get_schema(command).schema.names == ["kind", "n"]
    assert plain.get_schema(flight.FlightDescriptor.for_path("kinds")).schema.names == ["kind_id", "kind"]


def test_tables_by_path(plain: flight.FlightClient) -> None:
    info = plain.get_flight_info(flight.FlightDescriptor.for_path("kinds"))
    assert plain.do_get(info.endpoints[0].ticket).read_all().num_rows == 1000


def test_flights_are_tables_and_finished_results(plain: flight.FlightClient) -> None:
    query_id, info = submit(plain, "SELECT 17 AS n")
    plain.do_get(info.endpoints[0].ticket).read_all()
    listed = list(plain.list_flights())
    assert {"events", "kinds"} <= {one.descriptor.path[0].decode() for one in listed if one.descriptor.path}
    (finished,) = [one for one in listed if query_id.encode() in (one.descriptor.command or b"")]
    assert finished.total_records == 1
    assert plain.do_get(finished.endpoints[0].ticket).read_all().to_pylist() == [{"n": 17}]
    only = list(plain.list_flights(criteria=b"kin%"))
    assert [one.descriptor.path for one in only] == [[b"kinds"]]


def cancelled(plain: flight.FlightClient, info: flight.FlightInfo) -> int:
    request = pb.CancelFlightInfoRequest(info=info.serialize()).SerializeToString()
    (answer,) = plain.do_action(flight.Action("CancelFlightInfo", request))
    return int(pb.CancelFlightInfoResult.FromString(answer.body.to_pybytes()).status)


def test_cancelling_says_whether_there_was_something_to_cancel(plain: flight.FlightClient) -> None:
    finished = plain.get_flight_info(flight.FlightDescriptor.for_command(pack(pb.CommandStatementQuery(query=BY_KIND))))
    *_, last = act(plain, "query.watch", query_id=json.loads(finished.app_metadata)["query_id"])
    assert last["state"] == "completed"
    assert cancelled(plain, finished) == pb.CANCEL_STATUS_NOT_CANCELLABLE
    endless = "SELECT count(*) AS n FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7"
    running = plain.get_flight_info(flight.FlightDescriptor.for_command(pack(pb.CommandStatementQuery(query=endless))))
    assert cancelled(plain, running) in (pb.CANCEL_STATUS_CANCELLING, pb.CANCEL_STATUS_CANCELLED)
    assert eventually(lambda: cancelled(plain, running) == pb.CANCEL_STATUS_CANCELLED, 20, "it has stopped")


def act(plain: flight.FlightClient, name: str, **body: object) -> list[dict[str, Any]]:
    action = flight.Action(name, json.dumps(body).encode() if body else b"")
    return [json.loads(answer.body.to_pybytes()) for answer in plain.do_action(action)]


def test_actions(plain: flight.FlightClient) -> None:
    query_id, info = submit(plain, BY_KIND)
    plain.do_get(info.endpoints[0].ticket).read_all()
    *_, last = act(plain, "query.watch", query_id=query_id)
    assert (last["state"], last["sql"], last["result"]["rows"]) == ("completed", BY_KIND, 10)
    (status,) = act(plain, "query.status", query_id=query_id)
    assert status["query_id"] == query_id
    assert status["progress"] == 1.0
    assert query_id in {query["query_id"] for query in act(plain, "query.list")}
    assert {worker["state"] for worker in act(plain, "worker.list")} == {"up"}
    tables = {table["name"]: table for table in act(plain, "table.list")}
    assert tables["events"]["rows"] == EVENTS
    assert tables["kinds"]["columns"] == [{"name": "kind_id", "type": "BIGINT"}, {"name": "kind", "type": "VARCHAR"}]
    (killed,) = act(plain, "query.kill", query_id=query_id)
    assert killed["state"] == "completed", "an ended query stays as it ended"
    assert {"query.list", "query.kill", "query.status", "query.watch", "worker.list", "table.list", "CancelFlightInfo"} <= {
        action.type for action in plain.list_actions()
    }
