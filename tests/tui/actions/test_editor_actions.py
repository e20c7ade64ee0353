from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.actions.stage import NOW, Stage
from tui.actions.editor_actions import EditorActions
from tui.editor.history import History
from tui.editor.text_buffer import Place


@pytest.fixture
def stage() -> Stage:
    return Stage()


def actions(stage: Stage, history: History | None = None) -> EditorActions:
    return EditorActions(
        stage.documents,
        stage.views,
        stage.book,
        stage.session,
        history or History(None),
        stage.killing,
        stage.clipboard,
        stage.dialogs,
        stage.say,
        clock=lambda: NOW,
    )


def act(stage: Stage, action: str) -> None:
    actions(stage).table()[action]()


def statements(stage: Stage) -> list[str]:
    return [run.sql for run in stage.book.runs]


# -- running ------------------------------------------------------------------------------------------------------


def test_one_statement_runs_in_sight_of_the_editor(stage: Stage) -> None:
    stage.write("SELECT 1; SELECT 2")
    act(stage, "run")
    assert statements(stage) == ["SELECT 2"]
    assert stage.views.name == "editor"
    assert stage.views.editor_panel.run is stage.documents.current.run is stage.book.runs[0]


@pytest.mark.parametrize(("action", "running"), [("run all", 1), ("run together", 3)])
def test_several_run_as_a_list_one_after_another_or_together(stage: Stage, action: str, running: int) -> None:
    stage.server.held = True
    stage.write("SELECT 1; SELECT 2; SELECT 3")
    act(stage, action)
    assert statements(stage) == ["SELECT 1", "SELECT 2", "SELECT 3"]
    assert [run.state for run in stage.book.runs].count("running") == running
    assert stage.views.name == "queries"
    assert stage.views.queries.run is stage.views.queries_panel.run is stage.book.runs[0]


def test_a_run_knows_where_its_statement_stands(stage: Stage) -> None:
    stage.write("SELECT 1;\nSELECT 2")
    act(stage, "run")
    origin = stage.book.runs[0].origin
    assert origin is not None
    assert (origin.document, origin.start) == (stage.documents.current.number, 10)


def test_explaining_runs_an_explain_of_the_statement(stage: Stage) -> None:
    stage.write("SELECT 1")
    act(stage, "explain")
    assert statements(stage) == ["EXPLAIN SELECT 1"]


@pytest.mark.parametrize("action", ["run", "run all"])
def test_without_a_statement_nothing_runs_and_that_is_said(stage: Stage, action: str) -> None:
    act(stage, action)
    assert stage.book.runs == []
    assert stage.said == [("there is no statement here", "bad")]


@pytest.mark.parametrize(("run", "states"), [(True, ["completed"] * 2), (False, ["waiting"] * 2)])
def test_files_are_listed_and_one_that_is_not_there_stops_no_other(stage: Stage, tmp_path: Path, run: bool, states: list[str]) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1;\nSELECT 2;\n")
    actions(stage).list_files([str(tmp_path / "none.sql"), str(tmp_path / "a.sql")], run=run)
    assert statements(stage) == ["SELECT 1", "SELECT 2"]
    assert [run.state for run in stage.book.runs] == states
    assert [mood for text, mood in stage.said if "none.sql" in text] == ["bad"]
    assert stage.views.name == "queries"


def test_control_c_kills_the_query_of_the_tab_or_says_how_to_leave(stage: Stage) -> None:
    act(stage, "copy")
    assert stage.said == [("nothing is selected and no query runs here; Ctrl-Q leaves", "ok")]
    stage.documents.current.run = stage.running()
    act(stage, "copy")
    assert stage.server.killed == ["q1"]


def test_control_c_leaves_the_rows_of_what_is_held_alone(stage: Stage) -> None:
    stage.server.rows_per_group = 10
    stage.documents.current.run = stage.book.run("SELECT * FROM t")
    assert stage.documents.current.run.held
    act(stage, "copy")
    assert stage.server.killed == []


# -- text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [("", "SELECT 1;"), ("SELECT 2", "SELECT 2;\nSELECT 1;"), ("SELECT 2;", "SELECT 2;\nSELECT 1;")],
)
def test_a_statement_from_the_history_goes_behind_what_is_there(stage: Stage, before: str, after: str) -> None:
    history = History(None)
    history.add("SELECT 1", "completed", 1, 0.1)
    stage.write(before)
    stage.dialogs.chosen = "SELECT 1"
    actions(stage, history).table()["history"]()
    assert stage.text == after


def test_there_is_nothing_to_complete_or_the_tables_are_not_here_yet(stage: Stage) -> None:
    act(stage, "nothing to complete")
    stage.background.paused = True
    stage.session.look()
    act(stage, "nothing to complete")
    assert [text for text, _ in stage.said] == ["nothing to complete here", "the server's tables are still being read"]


@pytest.mark.parametrize(("typed", "line"), [("2", 1), (" 99 ", 2), ("two", 2)])
def test_going_to_a_line(stage: Stage, typed: str, line: int) -> None:
    stage.write("a\nb\nc")
    stage.dialogs.typed = typed
    act(stage, "go to line")
    assert stage.documents.current.editor.buffer.caret.line == line


# -- tabs and files -----------------------------------------------------------------------------------------------


def test_a_text_without_a_file_is_saved_where_one_says(stage: Stage, tmp_path: Path) -> None:
    stage.write("SELECT 1")
    stage.dialogs.typed = str(tmp_path / "a.sql")
    act(stage, "save")
    assert stage.dialogs.asked == ["Save as: query-1.sql"]
    stage.write(" + 1")
    act(stage, "save")
    assert (tmp_path / "a.sql").read_text() == "SELECT 1 + 1\n"
    assert stage.said == [(f"saved {tmp_path / 'a.sql'}", "ok")] * 2
    assert len(stage.dialogs.asked) == 1


def test_saving_as_over_a_file_that_is_there_asks(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 0")
    stage.write("SELECT 1")
    stage.dialogs.typed = str(tmp_path / "a.sql")
    act(stage, "save")
    assert stage.dialogs.asked[1] == f"Save as: {tmp_path / 'a.sql'} is there. Write over it?"
    assert (tmp_path / "a.sql").read_text() == "SELECT 0"
    stage.dialogs.agrees = True
    act(stage, "save")
    assert (tmp_path / "a.sql").read_text() == "SELECT 1\n"


def test_saving_over_what_others_have_written_into_the_file_asks(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    path.write_text("SELECT 1")
    stage.dialogs.typed = str(path)
    act(stage, "open")
    stage.write("-- mine\n")
    path.write_text("SELECT 2 -- theirs")
    act(stage, "save")
    assert stage.dialogs.asked[-1] == f"Save: {path} was changed elsewhere since. Write over it?"
    assert path.read_text() == "SELECT 2 -- theirs"
    stage.dialogs.agrees = True
    act(stage, "save")
    assert path.read_text() == "-- mine\nSELECT 1\n"
    stage.write("-- more\n")
    act(stage, "save")
    assert len(stage.dialogs.asked) == 3


@pytest.mark.parametrize("view", ["editor", "cluster", "catalog"])
def test_what_runs_from_elsewhere_shows_under_the_editor(stage: Stage, view: str) -> None:
    stage.write("SELECT 1")
    stage.views.go(view)
    act(stage, "run")
    assert statements(stage) == ["SELECT 1"]
    assert (stage.views.name, stage.views.editor_panel.run) == ("editor", stage.book.runs[0])


def test_what_cannot_be_saved_or_opened_is_told(stage: Stage, tmp_path: Path) -> None:
    stage.dialogs.typed = str(tmp_path / "none" / "a.sql")
    act(stage, "save")
    act(stage, "open")
    assert [(text.split()[1], mood) for text, mood in stage.said] == [("save", "bad"), ("open", "bad")]


def test_a_tab_that_is_not_saved_closes_only_after_a_yes(stage: Stage) -> None:
    stage.write("SELECT 1")
    act(stage, "close tab")
    assert stage.text == "SELECT 1"
    stage.dialogs.agrees = True
    act(stage, "close tab")
    assert stage.text == ""
    act(stage, "close tab")
    assert stage.dialogs.asked == ["Close the tab: query 1 is not saved. Close it?"] * 2


def test_tabs_go_round_and_each_shows_its_run(stage: Stage) -> None:
    stage.write("SELECT 1")
    act(stage, "run")
    act(stage, "new tab")
    assert stage.views.editor_panel.run is None
    act(stage, "next tab")
    assert stage.views.editor_panel.run is stage.book.runs[0]
    act(stage, "previous tab")
    assert stage.text == ""


def test_an_error_of_before_is_not_marked_any_more(stage: Stage) -> None:
    stage.write("SELECT !")
    act(stage, "run")
    stage.documents.mark_error(stage.book.runs[0])
    mark = stage.documents.current.editor.mark
    assert mark is not None
    assert mark.place == Place(0, 7)
    stage.server.held = True
    act(stage, "run all")
    assert stage.documents.current.editor.mark is None
