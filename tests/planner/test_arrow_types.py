from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from planner import plan
from planner.arrow_types import survives_arrow
from planner.catalog import Column
from tests.planner.answers import SPLIT_UP, check
from tests.planner.memory_catalog import FolderCatalog, connect

TYPES = """
    BOOLEAN; TINYINT; SMALLINT; INTEGER; BIGINT; HUGEINT; UTINYINT; USMALLINT; UINTEGER; UBIGINT; UHUGEINT; FLOAT; DOUBLE; DECIMAL(4,1);
    DECIMAL(38,6); VARCHAR; BLOB; BIT; UUID; JSON; ENUM('a', 'UUID'); DATE; TIME; TIME_NS; TIME WITH TIME ZONE; TIMESTAMP; TIMESTAMP_S;
    TIMESTAMP_MS; TIMESTAMP_NS; TIMESTAMP WITH TIME ZONE; INTERVAL; INTEGER[]; UUID[]; INTEGER[3]; STRUCT(a INTEGER, "UUID" VARCHAR);
    STRUCT(a UUID); MAP(VARCHAR, UUID); MAP(UUID, INTEGER); MAP(INTEGER, VARCHAR); UNION(a INTEGER, b VARCHAR); VARIANT; STRUCT(a JSON[])
"""


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


@pytest.mark.parametrize("kind", [kind.strip() for kind in TYPES.split(";")])
def test_which_types_are_themselves_again_behind_an_exchange(kind: str) -> None:
    kernel = connect()
    there = kernel.sql(f"SELECT NULL::{kind} AS x")
    kernel.register("arrived", there.to_arrow_table())
    back = kernel.sql("SELECT x FROM arrived").types
    assert survives_arrow(str(there.types[0])) == (there.types == back)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT coalesce(max(u), '00000000-0000-0000-0000-000000000001'::UUID) FROM t",
        "SELECT typeof(min(u)), count(*) FROM t",
        "SELECT u FROM t WHERE id % 2 = 0",
    ],
)
def test_a_uuid_is_a_uuid_for_several_workers_too(sql: str, tmp_path: Path) -> None:
    duckdb.connect().execute(f"COPY (SELECT range AS id, md5(range::VARCHAR)::UUID AS u FROM range(400)) TO '{tmp_path}/t.parquet'")
    direct = connect()
    direct.execute(f"CREATE VIEW t AS SELECT * FROM read_parquet('{tmp_path}/t.parquet')")
    check(sql, FolderCatalog(tmp_path), direct)
