"""Where runtime filters pay, and what fragments give their keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from planner import PlanOptions, plan
from planner.physical import Fragment, PhysicalPlan, ScanInput
from planner.prepared import prepare
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan

ROWS = 30_720
"""Of ``sales``, in 15 row groups in the order of their day."""
ONE = PlanOptions(filter_bytes=1000, start_bytes=1000)
THREE = replace(ONE, workers=3, distribute_rows=10_000, split_rows=2048)
JOIN = "SELECT count(*) AS n, sum(price) AS s FROM {} JOIN days USING (day) WHERE name = 'day 3'"


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("star")
    sales = f"SELECT i // 1024 AS day, hash(i) % 30 AS other, i AS price FROM range({ROWS}) t(i)"
    for name, sql in {
        "sales": f"{sales} ORDER BY i",
        "days": "SELECT i AS day, i AS other, i // 10 AS month, 'day ' || i AS name FROM range(30) t(i)",
        "months": "SELECT i AS month, i % 2 = 0 AS even FROM range(3) t(i)",
    }.items():
        duckdb.execute(f"COPY ({sql}) TO '{root}/{name}.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    duckdb.execute(f"COPY (SELECT * REPLACE (day // 3 AS day) FROM ({sales})) TO '{root}/parted' (FORMAT parquet, PARTITION_BY (day))")
    return root


@pytest.fixture(name="lake")
def _lake(root: Path) -> FolderCatalog:
    return FolderCatalog(root)


@pytest.fixture(name="bucket")
def _bucket(root: Path) -> FolderCatalog:
    catalog = FolderCatalog(root)
    catalog.elsewhere = True
    return catalog


def filters(made: PhysicalPlan) -> list[str]:
    return [f"{each.column} from {each.source}" for fragment in made.fragments for each in fragment.filters]


def keys_of(made: PhysicalPlan) -> Fragment:
    (found,) = (
        fragment for fragment in made.fragments if fragment.output in {each.exchange for part in made.fragments for each in part.filters}
    )
    return found


@pytest.mark.parametrize("options", [ONE, THREE])
def test_files_that_are_fetched_are_pruned_by_keys(options: PlanOptions, bucket: FolderCatalog) -> None:
    made = plan(JOIN.format("sales"), bucket, options)
    assert filters(made) == ["day from days"]
    assert plan_rows(run_plan(made)) == [(1024, sum(range(3 * 1024, 4 * 1024)))]


@pytest.mark.parametrize("options", [ONE, THREE])
def test_in_a_fragment_that_reads_both_from_disk_the_kernel_does_it_itself(options: PlanOptions, lake: FolderCatalog) -> None:
    assert filters(plan(JOIN.format("sales"), lake, options)) == []


@pytest.mark.parametrize("options", [ONE, THREE])
def test_whole_partitions_are_spared_wherever_they_are(options: PlanOptions, lake: FolderCatalog) -> None:
    made = plan(JOIN.format("parted"), lake, options)
    assert filters(made) == ["day from days"]
    assert plan_rows(run_plan(made)) == plan_rows(run_plan(plan(JOIN.format("parted"), lake, PlanOptions())))


def test_little_is_not_worth_waiting_for_keys(bucket: FolderCatalog) -> None:
    assert filters(plan(JOIN.format("sales"), bucket, PlanOptions())) == []
    assert filters(plan(JOIN.format("parted"), bucket, PlanOptions())) == []


def test_row_groups_that_all_have_all_keys_are_not_pruned(bucket: FolderCatalog) -> None:
    sql = "SELECT count(*) FROM sales JOIN days USING (other) WHERE name = 'day 3'"
    assert filters(plan(sql, bucket, ONE)) == []
    assert filters(plan(sql, bucket, replace(ONE, filter_bytes=0))) == ["other from days"]


def test_a_table_as_large_as_what_it_may_spare_gives_no_keys(bucket: FolderCatalog) -> None:
    assert filters(plan("SELECT count(*) FROM sales AS a JOIN sales AS b USING (day) WHERE b.price = 7", bucket, ONE)) == []


def test_footers_are_read_only_where_keys_may_prune(bucket: FolderCatalog) -> None:
    plan("SELECT count(*) FROM sales JOIN days USING (day)", bucket, ONE)
    assert bucket.footers == []
    plan(JOIN.format("sales"), bucket, ONE)
    assert any("sales" in path for path in bucket.footers)


def test_keys_are_narrowed_by_those_of_tables_behind(bucket: FolderCatalog) -> None:
    made = plan("SELECT count(price) FROM sales JOIN days USING (day) JOIN months USING (month) WHERE even", bucket, ONE)
    assert filters(made) == ["day from days"]
    keys = keys_of(made)
    assert {arm.table for arm in keys.inputs if isinstance(arm, ScanInput)} == {"days", "months"}
    assert '"month" IN (SELECT' in keys.sql
    assert plan_rows(run_plan(made)) == [(20 * 1024,)]


def test_one_fragment_gives_the_keys_of_all_that_ask_for_the_same(bucket: FolderCatalog) -> None:
    sql = "SELECT count(a.price), count(b.price) FROM sales AS a JOIN days USING (day) JOIN sales AS b USING (day) WHERE name = 'day 3'"
    made = plan(sql, bucket, ONE)
    assert filters(made) == ["day from days", "day from days"]
    assert len(made.fragments) == 2
    assert plan_rows(run_plan(made)) == [(1024 * 1024, 1024 * 1024)]


def test_keys_are_read_in_the_sessions_time_zone(bucket: FolderCatalog) -> None:
    bucket.time_zone = "Asia/Tokyo"
    assert keys_of(plan(JOIN.format("sales"), bucket, ONE)).time_zone == "Asia/Tokyo"


def test_explain_tells_filters_and_where_their_keys_come_from(bucket: FolderCatalog) -> None:
    lines = plan(JOIN.format("sales"), bucket, ONE).text.splitlines()
    (place,) = (place for place, line in enumerate(lines) if "runtime filter on day from days: exchange 1 (filter)" in line)
    assert "scan sales" in lines[place - 1]
    assert "fragment 1 (once): SELECT min(key) AS low" in lines[place + 1]
    assert "scan days" in lines[place + 2]


def test_long_chains_are_not_looked_at(bucket: FolderCatalog) -> None:
    chain = " OR ".join(f"other = {number}" for number in range(300))
    sql = f"{JOIN.format('sales')} AND ({chain.replace('other', 'days.other')})"
    assert filters(plan(prepare(sql, ONE.limits), bucket, ONE)) == []
