from __future__ import annotations

import pyarrow as pa

from flight_server.queries.runs import Runs
from planner.physical import PhysicalPlan


def plan(sql: str) -> PhysicalPlan:
    return PhysicalPlan(sql, (), (), pa.schema([]), "")


def test_runs_come_in_order_and_their_progress_never_runs_backwards() -> None:
    runs = Runs(plan("a"), (plan(sql) for sql in "bcd"), total=4)
    told = [(run.sql, runs.progress(0.0), runs.progress(1.0)) for run in runs]
    assert told == [("a", 0.0, 0.25), ("b", 0.25, 0.5), ("c", 0.5, 0.75), ("d", 0.75, 1.0)]


def test_what_follows_is_asked_for_when_its_turn_comes() -> None:
    following = iter([plan("b")])
    runs = iter(Runs(plan("a"), following, total=2))
    assert next(runs).sql == "a"
    assert next(following).sql == "b"


def test_of_no_runs_nothing_is_run() -> None:
    runs = Runs(plan("a"), total=0)
    assert (list(runs), runs.first.sql, runs.progress(0.0)) == ([], "a", 0.0)
