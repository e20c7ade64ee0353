"""Parameters by JDBC: values of 23 kinds in each of the places, and in casts to each type. The answers are those of the literals.

The driver sends what the server announces as a parameter's type: it refuses a value, or converts it in a way of its own, which stands here.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_server.process.launch import embedded
from flight_server.settings.config import Config
from tests.clients.jdbc_driver import java_command
from tests.parameter_places import COLUMNS, PLACES
from tests.planner.memory_catalog import connect

PROGRAM = Path(__file__).with_name("JdbcParameters.java")
RUN_SECONDS = 180
TYPES = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "REAL", "DOUBLE"),
    *("DECIMAL(9, 2)", "DECIMAL(38, 10)", "VARCHAR", "BLOB", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS"),
    *("TIMESTAMP_NS", "TIMESTAMPTZ", "INTERVAL", "UUID", "INTEGER[]", "MAP(VARCHAR, BIGINT)"),
)
SHORT_PLACES = (sql.replace("lpad(s, ?,", "lpad(s, least(?, 40),") for sql in PLACES)
"""Without texts as long as a time has milliseconds."""
STATEMENTS = (*SHORT_PLACES, *(f"SELECT ?::{name} AS v" for name in TYPES))

WHOLE = {"tinyint": "5", "integer": "5", "bigint": "5", "negative": "-3"}
COUNTED = {"date": "19782", "time": "45000000", "timestamp": "1709209800250"}
"""Dates in days, times and timestamps in milliseconds."""
MOMENTS = {"bigint": "1970-01-01 00:00:00.005", "negative": "1969-12-31 23:59:59.997", "timestamp": "2024-02-29 12:30:00.25"}
SENT = {
    "BIGINT": {**WHOLE, "ubigint": "-1", "real": "2", "double": "0", "decimal": "2", "wide decimal": "2", **COUNTED},
    "DOUBLE": {**WHOLE, "ubigint": str(2**64), "real": "2.5", "double": "0.5", "decimal": "2.5", "wide decimal": "2.5", **COUNTED},
    "ARRAY": {"list": "[1, 5]"},
    "DECIMAL": {"wide decimal": "2.5000000000"},
    "VARCHAR": {"text": "it's", "text of a number": "5", "text of a day": "2024-02-29"},
    "VARBINARY": {"blob": "\\x00\\x27\\xFF"},
    "BOOLEAN": {"boolean": "true"},
    "DATE": {"date": "2024-02-29", "integer": "1970-01-06", "time": "125175-10-26"},
    "TIME": {"time": "12:30:00", "integer": "00:00:00.005", "date": "00:00:19.782"},
    "TIMESTAMP": MOMENTS,
    "TIMESTAMP_WITH_TIMEZONE": {kind: f"{moment}+00" for kind, moment in MOMENTS.items()},
}
"""By the type that is announced: what the driver makes of each kind of value. It refuses the kinds that are missing."""
NAMES = {
    "ARRAY": "BIGINT[]",
    "DECIMAL": "DECIMAL(38, 10)",
    "VARBINARY": "BLOB",
    "TIMESTAMP": "TIMESTAMP_MS",
    "TIMESTAMP_WITH_TIMEZONE": "TIMESTAMPTZ",
}
NULLS = ("null integer", "null", "null as announced")
KINDS = 23


def literals(announced: str, kind: str) -> tuple[str, ...]:
    """What the driver sends, as a literal of the announced type, and one of no type where the kernel takes no first one."""
    if kind in NULLS:
        return f"CAST(NULL AS {NAMES.get(announced, announced)})", "NULL"
    text = SENT[announced][kind].replace("'", "''")
    typed = f"CAST('{text}' AS {NAMES.get(announced, announced)})"
    return (f"'{text}'", typed) if announced == "VARCHAR" else (typed, text) if announced == "BIGINT" else (typed,)


def as_text(sql: str) -> str:
    """The statement with all columns as text, which no driver prints in a way of its own."""
    return f"SELECT COLUMNS(*)::VARCHAR FROM ({sql})"


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places")
    pq.write_table(pa.table(COLUMNS), folder / "t.parquet")
    return folder


@pytest.fixture(scope="module", name="told")
def _told(folder: Path) -> dict[str, list[str]]:
    """What the program printed of each place: the types, then the rows for each kind of value."""
    with embedded(Config(data_roots=(str(folder),), memory_bytes=512 << 20)) as uri:
        lines = "".join(f"{as_text(sql)}\n" for sql in STATEMENTS)
        command = java_command(PROGRAM, uri)
        ended = subprocess.run(command, input=lines, capture_output=True, encoding="utf-8", timeout=RUN_SECONDS)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("== end\n"), ended.stderr
    pieces = [piece.splitlines() for piece in ended.stdout.split("== ")[1:-1]]
    return {sql: printed for sql, *printed in pieces}


@pytest.fixture(scope="module", name="kernel")
def _kernel(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect()
    connection.execute(f"CREATE VIEW t AS FROM read_parquet('{folder}/t.parquet')")
    yield connection
    connection.close()


def rows_of(sql: str, literals: list[tuple[str, ...]], kernel: duckdb.DuckDBPyConnection) -> str | None:
    """The kernel's rows for the first literals with which it binds the statement; None where it refuses all, or fails."""
    for choice in (0, -1):
        sql_with = sql
        for values in literals:
            sql_with = sql_with.replace("?", values[choice], 1)
        try:
            relation = kernel.sql(as_text(sql_with))
        except duckdb.Error:
            continue
        try:
            return ";".join("|".join(str(cell).replace("None", "null") for cell in row) for row in relation.fetchall())
        except duckdb.Error:
            return None
    return None


@pytest.mark.slow
@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_value_is_what_its_literal_is_or_is_refused_by_the_driver(
    sql: str, told: dict[str, list[str]], kernel: duckdb.DuckDBPyConnection
) -> None:
    types, *lines = told[as_text(sql)]
    announced = types.split(",")
    answers = dict(line.split(": ", 1) for line in lines)
    assert len(answers) == KINDS
    for kind, answer in answers.items():
        if kind not in NULLS and any(kind not in SENT[name] for name in announced):
            assert answer.startswith("UNBOUND"), (kind, announced)
            continue
        expected = rows_of(sql, [literals(name, kind) for name in announced], kernel)
        assert answer == expected if expected is not None else answer.startswith("FAILED"), (kind, announced)
