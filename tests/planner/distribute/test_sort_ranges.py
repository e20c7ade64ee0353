"""Sorts share by share: rows meet by ranges of the first key, and the shares' rows one after the other are in the kernel's order."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from planner.physical import PhysicalPlan
from tests.planner.memory_catalog import FolderCatalog, direct_kernel, plan_rows, run_plan

SORTED = PlanOptions(workers=3, distribute_rows=0, split_rows=1, sort_bytes=0)
ROWS = 500


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    root = tmp_path_factory.mktemp("lake")
    pick = random.Random(3)
    drawn = [pick.randrange(-300, 300) if pick.random() < 0.9 else None for _ in range(ROWS)]
    first, moment = datetime.date(1999, 12, 1), datetime.datetime(1969, 12, 31, 23, 0, 0, 5)
    columns = {
        "id": pa.array(range(ROWS), pa.int64()),
        "n": pa.array([None if n is None else n // 6 for n in drawn], pa.int8()),
        "price": pa.array([None if n is None else Decimal(n) / 100 for n in drawn], pa.decimal128(9, 2)),
        "day": pa.array([None if n is None else first + datetime.timedelta(n) for n in drawn], pa.date32()),
        "at": pa.array([None if n is None else moment + datetime.timedelta(microseconds=n * 7) for n in drawn], pa.timestamp("us")),
        "x": pa.array([None if n is None else n / 7 for n in drawn], pa.float64()),
        "name": pa.array([None if n is None else f"name {n}" for n in drawn]),
    }
    pq.write_table(pa.table(columns), root / "t.parquet", row_group_size=40)
    pq.write_table(pa.table({"n": pa.array([1, 2, 3], pa.int8())}), root / "few.parquet")
    return FolderCatalog(root)


def in_ranges(made: PhysicalPlan) -> bool:
    """Whether the result's fragment sorts share by share."""
    return bool(made.fragments[-1].bucketed) and "ORDER BY" in made.fragments[-1].sql


IN_RANGES = [
    "SELECT n, id FROM t ORDER BY n, id",
    "SELECT id, n FROM t ORDER BY n DESC, id DESC",
    "SELECT id, n FROM t ORDER BY n NULLS FIRST, id",
    "SELECT id, n FROM t ORDER BY n DESC NULLS LAST, id",
    "SELECT price, id FROM t ORDER BY price DESC, id",
    "SELECT day, id AS key FROM t ORDER BY 1, key",
    "SELECT id, t.at FROM t ORDER BY t.at, id",
    "SELECT id + 1 AS next FROM t ORDER BY day DESC, id",
    "SELECT id, few.n AS m FROM t JOIN few ON t.n = few.n ORDER BY m DESC, id",
    "SELECT * FROM (SELECT n AS m, id FROM t WHERE id > 20) AS few ORDER BY m, id",
]


@pytest.mark.parametrize("sql", IN_RANGES)
def test_shares_sort_ranges_of_the_first_key(sql: str, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = plan(sql, lake, SORTED)
    assert in_ranges(made), made.text
    got, wanted = run_plan(made), kernel.sql(sql).to_arrow_table()
    assert made.schema.equals(wanted.schema)
    assert plan_rows(got) == plan_rows(wanted), made.text


IN_ONE_PLACE = [
    "SELECT id, n FROM t ORDER BY n, id LIMIT 400",
    "SELECT id, x FROM t ORDER BY x, id",
    "SELECT id, name FROM t ORDER BY name, id",
    "SELECT id, n FROM t ORDER BY n + 1, id",
    "SELECT n FROM t UNION ALL SELECT n FROM few ORDER BY n",
    "SELECT max(m) FROM (SELECT n AS m FROM t ORDER BY n)",
]


@pytest.mark.parametrize("sql", IN_ONE_PLACE)
def test_other_sorts_are_in_one_place(sql: str, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = plan(sql, lake, SORTED)
    assert not in_ranges(made), made.text
    assert plan_rows(run_plan(made)) == plan_rows(kernel.sql(sql).to_arrow_table())


def test_ranges_are_of_about_the_same_size(lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = plan("SELECT day, id FROM t ORDER BY day", lake, SORTED)
    (exchange,) = (exchange for exchange in made.exchanges if exchange.kind == "hash")
    assert exchange.buckets == 49, "16 for each worker, and that of NULL"
    sizes = bucket_sizes(made, lake)
    assert max(sizes) <= 3 * ROWS / 48
    assert len(sizes) >= 45


def bucket_sizes(made: PhysicalPlan, lake: FolderCatalog) -> list[int]:
    """Rows of each range, but that of NULL, of the fragment that scans."""
    producer = replace(made, fragments=made.fragments[:1], exchanges=(replace(made.exchanges[0], kind="gather"),))
    counted = run_plan(producer).group_by("in_b").aggregate([("in_b", "count")])
    return [count for bucket, count in zip(*(counted.column(place).to_pylist() for place in (0, 1)), strict=True) if bucket < 48]


def test_groups_are_sorted_behind_their_final_step(lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT n, sum(id) AS s FROM t GROUP BY n ORDER BY n DESC"
    made = plan(sql, lake, replace(SORTED, final_bytes=0))
    assert [exchange.kind for exchange in made.exchanges] == ["hash", "hash", "result"]
    assert [exchange.label for exchange in made.exchanges] == ["hash of n", "ranges of n", ""]
    assert plan_rows(run_plan(made)) == kernel.sql(sql).fetchall()


def test_few_rows_are_sorted_in_one_place(lake: FolderCatalog) -> None:
    sql = "SELECT n, id FROM t ORDER BY n"
    assert not in_ranges(plan(sql, lake, replace(SORTED, sort_bytes=1 << 20)))
    assert in_ranges(plan(sql, lake, replace(SORTED, sort_bytes=1 << 10)))


def test_one_value_makes_no_ranges(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [5] * 100}), tmp_path / "t.parquet", row_group_size=10)
    assert not in_ranges(plan("SELECT a FROM t ORDER BY a", FolderCatalog(tmp_path), SORTED))


@pytest.mark.parametrize(("kind", "values"), [
    (pa.int64(), [-(2**63), -1, 0, 2**63 - 1]),
    (pa.uint64(), [0, 1, 2**63, 2**64 - 1]),
    (pa.decimal128(38, 3), [Decimal(f"{10**34 + n}.00{n}") for n in range(4)]),
])  # fmt: skip
def test_values_at_the_ends_of_their_types(kind: pa.DataType, values: list[object], tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array(values * 3, kind)}), tmp_path / "t.parquet", row_group_size=4)
    lake = FolderCatalog(tmp_path)
    for order in ("ASC", "DESC"):
        sql = f"SELECT a FROM t ORDER BY a {order}"
        made = plan(sql, lake, SORTED)
        assert in_ranges(made), made.text
        assert plan_rows(run_plan(made)) == plan_rows(direct_kernel(lake).sql(sql).to_arrow_table())
