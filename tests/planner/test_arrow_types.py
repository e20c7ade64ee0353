from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from planner import plan
from planner.catalog import Column
from tests.planner.answers import SPLIT_UP
from tests.planner.memory_catalog import FolderCatalog


@pytest.fixture(name="bits")
def _bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderCatalog:
    """A table that has a column of bits, as a CSV file can be told to have."""
    duckdb.connect().execute(f"COPY (SELECT range AS id, '101' AS b FROM range(1000)) TO '{tmp_path}/t.parquet' (ROW_GROUP_SIZE 100)")
    catalog = FolderCatalog(tmp_path)
    monkeypatch.setattr(catalog, "columns", lambda _table: (Column("id", "BIGINT"), Column("b", "BIT")))
    return catalog


@pytest.mark.parametrize(
    ("sql", "fragments"),
    [
        ("SELECT count(*), max(b) FROM t", 1),
        ("SELECT count(*), max(id) FROM t", 2),
    ],
)
def test_what_no_exchange_can_carry_stays_in_one_fragment(bits: FolderCatalog, sql: str, fragments: int) -> None:
    assert len(plan(sql, bits, SPLIT_UP).fragments) == fragments
