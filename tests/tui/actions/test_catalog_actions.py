from __future__ import annotations

import pyarrow as pa
import pytest

from tests.tui.actions.stage import Stage
from tests.tui.fake_server import FakeServer
from tui.actions.catalog_actions import CatalogActions


@pytest.fixture
def stage() -> Stage:
    return Stage(FakeServer({"Odd Name": pa.table({"n": [1]})}))


def act(stage: Stage, action: str) -> None:
    stage.views.catalog.refresh(stage.server.tables(), None, loaded=True)
    CatalogActions(stage.views.catalog, stage.documents, stage.session, stage.views, stage.dialogs, stage.say).table()[action]()


def test_a_name_goes_to_the_caret_as_sql_writes_it(stage: Stage) -> None:
    stage.views.go("catalog")
    stage.write("SELECT * FROM ")
    act(stage, "insert")
    assert stage.text == 'SELECT * FROM "Odd Name"'
    assert stage.said == [('put "Odd Name" into the editor', "ok")]
    assert stage.views.name == "catalog"


@pytest.mark.parametrize(("before", "between"), [("", ""), ("SELECT 1", ";\n"), ("SELECT 1;", "\n")])
def test_a_select_of_the_table_goes_behind_what_is_there(stage: Stage, before: str, between: str) -> None:
    stage.views.go("catalog")
    stage.write(before)
    act(stage, "query")
    assert stage.text == f'{before}{between}SELECT *\nFROM "Odd Name"'
    assert stage.views.context() == "editor"


def test_the_list_is_narrowed_and_asked_for_again(stage: Stage) -> None:
    stage.dialogs.typed = "none"
    act(stage, "filter")
    assert stage.views.catalog.table is None
    act(stage, "reload")
    assert [table.name for table in stage.session.tables] == ["Odd Name"]


@pytest.mark.parametrize("action", ["insert", "query"])
def test_without_a_table_nothing_is_written(action: str) -> None:
    stage = Stage(FakeServer())
    act(stage, action)
    assert (stage.text, stage.said) == ("", [])
