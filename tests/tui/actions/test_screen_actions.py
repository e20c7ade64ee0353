from __future__ import annotations

import pytest
import urwid

from tests.flight_server.fake_service import line_of
from tests.tui.actions.stage import Stage
from tests.tui.fake_server import WORKERS
from tui.actions.screen_actions import ScreenActions


@pytest.fixture
def stage() -> Stage:
    return Stage()


def actions(stage: Stage) -> ScreenActions:
    return ScreenActions(stage.views, stage.book, stage.server, stage.background, stage.killing, stage.dialogs, stage.screen, "dark")


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
    assert stage.server.killed == killed


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
