"""Runtime filters on two workers: what the keys spare, and that nothing hangs on them."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from flight_server.errors import QueryKilled
from flight_server.exchanges.once_fragment import OnceFragment
from flight_server.protocol.messages import FilterStatus, OperatorStatus
from flight_server.queries import key_fragments
from planner import PlanOptions, key_pruning, plan
from planner.key_pruning import KeySet
from planner.physical import Fragment, PhysicalPlan
from tests.flight_server.queries.two_workers import Running, Truth, TwoWorkers

ROWS = 40_960
GROUPS = 20
SQL = "SELECT count(*) AS n, sum(v) AS s, min(name) AS name FROM sales JOIN days USING (day) WHERE name IN ('day 3', 'day 17')"


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``sales`` in the order of their day, of which each row group has one; ``days``: small."""
    root = tmp_path_factory.mktemp("keys")
    sales = f"SELECT i // {ROWS // GROUPS} AS day, i AS v FROM range({ROWS}) t(i)"
    duckdb.execute(f"COPY ({sales}) TO '{root}/sales.parquet' (FORMAT parquet, ROW_GROUP_SIZE {ROWS // GROUPS})")
    duckdb.execute(f"COPY (SELECT i AS day, 'day ' || i AS name FROM range({GROUPS}) t(i)) TO '{root}/days.parquet'")
    return root


def planned(workers: TwoWorkers, several: bool = True, sql: str = SQL) -> PhysicalPlan:
    return plan(sql, workers.here.lake.catalog, PlanOptions(workers=2 if several else 1, distribute="always"))


def with_keys(made: PhysicalPlan, sql: str) -> PhysicalPlan:
    """The plan with another query for its keys."""
    keys = keys_of(made)
    changed = tuple(replace(each, sql=sql) if each is keys else each for each in made.fragments)
    return replace(made, fragments=changed)


def keys_of(made: PhysicalPlan) -> Fragment:
    (exchange,) = {each.exchange for fragment in made.fragments for each in fragment.filters}
    (found,) = (fragment for fragment in made.fragments if fragment.output == exchange)
    return found


def filters_of(running: Running) -> list[FilterStatus]:
    return [each for status in running.execution.statuses() for each in status.filters]


def status_of_keys(running: Running) -> OperatorStatus:
    (found,) = (status for status in running.execution.statuses() if status.operator == f"fragment-{keys_of(running.plan).id}")
    return found


@pytest.mark.parametrize("several", [False, True])
def test_row_groups_without_a_key_are_not_read(workers: TwoWorkers, truth: Truth, several: bool) -> None:
    running = workers.running(planned(workers, several))
    assert running.rows() == truth(SQL)
    (spared,) = filters_of(running)
    assert (spared.used, spared.keys, spared.row_groups, spared.rows) == (True, 2, GROUPS - 2, ROWS // GROUPS * (GROUPS - 2))
    assert status_of_keys(running).state == "completed"
    assert running.left() == []


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST('no number' AS BIGINT) AS low, 1 AS high, [1] AS keys",
        "SELECT DATE 'infinity' AS low, DATE 'infinity' AS high, [DATE 'infinity'] AS keys",
        "SELECT 1 AS low, 1 AS high, [1] AS keys WHERE false",
    ],
)
def test_keys_that_fail_fail_no_query(workers: TwoWorkers, truth: Truth, several: bool, sql: str) -> None:
    running = workers.running(with_keys(planned(workers, several), sql))
    assert running.rows() == truth(SQL)
    (spared,) = filters_of(running)
    assert (spared.used, spared.row_groups) == (False, 0)
    assert status_of_keys(running).state == "failed"
    assert running.left() == []


class SlowKeys:
    """Keys that do not come until they are not wanted any more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = threading.Event()
        plain = OnceFragment.run_into_exchange

        def run(once: OnceFragment, tables: dict[str, pa.Table]) -> None:
            if "AS keys" not in once.fragment.sql:
                return plain(once, tables)
            stopped = threading.Event()
            with once._context.cancellation.on_cancel(stopped.set):
                self.began.set()
                assert stopped.wait(20), "nobody stops it"
            once._context.cancellation.check()

        monkeypatch.setattr(OnceFragment, "run_into_exchange", run)


def test_keys_that_are_late_are_done_without(workers: TwoWorkers, truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    SlowKeys(monkeypatch)
    monkeypatch.setattr(key_fragments, "FILTER_SECONDS", 0.01)
    running = workers.running(planned(workers))
    assert running.rows() == truth(SQL)
    assert [each.used for each in filters_of(running)] == [False]
    assert running.left() == []


def test_a_query_that_is_killed_while_it_waits_for_keys(workers: TwoWorkers, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = SlowKeys(monkeypatch)
    running = workers.running(planned(workers))
    failed: list[BaseException] = []

    def run() -> None:
        try:
            running.rows()
        except QueryKilled as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert keys.began.wait(20)
    running.cancellation.cancel(QueryKilled("enough"))
    thread.join(20)
    assert [str(error) for error in failed] == ["the query was stopped: enough"]
    assert running.left() == []


def test_a_worker_that_takes_no_more_part_takes_none_in_what_keys_have_pruned(
    workers: TwoWorkers, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = workers.running(planned(workers))

    def keys(table: pa.Table) -> KeySet:
        running.execution.exclude("there")
        return key_pruning.keys_of(table)

    monkeypatch.setattr(key_fragments, "keys_of", keys)
    assert running.rows() == truth(SQL)
    (scan,) = (fragment for fragment in running.plan.fragments if fragment.filters)
    assert running.workers_of(f"fragment-{scan.id}") == {"here"}
    assert [each.used for each in filters_of(running)] == [True]


def test_nothing_is_left_where_no_key_is_found(workers: TwoWorkers) -> None:
    running = workers.running(planned(workers, sql=SQL.replace("IN ('day 3', 'day 17')", "= 'never'")))
    assert running.rows() == [(0, None, None)]
    (spared,) = filters_of(running)
    assert (spared.keys, spared.row_groups, spared.files) == (0, GROUPS, 1)
