from __future__ import annotations

import pytest

from flight_server.protocol.messages import OperatorStatus, QueryStatus, ResultStatus
from planner.errors import VolleyError
from tui.link.run import Run
from tui.panes.run_panel import run_state

NOW = 1000.0


def running(progress: float, rows: int = 0, read: int = 0) -> Run:
    operators = [OperatorStatus("fragment-0", "producer", "scan t", "running", rows=read)]
    status = QueryStatus("q", "SELECT 1", "running", progress=progress, result=ResultStatus(rows), operators=operators)
    return Run(1, "SELECT 1", state="running", status=status, started_at=NOW - 2)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (running(0.5), "running  █████       50%"),
        (running(1.0), "running  █████████▉  99%"),
        (running(0.999), "running  █████████▉  99%"),
        (running(0.0, 7_000), "running  7,000 rows so far"),
        (running(0.0, 0, 9_000), "running  9,000 rows so far"),
        (running(0.0), "running  0 rows so far"),
    ],
)
def test_what_runs_tells_its_share_or_its_rows_and_never_that_it_is_done(run: Run, told: str) -> None:
    [(_, text)] = run_state(run, NOW, 78)
    assert told in text
    assert "100%" not in text


def held(rows: int) -> Run:
    status = QueryStatus("q", "SELECT 1", "running", progress=0.3, result=ResultStatus(rows, 42_000_000, held=True))
    return Run(1, "SELECT 1", state="running", status=status, started_at=NOW - 60, held_at=NOW - 59)


def test_what_is_held_tells_that_there_may_be_more_and_claims_no_share() -> None:
    [(_, text)] = run_state(held(245_760), NOW, 78)
    assert text == "▷ held  245,760+ rows  42.0 MB  1.00 s  more as you scroll"


def test_what_nothing_is_heard_of_tells_why() -> None:
    run = running(0.5)
    run.unheard = VolleyError("worker w2, which does not answer, may own it")
    [(_, text)] = run_state(run, NOW, 78)
    assert text == "? nothing is heard of it: worker w2, which does not answer, may own it"
