"""A small catalog that every planner test shares, and the flag that rewrites golden plans."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.planner.memory_catalog import FolderCatalog, direct_kernel


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the plans under tests/planner/golden")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """people (5 rows), orders (1,000 rows in 10 row groups), empty (none), events (hive partitions by year and kind)."""
    root = tmp_path_factory.mktemp("planner-data")
    people = {
        "id": [1, 2, 3, 4, None],
        "name": ["Ada", "Bob", "Cleo", None, "Eve"],
        "age": [36, 41, None, 29, 58],
        "city": ["Rome", "Oslo", "Rome", "Lima", None],
    }
    pq.write_table(pa.table(people), root / "people.parquet")
    numbers = range(1000)
    orders = pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "person_id": pa.array([n % 7 or None for n in numbers], pa.int64()),
            "amount": pa.array([n * 0.5 for n in numbers], pa.float64()),
            "note": [f"note {n:04}" for n in numbers],
        }
    )
    pq.write_table(orders, root / "orders.parquet", row_group_size=100)
    pq.write_table(pa.table({"id": pa.array([], pa.int64()), "x": pa.array([], pa.string())}), root / "empty.parquet")
    for year in (2023, 2024, 2025):
        for kind in ("click", "view"):
            folder = root / "events" / f"year={year}" / f"kind={kind}"
            folder.mkdir(parents=True)
            pq.write_table(pa.table({"id": [year * 10 + n for n in range(3)], "value": [1.5, None, 2.5]}), folder / "part.parquet")
    return root


@pytest.fixture
def catalog(data: Path) -> FolderCatalog:
    """The catalog over :func:`data`, which counts what it is asked."""
    return FolderCatalog(data)


@pytest.fixture(scope="module")
def direct(data: Path) -> duckdb.DuckDBPyConnection:
    """The kernel over the same files, without a planner."""
    return direct_kernel(FolderCatalog(data))
