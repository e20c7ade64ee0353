"""Parameters of every kind in every place, by ADBC: the answer is the one that the kernel gives for the value's literal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
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
from tests.arrow_values import ARROW_VALUES
from tests.parameter_places import COLUMNS, MORE_PLACES, PLACES, VALUES, Value, parameter_count, with_literal
from tests.planner.memory_catalog import connect

MOST_ROWS = 20


BY_VALUE = ("SELECT round(amount, ?) FROM t ORDER BY n",)
"""Whose schema hangs on the value itself."""
SCHEMA_BY_VALUE = ("PIVOT (", "SELECT extract(year FROM ?)")
"""Beginnings of those whose schema is another for NULL."""
NAMED_BY_VALUE = ("PIVOT (", "SELECT unnest(?)")
"""Beginnings of those whose columns are called after what the value holds."""
FEW = ("bigint", "text of a day", "list")
"""The values that are tried in each of the many places, where nobody asks for all."""
EVERYWHERE = [*PLACES, *(pytest.param(sql, marks=pytest.mark.slow) for sql in MORE_PLACES)]


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
    places = parameter_count(sql)
    try:
        cursor.execute(sql, pa.record_batch([value.bound] * places, names=[""] * places))
        return answer(cursor.fetch_arrow_table())
    except (adbc.Error, pa.ArrowInvalid):
        return None


def of_kernel(sql: str, value: Value, kernel: duckdb.DuckDBPyConnection) -> Answer | None:
    """The kernel's answer to the literal, or to the plain one where the binder refuses that; None where it refuses both, or fails."""
    for literal in (value.sql, value.plain):
        try:
            relation = None if literal is None else kernel.sql(with_literal(sql, literal))
        except duckdb.Error:
            continue
        try:
            return None if relation is None else answer(relation.to_arrow_table())
        except duckdb.Error:
            return None
    return None


@pytest.mark.parametrize("sql", EVERYWHERE)
def test_a_parameter_is_what_its_literal_is(
    sql: str, cursor: adbc.Cursor, kernel: duckdb.DuckDBPyConnection, request: pytest.FixtureRequest
) -> None:
    names = set()
    few = sql in MORE_PLACES and not request.config.getoption("--all-parameters")
    for name, value in VALUES.items():
        if few and name not in FEW:
            continue
        found, expected = of_volley(sql, value, cursor), of_kernel(sql, value, kernel)
        assert (found and found[:2]) == (expected and expected[:2]), name
        names |= set() if found is None else {tuple(found.names)}
    assert len(names) <= 1 or sql.startswith(NAMED_BY_VALUE), "no value leaks into a name"


@pytest.mark.slow
@pytest.mark.parametrize("sql", MORE_PLACES)
def test_whatever_is_answered_has_the_schema_that_is_announced(sql: str, cursor: adbc.Cursor) -> None:
    kinds = (cursor.adbc_prepare(sql) or pa.schema([])).types
    assert len(kinds) == parameter_count(sql)
    announced = cursor.adbc_execute_schema(sql)
    for values in (nulls(kinds), examples(kinds)):
        with suppress(adbc.Error):
            cursor.execute(sql, pa.record_batch([pa.repeat(value, 1) for value in values], names=[""] * len(kinds)))
            found = cursor.fetch_arrow_table().schema
            assert found == announced or sql.startswith(SCHEMA_BY_VALUE)


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


@pytest.mark.parametrize("group", ARROW_VALUES)
def test_a_value_comes_back_as_the_kernel_reads_it_from_arrow(group: str, cursor: adbc.Cursor, kernel: duckdb.DuckDBPyConnection) -> None:
    for value in ARROW_VALUES[group]:
        one = pa.array([value.as_py()], value.type.value_type) if pa.types.is_run_end_encoded(value.type) else pa.repeat(value, 1)
        for column in (one, pa.nulls(1, one.type)):
            asked = "SELECT $1, typeof($1), $1::VARCHAR, hash($1)"
            found = answer(cursor.execute(asked, pa.record_batch([column], names=[""])).fetch_arrow_table())
            read = kernel.from_arrow(pa.table({"v": column})).query("sent", "SELECT v, typeof(v), v::VARCHAR, hash(v) FROM sent")
            assert found[:2] == answer(read.to_arrow_table())[:2], column
