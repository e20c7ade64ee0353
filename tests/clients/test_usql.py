"""usql, a command line for many databases, by its driver for Flight SQL, against a real server.

The first run on a machine fetches its modules and builds it, which takes a minute or more; the program is kept in the user's cache.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import duckdb
import pytest

from tests.clients.endless import ended_states, endless, states_of_endless
from tests.clients.kept_builds import kept_folder
from tests.clients.large_results import MANY_ROWS, ONE_LARGE_ROW, summary
from tests.clients.native_programs import need
from tests.e2e.waiting import eventually

MODULE = Path(__file__).with_name("usql")
BUILD_SECONDS = 300
RUN_SECONDS = 240

pytestmark = [pytest.mark.slow, pytest.mark.timeout(BUILD_SECONDS + RUN_SECONDS)]


@pytest.fixture(name="program", scope="module")
def _program() -> Path:
    need("go")
    wanted = [MODULE / name for name in ("go.mod", "go.sum")]
    folder = kept_folder("usql", *wanted)
    program = folder / "usql"
    if not program.exists():
        for file in wanted:
            shutil.copy(file, folder)
        build = ["go", "build", "-mod=mod", "-tags", "no_base flightsql", "-o", str(program), "github.com/xo/usql"]
        try:
            subprocess.run(build, cwd=folder, capture_output=True, timeout=BUILD_SECONDS, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("usql cannot be fetched and built")
    return program


def _command(program: Path, uri: str, *arguments: str) -> list[str]:
    return [str(program), uri.replace("grpc:", "flightsql:"), "--no-init", "--quiet", "--csv", *arguments]


def _told(program: Path, uri: str, *arguments: str) -> list[str]:
    ended = subprocess.run(_command(program, uri, *arguments), capture_output=True, encoding="utf-8", timeout=RUN_SECONDS)
    return (ended.stdout + ended.stderr).splitlines()


def test_statements_tables_and_errors(program: Path, uri: str) -> None:
    assert _told(program, uri, "-c", "SELECT count(*) AS n, max(s) AS last FROM big WHERE i < 9") == ["n,last", '9,"row 8"']
    assert _told(program, uri, "-c", "SHOW TABLES") == ["name", "big", "kinds"]
    assert _told(program, uri, "-c", "SELECT column_name, column_type FROM (DESCRIBE big)") == [
        "column_name,column_type",
        "i,BIGINT",
        "s,VARCHAR",
    ]
    assert _told(program, uri, "-c", r"\d") == ["error: describe commands not supported by flightsql driver"]
    (error, *_) = _told(program, uri, "-c", "SELECT * FROM nowhere")
    assert error == "error: flightsql: rpc error: code = NotFound desc = there is no table 'nowhere' (line 1, column 15)"


def test_a_file_of_a_large_result(program: Path, uri: str, tmp_path: Path) -> None:
    assert _told(program, uri, "-o", str(tmp_path / "many.csv"), "-c", f"SELECT i, s FROM ({MANY_ROWS})") == []
    with duckdb.connect() as kernel:
        rows = kernel.execute(f"SELECT count(*), sum(i), sum(strlen(s)) FROM read_csv('{tmp_path}/many.csv')").fetchall()
    assert " ".join(str(value) for value in rows[0]) == summary(MANY_ROWS)
    *_, error = _told(program, uri, "-c", ONE_LARGE_ROW)
    assert "code = ResourceExhausted desc = grpc: received message larger than max" in error


WITHOUT = {"day": "Date32", "u8": "Uint8", "u64": "Uint64", "lst": "List", "rec": "Struct", "dict": "Map", "gap": "MonthDayNanoInterval"}
"""Columns of types that the driver does not have."""


def test_values(program: Path, uri: str) -> None:
    heads, values, nulls = _told(program, uri, "-c", f"SELECT * EXCLUDE ({', '.join(WITHOUT)}) FROM kinds ORDER BY id")
    assert heads == "id,yes,i8,i16,i64,f32,f64,dec,text,bin,clock,at,tz,u"
    assert values == (
        '1,true,1,2,3,1.5,2.5,12.34,grüß,"\x00\\xff",1970-01-01T12:30:00Z,2024-02-29T12:30:00.123456Z,2024-02-29T12:30:00Z,'
        "88188cca-5b19-408b-a4c2-31eb2fdf21f0"
    )
    assert nulls == "2" + "," * 13
    for column, kind in WITHOUT.items():
        assert _told(program, uri, "-c", f"SELECT kinds.{column} FROM kinds") == [
            column,
            f"error: flightsql: type *array.{kind}: not supported",
        ]


def test_control_c_and_a_time_out_end_the_query(program: Path, uri: str, tmp_path: Path) -> None:
    sql, file = "SELECT a.i AS usql FROM big AS a, big AS b", tmp_path / "endless.csv"
    command = _command(program, uri, "-o", str(file), "-c", sql)
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as running:
        eventually(lambda: file.exists() and file.stat().st_size > 0, RUN_SECONDS, "it reads")
        running.send_signal(signal.SIGINT)
        _, error = running.communicate(timeout=RUN_SECONDS)
    assert error.startswith("error: flightsql: ")
    assert error.endswith("context canceled\n")
    assert ended_states(uri, sql) == ["killed"]
    *_, error = _told(program, f"{uri}?timeout=3s", "-c", endless("usql"))
    assert error.startswith("error: flightsql: rpc error: code = DeadlineExceeded")
    assert states_of_endless(uri, "usql") == ["killed"]
