"""Blocks that run on shares in a session's time zone: each share, what is asked of their answers, and the kernel are in the same one."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner import PlanOptions, plan
from tests.planner.memory_catalog import FolderCatalog, connect, direct_kernel, plan_rows, run_plan

ZONE = "America/New_York"
SEVERAL = PlanOptions(workers=3, distribute_rows=0, split_rows=1)

QUERIES = [
    # What is asked of each share hangs on the zone.
    "SELECT date_trunc('day', ts) AS day, count(*), sum(n) FROM moments GROUP BY ALL",
    "SELECT ts::DATE AS day, avg(n), count(DISTINCT hour(ts)) FROM moments GROUP BY ALL",
    "SELECT strftime(ts, '%Y-%m-%d %H') AS hour, median(n) FROM moments WHERE ts < '2024-03-12' GROUP BY ALL",
    "SELECT ts::VARCHAR AS text, n FROM moments WHERE ts BETWEEN '2024-03-10' AND '2024-03-11'",
    "SELECT count(*) FROM moments WHERE wall::TIMESTAMPTZ = ts + INTERVAL 5 HOURS",
    "SELECT text::TIMESTAMPTZ AS t, count(*) FROM moments GROUP BY ALL",
    "SELECT dayofweek(ts) AS d, date_trunc('month', ts) AS m, count(*) FROM moments GROUP BY ROLLUP (d, m)",
    "SELECT DISTINCT extract(timezone_hour FROM ts) AS z FROM moments",
    # Values with a zone that cross an exchange, and states that hold such.
    "SELECT k, min(ts) AS first, max(ts)::VARCHAR AS last, arg_max(ts, n) AS latest FROM moments GROUP BY k",
    "SELECT k, date_trunc('day', max(ts)) AS day, list(ts ORDER BY n)[1] AS l FROM moments GROUP BY k HAVING max(ts)::DATE > '2024-03-01'",
    "SELECT ts, n FROM moments ORDER BY ts DESC LIMIT 5",
    "SELECT n, row_number() OVER d AS r, ts - first_value(ts) OVER d AS s FROM moments WINDOW d AS (PARTITION BY ts::DATE ORDER BY n)",
    # What goes whole to all shares.
    "SELECT d.name, count(*) FROM moments JOIN days AS d ON moments.ts::DATE = d.day GROUP BY d.name",
    "SELECT count(*) FROM moments WHERE ts >= (SELECT max(day) - 40 FROM days)",
    "SELECT count(*) FROM moments WHERE ts::DATE = (SELECT date_trunc('day', avg(ts))::DATE FROM moments)",
]


@pytest.fixture(name="moments", scope="module")
def _moments(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    """A hundred days, by hours, around the change to daylight saving time in New York; and some of these days, with names."""
    root = tmp_path_factory.mktemp("moments")
    rows = """
        SELECT i AS n, i % 4 AS k, to_timestamp(1704067200 + i * 3600) AS ts, TIMESTAMP '2024-01-01' + to_hours(i) AS wall,
            (TIMESTAMP '2024-01-01' + to_hours(i // 9))::VARCHAR AS text
        FROM range(2400) t(i)"""
    pq.write_table(connect().sql(rows).to_arrow_table(), root / "moments.parquet", row_group_size=200)
    days = connect().sql("SELECT DATE '2024-03-01' + i::INTEGER AS day, 'day ' || i AS name FROM range(15) t(i)").to_arrow_table()
    pq.write_table(days, root / "days.parquet")
    catalog = FolderCatalog(root)
    catalog.time_zone = ZONE
    return catalog


@pytest.fixture(name="kernel", scope="module")
def _kernel(moments: FolderCatalog) -> duckdb.DuckDBPyConnection:
    connection = direct_kernel(moments)
    connection.execute(f"SET GLOBAL TimeZone = '{ZONE}'")
    return connection


def bag(table: pa.Table) -> list[str]:
    return sorted(map(repr, plan_rows(table)))


@pytest.mark.parametrize("sql", QUERIES)
def test_an_answer_from_shares_is_the_kernels_in_that_zone(sql: str, moments: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    made = plan(sql, moments, SEVERAL)
    assert any(fragment.parallel and len(fragment.shares) > 1 for fragment in made.fragments), made.text
    assert {fragment.time_zone for fragment in made.fragments} == {ZONE}
    wanted = kernel.sql(sql).to_arrow_table()
    assert made.schema.types == wanted.schema.types
    assert bag(run_plan(made)) == bag(wanted), made.text


def test_groups_by_the_zones_days_are_made_on_each_share(moments: FolderCatalog) -> None:
    partial, final = plan(QUERIES[0], moments, SEVERAL).fragments
    assert partial.parallel
    assert "date_trunc" in partial.sql
    assert "date_trunc" not in final.sql, "days are what shares answered"
