"""Two workers over the folder ``root`` that a module of tests makes, and the kernel over the same files beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.flight_server.queries.two_workers import Truth, TwoWorkers


@pytest.fixture(name="workers")
def _workers(root: Path, tmp_path: Path) -> Iterator[TwoWorkers]:
    workers = TwoWorkers(root, tmp_path)
    yield workers
    workers.close()


@pytest.fixture(name="truth")
def _truth(root: Path) -> Truth:
    """What DuckDB alone answers, with the server's order of NULLs."""
    kernel = duckdb.connect()
    kernel.execute("SET default_null_order = 'NULLS_LAST_ON_ASC_FIRST_ON_DESC'")
    for file in root.iterdir():
        kernel.execute(f"CREATE VIEW {file.stem} AS FROM '{file}'")
    return lambda sql: kernel.sql(sql).fetchall()
