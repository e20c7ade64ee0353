"""Rust's arrow-flight crate, by its FlightSqlServiceClient, against a real server: what rust/src/main.rs prints.

The first run on a machine fetches and compiles the crates, which takes a minute or more; they are kept in the user's cache.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import OTHER_KINDS
from tests.clients.endless import endless, states_of_endless
from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary
from tests.clients.native_programs import BUILD_SECONDS, FETCH_SECONDS, rust_program
from tests.clients.parameter_files import ASKED, answers, kernel_answers, write_parameters

RUN_SECONDS = 60

pytestmark = pytest.mark.timeout(FETCH_SECONDS + BUILD_SECONDS + RUN_SECONDS)


@pytest.fixture(name="program", scope="module")
def _program() -> Path:
    return rust_program()


def _told(program: Path, uri: str, task: str, *statements: str) -> list[str]:
    ended = subprocess.run(
        [str(program), uri.removeprefix("grpc://"), task, *statements], capture_output=True, encoding="utf-8", timeout=RUN_SECONDS
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.slow
def test_results_of_any_size_are_read_with_the_defaults(program: Path, uri: str) -> None:
    *large, error = _told(program, uri, "summary", *LARGE, ONE_LARGE_ROW)
    assert large == [summary(sql) for sql in LARGE]
    assert "decoded message length too large" in error, "or the defaults are no longer gRPC's"
    assert _told(program, uri, "summary with a limit of 64 MiB", ONE_LARGE_ROW) == [summary(ONE_LARGE_ROW)]


@pytest.mark.slow
def test_values_tables_parameters_and_errors(program: Path, uri: str) -> None:
    assert _told(program, uri, "rows", "SELECT * FROM kinds ORDER BY id") == [
        "1|true|1|2|3|4|5|1.5|2.5|12.34|grüß|00ff|2024-02-29|12:30:00|2024-02-29T12:30:00.123456|2024-02-29T12:30:00Z|[1, 2]|"
        "{a: 1, b: x}|{k: 1}|1 days|88188cca-5b19-408b-a4c2-31eb2fdf21f0",
        "2" + "|null" * 20,
    ]
    (other,) = _told(program, uri, "rows", OTHER_KINDS)
    assert other == "{num=1}|a|170141183460469231731687303715884105727|2|12:00:00+02|101|2024-01-01T00:00:00.123456789|[1, 2]"
    assert _told(program, uri, "tables", "k_nds") == ["volley|main|kinds|TABLE"]
    assert _told(program, uri, "prepared", "SELECT count(*), max(s) FROM big WHERE i < ? AND s <> ?") == ["9|row 8"]
    (error,) = _told(program, uri, "rows", "SELECT * FROM nowhere")
    assert error.startswith("NotFound there is no table 'nowhere' (line 1, column 15)")


@pytest.mark.slow
def test_parameters_of_every_type_and_of_several_rows(program: Path, uri: str, tmp_path: Path) -> None:
    write_parameters(tmp_path)
    assert _told(program, uri, "parameters", str(tmp_path), ASKED) == [""], "no type is refused"
    assert answers(tmp_path) == kernel_answers()


@pytest.mark.slow
def test_a_dropped_future_and_a_deadline_end_the_query(program: Path, uri: str) -> None:
    assert _told(program, uri, "given up", endless("rust"), "SELECT 42") == ["given up", "42"]
    assert _told(program, uri, "rows with a deadline", endless("rust"), "SELECT 42") == ["DeadlineExceeded Deadline Exceeded", "42"]
    assert states_of_endless(uri, "rust") == ["killed"] * 2
