"""Final steps share by share: which blocks have them, by what their answers are told apart, and that answers are the kernel's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from planner.physical import Fragment, PhysicalPlan
from tests.planner.memory_catalog import FolderCatalog, direct_kernel, plan_rows, run_plan

HASHED = PlanOptions(workers=3, distribute_rows=0, split_rows=1, final_bytes=0)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    root = tmp_path_factory.mktemp("lake")
    rows = range(400)
    columns = {
        "k": pa.array([n * 13 % 57 if n % 9 else None for n in rows], pa.int64()),
        "g": pa.array([("x", "y", None)[n % 3] for n in rows]),
        "v": pa.array([n * 7 % 11 for n in rows], pa.int64()),
        "f": pa.array([(0.0, -0.0, float("nan"), None)[n % 4] for n in rows], pa.float64()),
    }
    pq.write_table(pa.table(columns), root / "t.parquet", row_group_size=25)
    pq.write_table(pa.table({"v": [1, 2, 3, None], "name": ["a", "b", None, "d"]}), root / "few.parquet")
    return FolderCatalog(root)


def hashed(made: PhysicalPlan) -> list[Fragment]:
    """The fragments that put answers together share by share."""
    return [fragment for fragment in made.fragments if fragment.bucketed]


SHARED = [
    ("SELECT k, count(*), sum(v), avg(v) FROM t GROUP BY k", "hash(in_k0)"),
    ("SELECT k, g, min(v) FROM t GROUP BY g, k HAVING count(*) > 2", "hash(in_k0, in_k1)"),
    ("SELECT g, v % 4 AS m, count(*) FROM t GROUP BY ALL", "hash(in_k0, in_k1)"),
    ("SELECT f = 0, isnan(f), count(*) FROM t GROUP BY f", "hash(in_k0)"),
    ("SELECT DISTINCT k, g FROM t", "hash(in_i0, in_i1)"),
    ("SELECT k, sum(v) AS s FROM t GROUP BY k ORDER BY s DESC, k LIMIT 5 OFFSET 1", "hash(in_k0)"),
    ("SELECT k, sum(v) FROM t GROUP BY 1 ORDER BY 2, 1", "hash(in_k0)"),
    ("SELECT DISTINCT k FROM t ORDER BY k DESC", "hash(in_i0)"),
    # Without a partial form: rows meet by what they are grouped by, or by what all windows are divided by.
    ("SELECT k, median(v), list(v ORDER BY v) FROM t GROUP BY k", "hash(in_c0)"),
    ("SELECT g, count(DISTINCT v), string_agg(k::VARCHAR, ',' ORDER BY k) FROM t GROUP BY g", "hash(in_c0)"),
    ("SELECT k, v, row_number() OVER (PARTITION BY k, g ORDER BY v, f), sum(v) OVER (PARTITION BY k) FROM t", "hash(in_c0)"),
    ("SELECT DISTINCT g, max(v) OVER (PARTITION BY g, k) FROM t", "hash(in_c0)"),
    ("SELECT k, v FROM t QUALIFY rank() OVER (PARTITION BY k ORDER BY v DESC) = 1", "hash(in_c1)"),
    ("SELECT k, g, sum(v), rank() OVER (PARTITION BY g ORDER BY sum(v)) FROM t GROUP BY k, g", "hash(in_k1)"),
    # In other blocks.
    ("SELECT max(n), count(*) FROM (SELECT k, sum(v) AS n FROM t GROUP BY k)", "hash(in_k0)"),
    (
        "WITH c AS (SELECT k, count(*) AS n FROM t GROUP BY k) SELECT one.k, two.n FROM c AS one JOIN c AS two ON one.n = two.k",
        "hash(in_k0)",
    ),
    ("SELECT count(*) FROM range(5) AS r(v) WHERE v IN (SELECT v FROM t GROUP BY v HAVING sum(k) > 300)", "hash(in_k0)"),
    ("SELECT k, count(*) FROM t GROUP BY k UNION ALL SELECT v, 0 FROM few", "hash(in_k0)"),
    ("SELECT name, k, count(*) FROM t LEFT JOIN few ON t.v = few.v GROUP BY name, k", "hash(in_k0, in_k1)"),
    ("SELECT k, sum(v) FROM t GROUP BY k HAVING sum(v) > (SELECT avg(v) * 4 FROM t)", "hash(in_k0)"),
    ("SELECT k, sum(v), (SELECT max(name) FROM few) FROM t GROUP BY k", "hash(in_k0)"),
]


@pytest.mark.parametrize(("sql", "bucket"), SHARED)
def test_answers_are_put_together_share_by_share(sql: str, bucket: str, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = plan(sql, lake, HASHED)
    assert hashed(made), made.text
    buckets = [exchange.buckets for exchange in made.exchanges if exchange.kind == "hash"]
    assert buckets == [192] * len(hashed(made))
    producers = [fragment.sql for fragment in made.fragments if "USMALLINT" in fragment.sql]
    assert any(f"(({bucket} >> 32) % 192)::USMALLINT" in text for text in producers), producers
    got, wanted = run_plan(made), kernel.sql(sql).to_arrow_table()
    assert made.schema.equals(wanted.schema)
    assert sorted(map(repr, plan_rows(got))) == sorted(map(repr, plan_rows(wanted))), made.text


GATHERED = [
    "SELECT g, v, count(*) FROM t GROUP BY ROLLUP (g, v)",
    "SELECT count(*), sum(v) FROM t",
    "SELECT k, rank() OVER (ORDER BY k, v, g) FROM t",
    "SELECT k, rank() OVER (PARTITION BY k ORDER BY v), count(*) OVER (PARTITION BY g) FROM t",
    "SELECT k, v FROM t ORDER BY v, k, g LIMIT 4",
    "SELECT DISTINCT k FROM t ORDER BY k DESC LIMIT 3",
    "SELECT DISTINCT k, sum(v) OVER (PARTITION BY g) FROM t",
    "SELECT k, count(*) FROM t GROUP BY k HAVING count(*) > (SELECT v FROM few ORDER BY v NULLS LAST LIMIT 1)",
]


@pytest.mark.parametrize("sql", GATHERED)
def test_what_has_nothing_in_common_is_put_together_in_one_place(sql: str, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = plan(sql, lake, HASHED)
    assert not hashed(made), made.text
    assert sorted(map(repr, plan_rows(run_plan(made)))) == sorted(map(repr, plan_rows(kernel.sql(sql).to_arrow_table())))


def test_groups_that_are_the_result_are_streamed(lake: FolderCatalog) -> None:
    assert [fragment.parallel for fragment in plan("SELECT k, count(*) FROM t GROUP BY k", lake, HASHED).fragments] == [True, True]


def test_each_share_gives_its_first_groups(lake: FolderCatalog) -> None:
    made = plan("SELECT k, sum(v) AS s FROM t GROUP BY k ORDER BY s DESC, k LIMIT 5 OFFSET 1", lake, HASHED)
    assert [fragment.parallel for fragment in made.fragments] == [True, True, False]
    assert "LIMIT 6" in made.fragments[1].sql


def test_few_answers_are_gathered(lake: FolderCatalog) -> None:
    sql = "SELECT k, count(*) FROM t GROUP BY k"
    assert not hashed(plan(sql, lake, replace(HASHED, final_bytes=1 << 20)))
    assert hashed(plan(sql, lake, replace(HASHED, final_bytes=1 << 10)))


def test_few_values_to_tell_answers_apart_by_would_leave_workers_idle(lake: FolderCatalog) -> None:
    some = replace(HASHED, final_bytes=1 << 10)
    assert hashed(plan("SELECT k, rank() OVER (PARTITION BY k ORDER BY v) FROM t", lake, some))
    assert not hashed(plan("SELECT k, rank() OVER (PARTITION BY g ORDER BY v) FROM t", lake, some))


def test_sums_of_whole_numbers_are_the_same_behind_an_exchange(tmp_path: Path) -> None:
    """HUGEINT is none of Arrow's types."""
    values = [9_223_372_036_854_775_807, -5, 9_223_372_036_854_775_807, None]
    pq.write_table(pa.table({"k": [1, 2, 1, 3], "v": pa.array(values, pa.int64())}), tmp_path / "t.parquet", row_group_size=1)
    lake = FolderCatalog(tmp_path)
    sql = "SELECT k, sum(v) AS s FROM t GROUP BY k ORDER BY s NULLS LAST"
    made = plan(sql, lake, HASHED)
    assert hashed(made)
    wanted = direct_kernel(lake).sql(sql).to_arrow_table()
    got = run_plan(made)
    assert got.schema.types == wanted.schema.types
    assert plan_rows(got) == plan_rows(wanted)
