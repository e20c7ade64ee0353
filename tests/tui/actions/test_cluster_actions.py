from __future__ import annotations

import pytest

from tests.tui.actions.stage import NOW, Stage
from tests.tui.fake_server import WORKERS
from tui.actions.cluster_actions import ClusterActions
from tui.link.session import LISTED
from tui.panes.cluster_pane import QueryFilter


@pytest.fixture
def stage() -> Stage:
    return Stage()


def act(stage: Stage, action: str) -> None:
    stage.views.cluster.refresh(WORKERS, stage.server.queries(), NOW)
    made = ClusterActions(
        stage.views.cluster, stage.views, stage.book, stage.killing, stage.dropping, stage.session, stage.dialogs, clock=lambda: NOW
    )
    made.table()[action]()


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


def test_dropping_is_about_the_current_query_and_asks(stage: Stage) -> None:
    stage.server.submit("SELECT 1")
    act(stage, "drop")
    assert stage.server.dropped == []
    stage.dialogs.agrees = True
    act(stage, "drop")
    assert stage.server.dropped == ["q1"]


def test_more_queries_are_listed_when_they_are_asked_for(stage: Stage) -> None:
    for _ in range(LISTED + 30):
        stage.server.submit("SELECT 1")
    stage.server.submit("SELECT 2", purpose="sample")
    stage.session.look()
    assert stage.session.pulse is not None
    assert (len(stage.session.pulse.queries), stage.session.pulse.more) == (LISTED, True)
    act(stage, "more")
    assert (len(stage.session.pulse.queries), stage.session.pulse.more) == (LISTED + 30, False)
    act(stage, "more")
    assert stage.session.listed == 2 * LISTED, "there are no more to ask for"
    act(stage, "everything")
    assert stage.session.pulse.queries[0].purpose == "sample"
    act(stage, "everything")
    assert stage.session.pulse.queries[0].purpose == ""


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
