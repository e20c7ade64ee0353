from __future__ import annotations

from urwid import testing

from tests.tui.looking import SIZE, text
from tui.link.runs import Run, RunState
from tui.panes.queries_pane import QueriesPane

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
