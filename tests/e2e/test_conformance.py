"""The shared conformance cases and TPC-H, through ADBC, against the answers that others state."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_flightsql.dbapi as adbc
import duckdb
import pytest

from tests.e2e.answers import rows_of
from tests.e2e.running_server import RunningServer
from tests.e2e.served_lake import oracle_over

SHARED = Path(__file__).parents[2].parent / "shared" / "conformance"
EVERYTHING = os.environ.get("VOLLEY_TEST_EVERYTHING") == "1"
"""All 3,424 cases and a larger TPC-H, instead of a sample."""
SAMPLE = 1.0 if EVERYTHING else 0.12
SEED = 5
SCALE = 0.1 if EVERYTHING else 0.05
TPCH_TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
TOLERANCE = 1e-9

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared conformance folder is not there")


@needs_shared
@pytest.mark.parametrize("workers", ["1", "3"])
def test_cases(workers: str, tmp_path: Path) -> None:
    report, failures = tmp_path / "report.json", tmp_path / "failures.jsonl"
    options = ["--data", str(SHARED / "data"), "--workers", workers, "--threads", "3", "--memory", "3GB", "--distribute", "always"]
    with RunningServer(*options) as server:
        asking = [sys.executable, str(SHARED / "run_slt.py"), "--prepared", str(SHARED), "--uri", server.uri, "--jobs", "4"]
        asking += ["--sample", str(SAMPLE), "--seed", str(SEED), "--out", str(report), "--failures", str(failures)]
        subprocess.run(asking, capture_output=True, check=False, timeout=600)
        assert server.process.poll() is None
        assert server.stop() == 0, server.log
    told = json.loads(report.read_text())
    failed = [json.loads(line) for line in failures.read_text().splitlines()]
    wrong = [case for case in failed if case["category"] in ("wrong_result", "internal", "schema_mismatch")]
    assert wrong == []
    assert told["connections_lost"] == 0
    assert told["total"] > 300
    assert told["passed"] >= 0.98 * told["total"], failed


@pytest.fixture(scope="module", name="tpch")
def _tpch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = shutil.which("tpchgen-cli", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if generator is None:
        pytest.skip("the generator of TPC-H data is not installed (pip install tpchgen-cli)")
    root = tmp_path_factory.mktemp("tpch")
    subprocess.run([generator, "parquet", "-s", str(SCALE), "--output-dir", str(root)], check=True, capture_output=True)
    assert {file.stem for file in root.iterdir()} == set(TPCH_TABLES)
    return root


@pytest.fixture(scope="module", name="tpch_server", params=["1", "3"], ids=["one worker", "three workers"])
def _tpch_server(request: pytest.FixtureRequest, tpch: Path) -> Iterator[RunningServer]:
    with RunningServer(
        "--data", str(tpch), "--workers", request.param, "--threads", "3", "--memory", "3GB", "--distribute", "always"
    ) as server:
        yield server
        assert server.stop() == 0, server.log


@pytest.fixture(scope="module", name="tpch_oracle")
def _tpch_oracle(tpch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with oracle_over(tpch) as kernel:
        yield kernel


@needs_shared
@pytest.mark.parametrize("number", range(1, 23))
def test_tpch(tpch_server: RunningServer, tpch_oracle: duckdb.DuckDBPyConnection, number: int) -> None:
    sql = (SHARED / "tpch" / f"q{number:02}.sql").read_text()
    with adbc.connect(tpch_server.uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        answer = cursor.fetch_arrow_table()
    truth = tpch_oracle.sql(sql.rstrip().rstrip(";")).to_arrow_table()
    assert answer.column_names == truth.column_names
    assert len(answer) == len(truth)
    for got, wanted in zip(rows_of(answer), rows_of(truth), strict=True):
        for one, other in zip(got, wanted, strict=True):
            # Sums of doubles depend on the order in which threads add them up.
            assert one == (pytest.approx(other, rel=TOLERANCE) if isinstance(other, float) else other)
