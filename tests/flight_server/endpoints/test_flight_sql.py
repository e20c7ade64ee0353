from __future__ import annotations

import typing
from collections.abc import Iterator

import adbc_driver_flightsql.dbapi as dbapi
import duckdb
import pyarrow as pa
import pyarrow.flight as flight
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from flight_server.endpoints import prepared
from flight_server.endpoints.sql_info import CONVERSIONS, SQL_INFO_SCHEMA, sql_info_table, sql_infos
from flight_server.endpoints.xdbc_types import xdbc_types
from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import pack, read, type_name, unpack
from flight_server.protocol.like import like
from tests.flight_server.fake_service import Served

PATIENCE = 20.0
"""Seconds after which a test gives up on the server; none waits for it when all is well."""


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as running:
        yield running


@pytest.fixture
def connection(served: Served) -> Iterator[dbapi.Connection]:
    with dbapi.connect(served.uri, autocommit=True) as connected:
        yield connected


@pytest.fixture
def cursor(connection: dbapi.Connection) -> Iterator[dbapi.Cursor]:
    with connection.cursor() as made:
        yield made


@pytest.fixture
def client(served: Served) -> Iterator[flight.FlightClient]:
    with flight.FlightClient(served.uri) as connected:
        yield connected


def table(client: flight.FlightClient, message: Message) -> pa.Table:
    """The answer of a catalog command, by both of its calls."""
    info = client.get_flight_info(flight.FlightDescriptor.for_command(pack(message)))
    answer = client.do_get(info.endpoints[0].ticket).read_all()
    assert answer.schema == info.schema
    assert client.get_schema(flight.FlightDescriptor.for_command(pack(message))).schema == info.schema
    answer.validate(full=True)
    return answer


def act(client: flight.FlightClient, name: str, body: bytes) -> bytes:
    (answer,) = client.do_action(flight.Action(name, body))
    written: bytes = answer.body.to_pybytes()
    return written


def test_rows_come_one_by_one_in_lots_as_a_table_and_in_batches(cursor: dbapi.Cursor) -> None:
    cursor.execute("SELECT n, name FROM numbers ORDER BY n")
    assert cursor.fetchone() == (0, "row 0")
    assert cursor.fetchmany(2) == [(1, "row 1"), (2, "row 2")]
    assert len(cursor.fetchall()) == 2497
    assert cursor.execute("FROM numbers").fetch_arrow_table().num_rows == 2500
    assert [batch.num_rows for batch in cursor.execute("FROM numbers").fetch_record_batch()] == [1000, 1000, 500]
    assert cursor.execute("SELECT n FROM numbers WHERE false").fetchall() == []


def test_the_description_names_the_columns(cursor: dbapi.Cursor) -> None:
    cursor.execute("SELECT 1 AS one, 'x' AS letter")
    assert [column[0] for column in cursor.description] == ["one", "letter"]


def test_parameters_are_bound(cursor: dbapi.Cursor) -> None:
    assert cursor.execute("SELECT ? + 1 AS a, ? AS b", [41, "x"]).fetchall() == [(42, "x")]
    assert cursor.execute("SELECT ? + 1 AS a, ? AS b", [42, None]).fetchall() == [(43, None)]
    assert cursor.execute("SELECT n FROM numbers ORDER BY n LIMIT ?", [2]).fetchall() == [(0,), (1,)]


def test_several_rows_of_parameters_run_one_after_another(cursor: dbapi.Cursor) -> None:
    assert cursor.execute("SELECT ? + 1 AS a", pa.table({"x": [1, 2, 3]})).fetchall() == [(2,), (3,), (4,)]
    assert cursor.execute("SELECT ? + 1 AS a", pa.table({"x": pa.array([], pa.int64())})).fetchall() == []
    cursor.executemany("SELECT ? + 1 AS a", [(1,), (2,)])


def test_several_rows_of_parameters_are_planned_once_each(served: Served, cursor: dbapi.Cursor) -> None:
    cursor.adbc_prepare("SELECT ? + 1 AS a")
    served.service.planned.clear()
    assert len(cursor.execute("SELECT ? + 1 AS a", pa.table({"x": [1, 2, 3]})).fetchall()) == 3
    assert len(served.service.planned) == 3


def test_wrong_numbers_of_parameters_are_told(cursor: dbapi.Cursor) -> None:
    with pytest.raises(dbapi.ProgrammingError, match="has 1 parameter, but 2 values were bound"):
        cursor.execute("SELECT ? AS a", [1, 2])
    with pytest.raises(dbapi.ProgrammingError, match="no values were bound"):
        cursor.execute("SELECT ? AS b")


def test_too_many_rows_of_parameters_are_refused(cursor: dbapi.Cursor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MAX_PARAMETER_ROWS", 2)
    with pytest.raises(dbapi.ProgrammingError, match="at most 2 rows"):
        cursor.execute("SELECT ? AS a", pa.table({"x": [1, 2, 3]}))


def test_prepared_statements_are_closed(served: Served, connection: dbapi.Connection) -> None:
    statements = served.server._sql.prepared
    with connection.cursor() as cursor:
        cursor.execute("SELECT ? AS a", [1])
        assert len(statements) == 1
    assert len(statements) == 0


def test_schemas_without_running(served: Served, cursor: dbapi.Cursor) -> None:
    assert cursor.adbc_execute_schema("SELECT 1 AS one").names == ["one"]
    assert len(cursor.adbc_prepare("SELECT ? AS a, ? AS b")) == 2
    assert served.service.queries("") == []


def test_partitions_can_be_read(cursor: dbapi.Cursor) -> None:
    partitions, schema = cursor.adbc_execute_partitions("FROM numbers")
    assert schema.names == ["n", "name"]
    cursor.adbc_read_partition(partitions[0])
    assert cursor.fetch_arrow_table().num_rows == 2500


@pytest.mark.parametrize(
    ("sql", "status"),
    [
        ("SELECT * FROM nope", "NOT_FOUND"),
        ("SELEC", "INVALID_ARGUMENT"),
        ("SELECT 'a'::INT", "INVALID_ARGUMENT"),
        ("DROP TABLE x", "NOT_IMPLEMENTED"),
    ],
)
def test_errors_have_their_status(cursor: dbapi.Cursor, sql: str, status: str) -> None:
    with pytest.raises(dbapi.Error) as caught:
        cursor.execute(sql)
    assert caught.value.status_code.name == status
    assert cursor.execute("SELECT 1 AS still_usable").fetchall() == [(1,)]


def test_updates_and_ingestion_are_refused_on_a_read_only_server(cursor: dbapi.Cursor) -> None:
    with pytest.raises(dbapi.NotSupportedError, match="would change something"):
        cursor.executescript("DELETE FROM numbers")
    with pytest.raises(dbapi.NotSupportedError, match="cannot be written to table 'fresh'"):
        cursor.adbc_ingest("fresh", pa.table({"x": [1]}))


def test_cancelling_kills_the_query(served: Served, cursor: dbapi.Cursor) -> None:
    cursor.execute("SELECT 'endless' AS e")
    (query,) = served.service._queries.values()
    assert cursor.fetchone() == ("endless",)
    cursor.adbc_cancel()
    with pytest.raises(dbapi.OperationalError) as caught:
        cursor.fetchone()
    assert caught.value.status_code.name == "CANCELLED"
    assert query.killed.wait(PATIENCE)
    assert query.status.state == "killed"


def test_a_reader_that_leaves_early_kills_the_query(served: Served, cursor: dbapi.Cursor) -> None:
    cursor.execute("SELECT 'endless' AS e")
    (query,) = served.service._queries.values()
    reader = cursor.fetch_record_batch()
    assert reader.read_next_batch().num_rows == 1
    reader.close()
    cursor.close()
    assert query.killed.wait(PATIENCE)


def test_objects_of_every_depth(connection: dbapi.Connection) -> None:
    def objects(depth: str, **filters: object) -> list[dict[str, typing.Any]]:
        rows: list[dict[str, typing.Any]] = connection.adbc_get_objects(depth=depth, **filters).read_all().to_pylist()
        return rows

    assert objects("catalogs") == [{"catalog_name": "volley", "catalog_db_schemas": None}]
    assert objects("db_schemas")[0]["catalog_db_schemas"] == [{"db_schema_name": "main", "db_schema_tables": None}]
    tables = objects("tables")[0]["catalog_db_schemas"][0]["db_schema_tables"]
    assert [found["table_name"] for found in tables] == ["numbers", "odd name", "unreadable"]
    (odd,) = objects("all", table_name_filter="odd%")[0]["catalog_db_schemas"][0]["db_schema_tables"]
    assert [column["column_name"] for column in odd["table_columns"]] == ["a", "b"]
    assert objects("tables", table_types_filter=["VIEW"])[0]["catalog_db_schemas"][0]["db_schema_tables"] == []


def test_table_schema_types_and_names(connection: dbapi.Connection) -> None:
    assert connection.adbc_get_table_schema("odd name") == pa.schema([("a", pa.int32()), ("b", pa.date32())])
    assert connection.adbc_get_table_types() == ["TABLE"]
    info = connection.adbc_get_info()
    assert (info["vendor_name"], info["vendor_version"]) == ("Volley", "9.9")
    with pytest.raises(dbapi.ProgrammingError, match="No table found"):
        connection.adbc_get_table_schema("nope")


def test_catalogs_and_schemas(client: flight.FlightClient) -> None:
    assert table(client, pb.CommandGetCatalogs()).to_pylist() == [{"catalog_name": "volley"}]
    here = [{"catalog_name": "volley", "db_schema_name": "main"}]
    assert table(client, pb.CommandGetDbSchemas()).to_pylist() == here
    filtered = pb.CommandGetDbSchemas(catalog="volley", db_schema_filter_pattern="ma_n")
    assert table(client, filtered).to_pylist() == here
    assert table(client, pb.CommandGetDbSchemas(catalog="")).num_rows == 0
    assert table(client, pb.CommandGetTableTypes()).to_pylist() == [{"table_type": "TABLE"}]


def test_tables_with_their_schemas(client: flight.FlightClient) -> None:
    found = table(client, pb.CommandGetTables(include_schema=True)).to_pylist()
    assert [row["table_name"] for row in found] == ["numbers", "odd name", "unreadable"]
    assert [pa.ipc.read_schema(pa.py_buffer(row["table_schema"])).names for row in found] == [["n", "name"], ["a", "b"], []]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"table_name_filter_pattern": "num_ers"}, ["numbers"]),
        ({"table_name_filter_pattern": "%name"}, ["odd name"]),
        ({"table_name_filter_pattern": "NUMBERS"}, []),
        ({"catalog": "volley", "db_schema_filter_pattern": "%", "table_types": ["VIEW", "TABLE"]}, ["numbers", "odd name", "unreadable"]),
        ({"catalog": "other"}, []),
        ({"db_schema_filter_pattern": "public"}, []),
        ({"table_types": ["VIEW"]}, []),
        ({"table_types": ["table"]}, ["numbers", "odd name", "unreadable"]),
        ({"table_types": ["BASE TABLE"]}, ["numbers", "odd name", "unreadable"]),
    ],
)
def test_tables_are_filtered(client: flight.FlightClient, filters: dict[str, object], names: list[str]) -> None:
    assert table(client, pb.CommandGetTables(**filters)).column("table_name").to_pylist() == names


ANNOUNCED = "SELECT n, name, n::DECIMAL(9, 2) AS price, n > 3 AS big FROM numbers"


def metadata(schema: pa.Schema) -> list[dict[str, str]]:
    """What the protocol's own metadata tell of each column."""
    told = [{key.decode(): value.decode() for key, value in (field.metadata or {}).items()} for field in schema]
    return [{key.removeprefix("ARROW:FLIGHT:SQL:"): value for key, value in facts.items()} for facts in told]


def test_columns_say_what_they_are(client: flight.FlightClient) -> None:
    info = client.get_flight_info(flight.FlightDescriptor.for_command(pack(pb.CommandStatementQuery(query=ANNOUNCED))))
    always = {"IS_AUTO_INCREMENT": "0", "IS_READ_ONLY": "1", "IS_SEARCHABLE": "1"}
    assert metadata(info.schema) == [
        {"TYPE_NAME": "BIGINT", "PRECISION": "19", "SCALE": "0", "IS_CASE_SENSITIVE": "0", **always},
        {"TYPE_NAME": "VARCHAR", "IS_CASE_SENSITIVE": "1", **always},
        {"TYPE_NAME": "DECIMAL", "PRECISION": "9", "SCALE": "2", "IS_CASE_SENSITIVE": "0", **always},
        {"TYPE_NAME": "BOOLEAN", "PRECISION": "1", "IS_CASE_SENSITIVE": "0", **always},
    ]


def test_every_call_tells_the_same_of_the_columns(client: flight.FlightClient) -> None:
    command = pack(pb.CommandStatementQuery(query=ANNOUNCED))
    info = client.get_flight_info(flight.FlightDescriptor.for_command(command))
    schemas = [client.get_schema(flight.FlightDescriptor.for_command(command)).schema]
    schemas.append(client.do_get(info.endpoints[0].ticket).schema)
    packed = unpack(act(client, "CreatePreparedStatement", pack(pb.ActionCreatePreparedStatementRequest(query=ANNOUNCED))))
    assert packed is not None
    prepared_statement = read(packed, pb.ActionCreatePreparedStatementResult)
    schemas.append(pa.ipc.read_schema(pa.py_buffer(prepared_statement.dataset_schema)))
    execution = pack(pb.CommandPreparedStatementQuery(prepared_statement_handle=prepared_statement.prepared_statement_handle))
    executed = client.get_flight_info(flight.FlightDescriptor.for_command(execution))
    schemas += [executed.schema, client.do_get(executed.endpoints[0].ticket).schema]
    assert all(schema.equals(info.schema, check_metadata=True) for schema in schemas)
    assert len(schemas) == 5


def test_plain_flight_and_the_catalogs_own_answers_have_bare_columns(client: flight.FlightClient) -> None:
    info = client.get_flight_info(flight.FlightDescriptor.for_command(ANNOUNCED))
    bare = [info.schema, client.do_get(info.endpoints[0].ticket).schema, table(client, pb.CommandGetTables(include_schema=True)).schema]
    assert [facts for schema in bare for facts in metadata(schema) if facts] == []


def test_columns_of_tables_say_where_they_are(client: flight.FlightClient) -> None:
    (found,) = table(client, pb.CommandGetTables(include_schema=True, table_name_filter_pattern="odd%")).to_pylist()
    first, second = metadata(pa.ipc.read_schema(pa.py_buffer(found["table_schema"])))
    names = ("CATALOG_NAME", "DB_SCHEMA_NAME", "SCHEMA_NAME", "TABLE_NAME", "TYPE_NAME", "PRECISION")
    assert [first[name] for name in names] == ["volley", "main", "main", "odd name", "INTEGER", "10"]
    assert [second[name] for name in names] == ["volley", "main", "main", "odd name", "DATE", "10"]


def test_objects_tell_the_types_of_columns(connection: dbapi.Connection) -> None:
    (found,) = connection.adbc_get_objects(depth="all", table_name_filter="odd%").read_all().to_pylist()
    columns = found["catalog_db_schemas"][0]["db_schema_tables"][0]["table_columns"]
    assert [column["xdbc_type_name"] for column in columns] == ["INTEGER", "DATE"]


@pytest.mark.parametrize("name", ["PrimaryKeys", "ImportedKeys", "ExportedKeys", "CrossReference"])
def test_there_are_no_keys(client: flight.FlightClient, name: str) -> None:
    answer = table(client, getattr(pb, f"CommandGet{name}")())
    assert answer.num_rows == 0
    assert "key_sequence" in answer.column_names


def test_primary_keys_have_the_columns_of_arrows_own_servers(client: flight.FlightClient) -> None:
    columns = ["catalog_name", "db_schema_name", "table_name", "column_name", "key_sequence", "key_name"]
    assert table(client, pb.CommandGetPrimaryKeys()).column_names == columns


def test_sql_info_has_no_place_for_nulls(client: flight.FlightClient) -> None:
    info_name, value = table(client, pb.CommandGetSqlInfo()).schema
    assert not info_name.nullable
    assert not value.nullable
    assert not any(value.type.field(index).nullable for index in range(value.type.num_fields))


def test_sql_info_is_chosen_by_number(client: flight.FlightClient) -> None:
    rows = table(client, pb.CommandGetSqlInfo(info=[0, 3, 541, 522, 508, 99_999])).to_pylist()
    assert {row["info_name"]: row["value"] for row in rows[:4]} == {0: "Volley", 3: True, 541: 0, 522: 3}
    assert "QUALIFY" in rows[4]["value"]
    assert len(rows) == 5
    everything = table(client, pb.CommandGetSqlInfo())
    assert everything.schema == SQL_INFO_SCHEMA
    assert everything.num_rows == len(sql_infos("1", read_only=True)) > 80


_CONVERTED = {
    "BIGINT": "1",
    "BINARY": "'a'::BLOB",
    "BIT": "true",
    "CHAR": "'1'",
    "DATE": "DATE '2020-01-01'",
    "DECIMAL": "1.5",
    "FLOAT": "1.5::DOUBLE",
    "INTEGER": "1",
    "INTERVAL_DAY_TIME": "INTERVAL 1 DAY",
    "INTERVAL_YEAR_MONTH": "INTERVAL 1 YEAR",
    "LONGVARBINARY": "'a'::BLOB",
    "LONGVARCHAR": "'1'",
    "NUMERIC": "1.5",
    "REAL": "1.5::FLOAT",
    "SMALLINT": "1::SMALLINT",
    "TIME": "TIME '10:00:00'",
    "TIMESTAMP": "TIMESTAMP '2020-01-01 10:00:00'",
    "TINYINT": "1::TINYINT",
    "VARBINARY": "'a'::BLOB",
    "VARCHAR": "'1'",
}
"""A value of each type of the protocol's enum SqlSupportsConvert, in its order."""


def _kernel_name(name: str) -> str:
    return (
        "INTERVAL" if name.startswith("INTERVAL") else {"BIT": "BOOLEAN", "LONGVARBINARY": "BLOB", "LONGVARCHAR": "VARCHAR"}.get(name, name)
    )


def test_sql_info_says_what_the_kernel_converts(client: flight.FlightClient) -> None:
    (row,) = table(client, pb.CommandGetSqlInfo(info=[517])).to_pylist()
    told = {source: set(targets) for source, targets in row["value"]}
    kernel = duckdb.connect()

    def converts(value: str, target: str) -> bool:
        try:
            kernel.sql(f"SELECT CAST(x AS {_kernel_name(target)}) FROM (SELECT {value} AS x)").fetchall()
        except duckdb.ConversionException as error:
            return "Unimplemented" not in str(error)  # this text is no date, but others are
        return True

    with kernel:
        names = list(_CONVERTED)
        found = {place: {names.index(other) for other in names if converts(_CONVERTED[name], other)} for place, name in enumerate(names)}
    assert told == found
    assert set(CONVERSIONS) == set(range(20))


def test_sql_info_says_whether_the_server_is_read_only() -> None:
    assert sql_info_table(sql_infos("1", read_only=False), [3]).column("value").to_pylist() == [False]


def test_types_are_ordered_and_chosen_by_number(client: flight.FlightClient) -> None:
    everything = table(client, pb.CommandGetXdbcTypeInfo()).to_pylist()
    keys = [(row["data_type"], row["type_name"]) for row in everything]
    assert keys == sorted(keys)
    assert [row["type_name"] for row in xdbc_types(91).to_pylist()] == ["DATE"]
    scales = {row["type_name"]: (row["minimum_scale"], row["maximum_scale"]) for row in everything}
    assert (scales["INTEGER"], scales["DECIMAL"], scales["TIMESTAMP"], scales["DOUBLE"]) == ((0, 0), (0, 38), (6, 6), (None, None))
    (interval,) = xdbc_types(10).to_pylist()
    assert (interval["type_name"], interval["sql_data_type"], interval["datetime_subcode"]) == ("INTERVAL", 10, 0)


def test_every_type_is_one_of_the_kernels() -> None:
    with duckdb.connect() as kernel:
        for row in xdbc_types(None).to_pylist():
            written = "ENUM('a')" if row["type_name"] == "ENUM" else row["type_name"]
            assert kernel.sql(f"SELECT CAST(NULL AS {written})").fetchall() == [(None,)]


def test_types_of_a_number_that_there_is_not(client: flight.FlightClient) -> None:
    assert table(client, pb.CommandGetXdbcTypeInfo(data_type=12345)).num_rows == 0


def test_cancelling_by_flight_info(served: Served, client: flight.FlightClient) -> None:
    command = pack(pb.CommandStatementQuery(query="SELECT 'endless' AS e"))
    info = client.get_flight_info(flight.FlightDescriptor.for_command(command))
    request = pb.CancelFlightInfoRequest(info=info.serialize()).SerializeToString()
    answer = pb.CancelFlightInfoResult.FromString(act(client, "CancelFlightInfo", request))
    assert answer.status == pb.CANCEL_STATUS_CANCELLED
    assert served.service.queries("")[0].state == "killed"


def test_cancelling_by_the_older_action(served: Served, client: flight.FlightClient) -> None:
    info = client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 'endless' AS e"))
    request = pack(pb.ActionCancelQueryRequest(info=info.serialize()))
    packed = unpack(act(client, "CancelQuery", request))
    assert packed is not None
    assert type_name(packed) == "ActionCancelQueryResult"
    assert read(packed, pb.ActionCancelQueryResult).result == pb.CANCEL_STATUS_CANCELLED
    assert served.service.queries("")[0].state == "killed"


def cancelled(client: flight.FlightClient, info: flight.FlightInfo) -> int:
    request = pb.CancelFlightInfoRequest(info=info.serialize()).SerializeToString()
    return int(pb.CancelFlightInfoResult.FromString(act(client, "CancelFlightInfo", request)).status)


def test_cancelling_what_has_ended_says_so(client: flight.FlightClient) -> None:
    finished = client.get_flight_info(flight.FlightDescriptor.for_command(pack(pb.CommandStatementQuery(query="SELECT 1"))))
    assert cancelled(client, finished) == pb.CANCEL_STATUS_NOT_CANCELLABLE
    stopped = client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 'endless' AS e"))
    assert [cancelled(client, stopped) for _ in range(2)] == [pb.CANCEL_STATUS_CANCELLED] * 2


def test_cancelling_what_takes_its_time_to_stop_says_so(
    served: Served, client: flight.FlightClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 'endless' AS e"))
    monkeypatch.setattr(served.service, "kill", served.service.status)
    assert cancelled(client, info) == pb.CANCEL_STATUS_CANCELLING


def test_a_catalog_cannot_be_cancelled_and_rubbish_is_told(client: flight.FlightClient) -> None:
    info = client.get_flight_info(flight.FlightDescriptor.for_command(pack(pb.CommandGetCatalogs())))
    request = pb.CancelFlightInfoRequest(info=info.serialize()).SerializeToString()
    assert pb.CancelFlightInfoResult.FromString(act(client, "CancelFlightInfo", request)).status == pb.CANCEL_STATUS_NOT_CANCELLABLE
    with pytest.raises(pa.ArrowInvalid, match="not a valid CancelFlightInfoRequest"):
        act(client, "CancelFlightInfo", b"\xff")
    with pytest.raises(pa.ArrowInvalid, match="FlightInfo cannot be read"):
        act(client, "CancelFlightInfo", pb.CancelFlightInfoRequest(info=b"\xff\xff").SerializeToString())


def test_renewing_an_endpoint_says_until_when_the_result_is_kept(served: Served, client: flight.FlightClient) -> None:
    info = client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 1"))
    request = pb.RenewFlightEndpointRequest(endpoint=info.endpoints[0].serialize()).SerializeToString()
    renewed = flight.FlightEndpoint.deserialize(act(client, "RenewFlightEndpoint", request))
    assert renewed.ticket == info.endpoints[0].ticket
    kept_until = served.service.queries("")[0].result.expires_at
    assert kept_until is not None
    assert abs(renewed.expiration_time.as_py().timestamp() - kept_until) < 0.01


def test_sql_is_never_taken_for_protobuf() -> None:
    assert unpack(b"SELECT 1") is None
    assert unpack(b"\nSELECT 1") is None
    assert unpack(b'{"query_id": "x"}') is None
    packed = unpack(pack(pb.CommandGetTables()))
    assert packed is not None
    assert type_name(packed) == "CommandGetTables"
    assert read(packed, pb.CommandGetTables) == pb.CommandGetTables()
    foreign = unpack(Any(type_url="type.googleapis.com/other.Thing").SerializeToString())
    assert foreign is not None
    assert type_name(foreign) is None


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [("%", "", True), ("a_c", "abc", True), ("a_c", "ac", False), (r"a\_c", "abc", False), (r"a\_c", "a_c", True), ("a.c", "abc", False)],
)
def test_like_patterns(pattern: str, text: str, matches: bool) -> None:
    assert (like(pattern).fullmatch(text) is not None) is matches


def test_pandas_reads_through_it(served: Served, connection: dbapi.Connection) -> None:
    pandas = pytest.importorskip("pandas")
    assert pandas.read_sql("SELECT n FROM numbers ORDER BY n", connection)["n"].tolist()[:2] == [0, 1]


def test_polars_reads_through_it(served: Served, connection: dbapi.Connection) -> None:
    polars = pytest.importorskip("polars")
    assert polars.read_database("SELECT 1 AS one", connection).to_dicts() == [{"one": 1}]
    uri = served.uri.replace("grpc://", "flightsql://") + "?transport=tcp"
    assert polars.read_database_uri("SELECT 1 AS one", uri, engine="adbc").to_dicts() == [{"one": 1}]
