"""Parameters by JDBC in every place, bound as the types that the server announces: the answers are those of the literals."""

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
RUN_SECONDS = 120
LITERALS = {
    "BIGINT": ("CAST(5 AS BIGINT)", "5"),
    "DOUBLE": ("CAST('0.5' AS DOUBLE)",),
    "VARCHAR": ("'5'", "CAST('5' AS VARCHAR)"),
    "BOOLEAN": ("TRUE",),
    "DATE": ("DATE '2024-02-29'",),
    "ARRAY": ("CAST([5] AS BIGINT[])",),
    "TIMESTAMP": ("CAST('2024-02-29 12:30:00.25' AS TIMESTAMP_MS)",),
}
"""What the program binds to parameters of each type, as literals; the second where the kernel takes no first one."""
NULLS = {"ARRAY": "BIGINT[]"}
"""What NULL of a type of JDBC's is in SQL, where that has another name."""


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
    """What the program printed of each place: the types, the rows for values, the rows for NULL."""
    with embedded(Config(data_roots=(str(folder),), memory_bytes=512 << 20)) as uri:
        lines = "".join(f"{as_text(sql)}\n" for sql in PLACES)
        command = java_command(PROGRAM, uri)
        ended = subprocess.run(command, input=lines, capture_output=True, encoding="utf-8", timeout=RUN_SECONDS)
    assert ended.returncode == 0, ended.stderr
    pieces = [piece.splitlines() for piece in ended.stdout.split("== ")[1:]]
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


@pytest.mark.parametrize("sql", PLACES)
def test_values_and_nulls_of_the_announced_types_are_what_literals_are(
    sql: str, told: dict[str, list[str]], kernel: duckdb.DuckDBPyConnection
) -> None:
    kinds, value, null = told[as_text(sql)]
    names = kinds.split(",")
    expected = rows_of(sql, [LITERALS[name] for name in names], kernel)
    assert value == f"value: {expected}" if expected is not None else value.startswith("value FAILED"), names
    expected = rows_of(sql, [(f"CAST(NULL AS {NULLS.get(name, name)})", "NULL") for name in names], kernel)
    assert null == f"null: {expected}" if expected is not None else null.startswith("null FAILED"), names
