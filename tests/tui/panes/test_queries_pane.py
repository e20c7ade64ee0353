from __future__ import annotations

from urwid import testing

from flight_server.protocol.messages import ErrorInfo, QueryStatus, ResultStatus
from tests.tui.looking import SIZE, text
from tui.link.run import Run, RunState
from tui.panes.queries_pane import QueriesPane
from tui.panes.run_panel import RunPanel, RunViews

NOW = 1000.0


def run(number: int, state: RunState, sql: str = "SELECT 1") -> Run:
    return Run(number, sql, state=state, started_at=NOW - 2, ended_at=NOW - 1 if state in ("completed", "failed") else None)


def test_the_list_counts_and_shows_states_and_overall_progress() -> None:
    runs = [run(1, "completed"), run(2, "failed"), run(3, "running"), run(4, "waiting")]
    pane = QueriesPane(lambda: runs, lambda _run: None, lambda _action: None)
    pane.refresh(NOW)
    shown = text(pane)
    assert "4 queries" in shown
    assert "50%  ✓ 1 completed  ✗ 1 failed  ▶ 1 running  ○ 1 waiting" in shown
    assert [line.split()[2] for line in shown.splitlines()[2:6]] == ["completed", "failed", "running", "waiting"]


def test_what_is_held_has_its_rows_ready_and_what_is_done_shows_its_size() -> None:
    status = QueryStatus("q", "SELECT 1", "running", progress=0.3, result=ResultStatus(245_760, 42_000_000, held=True))
    held = Run(1, "SELECT 1", state="running", status=status, started_at=NOW - 60, held_at=NOW - 59)
    done = run(2, "completed")
    done.status = QueryStatus("q", "SELECT 1", "completed", progress=1.0, result=ResultStatus(7, 1_500, closed=True))
    pane = QueriesPane(lambda: [held, done], lambda _run: None, lambda _action: None)
    pane.refresh(NOW)
    shown = text(pane).splitlines()
    assert "100%  ✓ 1 completed  ✗ 0 failed  ▶ 0 running  ○ 0 waiting  ▷ 1 held" in shown[0]
    assert shown[2].split() == ["▷", "1", "held", "246K+", "1.00", "s", "42.0", "MB", "SELECT", "1"]
    assert shown[3].split() == ["✓", "2", "completed", "7", "1.00", "s", "1.50", "KB", "SELECT", "1"]


def test_moving_in_the_list_chooses_the_run_that_is_shown_below() -> None:
    runs = [run(1, "completed"), run(2, "failed")]
    chosen: list[Run] = []
    pane = QueriesPane(lambda: runs, chosen.append, lambda _action: None)
    pane.refresh(NOW)
    text(pane)
    testing.press(pane, SIZE, "down")
    assert chosen == [runs[1]]
    runs.append(run(3, "running"))
    pane.refresh(NOW)
    assert pane.run is runs[1]


def test_a_list_is_at_a_hundred_per_cent_only_when_all_is_over() -> None:
    runs = [run(number, "completed") for number in range(1, 400)]
    pane = QueriesPane(lambda: [*runs, run(400, "running")], lambda _run: None, lambda _action: None)
    pane.refresh(NOW)
    assert " 99%  ✓ 399 completed" in text(pane)
    runs.append(run(400, "completed"))
    pane = QueriesPane(lambda: runs, lambda _run: None, lambda _action: None)
    pane.refresh(NOW)
    assert "100%  ✓ 400 completed" in text(pane)


def test_a_failed_query_of_the_list_shows_its_statement_and_leaves_the_error_to_the_panel_below() -> None:
    failed = run(1, "failed", "SELECT nothing FROM t")
    failed.error = ErrorInfo("INVALID_ARGUMENT", "there is no column nothing")
    pane = QueriesPane(lambda: [failed], lambda _run: None, lambda _action: None)
    pane.refresh(NOW)
    assert "SELECT nothing FROM t" in text(pane)
    assert "there is no column" not in text(pane)
    panel = RunPanel(RunViews(lambda _action: None).of, lambda _action: None, "")
    panel.show(failed)
    assert text(panel).count("there is no column nothing") == 1
    assert "SELECT nothing FROM t" in text(panel)
