from __future__ import annotations

import pytest

from tests.tui.actions.stage import Stage
from tests.tui.looking import text
from tui.panes.views import EDITOR_HINT, QUERIES_HINT


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_keys_are_those_of_where_the_focus_is(stage: Stage) -> None:
    views = stage.views
    assert views.context() == "editor"
    views.editor_split.go(lower=True)
    assert views.context() == "results"
    views.editor_panel.show(stage.book.run("SELECT 1"))
    views.editor_panel.set_mode("plan")
    assert views.context() == "plan"
    views.go("queries")
    assert views.context() == "queries"
    views.write()
    assert views.context() == "editor"


def test_a_view_that_shows_says_so(stage: Stage) -> None:
    shown: list[str] = []
    stage.views.switched.append(lambda: shown.append(stage.views.name))
    stage.views.go("cluster")
    stage.views.list_run(stage.book.run("SELECT 1"))
    assert shown == ["cluster", "queries"]


def test_panels_say_what_will_show_there(stage: Stage) -> None:
    assert EDITOR_HINT in text(stage.views)
    stage.views.go("queries")
    assert QUERIES_HINT in text(stage.views)


def test_the_list_is_up_to_date_when_it_is_gone_to_and_while_it_shows(stage: Stage) -> None:
    stage.running("SELECT 1 AS first")
    stage.views.go("queries")
    assert "▶ 1 running" in text(stage.views)
    stage.server.release("q1")
    stage.follower.look_at_all()
    assert "✓ 1 completed" in text(stage.views)


def test_a_derived_query_is_shown_wherever_the_first_was_and_in_the_same_way(stage: Stage) -> None:
    old = stage.documents.current.run = stage.book.run("SELECT n FROM t")
    stage.views.list_run(old)
    stage.views.panel.set_mode("chart")
    new = stage.book.run("SELECT n FROM t ORDER BY 1")
    stage.views.replace(old, new)
    assert stage.documents.current.run is new
    assert stage.views.queries.run is stage.views.queries_panel.run is new
    assert stage.views.queries_panel.context == "chart"


def test_another_tab_shows_its_own_run(stage: Stage) -> None:
    run = stage.documents.current.run = stage.book.run("SELECT 1")
    stage.documents.add("SELECT 2")
    assert stage.views.editor_panel.run is None
    stage.documents.go(0)
    assert stage.views.editor_panel.run is run


def test_esc_goes_back_to_where_a_text_was_opened_from_until_something_is_run(stage: Stage) -> None:
    views = stage.views
    views.go("catalog")
    views.write()
    views.leave()
    assert views.name == "catalog"
    views.back()
    assert views.name == "editor"
    views.go("catalog")
    views.write()
    views.stay()
    views.leave()
    assert (views.name, views.context()) == ("editor", "results")
    views.leave()
    views.go("queries")
    views.go("editor")
    views.leave()
    assert (views.name, views.context()) == ("editor", "results")
