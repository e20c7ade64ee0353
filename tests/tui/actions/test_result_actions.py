from __future__ import annotations

from collections.abc import Callable

import msgspec
import pyarrow as pa
import pytest
import urwid
from urwid import testing

from flight_server.protocol.messages import ErrorInfo
from tests.tui.actions.stage import Stage
from tests.tui.fake_server import FakeServer
from tui.actions.exporting import Exporting
from tui.actions.result_actions import ResultActions
from tui.draw.popup import Completer
from tui.link.run import Run
from tui.panes.results_table import ResultsTable
from tui.panes.run_panel import RunPanel, RunViews

SIZE = (80, 12)


class Shown:
    """A panel that shows one run, and the actions on it.

    ``replaced`` are the runs that took the place of others; ``left`` has one entry for each time that one went elsewhere.
    """

    def __init__(self, stage: Stage, run: Run | None) -> None:
        self.stage = stage
        self.panel = RunPanel(RunViews(lambda _action: None).of, lambda _action: None, "")
        self.panel.show(run)
        self.replaced: list[tuple[Run, Run]] = []
        self.left: list[None] = []
        stage.book.changed.append(lambda changed: self.actions.mend(changed) if changed.state == "failed" else None)
        exporting = Exporting(lambda: run, stage.server, stage.background, stage.post, stage.dialogs, stage.say)
        self.actions = ResultActions(
            lambda: self.panel,
            stage.book,
            stage.server,
            stage.background,
            stage.dialogs,
            stage.clipboard,
            exporting,
            stage.dropping,
            stage.say,
            self.replace,
            lambda: self.left.append(None),
        )
        testing.render_text(self.panel, SIZE)

    def replace(self, old: Run, new: Run) -> None:
        self.replaced.append((old, new))
        self.panel.show(new)

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
    for name, action in made.actions.table().items():
        if name != "drop":  # that is about the query, rows or not
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
    assert new.title == "query 1  ▲ s"


def test_a_filter_begins_with_the_value_of_the_cell(stage: Stage) -> None:
    made = shown(stage)
    stage.dialogs.typed = "n < 3"
    made.press("down")
    made.act("filter")
    assert stage.dialogs.asked == ['Keep rows where: "n" = 1']
    assert made.replaced[0][1].rows == 3


def test_unsorting_and_unfiltering_go_back_to_the_result_that_is_there(stage: Stage) -> None:
    made = shown(stage)
    base = made.panel.run
    for _ in range(3):
        made.act("sort")
    assert made.panel.run is base
    stage.dialogs.typed = "n < 3"
    made.act("filter")
    assert made.table.source.rows == 3
    stage.dialogs.typed = " "
    made.act("filter")
    assert made.panel.run is base
    assert len(stage.server.statuses) == 4
    made.act("sort")
    stage.dialogs.typed = "n < 3"
    made.act("sort")
    assert len(stage.server.statuses) == 4


def test_a_filter_that_fails_keeps_the_rows_and_its_text_can_be_mended(stage: Stage) -> None:
    made = shown(stage)
    rows = made.panel.run
    answers = iter(["nothing < 3", "n < 3"])
    ask = stage.dialogs.prompt

    def prompt(
        title: str, label: str, text: str, entered: Callable[[str], None], *, hint: str = "", completer: Completer | None = None
    ) -> None:
        assert made.panel.run is rows
        ask(title, label, f"{text} | {hint}", lambda _typed: entered(next(answers)))

    stage.dialogs.typed = ""
    stage.dialogs.prompt = prompt  # type: ignore[method-assign]
    made.act("filter")
    assert stage.dialogs.asked[1].startswith('Keep rows where: nothing < 3 | Binder Error: Referenced column "nothing" not found')
    assert made.table.source.rows == 3


def test_a_derived_query_that_fails_while_it_runs_brings_the_rows_back(stage: Stage) -> None:
    made = shown(stage)
    rows = made.panel.run
    stage.server.held = True
    made.act("sort")
    failing = made.panel.run
    assert failing is not None
    assert failing is not rows
    assert failing.query_id is not None
    status = stage.server.statuses[failing.query_id]
    stage.server.statuses[failing.query_id] = msgspec.structs.replace(
        status, state="failed", error=ErrorInfo("INTERNAL", "no room (line 9, column 1)")
    )
    stage.follower.look_at_all()
    assert made.panel.run is rows
    assert stage.said == [("no room", "bad")]


def test_what_was_sorted_and_filtered_shows_over_the_rows(stage: Stage) -> None:
    made = shown(stage)
    stage.dialogs.typed = "n <\n3"
    made.act("filter")
    made.act("sort")
    lines = testing.render_text(made.panel, SIZE)
    assert lines[1].split() == ["▲", "n", "×", "where", "n", "<", "3", "×"]
    assert lines[2].split() == ["n", "▲", "s"]
    made.press("down")
    assert testing.click(made.panel, SIZE, 5, 4)
    assert made.table.row == 0
    stage.dialogs.typed = ""
    made.act("filter")
    assert "where" not in testing.render_text(made.panel, SIZE)[1]


def test_going_to_a_column_by_its_name(stage: Stage) -> None:
    made = shown(stage)
    stage.dialogs.chosen = "1"
    made.act("go to column")
    assert stage.dialogs.asked == ["Go to column"]
    assert made.table.column == 1


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


def test_a_chart_is_of_the_column_one_is_in(stage: Stage) -> None:
    made = shown(stage)
    made.press("right")
    made.act("chart")
    assert made.panel.context == "chart"
    assert "s varchar all 100 rows" in testing.render_text(made.panel, SIZE)[1]


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
    assert stage.dialogs.asked == ["exchange-1: records that wait"]


def test_a_look_into_an_exchange_stays_open_and_follows_until_the_query_is_over(stage: Stage) -> None:
    run = stage.running()
    made = Shown(stage, run)
    clock = iter(range(100))
    made.actions.clock = lambda: float(next(clock))
    shown_widgets: list[urwid.Widget] = []
    stage.dialogs.show_widget = lambda title, widget: shown_widgets.append(widget)  # type: ignore[method-assign]
    made.act("show plan")
    testing.render_text(made.panel, SIZE)
    made.press("down", "down")

    def looked_at() -> str:
        return "\n".join(testing.render_text(shown_widgets[0], SIZE))

    stage.server.peeked = pa.table({"key": [7, 8]}).to_batches()
    made.act("peek")
    assert "1 record, 2 rows waiting" in looked_at()
    stage.server.peeked = pa.table({"key": [9]}).to_batches()
    made.actions.tick()
    assert "1 record, 1 row waiting" in looked_at()
    assert "9" in looked_at()
    stage.server.peeked = []
    made.actions.tick()
    assert "no record waits now; these were the last" in looked_at()
    assert "9" in looked_at()
    assert run.query_id is not None
    stage.server.release(run.query_id)
    stage.follower.look_at_all()
    made.actions.tick()
    assert "the query is over" in looked_at()


def test_the_query_that_is_shown_is_dropped() -> None:
    stage = Stage()
    made = Shown(stage, stage.book.run("SELECT n FROM t"))
    made.act("drop")
    assert (stage.server.dropped, stage.said) == (["q1"], [("query 1 dropped", "ok")])


# -- rows that are not made yet -------------------------------------------------------------------------------------


@pytest.fixture(name="look")
def _look() -> Shown:
    """A look at 95 rows, of which those of the first two row groups of ten are made."""
    stage = Stage(FakeServer({"t": pa.table({"n": list(range(95))})}, rows_per_group=10))
    made = Shown(stage, stage.book.run("SELECT n FROM t ORDER BY n"))
    assert made.table.source.made == 20
    return made


def test_the_end_of_a_look_is_made_when_somebody_goes_there(look: Shown) -> None:
    look.table.go(look.table.source.rows - 1)
    look.act("last row")
    assert (look.table.row, look.table.source.rows) == (94, 95)
    assert look.table.value() == 94


def test_going_to_a_row_makes_the_rows_up_to_it(look: Shown) -> None:
    look.stage.dialogs.typed = "43"
    look.act("go to row")
    assert (look.table.row, look.table.source.made) == (42, 50)
    look.stage.dialogs.typed = "7"
    look.act("go to row")
    assert (look.table.row, look.table.source.made) == (6, 50)


def test_how_far_the_rows_are_is_told_and_the_first_escape_stops_them(look: Shown) -> None:
    look.stage.background.paused = True
    look.act("last row")
    look.actions.tick()
    assert look.stage.said[-1] == ("making all rows: 20 so far …   Esc stops it", "ok")
    look.act("leave")
    assert (look.stage.said[-1], look.left) == (("stopped; what is made stays", "ok"), [])
    look.act("leave")
    assert look.left == [None]
    look.stage.background.resume()
    assert look.table.row == 0


def test_that_they_are_made_is_told_to_those_who_waited(look: Shown) -> None:
    look.stage.background.paused = True
    look.act("last row")
    look.actions.tick()
    look.stage.background.resume()
    assert look.stage.said[-1] == ("95 rows made", "ok")
    assert look.table.row == 94


def test_who_moves_elsewhere_waits_no_more(look: Shown) -> None:
    look.stage.background.paused = True
    look.act("last row")
    look.table.go(5)
    look.actions.tick()
    look.act("leave")
    assert look.left == [None], "nothing is waited for any more"
    look.stage.background.resume()
    assert look.table.row == 5


def test_rows_that_cannot_be_made_are_told(look: Shown) -> None:
    look.stage.server.down = True
    look.act("last row")
    assert look.stage.said[-1] == ("cannot reach a server at fake\nis one running there?", "bad")
    look.act("leave")
    assert look.left == [None]


def test_a_result_that_is_all_there_is_asked_for_nothing() -> None:
    stage = Stage()
    made = Shown(stage, stage.book.run("SELECT n FROM t ORDER BY n"))
    made.press("G")
    made.act("last row")
    assert (made.table.row, stage.said) == (99, [])
