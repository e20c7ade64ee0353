"""Random queries over random tables: the answer of the plan for several workers, and of the one for one, is the kernel's own."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from planner import PlanOptions
from planner.physical import PhysicalPlan
from tests.planner.memory_catalog import run_plan
from tests.planner.random_queries.answers import difference
from tests.planner.random_queries.lake import Lake
from tests.planner.random_queries.run import BAD, Counts, lake_of, query_of, run_queries
from tests.planner.random_queries.shrinking import shrunk
from tests.planner.random_queries.statements import RandomQuery
from tests.planner.random_queries.trial import SEVERAL, Trial, tried

QUERIES = int(os.environ.get("VOLLEY_TEST_QUERIES", "200"))
FIRST_SEED = int(os.environ.get("VOLLEY_TEST_SEED", "0"))
BATCHES = 4
LEAST_ANSWERED = 0.85
LEAST_PARALLEL = 0.75
LEAST_DIVIDED = 0.5
LEAST_PARTIAL = 0.05
MOST_EMPTY = 0.5


@pytest.fixture(name="lake", scope="module")
def _lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake_of(0, tmp_path_factory.mktemp("lake"))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_answers_are_the_kernels(batch: int, tmp_path: Path) -> None:
    each = QUERIES // BATCHES
    counts = run_queries(FIRST_SEED + batch * each, each, tmp_path)
    print(counts.report())
    assert counts.found == []
    assert counts.refusals == []
    assert counts.outcomes["undetermined"] == 0
    check_that_it_measured(counts, each)


def check_that_it_measured(counts: Counts, queries: int) -> None:
    """A run whose queries have no answers, or whose plans divide nothing, shows nothing."""
    assert counts.outcomes["same"] >= LEAST_ANSWERED * queries
    assert counts.divisions["scans"] + counts.divisions["divided"] >= LEAST_PARALLEL * queries
    assert counts.divisions["divided"] >= LEAST_DIVIDED * queries
    assert counts.partial >= LEAST_PARTIAL * queries
    assert counts.empty <= MOST_EMPTY * queries


def test_a_seed_gives_the_same_query_always(lake: Lake, tmp_path: Path) -> None:
    assert query_of(7, lake) == query_of(7, lake_of(7, tmp_path))
    assert query_of(7, lake) != query_of(8, lake)


def one_row_less(plan: PhysicalPlan) -> pa.Table:
    return run_plan(plan).slice(1)


def one_row_twice(plan: PhysicalPlan) -> pa.Table:
    answer = run_plan(plan)
    return pa.concat_tables([answer, answer.slice(0, 1)])


@pytest.mark.parametrize("run", [one_row_less, one_row_twice])
def test_a_wrong_answer_is_found(lake: Lake, run: object) -> None:
    table = lake.made[2].name
    query = RandomQuery(f'SELECT id, k FROM "{table}"', False, frozenset())
    assert tried(query, lake, SEVERAL[0]).outcome == "same"
    assert tried(query, lake, SEVERAL[0], run).outcome == "different"  # type: ignore[arg-type]


def test_what_hangs_on_the_order_of_rows_is_not_taken_for_a_wrong_answer(lake: Lake) -> None:
    table = max(lake.made, key=lambda made: made.rows).name
    query = RandomQuery(f'SELECT list(id) AS l FROM "{table}"', False, frozenset())
    assert tried(query, lake, SEVERAL[0], lambda plan: run_plan(plan).slice(0, 0)).outcome == "undetermined"


def test_order_counts_where_there_is_one() -> None:
    up, down = pa.table({"a": [1, 2]}), pa.table({"a": [2, 1]})
    assert difference(up, down, ordered=False) is None
    assert difference(up, down, ordered=True) == "another order of rows"


def test_doubles_may_differ_in_their_last_digits_only() -> None:
    one = pa.table({"k": ["a", "b"], "x": [0.1 + 0.2, float("nan")]})
    assert difference(one, pa.table({"k": ["b", "a"], "x": [float("nan"), 0.3]}), ordered=False) is None
    assert difference(one, pa.table({"k": ["b", "a"], "x": [float("nan"), 0.3001]}), ordered=False) is not None
    assert difference(one, pa.table({"k": ["b", "a"], "x": [0.3, float("nan")]}), ordered=False) is not None


def test_a_failing_query_is_made_small(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every query that counts rows were answered wrongly: nothing is left but what counts."""

    def ends(query: RandomQuery, _lake: Lake, _options: PlanOptions) -> Trial:
        return Trial("different" if "count(*)" in query.sql else "same")

    monkeypatch.setattr("tests.planner.random_queries.shrinking.tried", ends)
    sql = "WITH c AS (SELECT 1 AS x) SELECT a.x, count(*) AS n FROM c AS a JOIN c AS b ON a.x = b.x WHERE a.x > 0 AND b.x < 5 GROUP BY a.x"
    query, trial = shrunk(RandomQuery(sql, False, frozenset()), Trial("different"), lake, SEVERAL[0])
    assert trial.outcome in BAD
    assert "count(*)" in query.sql
    assert len(query.sql) < len("SELECT count(*) AS n FROM c AS a")
