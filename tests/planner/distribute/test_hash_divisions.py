"""Divisions by hash: of which constructs, by which columns, what stays behind, which buckets may be cut; answers are the kernel's."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from planner.physical import ExchangeInput, Fragment, PhysicalPlan
from tests.planner.memory_catalog import FolderCatalog, connect, plan_rows, run_plan

BY_HASH = PlanOptions(workers=3, distribute_rows=0, split_rows=1, by_hash=True)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    """``t`` and ``u`` in no order of their keys, and the small tables ``d`` (of keys) and ``n`` (keys that are NULL)."""
    root = tmp_path_factory.mktemp("lake")
    rows = range(240)
    floats = (0.0, -0.0, float("nan"), 1.5, None)
    day = datetime.date(2024, 1, 1)
    columns = {
        "k": pa.array([n * 13 % 37 if n % 9 else None for n in rows], pa.int64()),
        "g": pa.array([("x", "y", None)[n % 3] for n in rows]),
        "v": pa.array([n * 7 % 11 for n in rows], pa.int64()),
        "f": pa.array([floats[n % 5] for n in rows], pa.float64()),
        "day": pa.array([day + datetime.timedelta(n * 5 % 17) for n in rows]),
    }
    pq.write_table(pa.table(columns), root / "t.parquet", row_group_size=25)
    other = {
        "k": pa.array([n * 11 % 41 if n % 7 else None for n in range(120)], pa.int64()),
        "w": pa.array([n % 4 for n in range(120)], pa.int32()),
        "h": pa.array([floats[n % 4] for n in range(120)], pa.float64()),
    }
    pq.write_table(pa.table(other), root / "u.parquet", row_group_size=30)
    pq.write_table(pa.table({"dk": pa.array([*range(0, 40, 3), None], pa.int64()), "name": ["a", "b", "c"] * 5}), root / "d.parquet")
    pq.write_table(pa.table({"nk": pa.array([1, None, 3], pa.int64()), "flag": [True, True, False]}), root / "n.parquet")
    connect().execute(f"COPY (SELECT k, to_days(v) AS span FROM '{root}/t.parquet') TO '{root}/spans.parquet'")
    return FolderCatalog(root)


def blocks(made: PhysicalPlan) -> list[Fragment]:
    """The fragments that run on buckets of tables."""
    return [fragment for fragment in made.fragments if any(table.by == "hash" for table in fragment.division)]


def hashed(made: PhysicalPlan) -> set[str]:
    """The tables' columns by whose hash they are divided."""
    return {f"{table.table.split(' ')[0]}.{table.column}" for block in blocks(made) for table in block.division if table.by == "hash"}


def cut(made: PhysicalPlan) -> set[str]:
    """The tables of which a bucket may be cut."""
    arms = [arm for block in blocks(made) for arm in block.inputs if isinstance(arm, ExchangeInput) and arm.may_be_cut]
    told = {table.name: table.table for block in blocks(made) for table in block.division}
    return {told[arm.name] for arm in arms}


def reduced(made: PhysicalPlan) -> set[str]:
    """What stays behind: for the column of a table that is put out, the column among whose values it must be."""
    exchanges = {exchange.id for exchange in made.exchanges if exchange.kind == "hash"}
    texts = [fragment.sql for fragment in made.fragments if fragment.output in exchanges]
    return {f"{one} in {other}" for sql in texts for one, other in re.findall(r'"(\w+)" IN \(SELECT "(\w+)" FROM in_\d+ WHERE', sql)}


# Statement, the columns by which it is divided, and the tables whose buckets may be cut.
DIVIDED = [
    ("SELECT t.v, u.w FROM t JOIN u ON t.k = u.k", {"t.k", "u.k"}, {"t", "u"}),
    ("SELECT t.v, u.w FROM t, u WHERE t.k = u.k AND u.w > 1", {"t.k", "u.k"}, {"t", "u"}),
    ("SELECT v, w FROM t JOIN u USING (k)", {"t.k", "u.k"}, {"t", "u"}),
    ("SELECT t.v, u.w FROM t LEFT JOIN u ON t.k = u.k AND u.w = 2", {"t.k", "u.k"}, {"t"}),
    ("SELECT t.v, u.w FROM t RIGHT JOIN u ON t.k = u.k WHERE u.w > 0", {"t.k", "u.k"}, {"u"}),
    ("SELECT t.k, t.v, u.w FROM t FULL JOIN u ON t.k = u.k", {"t.k", "u.k"}, set()),
    ("SELECT v FROM t SEMI JOIN u ON t.k = u.k", {"t.k", "u.k"}, {"t"}),
    ("SELECT v FROM t ANTI JOIN u ON t.k = u.k", {"t.k", "u.k"}, {"t"}),
    ("SELECT v FROM t WHERE EXISTS (SELECT * FROM u WHERE u.k = t.k AND u.w < t.v)", {"t.k", "u.k"}, {"t"}),
    ("SELECT v FROM t WHERE NOT EXISTS (SELECT * FROM u WHERE u.k = t.k)", {"t.k", "u.k"}, {"t"}),
    ("SELECT v FROM t WHERE v > (SELECT avg(w) FROM u WHERE u.k = t.k)", {"t.k", "u.k"}, {"t"}),
    ("SELECT v FROM t WHERE k IN (SELECT k FROM u WHERE w = 1)", {"t.k", "u.k"}, {"t"}),
    ("SELECT k, count(*) FROM t JOIN u USING (k) GROUP BY k ORDER BY 1", {"t.k", "u.k"}, set()),
    ("SELECT t.v, u.w FROM t JOIN u ON t.f = u.h", {"t.f", "u.h"}, {"t", "u"}),
    ("SELECT k, median(v) FROM t GROUP BY k", {"t.k"}, set()),
    ("SELECT g, v, rank() OVER (PARTITION BY g ORDER BY v) FROM t", {"t.g"}, set()),
    ("SELECT count(*) FROM (SELECT k, count(DISTINCT g) AS c FROM t GROUP BY k) AS s WHERE c > 1", {"t.k"}, set()),
]


@pytest.mark.parametrize(("sql", "keys", "may_be_cut"), DIVIDED)
def test_what_is_divided(sql: str, keys: set[str], may_be_cut: set[str], lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    ways = [plan(sql, lake, replace(BY_HASH, way=way)) for way in range(4)]
    made = next(made for made in ways if hashed(made) == keys)
    assert cut(made) == may_be_cut
    check(made, sql, kernel)


def check(made: PhysicalPlan, sql: str, kernel: duckdb.DuckDBPyConnection) -> None:
    wanted = kernel.sql(sql).to_arrow_table()
    got = run_plan(made)
    assert got.schema.names == wanted.schema.names
    assert sorted(map(repr, plan_rows(got))) == sorted(map(repr, plan_rows(wanted))), made.text


UNDIVIDED = [
    "SELECT v FROM t WHERE k NOT IN (SELECT k FROM u WHERE k IS NOT NULL)",
    "SELECT t.v, u.w FROM t JOIN u ON t.k < u.k",
    "SELECT t.v, u.w FROM t JOIN u ON t.v = u.w",  # of different types
    "SELECT a.span FROM spans AS a JOIN spans AS b ON a.span = b.span",  # equal ones may have different hashes
    "SELECT k, list(v) FROM t GROUP BY k",  # in the order in which they come
    "SELECT k, row_number() OVER (PARTITION BY k) FROM t",
    "SELECT v FROM t",
    "SELECT sum(v) FROM t WHERE k > 3",
]


@pytest.mark.parametrize("sql", UNDIVIDED)
def test_what_is_not(sql: str, lake: FolderCatalog) -> None:
    made = plan(sql, lake, BY_HASH)
    assert not hashed(made)


# Statement, and what is ruled out before the exchange.
REDUCED = [
    ("SELECT count(*) FROM t JOIN u ON t.k = u.k JOIN d ON dk = t.k WHERE name = 'a'", {"k in dk"}),
    ("SELECT count(*) FROM t JOIN u ON t.k = u.k, d WHERE dk = u.k AND name = 'a'", {"k in dk"}),
    ("SELECT count(*) FROM t JOIN u ON t.k = u.k JOIN d ON dk = t.v WHERE name = 'a'", {"v in dk"}),
    ("SELECT count(*) FROM t JOIN u ON t.k = u.k WHERE t.v IN (SELECT dk FROM d WHERE name = 'b')", {"v in dk"}),
    ("SELECT count(*) FROM d JOIN t ON dk = t.k WHERE name = 'a' AND v > (SELECT avg(w) FROM u WHERE u.k = t.k)", {"k in dk"}),
    ("SELECT count(*) FROM d JOIN t ON dk = t.k WHERE name = 'a' AND NOT EXISTS (SELECT * FROM u WHERE u.k = dk)", {"k in dk"}),
    ("SELECT t.v FROM t LEFT JOIN u ON t.k = u.k JOIN d ON dk = t.k WHERE name = 'a'", {"k in dk"}),
    ("SELECT count(*) FROM t JOIN u ON t.k = u.k JOIN n ON nk = t.k WHERE flag", {"k in nk"}),
    # What keeps rows that meet nothing rules nothing out.
    ("SELECT t.v, name FROM t JOIN u ON t.k = u.k LEFT JOIN d ON dk = t.k AND name = 'a'", set()),
    ("SELECT t.v, name FROM d RIGHT JOIN t ON dk = t.k AND name = 'a' JOIN u ON t.k = u.k", set()),
    ("SELECT t.v FROM t JOIN u ON t.k = u.k WHERE t.v NOT IN (SELECT dk FROM d WHERE name = 'b' AND dk IS NOT NULL)", set()),
    ("SELECT t.v FROM t JOIN u ON t.k = u.k WHERE t.v IN (SELECT dk FROM d WHERE name = 'b') OR t.v = 5", set()),
    ("SELECT t.v FROM t JOIN u ON t.k = u.k ANTI JOIN d ON dk = t.k AND name = 'a'", set()),
    ("SELECT t.v, (SELECT max(dk) FROM d WHERE dk = t.k AND name = 'a') FROM t JOIN u ON t.k = u.k", set()),
    # Without a condition a table rules out too little.
    ("SELECT count(*) FROM t JOIN u ON t.k = u.k JOIN d ON dk = t.k", set()),
]


@pytest.mark.parametrize(("sql", "wanted"), REDUCED)
def test_what_stays_behind(sql: str, wanted: set[str], lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    seen = set()
    for way in range(6):
        made = plan(sql, lake, replace(BY_HASH, way=way))
        if {"t.k", "u.k"} <= hashed(made):
            small = {part for part in reduced(made) if not part.startswith(("dk", "nk"))}
            seen.add(frozenset(small))
            check(made, sql, kernel)
    assert seen == {frozenset(wanted)}


def test_a_window_is_not_robbed_of_rows_that_only_the_query_around_leaves_out(
    lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection
) -> None:
    sql = """SELECT s.k, s.c FROM (SELECT t.k, t.v, count(*) OVER (PARTITION BY t.g) AS c FROM t JOIN u ON t.k = u.k) AS s
        JOIN d ON dk = s.k WHERE name = 'a'"""
    for way in range(4):
        made = plan(sql, lake, replace(BY_HASH, way=way))
        assert not reduced(made)
        check(made, sql, kernel)


def test_one_exchange_for_all_that_read_the_same_rows(lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT sum(a.v) FROM t AS a WHERE a.v > (SELECT avg(b.v) FROM t AS b WHERE b.k = a.k)"
    made = plan(sql, lake, BY_HASH)
    (exchange,) = [exchange for exchange in made.exchanges if exchange.kind == "hash"]
    assert [arm.exchange for arm in blocks(made)[0].inputs if isinstance(arm, ExchangeInput)] == [exchange.id, exchange.id]
    check(made, sql, kernel)


def test_two_exchanges_where_conditions_differ(lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT sum(a.v) FROM t AS a WHERE a.v < 8 AND a.v > (SELECT avg(b.v) FROM t AS b WHERE b.k = a.k AND b.v < 9)"
    made = plan(sql, lake, BY_HASH)
    assert [exchange.kind for exchange in made.exchanges].count("hash") == 2
    check(made, sql, kernel)


def test_only_columns_that_are_needed_behind_conditions_are_sent(lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT t.v FROM t LEFT JOIN u ON t.k = u.k AND u.w > 1 WHERE t.day > DATE '2024-01-05' AND t.g = 'x'"
    made = plan(sql, lake, BY_HASH)
    sent = {tuple(column.name for column in exchange.columns) for exchange in made.exchanges if exchange.kind == "hash"}
    assert sent == {("k", "v"), ("k",)}
    (block,) = blocks(made)
    assert "day" not in block.sql
    assert "u.w" not in block.sql
    check(made, sql, kernel)


def test_rows_without_a_key_are_sent_where_they_matter(lake: FolderCatalog) -> None:
    def without_null(sql: str) -> int:
        return sum("IS NOT NULL" in fragment.sql for fragment in plan(sql, lake, BY_HASH).fragments)

    assert without_null("SELECT t.v, u.w FROM t JOIN u ON t.k = u.k") == 2
    assert without_null("SELECT t.v, u.w FROM t LEFT JOIN u ON t.k = u.k") == 0
    assert without_null("SELECT v FROM t WHERE NOT EXISTS (SELECT * FROM u WHERE u.k = t.k)") == 1
