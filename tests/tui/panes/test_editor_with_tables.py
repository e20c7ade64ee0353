from __future__ import annotations

import pytest
from urwid import testing

from flight_server.protocol.messages import ColumnStatus, TableStatus
from tests.tui.actions.stage import Stage

WIDE = (120, 12)
TABLES = [
    TableStatus("customer", columns=[ColumnStatus("c_name", "VARCHAR")], rows=1_500),
    TableStatus("orders", columns=[ColumnStatus("o_date", "DATE")], rows=15_000),
]


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.session.tables = TABLES
    made.views.catalog.refresh(TABLES, None, loaded=True)
    return made


def beside(stage: Stage) -> list[str]:
    """What stands to the right of the editor."""
    return [" ".join(line[84:].split()) for line in testing.render_text(stage.views, WIDE, focus=True)]


def test_the_tables_stand_beside_the_editor_where_there_is_room(stage: Stage) -> None:
    assert beside(stage)[:4] == ["F6 Catalog", "customer 1,500", "orders 15.0K", ""]
    assert "customer" not in "".join(testing.render_text(stage.views, (119, 12), focus=True))


def test_those_of_the_statement_at_the_cursor_come_first_with_their_columns(stage: Stage) -> None:
    stage.write("SELECT 1 FROM customer; SELECT * FROM orders")
    assert beside(stage)[1:4] == ["orders 15.0K", "o_date date", "customer 1,500"]
    testing.press(stage.views, WIDE, "home")
    assert beside(stage)[1:4] == ["customer 1,500", "c_name varchar", "orders 15.0K"]


def test_a_click_on_a_name_puts_it_into_the_editor(stage: Stage) -> None:
    stage.write("SELECT * FROM ")
    beside(stage)
    testing.click(stage.views, WIDE, 90, 2)
    assert stage.text == "SELECT * FROM orders"


def test_results_on_the_whole_screen_have_it_all(stage: Stage) -> None:
    stage.views.editor_split.zoom()
    assert "F6 Catalog" not in "".join(testing.render_text(stage.views, WIDE, focus=True))


def test_many_tables_are_scrolled_with_the_wheel(stage: Stage) -> None:
    tables = [TableStatus(f"t{number:02}") for number in range(40)]
    stage.views.catalog.refresh(tables, None, loaded=True)
    stage.views.tables_changed()
    assert beside(stage)[1] == "t00 ?"
    testing.click(stage.views, WIDE, 90, 2, button=5)
    assert beside(stage)[0] == "t02 ?"


def test_any_size_can_be_drawn(stage: Stage) -> None:
    for size in ((120, 1), (121, 3), (300, 80)):
        testing.render_text(stage.views, size, focus=True)
