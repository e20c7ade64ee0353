from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import urwid

from tests.flight_server.fake_service import line_of
from tests.tui.actions.stage import Stage
from tests.tui.fake_server import WORKERS
from tui.actions.screen_actions import ScreenActions
from tui.editor.saved_tabs import SavedTabs


@pytest.fixture
def stage() -> Stage:
    return Stage()


def actions(stage: Stage) -> ScreenActions:
    return ScreenActions(
        stage.views,
        stage.book,
        stage.killing,
        stage.dialogs,
        stage.screen,
        "dark",
        stage.documents,
        stage.tabs,
        stage.say,
    )


def act(stage: Stage, action: str) -> None:
    actions(stage).table()[action]()


@pytest.mark.parametrize("name", ["queries", "cluster", "catalog", "editor"])
def test_every_view_can_be_gone_to(stage: Stage, name: str) -> None:
    act(stage, f"view {name}")
    assert (stage.views.name, stage.views.context()) == (name, name)


def test_with_nothing_running_one_leaves_at_once(stage: Stage) -> None:
    stage.book.run("SELECT 1")
    with pytest.raises(urwid.ExitMainLoop):
        act(stage, "quit")


@pytest.mark.parametrize(("answer", "killed"), [("kill", ["q1", "q2"]), ("leave", [])])
def test_leaving_asks_what_shall_become_of_queries_that_run(stage: Stage, answer: str, killed: list[str]) -> None:
    stage.running()
    stage.running()
    stage.dialogs.chosen = answer
    with pytest.raises(urwid.ExitMainLoop):
        act(stage, "quit")
    assert stage.dialogs.asked == ["2 queries not over"]
    assert sorted(stage.server.killed) == killed


def test_one_may_stay(stage: Stage) -> None:
    stage.running()
    stage.dialogs.chosen = "stay"
    act(stage, "quit")
    assert stage.server.killed == []


def test_a_server_that_cannot_kill_keeps_nobody(stage: Stage) -> None:
    stage.running()
    stage.server.down = True
    stage.dialogs.chosen = "kill"
    with pytest.raises(urwid.ExitMainLoop):
        act(stage, "quit")


def test_one_leaves_only_when_the_server_has_killed(stage: Stage) -> None:
    stage.running()
    stage.dialogs.chosen = "kill"
    stage.background.paused = True
    act(stage, "quit")
    with pytest.raises(urwid.ExitMainLoop):
        stage.background.resume()


def test_one_that_is_being_submitted_is_killed_before_one_leaves(stage: Stage) -> None:
    stage.background.paused = True
    stage.running()
    stage.dialogs.chosen = "kill"
    act(stage, "quit")
    assert stage.server.killed == []
    with pytest.raises(urwid.ExitMainLoop):
        stage.background.resume()
    assert stage.server.killed == ["q1"]


def test_killing_all_of_a_list_starts_none_that_waits_for_its_turn(stage: Stage) -> None:
    stage.server.held = True
    stage.book.run_all([("SELECT 1", None), ("SELECT 2", None), ("SELECT 3", None)])
    stage.dialogs.chosen = "kill"
    with pytest.raises(urwid.ExitMainLoop):
        act(stage, "quit")
    stage.follower.look_at_all()
    assert stage.server.killed == ["q1"]
    assert [run.state for run in stage.book.runs] == ["killed"] * 3


def test_what_is_held_keeps_nobody(stage: Stage) -> None:
    stage.server.rows_per_group = 10
    held = stage.book.run("SELECT * FROM t")
    assert held.held
    with pytest.raises(urwid.ExitMainLoop):
        act(stage, "quit")
    assert stage.dialogs.asked == []


# -- texts that are not saved -----------------------------------------------------------------------------------


@pytest.fixture
def kept(stage: Stage, tmp_path: Path) -> Iterator[Stage]:
    """A stage that keeps its tabs, with an unsaved text in a file and one in no file."""
    stage.tabs = SavedTabs(tmp_path / "state")
    (tmp_path / "a.sql").write_text("SELECT 1\n")
    stage.documents.open(str(tmp_path / "a.sql"))
    stage.write("-- ")
    stage.documents.add("")
    stage.write("SELECT 2")
    yield stage
    stage.tabs.close()


def texts_of_the_next_start(stage: Stage, tmp_path: Path) -> list[tuple[str, str, bool]]:
    """Name, text and whether it is unsaved of each tab that the next sitting has."""
    stage.tabs.close()
    following, saved = Stage(), SavedTabs(tmp_path / "state")
    saved.restore(following.documents)
    saved.close()
    return [(item.name, item.editor.buffer.text, item.changed) for item in following.documents.documents]


@pytest.mark.parametrize(
    ("answer", "file", "tabs"),
    [
        ("keep", "SELECT 1\n", [("a.sql", "-- SELECT 1\n", True), ("query 2", "SELECT 2", True)]),
        ("save", "-- SELECT 1\n", [("a.sql", "-- SELECT 1\n", False), ("query 2", "SELECT 2", True)]),
    ],
)
def test_leaving_asks_what_shall_become_of_unsaved_texts(
    kept: Stage, tmp_path: Path, answer: str, file: str, tabs: list[tuple[str, str, bool]]
) -> None:
    kept.dialogs.chosen = answer
    with pytest.raises(urwid.ExitMainLoop):
        act(kept, "quit")
    assert kept.dialogs.asked == ["Not saved: a.sql, query 2"]
    assert (tmp_path / "a.sql").read_text() == file
    assert texts_of_the_next_start(kept, tmp_path) == tabs


def test_unsaved_texts_are_thrown_away_only_when_one_says_so(kept: Stage, tmp_path: Path) -> None:
    kept.dialogs.chosen = "forget"
    with pytest.raises(urwid.ExitMainLoop):
        act(kept, "quit")
    kept.tabs.keep(kept.documents)
    assert (tmp_path / "a.sql").read_text() == "SELECT 1\n"
    assert texts_of_the_next_start(kept, tmp_path) == [("a.sql", "SELECT 1\n", False)]


@pytest.mark.parametrize("answer", ["stay", "save"])
def test_one_stays_where_texts_would_be_lost(stage: Stage, answer: str) -> None:
    stage.write("SELECT 1")
    stage.dialogs.chosen = answer
    act(stage, "quit")
    assert stage.text == "SELECT 1"


def test_leaving_writes_over_nothing_that_others_have_written(kept: Stage, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 2 -- theirs")
    kept.dialogs.chosen = "save"
    act(kept, "quit")
    assert (tmp_path / "a.sql").read_text() == "SELECT 2 -- theirs"
    told, mood = kept.said[-1]
    assert (told.split("\n")[0], mood) == (f"{tmp_path / 'a.sql'} was changed elsewhere since", "bad")


def test_what_cannot_be_saved_is_told_and_one_stays(kept: Stage, tmp_path: Path) -> None:
    (tmp_path / "a.sql").unlink()
    tmp_path.joinpath("a.sql").mkdir()
    kept.dialogs.chosen = "save"
    act(kept, "quit")
    assert [(text.split(":")[0], mood) for text, mood in kept.said] == [(f"cannot save {tmp_path / 'a.sql'}", "bad")]


def test_texts_are_asked_about_before_queries(kept: Stage) -> None:
    kept.running()
    kept.dialogs.chosen = "keep"
    act(kept, "quit")
    assert kept.dialogs.asked == ["Not saved: a.sql, query 2", "1 query not over"]


# -- going elsewhere ----------------------------------------------------------------------------------------------


def test_escape_goes_back_to_the_view_before(stage: Stage) -> None:
    act(stage, "view catalog")
    act(stage, "view queries")
    act(stage, "back")
    assert stage.views.name == "catalog"
    act(stage, "back")
    assert stage.views.name == "editor"
    act(stage, "back")
    assert stage.views.name == "editor"


def test_escape_from_a_run_that_another_view_opened_goes_back_there(stage: Stage) -> None:
    act(stage, "view cluster")
    stage.views.open_run(stage.book.run("SELECT 1"))
    assert stage.views.context() == "results"
    act(stage, "leave")
    assert stage.views.context() == "cluster"
    act(stage, "view queries")
    act(stage, "leave")
    act(stage, "leave")
    assert stage.views.context() == "queries"


def test_kill_means_what_is_shown(stage: Stage) -> None:
    shown, elsewhere = stage.running(), stage.running()
    stage.views.editor_panel.show(shown)
    act(stage, "kill")
    assert stage.server.killed == ["q1"]
    stage.views.cluster.refresh(WORKERS, [line_of(stage.server.statuses["q2"])], 0.0)
    stage.views.go("cluster")
    stage.dialogs.agrees = True
    act(stage, "kill")
    assert stage.server.killed == ["q1", elsewhere.query_id]


def test_the_theme_goes_to_and_fro(stage: Stage) -> None:
    made = actions(stage)
    table = made.table()
    table["theme"]()
    assert made.theme == "light"
    table["theme"]()
    assert made.theme == "dark"
    assert (len(stage.screen.palettes), stage.screen.cleared) == (2, 2)


def test_leaving_a_widget_goes_down_and_back_up(stage: Stage) -> None:
    act(stage, "leave")
    assert stage.views.context() == "results"
    act(stage, "leave")
    assert stage.views.context() == "editor"


@pytest.mark.parametrize("action", ["zoom", "leave"])
def test_views_of_one_part_have_nothing_to_zoom_or_leave(stage: Stage, action: str) -> None:
    stage.views.go("cluster")
    act(stage, action)
    assert stage.views.context() == "cluster"
    assert not stage.views.editor_split.in_lower


def test_help_begins_with_the_keys_of_where_one_is(stage: Stage) -> None:
    stage.views.go("catalog")
    act(stage, "help")
    assert stage.dialogs.texts[0] == "Catalog"


def test_help_fits_a_terminal_of_80_columns(stage: Stage) -> None:
    act(stage, "help")
    assert max(map(len, stage.dialogs.texts)) <= 70
    told = " ".join(" ".join(stage.dialogs.texts).split())
    assert "keep rows for which a condition holds (a new query); an empty one is all rows" in told
