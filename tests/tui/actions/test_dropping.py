from __future__ import annotations

import pytest

from tests.flight_server.fake_service import line_of
from tests.tui.actions.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_what_is_over_or_held_is_dropped_at_once(stage: Stage) -> None:
    stage.server.rows_per_group = 10
    for run in (stage.book.run("SELECT 1"), stage.book.run("SELECT * FROM t")):
        stage.dropping.run(run)
        stage.dropping.run(run)
    assert stage.server.dropped == ["q1", "q2"]
    assert (stage.said, stage.dialogs.asked) == ([("query 1 dropped", "ok"), ("query 2 dropped", "ok")], [])


@pytest.mark.parametrize(("agrees", "dropped"), [(True, ["q1"]), (False, [])])
def test_what_runs_is_dropped_after_a_question(stage: Stage, agrees: bool, dropped: list[str]) -> None:
    run = stage.running()
    stage.dialogs.agrees = agrees
    stage.dropping.run(run)
    assert stage.dialogs.asked == ["Drop: Query 1 is not over. Kill it and remove it?"]
    assert (stage.server.dropped, run.dropped) == (dropped, agrees)


def test_what_is_being_submitted_is_dropped_as_soon_as_it_can_be(stage: Stage) -> None:
    stage.background.paused = stage.dialogs.agrees = True
    run = stage.running()
    stage.dropping.run(run)
    assert not run.dropped
    stage.background.resume()
    assert (stage.server.killed, stage.server.dropped, stage.book.runs) == (["q1"], ["q1"], [])


def test_what_waits_for_its_turn_only_leaves_the_list(stage: Stage) -> None:
    stage.server.held = True
    first, second = stage.book.run_all([("SELECT 1", None), ("SELECT 2", None)])
    stage.dropping.run(second)
    assert (stage.server.dropped, stage.book.runs) == ([], [first])


def test_a_query_of_the_server_says_what_goes_and_asks(stage: Stage) -> None:
    run = stage.book.run("SELECT 1\n+ 1")
    stage.dropping.query(line_of(stage.server.statuses["q1"]))
    assert stage.dialogs.asked == ["Drop a query: SELECT 1 + 1\n\nits result, 5 B. Remove it?"]
    assert not run.dropped
    stage.dialogs.agrees = True
    stage.dropping.query(line_of(stage.server.statuses["q1"]))
    assert run.dropped, "it is one of this sitting, too"


def test_what_the_server_says_to_it_is_told_and_the_run_stays(stage: Stage) -> None:
    run = stage.book.run("SELECT 1")
    line = line_of(stage.server.statuses["q1"])
    stage.server.down = stage.dialogs.agrees = True
    stage.dropping.run(run)
    stage.book.runs.clear()
    stage.dropping.query(line)
    assert [mood for text, mood in stage.said if "cannot reach a server" in text] == ["bad", "bad"]
    assert not run.dropped


def test_without_a_query_there_is_nothing_to_drop(stage: Stage) -> None:
    stage.dropping.run(None)
    stage.dropping.query(None)
    assert stage.said == [("choose a query", "bad")]
