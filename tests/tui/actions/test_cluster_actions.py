from __future__ import annotations

import pytest

from tests.tui.actions.stage import NOW, Stage
from tests.tui.fake_server import WORKERS
from tui.actions.cluster_actions import ClusterActions
from tui.panes.cluster_pane import QueryFilter


@pytest.fixture
def stage() -> Stage:
    return Stage()


def act(stage: Stage, action: str) -> None:
    stage.views.cluster.refresh(WORKERS, stage.server.queries(), NOW)
    ClusterActions(stage.views.cluster, stage.views, stage.book, stage.killing, stage.dialogs, clock=lambda: NOW).table()[action]()


@pytest.mark.parametrize(("held", "context"), [(True, "plan"), (False, "results")])
def test_a_query_opens_with_its_plan_while_it_runs_and_its_results_later(stage: Stage, held: bool, context: str) -> None:
    stage.server.held = held
    stage.server.submit("SELECT * FROM t")
    act(stage, "open")
    assert stage.views.name == "queries"
    assert stage.views.context() == context
    run = stage.views.queries_panel.run
    assert run is not None
    assert run.query_id == "q1"


def test_killing_is_about_the_current_query(stage: Stage) -> None:
    stage.server.held = stage.dialogs.agrees = True
    stage.server.submit("SELECT 1")
    act(stage, "kill")
    assert stage.server.killed == ["q1"]


def test_a_filter_keeps_the_order_and_the_order_keeps_the_filter(stage: Stage) -> None:
    stage.dialogs.typed = " lineitem "
    act(stage, "sort")
    act(stage, "filter")
    assert stage.views.cluster.filter == QueryFilter("lineitem", "state")
    act(stage, "sort")
    assert stage.views.cluster.filter == QueryFilter("lineitem", "progress")


def test_without_a_query_none_opens(stage: Stage) -> None:
    act(stage, "open")
    assert (stage.views.name, stage.book.runs) == ("editor", [])
