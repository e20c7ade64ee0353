"""The shared conformance cases and TPC-H, planned and run by plain DuckDB, against DuckDB on the same files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from tests.planner.conformance_cases import SHARED, trials
from tests.planner.memory_catalog import FolderCatalog, direct_kernel, run_plan
from tests.planner.random_queries.compared_catalog import ComparedCatalog
from tests.planner.random_queries.trial import SEVERAL

SAMPLE_STEP = 40

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared conformance folder is not there")


@pytest.fixture(scope="module", name="catalog")
def _catalog(tmp_path_factory: pytest.TempPathFactory) -> ComparedCatalog:
    """The cases' tables in row groups of a few rows, so that each has several shares."""
    root = tmp_path_factory.mktemp("tables")
    for file in sorted((SHARED / "data").rglob("*.parquet")):
        table = pq.ParquetFile(file).read()
        copy = root / file.relative_to(SHARED / "data")
        copy.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, copy, row_group_size=max(1, table.num_rows // 9))
    return ComparedCatalog(root)


def mistakes(step: int, catalog: ComparedCatalog) -> list[str]:
    """The cases of which a plan's answer is not the kernel's, though they have one answer only."""
    return [f"{sql}\n{trial.why}" for _, sql, trial in trials(step, catalog, SEVERAL[0]) if trial.outcome not in ("same", "undetermined")]


def test_a_sample_of_the_cases(catalog: ComparedCatalog) -> None:
    assert mistakes(SAMPLE_STEP, catalog) == []


@pytest.mark.slow
def test_all_cases() -> None:
    # In the row groups that they have: with more of them, the kernel alone answers some cases in several ways.
    assert mistakes(1, ComparedCatalog(SHARED / "data")) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 23))
def test_tpch(number: int, tpch: tuple[FolderCatalog, duckdb.DuckDBPyConnection]) -> None:
    catalog, direct = tpch
    sql = (SHARED / "tpch" / f"q{number:02}.sql").read_text().rstrip().rstrip(";")
    wanted = direct.sql(sql).to_arrow_table()
    for options in (PlanOptions(), PlanOptions(workers=3, distribute_rows=2_000, split_rows=10_000, share_values=1, start_bytes=0)):
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
    return catalog, direct_kernel(catalog)
