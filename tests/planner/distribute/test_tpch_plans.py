"""How TPC-H's queries are divided among three workers at scale 10."""

from __future__ import annotations

from functools import cache

import pytest

from planner import PlanOptions, plan
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, ScanInput
from tests.planner.conformance_cases import SHARED
from tests.planner.tpch_catalog import TpchCatalog

QUERIES = [f"q{number:02}" for number in range(1, 23)]
MOST_HASH_EXCHANGES = 2
LARGE = ("lineitem", "orders", "partsupp")
UNDIVIDED = ("q16", "q22")
"""Queries that are as fast on one worker: what they read of their tables is a few hundred megabytes."""

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared conformance folder is not there")


@cache
def planned(name: str) -> PhysicalPlan:
    return plan((SHARED / "tpch" / f"{name}.sql").read_text(), _catalog(), PlanOptions(workers=3))


@cache
def _catalog() -> TpchCatalog:
    return TpchCatalog(10)


def scans(fragment: Fragment) -> list[ScanInput]:
    return [arm for arm in fragment.inputs if isinstance(arm, ScanInput)]


def divided_by_hash(name: str) -> set[str | None]:
    """The columns by whose hash tables are divided."""
    return {table.column for fragment in planned(name).fragments for table in fragment.division if table.by == "hash"}


@pytest.mark.parametrize("name", QUERIES)
def test_no_base_table_is_gathered(name: str) -> None:
    made = planned(name)
    kinds = {exchange.id: exchange.kind for exchange in made.exchanges}
    for fragment in made.fragments:
        gathered = kinds[fragment.output] in ("gather", "broadcast") and fragment.by_splits and "GROUP BY" not in fragment.sql
        assert not gathered or "EXPORT_STATE" in fragment.sql


@pytest.mark.parametrize("name", [name for name in QUERIES if name not in UNDIVIDED])
def test_no_worker_reads_a_large_table_alone(name: str) -> None:
    for fragment in planned(name).fragments:
        assert fragment.parallel or not {scan.table for scan in scans(fragment)}.intersection(LARGE)


@pytest.mark.parametrize("name", QUERIES)
def test_hash_exchanges_are_few(name: str) -> None:
    assert sum(exchange.kind == "hash" for exchange in planned(name).exchanges) <= MOST_HASH_EXCHANGES


@pytest.mark.parametrize("name", ["q03", "q04", "q05", "q07", "q08", "q09", "q10", "q12", "q18", "q21"])
def test_orders_and_their_lines_are_joined_by_ranges(name: str) -> None:
    made = planned(name)
    (block,) = [fragment for fragment in made.fragments if {"lineitem", "orders"} <= {scan.table for scan in scans(fragment)}]
    assert {table.column for table in block.division} == {"l_orderkey", "o_orderkey"}
    assert all(table.by == "ranges" for table in block.division)
    hashed = {exchange.id for exchange in made.exchanges if exchange.kind == "hash"}
    assert all("EXPORT_STATE" in fragment.sql for fragment in made.fragments if fragment.output in hashed)


def test_a_table_that_is_read_twice_goes_through_one_exchange_and_what_a_small_table_rules_out_through_none() -> None:
    made = planned("q17")
    (exchange,) = [exchange for exchange in made.exchanges if exchange.kind == "hash"]
    producer, block = (fragment for fragment in made.fragments if fragment.parallel)
    assert [arm.exchange for arm in block.inputs if isinstance(arm, ExchangeInput)] == [exchange.id, exchange.id]
    assert "\"l_partkey\" IN (SELECT \"p_partkey\" FROM in_1 WHERE (p_brand = 'Brand#23') AND (p_container = 'MED BOX'))" in producer.sql
    assert [column.name for column in exchange.columns] == ["l_partkey", "l_quantity", "l_extendedprice"]
    assert (exchange.estimated_bytes or 0) < 100e6


def test_what_stands_in_a_subquery_is_reduced_by_what_stands_around_it() -> None:
    made = planned("q20")
    assert divided_by_hash("q20") == {"l_partkey", "ps_partkey"}
    reduced = [fragment.sql for fragment in made.fragments if "FROM in_3 WHERE p_name LIKE 'forest%'" in fragment.sql]
    assert [sql.split(" IN (")[0].split('"')[-2] for sql in reduced if "FROM in_2 WHERE" in sql or "FROM in_4 WHERE" in sql] == [
        "ps_partkey",
        "l_partkey",
    ]


def test_both_sides_of_a_left_join_are_divided_by_what_on_compares() -> None:
    assert divided_by_hash("q13") == {"c_custkey", "o_custkey"}
    orders = next(fragment for fragment in planned("q13").fragments if [scan.table for scan in scans(fragment)] == ["orders"])
    # What only its condition needs stays behind; rows without a customer matter to nobody.
    assert orders.sql.startswith('SELECT "o_orderkey", "o_custkey", ((hash("o_custkey") >> 32) % 192)::USMALLINT AS')


@pytest.mark.parametrize("workers", [2, 3, 4, 7])
def test_ranges_of_keys_make_no_more_shares_than_workers_can_begin_at_once(workers: int) -> None:
    sql = "SELECT sum(o_totalprice + l_quantity) FROM orders JOIN lineitem ON o_orderkey = l_orderkey"
    made = plan(sql, _catalog(), PlanOptions(workers=workers, splits_per_worker=1)).fragments[0]
    assert {scan.table for scan in scans(made) if scan.name in made.divided} == {"orders", "lineitem"}
    assert len(made.shares) == workers


@pytest.mark.parametrize(
    ("sql", "parallel"),
    [
        ("SELECT * FROM lineitem ORDER BY l_extendedprice DESC LIMIT 10", False),
        ("SELECT l_orderkey FROM lineitem WHERE l_discount > 0.05 ORDER BY l_extendedprice DESC LIMIT 10", False),
        ("SELECT * FROM lineitem ORDER BY l_extendedprice DESC LIMIT 10 OFFSET 1000", True),
        ("SELECT * FROM lineitem JOIN orders ON l_orderkey = o_orderkey ORDER BY l_extendedprice DESC LIMIT 10", True),
    ],
)
def test_the_few_rows_that_come_first_are_found_by_one_worker(sql: str, parallel: bool) -> None:
    made = plan(sql, _catalog(), PlanOptions(workers=3))
    assert any(fragment.parallel for fragment in made.fragments) == parallel
