"""What shares see whole and is evaluated once for all of them: where each might have other rows, and where it costs much to make few."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from planner.physical import ExchangeInput, Fragment, PhysicalPlan
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan

SEVERAL = PlanOptions(workers=3, distribute_rows=0, split_rows=1)
AUTO = PlanOptions(workers=3, distribute_rows=100, start_bytes=0, split_rows=1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``big`` and ``few``, in an order that says nothing of their columns."""
    folder = tmp_path_factory.mktemp("lake")
    big = {"k": [n * 37 % 101 for n in range(300)], "v": [n * 7 % 11 for n in range(300)], "g": [n % 3 for n in range(300)]}
    pq.write_table(pa.table(big), folder / "big.parquet", row_group_size=30)
    pq.write_table(pa.table({"v": [5, 3, 1, None, 3, 8], "t": list("abcdef")}), folder / "few.parquet")
    return folder


@pytest.fixture(scope="module")
def lake(root: Path) -> FolderCatalog:
    return FolderCatalog(root)


def given(made: PhysicalPlan) -> list[Fragment]:
    """The fragments that run once, for shares of others."""
    read = {arm.exchange for fragment in made.fragments if fragment.parallel for arm in fragment.inputs if isinstance(arm, ExchangeInput)}
    return [fragment for fragment in made.fragments if fragment.output in read and not fragment.parallel]


def by_big(sql: str, lake: FolderCatalog) -> PhysicalPlan:
    """The plan that divides ``big``, and gives its shares what is evaluated once."""
    ways = (plan(sql, lake, replace(SEVERAL, way=way)) for way in range(4))
    return next(made for made in ways if any(table.table.startswith("big") for block in made.fragments for table in block.division))


GIVEN = [
    # Each share might have other rows.
    ("SELECT count(*) FROM big JOIN (SELECT v FROM few ORDER BY t LIMIT 3) AS s USING (v)", 1),
    ("WITH c AS (SELECT v, t FROM few ORDER BY t LIMIT 3) SELECT k, t FROM big JOIN c USING (v)", 1),
    ("SELECT k FROM big WHERE v IN (SELECT v FROM few ORDER BY t DESC LIMIT 2)", 1),
    ("SELECT k FROM big WHERE v = (SELECT v FROM few ORDER BY t LIMIT 1)", 1),
    ("SELECT k, n FROM big JOIN (SELECT v, row_number() OVER (ORDER BY t) AS n FROM few) AS s USING (v)", 1),
    ("SELECT k, t FROM big JOIN (SELECT DISTINCT ON (v) v, t FROM few ORDER BY v, t) AS s USING (v)", 1),
    ("WITH c AS (SELECT v FROM few ORDER BY t LIMIT 3), d AS (SELECT max(v) AS m FROM c) SELECT k FROM big, d WHERE big.v = m", 2),
    # Each would have the same, but it is much to be done for little.
    ("WITH c AS (SELECT v, count(*) AS n FROM few GROUP BY v) SELECT k, n FROM big JOIN c USING (v)", 1),
    ("WITH c AS (SELECT v, count(*) AS n FROM few GROUP BY v) SELECT a.n, b.n, k FROM big JOIN c AS a USING (v), c AS b", 1),
    ("SELECT k, x.s FROM big JOIN (SELECT v, sum(v)::HUGEINT AS s FROM few GROUP BY v) AS x USING (v)", 1),
    ("SELECT k FROM big WHERE v IN (SELECT v FROM few GROUP BY v HAVING count(*) > 1)", 1),
    # As many rows as are read are not worth the way.
    ("SELECT k FROM big WHERE v IN (SELECT v FROM few)", 0),
    ("SELECT k FROM big JOIN (SELECT v + 1 AS w FROM few) AS s ON v = w", 0),
]


@pytest.mark.parametrize(("sql", "fragments"), GIVEN)
def test_what_is_evaluated_once(sql: str, fragments: int, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = by_big(sql, lake)
    assert len(given(made)) == fragments, made.text
    wanted = kernel.sql(sql).to_arrow_table()
    got = run_plan(made)
    assert made.schema.equals(wanted.schema)
    assert sorted(map(repr, plan_rows(got))) == sorted(map(repr, plan_rows(wanted))), made.text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT k FROM big WHERE v > (SELECT avg(few.v) FROM few WHERE few.v < big.g)",  # of the rows around
        "SELECT k FROM big WHERE v IN (SELECT f.v FROM few AS f WHERE f.v = big.v ORDER BY t LIMIT 1)",
        "SELECT k FROM big, (SELECT v FROM few WHERE random() < 2 LIMIT 2) AS s WHERE s.v = big.v",
        "SELECT k FROM big, (SELECT v FROM few WHERE now() > TIMESTAMP '2020-01-01' LIMIT 2) AS s WHERE s.v = big.v",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT k FROM big, r WHERE k = n",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT m FROM (SELECT max(n) + 1 AS m FROM r) WHERE m < 3) SELECT k FROM big, r",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL (SELECT n + 1 FROM r WHERE n < 3 LIMIT 1)) SELECT k FROM big, r WHERE k = n",
    ],
)
def test_what_is_not(sql: str, lake: FolderCatalog) -> None:
    for way in range(4):
        assert not given(plan(sql, lake, replace(SEVERAL, way=way)))


def test_all_who_read_it_read_the_same_rows(lake: FolderCatalog) -> None:
    """A LIMIT without an order is evaluated in one place, whoever asks."""
    sql = "WITH c AS (SELECT v, t FROM few LIMIT 2) SELECT k, t FROM big JOIN c USING (v) UNION ALL SELECT v, t FROM c"
    made = by_big(sql, lake)
    assert len([fragment for fragment in made.fragments if re.search(r"LIMIT 2", fragment.sql)]) <= 2  # of shares, then of all
    (once,) = given(made)
    readers = [fragment for fragment in made.fragments for arm in fragment.inputs if getattr(arm, "exchange", None) == once.output]
    assert len(readers) == 2


def test_little_is_evaluated_by_each_share(root: Path) -> None:
    lake = FolderCatalog(root, value_bytes=1_000)
    sql = "SELECT k FROM big WHERE v > (SELECT avg(v) FROM few)"
    made = plan(sql, lake, AUTO)
    assert any(fragment.parallel for fragment in made.fragments)
    assert not given(made)
    assert given(plan(sql, FolderCatalog(root, value_bytes=1 << 20), AUTO))
