from __future__ import annotations

import pytest
from urwid import testing

from flight_server.protocol.messages import ColumnStatus, TableStatus
from tests.tui.actions.stage import Stage
from tui.editor.text_buffer import Place

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


def _lit(stage: Stage) -> list[tuple[str, str]]:
    """What is lit, beside the editor."""
    runs = [run for line in testing.render_runs(stage.views, WIDE, focus=True) for run in line]
    return [(str(attribute), text) for attribute, text in runs if attribute == "list.here"]


def test_the_tables_stand_beside_the_editor_where_there_is_room(stage: Stage) -> None:
    assert beside(stage)[:4] == ["Tables Alt-C", "customer 1,500", "orders 15.0K", ""]
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
    assert "Alt-C" not in "".join(testing.render_text(stage.views, WIDE, focus=True))


def test_many_tables_are_scrolled_with_the_wheel(stage: Stage) -> None:
    tables = [TableStatus(f"t{number:02}") for number in range(40)]
    stage.views.catalog.refresh(tables, None, loaded=True)
    stage.views.tables_changed()
    assert beside(stage)[1] == "t00 ?"
    testing.click(stage.views, WIDE, 90, 2, button=5)
    assert beside(stage)[:2] == ["Tables Alt-C", "t03 ?"]


def test_a_key_goes_to_the_tables_and_another_puts_names_into_the_text(stage: Stage) -> None:
    stage.write("SELECT  FROM orders")
    stage.documents.current.editor.buffer.go(Place(0, 7))
    beside(stage)
    stage.views.go_to_tables()
    assert stage.views.context() == "tables"
    tables = stage.views.beside
    for key in ("down", "down"):
        testing.press(stage.views, WIDE, key)
    tables.insert()
    beside(stage)
    tables.insert()
    assert stage.text == "SELECT customer, customer FROM orders"
    testing.press(stage.views, WIDE, "home", "down")
    tables.insert()
    assert stage.text == "SELECT customer, customer, o_date FROM orders"
    tables.leave()
    testing.press(stage.views, WIDE, "x")
    assert stage.text == "SELECT customer, customer, o_datex FROM orders"


def test_columns_of_any_table_are_shown_and_taken_away(stage: Stage) -> None:
    stage.write("SELECT 1 FROM orders")
    beside(stage)
    stage.views.go_to_tables()
    testing.press(stage.views, WIDE, "end")
    stage.views.beside.fold(away=False)
    assert beside(stage)[1:5] == ["orders 15.0K", "o_date date", "customer 1,500", "c_name varchar"]
    testing.press(stage.views, WIDE, "end")
    stage.views.beside.fold(away=True)
    testing.press(stage.views, WIDE, "home")
    stage.views.beside.fold(away=True)
    assert beside(stage)[1:4] == ["orders 15.0K", "customer 1,500", ""]


def test_where_there_is_no_room_the_catalog_is_gone_to_and_keys_are_never_for_what_is_out_of_sight(stage: Stage) -> None:
    beside(stage)
    stage.views.go_to_tables()
    testing.render_text(stage.views, (80, 24), focus=True)
    assert stage.views.context() == "editor"
    stage.views.go_to_tables()
    assert stage.views.name == "catalog"


def test_the_current_line_is_always_in_sight(stage: Stage) -> None:
    stage.views.catalog.refresh([TableStatus(f"t{number:02}") for number in range(40)], None, loaded=True)
    stage.views.tables_changed()
    beside(stage)
    stage.views.go_to_tables()
    for keys, name in (("end",), "t39 ?"), (("page up", "up"), "t27 ?"), (("home",), "t00 ?"), (("page down",), "t11 ?"):
        testing.press(stage.views, WIDE, *keys)
        assert name in beside(stage)
        assert [" ".join(text.split()) for _, text in _lit(stage)] == [name]


def test_any_size_can_be_drawn(stage: Stage) -> None:
    for size in ((120, 1), (121, 3), (300, 80)):
        testing.render_text(stage.views, size, focus=True)
