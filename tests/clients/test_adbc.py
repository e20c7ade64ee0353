"""ADBC's DB-API, on which pandas, polars, SQLAlchemy and dask stand: values, parameters, large results, and ways to end a query."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_flightsql.dbapi as adbc
import pyarrow.compute as pc
import pytest

from tests.clients.all_types import SENT_VALUES, row_of, values_of
from tests.clients.endless import ended_states, endless, once_it_runs, started_endless, states_of, states_of_endless
from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary

INTERRUPTED = Path(__file__).with_name("interrupted.py")
MANY = "SELECT a.i, b.s FROM big AS a, big AS b WHERE a.i <> {}"
"""Rows without end, of which a client reads the first ones; a number makes the statement another one."""
RUN_SECONDS = 60


@pytest.fixture(name="connection")
def _connection(uri: str) -> Iterator[adbc.Connection]:
    with adbc.connect(uri, autocommit=True) as connection:
        yield connection


@pytest.fixture(name="cursor")
def _cursor(connection: adbc.Connection) -> Iterator[adbc.Cursor]:
    with connection.cursor() as cursor:
        yield cursor


@pytest.mark.slow
@pytest.mark.parametrize("sql", [*LARGE, ONE_LARGE_ROW], ids=["many rows", "long texts", "one large row"])
def test_results_of_any_size_are_read_with_the_defaults(cursor: adbc.Cursor, sql: str) -> None:
    cursor.execute(sql)
    rows = total = length = 0
    for batch in cursor.fetch_record_batch():
        rows += batch.num_rows
        total += pc.sum(batch["i"]).as_py()
        length += pc.sum(pc.binary_length(batch["s"])).as_py()
    assert f"{rows} {total} {length}" == summary(sql)


def test_values_of_all_types_arrive(cursor: adbc.Cursor) -> None:
    cursor.execute(row_of())
    names = [column[0] for column in cursor.description]
    assert dict(zip(names, cursor.fetchone(), strict=True)) == values_of()


def test_a_result_of_all_types_may_be_empty(cursor: adbc.Cursor) -> None:
    cursor.execute(row_of())
    full = cursor.fetch_arrow_table()
    cursor.execute(f"SELECT * FROM ({row_of()}) AS t WHERE 1 = 0")
    empty = cursor.fetch_arrow_table()
    assert (empty.num_rows, empty.schema.names, empty.schema.types) == (0, full.schema.names, full.schema.types)


def test_parameters_of_all_types_that_python_has(cursor: adbc.Cursor) -> None:
    sql = "SELECT " + ", ".join("?, typeof(?)" for _ in SENT_VALUES)
    cursor.execute(sql, [value for value in SENT_VALUES.values() for _ in "??"])
    row = cursor.fetchone()
    assert dict(zip(row[1::2], row[::2], strict=True)) == SENT_VALUES


def test_a_cancel_from_another_thread_ends_the_query(cursor: adbc.Cursor, uri: str) -> None:
    sql = endless("adbc_cancelled")
    with once_it_runs(uri, sql, cursor.adbc_cancel), pytest.raises(adbc.Error, match="CANCELLED"):
        cursor.execute(sql).fetchall()
    assert ended_states(uri, sql) == ["killed"]
    assert cursor.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("closed", ["cursor", "connection"])
def test_what_is_closed_half_way_ends_its_query(uri: str, closed: str) -> None:
    sql = MANY.format(-1 if closed == "cursor" else -2)
    connection = adbc.connect(uri, autocommit=True)
    cursor = connection.cursor()
    cursor.execute(sql)
    assert len(cursor.fetchmany(3)) == 3
    assert states_of(uri, sql) == ["running"]
    cursor.close()
    if closed == "cursor":
        assert ended_states(uri, sql) == ["killed"]
    connection.close()
    assert ended_states(uri, sql) == ["killed"]


@pytest.mark.parametrize(
    ("client", "options", "session"),
    [
        ("adbc_call", {"adbc.flight.sql.rpc.timeout_seconds.fetch": "1"}, {}),
        (
            "adbc_session",
            {"adbc.flight.sql.rpc.with_cookie_middleware": "true"},
            {"adbc.flight.sql.session.option.statement_timeout": "1s"},
        ),
    ],
)
def test_a_time_out_ends_the_query(uri: str, client: str, options: dict[str, str], session: dict[str, str]) -> None:
    with adbc.connect(uri, options, conn_kwargs=session, autocommit=True) as connection, connection.cursor() as cursor:
        with pytest.raises(adbc.Error, match="TIMEOUT"):
            cursor.execute(endless(client)).fetchall()
        assert states_of_endless(uri, client) == ["killed"]
        assert cursor.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.slow
@pytest.mark.parametrize("client", ["adbc", "pandas", "sqlalchemy"])
def test_an_interrupt_from_the_keyboard_ends_the_query(uri: str, client: str) -> None:
    if client == "sqlalchemy":
        pytest.importorskip("sqlalchemy_adbc", reason="sqlalchemy-adbc is not installed")
    sql = endless(f"{client}_interrupted")
    command = [sys.executable, str(INTERRUPTED), client, uri, sql]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as program:
        try:
            started_endless(uri, f"{client}_interrupted")
            program.send_signal(signal.SIGINT)
            assert ended_states(uri, sql) == ["killed"], "while the program goes on"
            told, _ = program.communicate(timeout=RUN_SECONDS)
        finally:
            program.kill()
    assert told == "cancelled\n"
