"""Groups, windows and sorts that are put together share by share, planned from SQL, on two workers: the answers are DuckDB's."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from planner import PlanOptions, plan
from tests.flight_server.queries.two_workers import Truth, TwoWorkers

ROWS = 20_000
OPTIONS = PlanOptions(workers=2, distribute_rows=0, split_rows=2048, final_bytes=0, sort_bytes=0)


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``facts``: in order of nothing that they are grouped or sorted by."""
    root = tmp_path_factory.mktemp("finals")
    duckdb.connect().execute(
        f"""COPY (SELECT CASE WHEN i % 10 = 0 THEN NULL ELSE i * 7919 % 3001 END AS k, i AS n,
            DATE '2020-01-01' + (i * 31 % 900)::INTEGER AS d FROM range({ROWS}) r(i))
            TO '{root}/facts.parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048)"""
    )
    return root


def found(rows: list[tuple[object, ...]], sql: str) -> list[tuple[object, ...]]:
    """The rows, in their order if they have one."""
    return rows if "ORDER BY d" in sql or "ORDER BY s" in sql else sorted(rows, key=repr)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT k, count(*), sum(n) FROM facts GROUP BY k",
        "SELECT k, sum(n)::BIGINT AS s FROM facts GROUP BY k HAVING count(*) > 5 ORDER BY s DESC, k LIMIT 20",
        "SELECT DISTINCT k, n % 3 FROM facts",
        "SELECT k, median(n), count(DISTINCT d) FROM facts GROUP BY k",
        "SELECT k, n, rank() OVER (PARTITION BY k ORDER BY n) FROM facts",
        "SELECT d, n FROM facts ORDER BY d DESC, n",
        "SELECT d, max(n) FROM facts GROUP BY d ORDER BY d",
    ],
)
def test_both_workers_put_answers_together(sql: str, workers: TwoWorkers, truth: Truth) -> None:
    made = plan(sql, workers.here.lake.catalog, OPTIONS)
    assert any(fragment.bucketed for fragment in made.fragments), made.text
    running = workers.running(made)
    assert found(running.rows(), sql) == found(truth(sql), sql)
    assert running.left() == []
