"""By what tables may be divided: what the rules allow, what they refuse, and that an answer in shares is the kernel's.

``low`` and ``high`` are written in the order of their key ``k``, in row groups of ten rows; ``few`` has four rows.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import planner.distribute
from planner import PlanOptions, plan
from planner.distribute.scopes import Names
from planner.logical import QueryBlock
from planner.physical import Fragment, PhysicalPlan, ScanInput
from tests.planner.answers import SPLIT_UP
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan

KINDS = ("x", "y", None)
SEVERAL = PlanOptions(workers=3, distribute_rows=0, split_rows=1)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    root = tmp_path_factory.mktemp("lake")
    numbers = range(120)
    low = {"k": [n // 3 for n in numbers], "v": [n * 7 % 11 or None for n in numbers], "g": [KINDS[n % 3] for n in numbers]}
    pq.write_table(pa.table(low), root / "low.parquet", row_group_size=10)
    higher = range(0, 40, 2)
    pq.write_table(pa.table({"k": list(higher), "w": [n % 5 for n in higher]}), root / "high.parquet", row_group_size=4)
    pq.write_table(pa.table({"v": [1, 2, 3, None], "t": ["a", "b", None, "d"]}), root / "few.parquet")
    return FolderCatalog(root)


def tables_divided(fragment: Fragment) -> set[str]:
    return {arm.table for arm in fragment.inputs if isinstance(arm, ScanInput) and arm.name in fragment.divided}


def divided(made: PhysicalPlan) -> list[set[str]]:
    """For each fragment that runs on shares, the tables that it divides."""
    return [tables_divided(fragment) for fragment in made.fragments if fragment.parallel]


def bag(table: pa.Table) -> list[str]:
    return sorted(map(repr, plan_rows(table)))


DIVIDED = [
    # What would end the kernel, were it asked of states.
    ("SELECT g, count(*) AS n FROM low GROUP BY g QUALIFY row_number() OVER (PARTITION BY g ORDER BY count(*)) = 1", {"low"}),
    ("SELECT g, count(*) AS n FROM low GROUP BY g WINDOW w AS (ORDER BY count(*), g) QUALIFY row_number() OVER w = 1", {"low"}),
    # One table anywhere: rows, groups, distinct rows, the first rows, windows.
    ("SELECT k, v + 1 FROM low WHERE v > 3", {"low"}),
    ("SELECT g, count(*), sum(v), avg(v), min(k) FROM low GROUP BY g", {"low"}),
    ("SELECT count(v), max(g) FROM low HAVING count(*) > 1", {"low"}),
    ("SELECT count(DISTINCT v), count(DISTINCT g), sum(k) FROM low", {"low"}),
    ("SELECT g, v, sum(k), grouping(g) FROM low GROUP BY ROLLUP (g, v)", {"low"}),
    ("SELECT DISTINCT g, v FROM low", {"low"}),
    ("SELECT k, v FROM low ORDER BY v DESC NULLS LAST, k LIMIT 7 OFFSET 2", {"low"}),
    ("SELECT k, v, row_number() OVER (ORDER BY k, v, g) AS n FROM low", {"low"}),
    ("SELECT g, median(v), list(v ORDER BY k, v) FROM low GROUP BY g", {"low"}),
    # Joins: one side whole, or both in ranges of the key.
    ("SELECT t, count(*) FROM low JOIN few USING (v) GROUP BY t", {"low"}),
    ("SELECT k, t FROM low LEFT JOIN few ON low.v = few.v", {"low"}),
    ("SELECT t, count(k) FROM few RIGHT JOIN low ON low.v = few.v GROUP BY t", {"low"}),
    ("SELECT g, sum(w) FROM low JOIN high ON low.k = high.k GROUP BY g", {"low", "high"}),
    ("SELECT g, w FROM low LEFT JOIN high ON low.k = high.k AND high.w > 1", {"low", "high"}),
    ("SELECT g, w FROM low FULL JOIN high ON low.k = high.k", {"low", "high"}),
    ("SELECT g, sum(w) FROM low, high WHERE low.k = high.k AND (g = 'x' OR w = 3) GROUP BY g", {"low", "high"}),
    # Subqueries beside, in the same share.
    ("SELECT count(*) FROM low WHERE EXISTS (SELECT 1 FROM high WHERE high.k = low.k AND w <> v)", {"low", "high"}),
    ("SELECT count(*) FROM low WHERE NOT EXISTS (SELECT 1 FROM high WHERE high.k = low.k)", {"low", "high"}),
    ("SELECT count(*) FROM low WHERE k IN (SELECT k FROM high WHERE w > 2)", {"low", "high"}),
    ("SELECT k, v FROM low AS o WHERE v > (SELECT avg(v) FROM low AS i WHERE i.k = o.k)", {"low"}),
    ("SELECT k, count(*) FROM low WHERE k IN (SELECT k FROM low GROUP BY k HAVING sum(v) > 9) GROUP BY k", {"low"}),
    # Groups, windows and distinct rows that are complete in their shares.
    ("SELECT max(n) FROM (SELECT low.k, count(*) AS n FROM low JOIN high ON low.k = high.k GROUP BY low.k)", {"low", "high"}),
    (
        "SELECT * FROM (SELECT low.k, rank() OVER (PARTITION BY low.k ORDER BY v, g) AS r FROM low JOIN high USING (k)) WHERE r = 1",
        {"low", "high"},
    ),
    ("SELECT DISTINCT count(*) AS n FROM low JOIN high ON low.k = high.k GROUP BY low.k", {"low", "high"}),
    ("SELECT DISTINCT ON (n) low.k, count(*) AS n FROM low JOIN high USING (k) GROUP BY ALL ORDER BY n, low.k", {"low", "high"}),
    # Whole in each share.
    ("SELECT count(*) FROM low WHERE v IN (SELECT v FROM few)", {"low"}),
    ("SELECT g, count(*) FROM low WHERE g COLLATE NOCASE = 'X' GROUP BY g", {"low"}),
    ("SELECT count(*) FROM low WHERE v NOT IN (SELECT v FROM few WHERE v IS NOT NULL)", {"low"}),
    ("WITH c AS (SELECT max(v) AS m FROM few) SELECT count(*) FROM low, c WHERE low.v < c.m", {"low"}),
    ("WITH RECURSIVE r (n) AS (SELECT 1 UNION SELECT n + 1 FROM r WHERE n < 5) SELECT k, n FROM r CROSS JOIN low", {"low"}),
    # Evaluated once for all shares.
    ("SELECT count(*) FROM low JOIN (SELECT v FROM few ORDER BY t LIMIT 2) USING (v)", {"low"}),
    ("SELECT count(*) FROM low WHERE v = (SELECT v FROM few ORDER BY v NULLS LAST LIMIT 1)", {"low"}),
]


@pytest.mark.parametrize(("sql", "tables"), DIVIDED)
def test_what_is_divided(sql: str, tables: set[str], lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = plan(sql, lake, SEVERAL)
    assert tables in divided(made), made.text
    assert any(len(fragment.shares) > 2 for fragment in made.fragments), "shares of one would prove nothing"
    got, wanted = run_plan(made), kernel.sql(sql).to_arrow_table()
    assert made.schema.equals(wanted.schema)
    assert bag(got) == bag(wanted), made.text


NOT_TOGETHER = [
    # Two divided tables, joined by something else than the key.
    "SELECT count(*) FROM low JOIN high ON low.v = high.w",
    "SELECT count(*) FROM low JOIN high ON low.k = high.k + 1",
    "SELECT count(*) FROM low JOIN high ON low.k = high.k OR low.v = high.w",
    "SELECT count(*) FROM low LEFT JOIN high ON low.v = high.w WHERE low.k = high.k OR high.k IS NULL",
    # A NULL in any share answers for all.
    "SELECT count(*) FROM low WHERE v NOT IN (SELECT w FROM high WHERE high.k > 3)",
    "SELECT count(*) FROM low WHERE NOT (k IN (SELECT k FROM high)) OR v = 1",
    "SELECT count(*) FROM low WHERE (k IN (SELECT CASE WHEN w > 1 THEN k END FROM high)) IS NULL",
    # The inner rows are not those of the key.
    "SELECT count(*) FROM low WHERE EXISTS (SELECT 1 FROM high WHERE high.k >= low.k AND high.w = low.v)",
    "SELECT count(*) FROM low WHERE k IN (SELECT k FROM high ORDER BY w, k LIMIT 3)",
]


@pytest.mark.parametrize("sql", NOT_TOGETHER)
def test_what_is_not_divided_by_a_key(sql: str, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = plan(sql, lake, SEVERAL)
    assert {"low", "high"} not in divided(made), made.text
    assert bag(run_plan(made)) == bag(kernel.sql(sql).to_arrow_table()), made.text


WHOLE = [
    # An exchange keeps text, not how it compares.
    ("SELECT count(*) FROM low GROUP BY CASE WHEN k % 2 = 0 THEN g ELSE upper(g) END COLLATE NOCASE", "low"),
    ("SELECT count(DISTINCT CASE WHEN k % 2 = 0 THEN g ELSE upper(g) END COLLATE NOCASE) FROM low", "low"),
    # Each share would have rows of the other side that it alone cannot match.
    ("SELECT count(*) FROM few LEFT JOIN low ON few.v = low.v", "low"),
    ("SELECT count(*) FROM low FULL JOIN few ON few.v = low.v", "low"),
    ("SELECT count(*) FROM few WHERE v NOT IN (SELECT v FROM low WHERE low.k > few.v)", "low"),
    ("SELECT t, (SELECT count(*) FROM low WHERE low.v = few.v) FROM few", "low"),
    ("SELECT j.g, count(*) FROM (low FULL JOIN few ON low.v = few.v) AS j GROUP BY j.g", "low"),
    # The aggregate is the outer block's, which has one row.
    ("SELECT (SELECT sum(low.v)) FROM low", "low"),
    # Each share would see another moment.
    ("SELECT count(*) FROM low WHERE k < 1000 AND random() < 2", "low"),
    ("SELECT count(*) FROM low WHERE current_date > DATE '2020-01-01'", "low"),
    # Each share would begin to count the other side's rows again.
    ("SELECT count(*), sum(few.v) FROM low POSITIONAL JOIN few", "low"),
]


@pytest.mark.parametrize(("sql", "table"), WHOLE)
def test_what_is_not_divided_at_all(sql: str, table: str, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = plan(sql, lake, SEVERAL)
    # Its rows may still be fetched from shares, but what is asked of them is asked in one place.
    fetched = [fragment.sql for fragment in made.fragments if fragment.parallel and table in tables_divided(fragment)]
    assert not any(word in text for text in fetched for word in ("JOIN", "few", "random", "current", "sum")), made.text
    assert bag(run_plan(made)) == bag(kernel.sql(sql).to_arrow_table()), made.text


def test_a_subquery_of_one_row_is_cut_off_and_broadcast(lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT count(*) FROM low WHERE v > (SELECT avg(v) FROM low)"
    made = plan(sql, lake, SEVERAL)
    assert divided(made) == [{"low"}, {"low"}]
    assert [exchange.kind for exchange in made.exchanges] == ["broadcast", "gather", "result"]
    assert plan_rows(run_plan(made)) == kernel.sql(sql).fetchall()


def test_it_is_cut_off_where_the_rows_around_it_are_the_result(lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT k, v FROM low WHERE v > (SELECT avg(v) FROM low)"
    made = plan(sql, lake, SEVERAL)
    assert divided(made) == [{"low"}, {"low"}]
    assert [exchange.kind for exchange in made.exchanges] == ["broadcast", "result"]
    assert bag(run_plan(made)) == bag(kernel.sql(sql).to_arrow_table())


def test_each_branch_of_a_union_is_divided(lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT g, count(*) FROM low GROUP BY g UNION ALL SELECT 'all', count(*) FROM low"
    made = plan(sql, lake, SEVERAL)
    assert divided(made) == [{"low"}, {"low"}]
    assert bag(run_plan(made)) == bag(kernel.sql(sql).to_arrow_table())


def test_small_tables_are_not_divided_unless_told(catalog: FolderCatalog) -> None:
    sql = "SELECT count(*) FROM orders"
    assert [fragment.parallel for fragment in plan(sql, catalog, PlanOptions(workers=3)).fragments] == [False]
    assert [fragment.parallel for fragment in plan(sql, catalog, SPLIT_UP).fragments] == [True, False]


def test_no_name_is_bound_for_tables_that_are_too_small(catalog: FolderCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_query: QueryBlock) -> Names:
        raise AssertionError("names are bound for nothing")

    monkeypatch.setattr(planner.distribute, "bind_names", refused)
    assert not plan("SELECT count(id) FROM orders", catalog, PlanOptions(workers=3)).fragments[0].parallel
    with pytest.raises(AssertionError, match="for nothing"):
        plan("SELECT count(id) FROM orders", catalog, SPLIT_UP)


def test_a_limit_ends_a_scan_that_is_not_divided(catalog: FolderCatalog) -> None:
    few = PlanOptions(workers=3, distribute_rows=500, split_rows=100, share_values=1, start_bytes=0)
    assert [fragment.parallel for fragment in plan("SELECT id FROM orders LIMIT 10", catalog, few).fragments] == [False]
    assert plan("SELECT id FROM orders", catalog, few).fragments[0].parallel


def test_a_share_gives_no_more_rows_than_are_wanted(lake: FolderCatalog) -> None:
    made = plan("SELECT low.k FROM low CROSS JOIN high LIMIT 4 OFFSET 2", lake, SEVERAL)
    assert made.fragments[0].sql.endswith("LIMIT 6")
    assert run_plan(made).num_rows == 4


def test_rows_of_joins_are_not_gathered_unless_told(lake: FolderCatalog) -> None:
    """However large its tables: the answers might be as many rows as the product of both has."""
    few = PlanOptions(workers=3, distribute_rows=1, split_rows=1, share_values=1, start_bytes=0)
    sql = "SELECT median(v) FROM low {} WHERE low.k > 1"
    assert [fragment.parallel for fragment in plan(sql.format("JOIN few USING (v)"), lake, few).fragments] == [False]
    assert plan(sql.format("JOIN few USING (v)"), lake, SEVERAL).fragments[0].parallel


def test_rows_without_a_key_are_in_one_share(tmp_path: Path) -> None:
    keys = pa.array([None, None, None, *range(37)], pa.int64())
    pq.write_table(pa.table({"k": keys}), tmp_path / "one.parquet", row_group_size=4)
    pq.write_table(pa.table({"k": keys}), tmp_path / "two.parquet", row_group_size=4)
    lake = FolderCatalog(tmp_path)
    sql = "SELECT count(*), count(one.k), count(two.k) FROM one FULL JOIN two ON one.k = two.k"
    made = plan(sql, lake, SEVERAL)
    assert divided(made) == [{"one", "two"}]
    assert plan_rows(run_plan(made)) == [(43, 37, 37)]
