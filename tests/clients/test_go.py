"""Apache Arrow's Go client, by Flight SQL and by database/sql, against a real server: what go/main.go prints.

The first run on a machine fetches and compiles the client's modules, which takes a minute or more; Go keeps both.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.endless import endless, states_of_endless
from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary

BIG_ROWS = 400_000  # of the lake's `big`
BUILD_SECONDS = 420
RUN_SECONDS = 60


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    program = tmp_path_factory.mktemp("go") / "probe"
    folder = Path(__file__).with_name("go")
    try:
        fetched = subprocess.run(["go", "mod", "download"], cwd=folder, capture_output=True, text=True, timeout=BUILD_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip("the Go modules cannot be fetched in time")
    if fetched.returncode != 0:
        pytest.skip(f"the Go modules cannot be fetched: {fetched.stderr.splitlines()[-1]}")
    built = subprocess.run(["go", "build", "-o", str(program), "."], cwd=folder, capture_output=True, text=True, timeout=BUILD_SECONDS)
    assert built.returncode == 0, built.stderr
    return program


def _told(program: Path, uri: str, task: str, *arguments: str) -> list[str]:
    command = [str(program), uri.removeprefix("grpc://"), task, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.slow
def test_a_go_program_reads_results_tables_and_errors(program: Path, uri: str) -> None:
    rows, big, kinds, error, prepared, transaction, failed, end = _told(program, uri, "all")
    assert rows == f"rows {BIG_ROWS} {BIG_ROWS * (BIG_ROWS - 1) // 2}"
    assert (big, kinds) == ("table big", "table kinds")
    assert "code = NotFound desc = there is no table 'nowhere' (line 1, column 15)" in error
    assert prepared == "database/sql 9 row 8"
    assert transaction == f"database/sql transaction {BIG_ROWS}"
    assert "code = InvalidArgument" in failed
    assert "Could not convert string 'x' to INT32" in failed
    assert end == "end"


@pytest.mark.slow
@pytest.mark.parametrize("task", ["large", "large database/sql"])
def test_results_of_any_size_are_read_with_the_defaults(program: Path, uri: str, task: str) -> None:
    *large, error, _ = _told(program, uri, task, *LARGE, ONE_LARGE_ROW)
    assert large == [summary(sql) for sql in LARGE]
    assert "code = ResourceExhausted desc = grpc: received message larger than max" in error, "or the defaults are no longer gRPC's"


@pytest.mark.slow
def test_deadlines_and_cancelled_contexts_end_the_query(program: Path, uri: str) -> None:
    *errors, _ = _told(program, uri, "endless", endless("go"))
    deadline, cancelled = (
        "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        "rpc error: code = Canceled desc = context canceled",
    )
    assert errors == [deadline, cancelled] * 2
    assert states_of_endless(uri, "go") == ["killed"] * 4
