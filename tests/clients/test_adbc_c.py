"""ADBC from C: its driver for Flight SQL as a library, against a real server. Library and header are those of the Python packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import adbc_driver_flightsql
import adbc_driver_manager
import duckdb
import pytest

from tests.clients.endless import endless, states_of_endless
from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary

SOURCE = Path(__file__).with_name("adbc_client.c")
LIBRARY = Path(adbc_driver_flightsql.__file__).with_name("libadbc_driver_flightsql.so")
RUN_SECONDS = 60

pytestmark = pytest.mark.slow


@pytest.fixture(name="program", scope="module")
def _program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("cc is not installed")
    headers = Path(adbc_driver_manager.__file__).parent
    if not (headers / "arrow-adbc" / "adbc.h").exists() or not LIBRARY.exists():
        pytest.skip("the packages of ADBC come without its header or its library")
    program = tmp_path_factory.mktemp("c") / "client"
    command = [compiler, "-O1", "-Wall", "-Werror", "-pthread", f"-I{headers}", "-o", str(program), str(SOURCE), str(LIBRARY)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return program


def _told(program: Path, uri: str, task: str, *arguments: str) -> list[str]:
    # Loaded beforehand, as the file is not called by the library's own name, which has a version in it.
    environment = {**os.environ, "LD_PRELOAD": str(LIBRARY)}
    command = [str(program), uri, task, *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=RUN_SECONDS)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


def test_results_of_any_size_are_read_with_the_defaults(program: Path, uri: str) -> None:
    statements = (*LARGE, ONE_LARGE_ROW)
    assert _told(program, uri, "summary", *statements) == [summary(sql) for sql in statements]


def test_columns_and_errors(program: Path, uri: str) -> None:
    assert _told(program, uri, "columns", "kinds") == [
        *("id i", "yes b", "i8 c", "i16 s", "i64 l", "u8 C", "u64 L", "f32 f", "f64 g", "dec d:9,2", "text u", "bin z"),
        *("day tdD", "clock ttu", "at tsu:", "tz tsu:UTC", "lst +l", "rec +s", "dict +m", "gap tin", "u u"),
    ]
    (error,) = _told(program, uri, "summary", "SELECT * FROM nowhere")
    assert "there is no table 'nowhere' (line 1, column 15)" in error


def test_parameters_of_every_type_and_of_several_rows(program: Path, uri: str, lake: Path) -> None:
    names = [name for name, *_ in duckdb.sql(f"DESCRIBE FROM '{lake}/kinds.parquet'").fetchall()]
    same = " AND ".join(f"kinds.{name} IS NOT DISTINCT FROM ${number}" for number, name in enumerate(names, 1))
    asked = f"SELECT count(*) FROM kinds WHERE {same}"
    assert _told(program, uri, "parameters", "SELECT * FROM kinds ORDER BY id", asked) == ["2 2 0"], "each row of values finds itself"
    assert _told(program, uri, "parameters", "SELECT * REPLACE (NULL::DATE AS day) FROM kinds ORDER BY id", asked) == ["2 1 0"]


def test_a_cancel_and_a_time_out_end_the_query(program: Path, uri: str) -> None:
    (cancelled,) = _told(program, uri, "cancelled", endless("adbc_c"))
    assert "cancel" in cancelled.lower()
    (timed_out,) = _told(program, uri, "with a time-out", endless("adbc_c"))
    assert "deadline exceeded" in timed_out.lower()
    assert states_of_endless(uri, "adbc_c") == ["killed"] * 2
