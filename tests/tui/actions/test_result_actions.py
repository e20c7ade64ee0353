from __future__ import annotations

import pyarrow as pa
import pytest
from urwid import testing

from tests.tui.actions.stage import Stage
from tui.actions.exporting import Exporting
from tui.actions.result_actions import ResultActions
from tui.link.runs import Run
from tui.panes.results_table import ResultsTable
from tui.panes.run_panel import RunPanel, RunViews

SIZE = (80, 12)


class Shown:
    """A panel that shows one run, and the actions on it. ``replaced`` are the runs that took the place of others."""

    def __init__(self, stage: Stage, run: Run | None) -> None:
        self.stage = stage
        self.panel = RunPanel(RunViews(lambda _action: None).of, lambda _action: None, "")
        self.panel.show(run)
        self.replaced: list[tuple[Run, Run]] = []
        exporting = Exporting(lambda: run, stage.server, stage.background, stage.post, stage.dialogs, stage.say)
        self.actions = ResultActions(
            lambda: self.panel,
            stage.book,
            stage.server,
            stage.background,
            stage.dialogs,
            stage.clipboard,
            exporting,
            stage.say,
            lambda old, new: self.replaced.append((old, new)),
        )
        testing.render_text(self.panel, SIZE)

    def act(self, action: str) -> None:
        self.actions.table()[action]()

    def press(self, *keys: str) -> None:
        testing.press(self.panel, SIZE, *keys)

    @property
    def table(self) -> ResultsTable:
        assert self.panel.view is not None
        assert self.panel.view.table is not None
        return self.panel.view.table


@pytest.fixture
def stage() -> Stage:
    return Stage()


def shown(stage: Stage, sql: str = "SELECT * FROM t ORDER BY n") -> Shown:
    return Shown(stage, stage.book.run(sql))


@pytest.mark.parametrize("run", [None, "SELECT !"])
def test_where_there_are_no_rows_nothing_happens(stage: Stage, run: str | None) -> None:
    made = Shown(stage, None if run is None else stage.book.run(run))
    runs = len(stage.book.runs)
    for action in made.actions.table().values():
        action()
    assert (len(stage.book.runs), stage.said, stage.dialogs.asked) == (runs, [], [])


def test_sorting_runs_a_derived_query_in_place_of_the_first(stage: Stage) -> None:
    made = shown(stage)
    made.press("right")
    made.act("sort")
    [(old, new)] = made.replaced
    assert old is stage.book.runs[0]
    assert new.derived is not None
    assert (new.derived.base, new.derived.order) == (old.sql, 2)


def test_a_filter_begins_with_the_value_of_the_cell(stage: Stage) -> None:
    made = shown(stage)
    stage.dialogs.typed = "n < 3"
    made.press("down")
    made.act("filter")
    assert stage.dialogs.asked == ['Keep rows where: "n" = 1']
    assert made.replaced[0][1].rows == 3


@pytest.mark.parametrize(("typed", "row"), [("50", 49), ("1_0", 9), ("9,999", 99)])
def test_going_to_a_row(stage: Stage, typed: str, row: int) -> None:
    made = shown(stage)
    stage.dialogs.typed = typed
    made.act("go to row")
    assert made.table.row == row
    stage.dialogs.typed = "x"
    made.act("go to row")
    assert stage.said == [("'x' is not a row number", "bad")]


def test_search_goes_on_from_where_one_is(stage: Stage) -> None:
    made = shown(stage)
    stage.dialogs.typed = "9"
    rows = []
    made.act("search")
    rows.append(made.table.row)
    for action in ("search next", "search next", "search previous"):
        made.act(action)
        rows.append(made.table.row)
    assert rows == [9, 19, 29, 19]
    stage.dialogs.typed = "nowhere"
    made.act("search")
    assert stage.said == [("no 'nowhere' further down in the loaded rows", "bad")]


def test_a_cell_and_a_row_are_copied_as_they_are(stage: Stage) -> None:
    made = shown(stage)
    made.act("copy cell")
    assert stage.screen.clipboard == "0"
    made.act("copy row")
    assert stage.screen.clipboard == "n\ts\n0\tx"


def test_a_value_opens_with_its_whole_row(stage: Stage) -> None:
    shown(stage).act("open cell")
    assert stage.dialogs.asked == ["n bigint"]
    assert stage.dialogs.texts == ["0", "", "row 1", "n  0", "s  x"]


def test_a_chart_is_of_the_column_one_is_in_and_may_count_all_rows(stage: Stage) -> None:
    made = shown(stage)
    made.press("right")
    made.act("chart")
    assert made.panel.context == "chart"
    made.act("whole chart")
    assert "all 100 rows" in testing.render_text(made.panel, SIZE)[1]


def test_a_count_that_failed_can_be_asked_for_again(stage: Stage) -> None:
    made = shown(stage)
    made.act("chart")
    stage.server.down = True
    made.act("whole chart")
    assert [mood for _, mood in stage.said] == ["bad"]
    stage.server.down = False
    made.act("whole chart")
    assert "all 100 rows" in testing.render_text(made.panel, SIZE)[1]


def test_only_exchanges_are_looked_into_and_an_empty_one_says_what_is_taken(stage: Stage) -> None:
    made = Shown(stage, stage.running())
    made.act("show plan")
    testing.render_text(made.panel, SIZE)
    made.act("peek")
    made.press("down", "down")
    made.act("peek")
    stage.server.peeked = pa.table({"key": [7, 8]}).to_batches()
    made.act("peek")
    assert stage.said == [
        ("records pass through exchanges (⇄): choose one of them", "bad"),
        ("no record waits in exchange-1 now: 2 records taken, not yet done", "ok"),
    ]
    assert stage.dialogs.asked == ["exchange-1: 1 record, 2 rows waiting"]
