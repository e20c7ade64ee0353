"""Preparing statements on a server: each text is parsed once, within the limits of the configuration."""

from __future__ import annotations

from collections.abc import Iterator

import adbc_driver_flightsql.dbapi as adbc
import pyarrow as pa
import pyarrow.flight as flight
import pyarrow.parquet as pq
import pytest
import sqloxide

from flight_server.client import Client
from flight_server.process.launch import embedded
from flight_server.queries.statement_planner import MAX_KEPT_BYTES
from flight_server.settings.config import Config, LimitsConfig
from planner.limits import DEFAULT_LIMITS
from planner.typed_literals import MAX_NESTING

BIG = DEFAULT_LIMITS.sql_bytes * 2
LONG = f" OR n IN ({', '.join(['7'] * 5_000)})"
"""What makes a statement of 15 kB of a condition."""


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with one table, that accepts statements twice as long as servers do by default."""
    root = tmp_path_factory.mktemp("data")
    pq.write_table(pa.table({"n": pa.array(range(5), pa.int64())}), root / "numbers.parquet")
    with embedded(Config(data_roots=(str(root),), memory_bytes=512 << 20, limits=LimitsConfig(sql_bytes=BIG))) as address:
        yield address


@pytest.fixture
def cursor(uri: str) -> Iterator[adbc.Cursor]:
    with adbc.connect(uri, autocommit=True) as connection, connection.cursor() as opened:
        yield opened


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the parser was given."""
    seen: list[str] = []
    parse_sql = sqloxide.parse_sql

    def counted(sql: str, dialect: str) -> object:
        seen.append(sql)
        return parse_sql(sql=sql, dialect=dialect)

    monkeypatch.setattr(sqloxide, "parse_sql", counted)
    return seen


@pytest.mark.parametrize("padding", ["", LONG], ids=["short", "long"])
def test_a_statement_is_parsed_once_to_be_prepared(padding: str, cursor: adbc.Cursor, parses: list[str]) -> None:
    schema = cursor.adbc_prepare(f"SELECT n, 1 AS once FROM numbers WHERE n > ?{padding}")
    assert schema.types == [pa.int64()]
    assert len(parses) == 1


@pytest.mark.parametrize("padding", ["", LONG], ids=["short", "long"])
def test_prepared_and_run_without_parameters_it_is_parsed_once(padding: str, cursor: adbc.Cursor, parses: list[str]) -> None:
    sql = f"SELECT count(*), 2 AS more FROM numbers WHERE n >= 0{padding}"
    cursor.adbc_prepare(sql)
    cursor.execute(sql)
    assert cursor.fetchall() == [(5, 2)]
    assert len(parses) == 1


@pytest.mark.parametrize("padding", ["", LONG], ids=["short", "long"])
def test_a_statement_is_not_parsed_again_for_other_values(padding: str, cursor: adbc.Cursor, parses: list[str]) -> None:
    found = [cursor.execute(f"SELECT n, 3 AS often FROM numbers WHERE n = ?{padding}", [n]).fetchall() for n in (1, 3, 9)]
    assert found == [[(1, 3)], [(3, 3)], []]
    assert len(parses) == 1


def test_statements_that_were_parsed_take_no_more_than_their_share_of_memory(
    cursor: adbc.Cursor, parses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("planner.prepared.NODE_BYTES", MAX_KEPT_BYTES)
    for _ in range(2):
        assert cursor.execute("SELECT n, 4 AS apart FROM numbers WHERE n = ?", [1]).fetchall() == [(1, 4)]
        cursor.execute("SELECT 5")  # so that the driver does not know the other any more
    assert len(parses) > 3


@pytest.mark.parametrize(
    ("sql", "value", "rows"),
    [
        ("SELECT n FROM numbers ORDER BY n LIMIT ?", 1, [(0,)]),
        ("SELECT quantile_cont(n, ?) FROM numbers", 0.5, [(2.0,)]),
        ("SELECT max(COLUMNS(?)) FROM numbers", "n", [(4,)]),
    ],
)
def test_what_no_null_can_stand_for_is_prepared_and_run(sql: str, value: object, rows: list[object], cursor: adbc.Cursor) -> None:
    assert len(cursor.adbc_prepare(sql)) == 1
    assert cursor.execute(sql, [value]).fetchall() == rows


def test_the_files_to_read_may_be_a_parameter(cursor: adbc.Cursor, uri: str) -> None:
    with pytest.raises(adbc.Error, match="nowhere"):
        cursor.execute("SELECT * FROM read_files(?)", ["nowhere:*.parquet"]).fetchall()


@pytest.mark.parametrize("sql", ["SELECT count(*) FROM numbers", "SELECT ? AS v FROM numbers"])
def test_the_configured_length_holds_for_schemas_and_prepared_statements(sql: str, uri: str, cursor: adbc.Cursor) -> None:
    long = sql.ljust(BIG)
    client = flight.connect(uri)
    assert len(client.get_schema(flight.FlightDescriptor.for_command(long)).schema) == 1
    assert len(cursor.adbc_prepare(long) or ()) == sql.count("?")
    with pytest.raises(pa.ArrowInvalid, match=f"longer than {BIG:,} bytes"):
        client.get_schema(flight.FlightDescriptor.for_command(long + " "))
    client.close()


def test_each_row_of_parameters_is_a_run_and_their_results_one_stream(cursor: adbc.Cursor) -> None:
    small = pa.record_batch([pa.array([4, None], pa.uint64()), pa.array([1, None], pa.duration("us"))], names=["", ""])
    large = pa.record_batch([pa.array(range(30), pa.uint64()), pa.array(range(30), pa.duration("us"))], names=["", ""])
    batches = pa.RecordBatchReader.from_batches(small.schema, [small, large.slice(0, 0), large])
    table = cursor.execute("SELECT n, $1, $2 FROM numbers WHERE n = $1 OR $1 IS NULL ORDER BY n", batches).fetch_arrow_table()
    assert table.schema.names == ["n", "$1", "$2"]
    assert table.schema.types == [pa.int64(), pa.uint64(), pa.month_day_nano_interval()]
    assert table["n"].to_pylist() == [4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert table["$1"].to_pylist() == [4, *[None] * 5, 0, 1, 2, 3, 4]
    assert [None if interval is None else interval.nanoseconds // 1000 for interval in table["$2"].to_pylist()] == [
        1,
        *[None] * 5,
        0,
        1,
        2,
        3,
        4,
    ]


def test_rows_of_parameters_are_one_query_with_one_result(cursor: adbc.Cursor, uri: str) -> None:
    sql = "SELECT n, $1 AS sent FROM numbers WHERE n < $1 ORDER BY n DESC"
    found = cursor.execute(sql, pa.table({"": [2, 0, 3]})).fetchall()
    assert found == [(1, 2), (0, 2), (2, 3), (1, 3), (0, 3)]
    with Client(uri) as client:
        (query,) = [query for query in client.queries() if query.sql == sql]
        *_, ended = client.watch(query.query_id)
        assert (ended.state, ended.result.rows, ended.progress) == ("completed", 5, 1.0)


def test_a_query_with_many_rows_of_parameters_is_stopped_as_any_other(cursor: adbc.Cursor, uri: str) -> None:
    sql = "SELECT n, $1 AS much FROM numbers"
    cursor.execute(sql, pa.table({"": range(10_000)}))
    with Client(uri) as client:
        (query,) = [query for query in client.queries() if query.sql == sql]
        client.kill(query.query_id)
        with pytest.raises(adbc.Error, match="killed"):
            cursor.fetchall()
        *_, ended = client.watch(query.query_id)
        assert ended.state == "killed"


def test_an_update_runs_with_all_rows_of_parameters(cursor: adbc.Cursor, uri: str) -> None:
    sql = "SELECT n, $1 AS many FROM numbers"
    cursor.executemany(sql, [[1], [2], [3]])
    with Client(uri) as client:
        (query,) = [query for query in client.queries() if query.sql == sql]
        *_, ended = client.watch(query.query_id)
        assert (ended.state, ended.result.rows) == ("completed", 15)


def test_rows_of_parameters_that_make_other_types_are_refused_with_their_number(cursor: adbc.Cursor) -> None:
    values = pa.UnionArray.from_dense(pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([1]), pa.array(["b"])])
    with pytest.raises(adbc.ProgrammingError, match="row 2 of the parameters makes a result of other types than row 1"):
        cursor.execute("SELECT ? AS a", pa.table({"": values})).fetchall()


def test_an_error_of_one_row_of_parameters_is_the_querys(cursor: adbc.Cursor) -> None:
    with pytest.raises(adbc.Error, match="Could not convert string 'x'"):
        cursor.execute("SELECT n + ?::BIGINT AS a FROM numbers", pa.table({"": ["1", "x", "3"]})).fetchall()


def test_rows_of_nothing_give_the_schema_and_no_rows(cursor: adbc.Cursor) -> None:
    table = cursor.execute("SELECT n, ? AS v FROM numbers", pa.table({"": pa.array([], pa.string())})).fetch_arrow_table()
    assert (table.num_rows, table.schema.types) == (0, [pa.int64(), pa.string()])


@pytest.mark.parametrize(
    ("values", "given"), [([], "no values were bound"), ([1], "1 value was bound"), ([1, 2, 3], "3 values were bound")]
)
def test_a_wrong_number_of_values_is_told(values: list[int], given: str, cursor: adbc.Cursor) -> None:
    with pytest.raises(adbc.ProgrammingError, match=f"the statement has 2 parameters, but {given}"):
        cursor.execute("SELECT ?, ? + n FROM numbers", values or None)


def test_values_are_read_as_nothing_but_values(cursor: adbc.Cursor) -> None:
    hostile = "'; DROP TABLE numbers; -- \\' \" $1 ? \0 /* \u2028"
    assert cursor.execute("SELECT ? AS v, length(?) FROM numbers WHERE n = 0", [hostile, hostile]).fetchall() == [(hostile, len(hostile))]
    large = "é" * 1_000_000
    assert cursor.execute("SELECT length(?), octet_length(?)", [large, b"\xff" * 1_000_000]).fetchall() == [(1_000_000, 1_000_000)]
    many = pa.record_batch([pa.array([range(10_000)], pa.list_(pa.int32()))], names=[""])
    assert cursor.execute("SELECT count(*) FROM numbers WHERE n IN (SELECT unnest(?)) OR list_contains($1, n)", many).fetchall() == [(5,)]


def test_damaged_values_are_refused(cursor: adbc.Cursor) -> None:
    damaged = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    with pytest.raises(adbc.ProgrammingError, match="the values of the parameters are damaged"):
        cursor.execute("SELECT ?", pa.record_batch([damaged], names=["v"]))


def test_values_nested_deeper_than_can_be_written_are_refused(cursor: adbc.Cursor) -> None:
    value, kind = 1, pa.int64()
    for _ in range(MAX_NESTING + 1):
        value, kind = [value], pa.list_(kind)  # type: ignore[assignment]
    with pytest.raises(adbc.Error, match="nest"):
        cursor.execute("SELECT ?", pa.record_batch([pa.array([value], kind)], names=["v"]))
