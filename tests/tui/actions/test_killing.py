from __future__ import annotations

import msgspec
import pytest

from tests.flight_server.fake_service import line_of
from tests.tui.actions.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_run_is_killed_on_the_server_and_that_is_said(stage: Stage) -> None:
    stage.killing.run(stage.running())
    assert stage.server.killed == ["q1"]
    assert stage.said == [("killing query 1", "ok")]


def test_what_is_over_is_left_alone(stage: Stage) -> None:
    stage.killing.run(stage.book.run("SELECT 1"))
    stage.killing.run(None)
    stage.killing.all_runs()
    assert stage.server.killed == []
    assert (stage.said, stage.dialogs.asked) == ([], [])


@pytest.mark.parametrize(("agrees", "killed"), [(True, ["q1", "q2"]), (False, [])])
def test_killing_all_asks_first(stage: Stage, agrees: bool, killed: list[str]) -> None:
    stage.running()
    stage.running()
    stage.dialogs.agrees = agrees
    stage.killing.all_runs()
    assert stage.dialogs.asked == ["Kill all: Kill 2 queries that are not over?"]
    assert stage.server.killed == killed


@pytest.mark.parametrize(("agrees", "killed"), [(True, ["q1"]), (False, [])])
def test_killing_a_query_of_the_server_shows_whose_it_is_and_asks(stage: Stage, agrees: bool, killed: list[str]) -> None:
    stage.server.held = True
    stage.server.submit("SELECT 1\n+ 1")
    stage.dialogs.agrees = agrees
    stage.killing.query(line_of(stage.server.statuses["q1"]))
    assert stage.dialogs.asked == ["Kill a query: SELECT 1 + 1\n\nowner ada, running. Kill it?"]
    assert stage.server.killed == killed
    assert stage.said == ([("killed", "ok")] if agrees else [])


def test_what_the_server_says_to_it_is_told(stage: Stage) -> None:
    stage.server.held = True
    stage.server.submit("SELECT 1")
    stage.server.down = stage.dialogs.agrees = True
    stage.killing.query(line_of(stage.server.statuses["q1"]))
    assert [mood for text, mood in stage.said if "cannot reach a server" in text] == ["bad"]


def test_a_query_that_has_ended_cannot_be_chosen(stage: Stage) -> None:
    stage.server.submit("SELECT 1")
    stage.dialogs.agrees = True
    stage.killing.query(msgspec.structs.replace(line_of(stage.server.statuses["q1"]), state="failed"))
    stage.killing.query(None)
    assert stage.said == [("choose a query that is queued or running", "bad")] * 2
    assert stage.server.killed == []
