from __future__ import annotations

import re

import msgspec
import pyarrow as pa
import pytest
from urwid import testing

from flight_server.protocol.messages import TableStatus
from tests.tui.actions.stage import NOW, Stage
from tests.tui.fake_server import FakeServer
from tui.actions.charting import QUICK_SECONDS, Charting
from tui.link.run import Run
from tui.panes.run_panel import RunPanel, RunViews

ROWS = pa.table({"n": list(range(5000)), "s": ["x", "y"] * 2500})
TITLE = 1
TABLES = [TableStatus("t", rows=5000), TableStatus("huge", rows=5_000_000_000)]
PART = r"n bigint 1,000 loaded of [0-9,]+\+? rows — "


class Charted:
    """The chart of a run of 5,000 rows, of which 1,000 are loaded; ``seconds``: how long its statement took."""

    def __init__(self, stage: Stage, run: Run, seconds: float = 0.1) -> None:
        run.started_at, run.ended_at = NOW - seconds, NOW if run.over else None
        self.panel = RunPanel(RunViews(lambda _action: None).of, lambda _action: None, "")
        self.panel.show(run)
        self.charting = Charting(lambda: self.panel, lambda: TABLES, stage.server, stage.background, stage.say, clock=lambda: NOW)
        self.panel.set_mode("chart")

    @property
    def title(self) -> str:
        return str(testing.render_text(self.panel, (80, 12))[TITLE]).strip()


@pytest.fixture
def stage() -> Stage:
    return Stage(FakeServer({"t": ROWS}))


def test_a_quick_statement_s_chart_is_of_all_rows_without_being_asked_for(stage: Stage) -> None:
    made = Charted(stage, stage.book.run("SELECT * FROM t"))
    assert re.fullmatch(PART + "a: all", made.title)
    made.charting.tick()
    assert made.title == "n bigint all 5,000 rows"
    testing.press(made.panel, (80, 12), "right")
    made.charting.tick()
    assert made.title == "s varchar all 5,000 rows"


def test_another_statement_is_counted_over_only_when_one_says_so_and_once(stage: Stage) -> None:
    made = Charted(stage, stage.book.run("SELECT * FROM t"), QUICK_SECONDS + 1)
    made.charting.tick()
    assert re.fullmatch(PART + "a: all", made.title)
    stage.background.paused = True
    made.charting.table()["whole chart"]()
    assert re.fullmatch(PART + "counting all …", made.title)
    stage.background.resume()
    assert made.title == "n bigint all 5,000 rows"
    stage.server.down = True
    made.charting.table()["whole chart"]()
    assert stage.said == []


def test_while_the_statement_runs_the_chart_is_of_what_is_here(stage: Stage) -> None:
    made = Charted(stage, stage.running("SELECT * FROM t"))
    made.charting.tick()
    assert re.fullmatch(PART + "a: all", made.title)


def test_a_count_that_failed_is_told_once_and_can_be_asked_for_again(stage: Stage) -> None:
    made = Charted(stage, stage.book.run("SELECT * FROM t"))
    assert made.title
    stage.server.down = True
    made.charting.tick()
    made.charting.tick()
    assert [mood for _, mood in stage.said] == ["bad"]
    stage.server.down = False
    made.charting.tick()
    assert re.fullmatch(PART + "a: all", made.title)
    made.charting.table()["whole chart"]()
    assert made.title == "n bigint all 5,000 rows"


@pytest.mark.parametrize(
    ("sql", "quick"),
    [
        ("SELECT * FROM t", True),
        ("SELECT * FROM t, huge", False),
        ("SELECT * FROM t, 'unknown.csv'", False),
        ("SELECT * FROM elsewhere", False),
    ],
)
def test_of_what_is_held_the_rows_of_its_tables_tell_how_long_all_takes(stage: Stage, sql: str, quick: bool) -> None:
    run = stage.book.run("SELECT * FROM t")
    assert run.held
    assert run.status is not None
    run.sql, run.status = sql, msgspec.structs.replace(run.status, progress=0.0)
    made = Charted(stage, run)
    assert made.charting._is_quick(run) == quick
