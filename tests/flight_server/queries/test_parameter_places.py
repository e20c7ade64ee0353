"""Parameters of every kind in every place, by ADBC: the answer is the one that the kernel gives for the value's literal."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import adbc_driver_flightsql.dbapi as adbc
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_server.process.launch import embedded
from flight_server.settings.config import Config
from planner.prepared import examples, nulls
from tests.parameter_places import COLUMNS, DAY, MOMENT, PLACES
from tests.planner.memory_catalog import connect

MOST_ROWS = 20


class Value(NamedTuple):
    """A value to bind, and the SQL that means the same; ``plain``: what people write where the type is left to its place."""

    bound: pa.Array
    sql: str
    plain: str | None = None


VALUES = {
    "tinyint": Value(pa.array([5], pa.int8()), "CAST(5 AS TINYINT)", "5"),
    "bigint": Value(pa.array([5], pa.int64()), "CAST(5 AS BIGINT)", "5"),
    "negative": Value(pa.array([-3], pa.int64()), "CAST(-3 AS BIGINT)", "-3"),
    "ubigint": Value(pa.array([2**64 - 1], pa.uint64()), "CAST(18446744073709551615 AS UBIGINT)", "18446744073709551615"),
    "real": Value(pa.array([2.5], pa.float32()), "CAST(2.5 AS REAL)"),
    "double": Value(pa.array([0.5], pa.float64()), "CAST('0.5' AS DOUBLE)"),
    "decimal": Value(pa.array([decimal.Decimal("2.50")], pa.decimal128(9, 2)), "CAST('2.50' AS DECIMAL(9, 2))"),
    "text": Value(pa.array(["it's"], pa.string()), "'it''s'", "CAST('it''s' AS VARCHAR)"),
    "text of a day": Value(pa.array(["2024-02-29"], pa.large_string()), "'2024-02-29'", "CAST('2024-02-29' AS VARCHAR)"),
    "blob": Value(pa.array([b"\x00'\xff"], pa.binary()), "CAST('\\x00''\\xFF' AS BLOB)"),
    "boolean": Value(pa.array([True], pa.bool_()), "TRUE"),
    "date": Value(pa.array([DAY], pa.date32()), "DATE '2024-02-29'"),
    "time": Value(pa.array([datetime.time(12, 30, 0, 1)], pa.time64("us")), "TIME '12:30:00.000001'"),
    "timestamp": Value(pa.array([MOMENT], pa.timestamp("us")), "TIMESTAMP '2024-02-29 12:30:00.25'"),
    "nanoseconds": Value(pa.array([1], pa.timestamp("ns")), "CAST('1970-01-01 00:00:00.000000001' AS TIMESTAMP_NS)"),
    "instant": Value(pa.array([MOMENT], pa.timestamp("us", "Asia/Tokyo")), "TIMESTAMPTZ '2024-02-29 12:30:00.25+00'"),
    "interval": Value(pa.array([pa.MonthDayNano([1, 2, 3000])]), "INTERVAL '1 month 2 days 3 microseconds'"),
    "list": Value(pa.array([[1, 5, None]], pa.list_(pa.int64())), "CAST([1, 5, NULL] AS BIGINT[])"),
    "struct": Value(pa.array([{"a": 1, "b": "x"}]), "{'a': CAST(1 AS BIGINT), 'b': 'x'}"),
    "map": Value(pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), "MAP {'k': CAST(1 AS BIGINT)}"),
    "null integer": Value(pa.array([None], pa.int64()), "CAST(NULL AS BIGINT)", "NULL"),
    "null text": Value(pa.array([None], pa.string()), "CAST(NULL AS VARCHAR)", "NULL"),
}
BY_VALUE = ("SELECT round(amount, ?) FROM t ORDER BY n", "SELECT n FROM t WHERE list_contains(?, n) ORDER BY n")
"""Whose schema, or whether there is a result, hangs on the value itself."""


@pytest.fixture(scope="module", name="root")
def root_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    pq.write_table(pa.table(COLUMNS), root / "t.parquet", row_group_size=2)
    return root


@pytest.fixture(scope="module", name="cursor")
def cursor_fixture(root: Path) -> Iterator[adbc.Cursor]:
    config = Config(data_roots=(str(root),), memory_bytes=512 << 20)
    with embedded(config) as uri, adbc.connect(uri, autocommit=True) as connection, connection.cursor() as opened:
        yield opened


@pytest.fixture(scope="module", name="kernel")
def kernel_fixture(root: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW t AS FROM read_parquet('{root}/t.parquet')")
    yield connection
    connection.close()


class Answer(NamedTuple):
    """A table's types and its columns as texts, which tell NaN and far dates as well; ``names`` are those of its columns."""

    types: list[pa.DataType]
    columns: list[str]
    names: list[str]


def answer(table: pa.Table) -> Answer:
    columns = [pa.chunked_array(column.combine_chunks()).to_string(window=MOST_ROWS) for column in table.columns]
    return Answer(table.schema.types, columns, table.column_names)


def of_volley(sql: str, value: Value, cursor: adbc.Cursor) -> Answer | None:
    """The answer by ADBC; None where it is refused or fails."""
    places = sql.count("?")
    try:
        cursor.execute(sql, pa.record_batch([value.bound] * places, names=[""] * places))
        return answer(cursor.fetch_arrow_table())
    except (adbc.Error, pa.ArrowInvalid):
        return None


def of_kernel(sql: str, value: Value, kernel: duckdb.DuckDBPyConnection) -> Answer | None:
    """The kernel's answer to the literal, or to the plain one where the binder refuses that; None where it refuses both, or fails."""
    for literal in (value.sql, value.plain):
        try:
            relation = None if literal is None else kernel.sql(sql.replace("?", literal))
        except duckdb.Error:
            continue
        try:
            return None if relation is None else answer(relation.to_arrow_table())
        except duckdb.Error:
            return None
    return None


@pytest.mark.parametrize("sql", PLACES)
def test_a_parameter_is_what_its_literal_is(sql: str, cursor: adbc.Cursor, kernel: duckdb.DuckDBPyConnection) -> None:
    names = set()
    for name, value in VALUES.items():
        found, expected = of_volley(sql, value, cursor), of_kernel(sql, value, kernel)
        assert (found and found[:2]) == (expected and expected[:2]), name
        names |= set() if found is None else {tuple(found.names)}
    assert len(names) == 1, "no value leaks into a name"


@pytest.mark.parametrize("sql", PLACES)
def test_the_schema_that_is_announced_is_that_of_the_stream(sql: str, cursor: adbc.Cursor) -> None:
    kinds = (cursor.adbc_prepare(sql) or pa.schema([])).types
    announced = cursor.adbc_execute_schema(sql)
    for values in (nulls(kinds), examples(kinds)):
        try:
            cursor.execute(sql, pa.record_batch([pa.array([value.as_py()], value.type) for value in values], names=[""] * len(kinds)))
        except adbc.ProgrammingError:
            assert values[0].as_py() is None or any(call in sql for call in ("unnest(?", "ANY(?")), "lists apart, only NULL is refused"
            continue
        if sql not in BY_VALUE:
            assert cursor.fetch_arrow_table().schema == announced
