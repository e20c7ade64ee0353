"""The kernel beside the catalog ``lake`` that a module of tests makes."""

from __future__ import annotations

import duckdb
import pytest

from tests.planner.memory_catalog import FolderCatalog, direct_kernel


@pytest.fixture(scope="module")
def kernel(lake: FolderCatalog) -> duckdb.DuckDBPyConnection:
    """The kernel over the same files, without a planner."""
    return direct_kernel(lake)
