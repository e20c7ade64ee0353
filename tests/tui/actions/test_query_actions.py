from __future__ import annotations

import pytest

from tests.tui.actions.stage import Stage
from tui.actions.query_actions import QueryActions
from tui.editor.text_buffer import Place
from tui.link.run import Origin


@pytest.fixture
def stage() -> Stage:
    return Stage()


def act(stage: Stage, action: str) -> None:
    QueryActions(stage.views, stage.documents, stage.book, stage.killing, stage.dropping).table()[action]()


def test_opening_goes_down_to_the_results(stage: Stage) -> None:
    stage.views.list_run(stage.book.run("SELECT 1"))
    act(stage, "open")
    assert stage.views.context() == "results"


def test_the_current_query_is_killed_and_no_other(stage: Stage) -> None:
    stage.running()
    stage.views.list_run(stage.running())
    act(stage, "kill")
    assert stage.server.killed == ["q2"]


def test_running_again_shows_the_new_run(stage: Stage) -> None:
    first = stage.book.run("SELECT 1", Origin(1, 0))
    stage.views.list_run(first)
    act(stage, "again")
    second = stage.book.runs[1]
    assert (second.sql, second.origin) == (first.sql, first.origin)
    assert stage.views.queries.run is stage.views.queries_panel.run is second


def test_editing_goes_to_where_the_statement_stands(stage: Stage) -> None:
    stage.write("SELECT 1;\nSELECT 2;")
    number = stage.documents.current.number
    stage.documents.add("other")
    run = stage.book.run("SELECT 2", Origin(number, 10))
    stage.views.list_run(run)
    act(stage, "edit")
    assert stage.views.context() == "editor"
    assert stage.documents.current.number == number
    assert stage.documents.current.editor.buffer.caret == Place(1, 0)
    assert stage.views.editor_panel.run is run


def test_editing_a_statement_whose_tab_is_closed_opens_a_new_one(stage: Stage) -> None:
    stage.views.list_run(stage.book.run("SELECT 1", Origin(99, 0)))
    act(stage, "edit")
    assert stage.text == "SELECT 1"


def test_a_list_that_waits_to_be_told_runs_in_order_and_is_asked_about_by_nobody_before(stage: Stage) -> None:
    stage.server.held = True
    listed = stage.book.run_all([("SELECT 1", None), ("SELECT 2", None)], together=0)
    stage.views.list_run(listed[0])
    assert stage.book.active() == []
    act(stage, "run")
    assert [run.state for run in listed] == ["running", "waiting"]
    assert stage.book.active() == listed
    act(stage, "run")
    assert len(stage.book.runs) == 3


def test_dropping_takes_a_query_out_of_the_list_and_off_the_screen(stage: Stage) -> None:
    first, second = stage.book.run("SELECT 1"), stage.book.run("SELECT 2")
    document = stage.documents.current
    document.run = second
    stage.views.editor_panel.show(second)
    stage.views.list_run(second)
    act(stage, "drop")
    assert (stage.server.dropped, stage.book.runs) == (["q2"], [first])
    assert stage.views.queries_panel.run is first
    assert [shown for shown in (document.run, stage.views.editor_panel.run) if shown is not None] == []


@pytest.mark.parametrize("action", ["kill", "drop", "kill all", "together", "again", "edit", "run"])
def test_with_no_query_there_is_nothing_to_do(stage: Stage, action: str) -> None:
    act(stage, action)
    assert (stage.book.runs, stage.said, stage.dialogs.asked, stage.text) == ([], [], [], "")
