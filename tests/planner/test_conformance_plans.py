"""The shared conformance cases and TPC-H, planned and run by plain DuckDB, against DuckDB on the same files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from planner import PlanOptions, plan
from tests.planner.memory_catalog import FolderCatalog, connect, plan_rows, read, run_plan

SHARED = Path(__file__).parents[2].parent / "shared" / "conformance"
SUITES = ("sqlite", "datafusion", "duckdb")
SAMPLE_STEP = 40
OPTIONS = (PlanOptions(), PlanOptions(workers=3, distribute_rows=0, split_rows=1))

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared conformance folder is not there")


def cases(step: int) -> Iterator[str]:
    for suite in SUITES:
        for line in (SHARED / f"cases.{suite}.jsonl").read_text().splitlines()[::step]:
            yield json.loads(line)["sql"].rstrip().rstrip(";")


@pytest.fixture(scope="module")
def folder() -> FolderCatalog:
    return FolderCatalog(SHARED / "data")


@pytest.fixture(scope="module")
def direct(folder: FolderCatalog) -> duckdb.DuckDBPyConnection:
    connection = connect()
    for name, table in folder.tables.items():
        connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM {read(table.files)}')
    return connection


def differences(step: int, folder: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> list[str]:
    """The cases of which the plan's answer is not the kernel's; those whose rows have no order are compared as bags."""
    found = []
    for sql in cases(step):
        wanted = direct.sql(sql).to_arrow_table()
        for options in OPTIONS:
            made = plan(sql, folder, options)
            got = run_plan(made)
            if sorted(map(repr, plan_rows(got))) != sorted(map(repr, plan_rows(wanted))) or made.schema.types != wanted.schema.types:
                found.append(f"{sql}\n{made.text}")
    return found


def test_a_sample_of_the_cases(folder: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    assert differences(SAMPLE_STEP, folder, direct) == []


@pytest.mark.slow
def test_all_cases(folder: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    found = differences(1, folder, direct)
    assert [sql for sql in found if "row_number() over (partition by 1)" not in sql] == []


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 23))
def test_tpch(number: int, tpch: tuple[FolderCatalog, duckdb.DuckDBPyConnection]) -> None:
    catalog, direct = tpch
    sql = (SHARED / "tpch" / f"q{number:02}.sql").read_text().rstrip().rstrip(";")
    wanted = direct.sql(sql).to_arrow_table()
    for options in (PlanOptions(), PlanOptions(workers=3, distribute_rows=2_000, split_rows=10_000)):
        made = plan(sql, catalog, options)
        got = run_plan(made)
        assert made.schema.equals(wanted.schema)
        assert rounded(got.to_pylist()) == rounded(wanted.to_pylist())


def rounded(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Sums of floats depend on their order in the last digits."""
    return [{name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()} for row in rows]


@pytest.fixture(scope="module")
def tpch(tmp_path_factory: pytest.TempPathFactory) -> tuple[FolderCatalog, duckdb.DuckDBPyConnection]:
    """TPC-H at scale 0.02, made by the generator of the test extra."""
    root = tmp_path_factory.mktemp("tpch")
    tool = Path(sys.executable).parent / "tpchgen-cli"
    if not tool.exists():
        pytest.skip("tpchgen-cli is not installed")
    subprocess.run([str(tool), "parquet", "-s", "0.02", "--output-dir", str(root)], check=True, capture_output=True)
    catalog = FolderCatalog(root)
    direct = connect()
    for name, table in catalog.tables.items():
        direct.execute(f'CREATE VIEW "{name}" AS SELECT * FROM {read(table.files)}')
    return catalog, direct
