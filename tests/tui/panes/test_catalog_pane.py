from __future__ import annotations

import pyarrow as pa
from urwid import testing

from flight_server.protocol.messages import ColumnStatus, TableStatus
from tests.tui.inline import InlineBackground
from tests.tui.looking import SIZE, text
from tui.panes.catalog_pane import CatalogPane

TABLES = [
    TableStatus("lineitem", "lake", [ColumnStatus("l_orderkey", "BIGINT"), ColumnStatus("l_tax", "DOUBLE")], 6_001_215, 3, 230_000_000),
    TableStatus("broken", "lake", error="its file is no Parquet file"),
]


def catalog(queries: list[str], actions: list[str]) -> CatalogPane:
    def sample(sql: str) -> pa.Table:
        queries.append(sql)
        return pa.table({"l_orderkey": [1, 2]})

    pane = CatalogPane(InlineBackground(), sample, actions.append)
    pane.refresh(TABLES, None, loaded=True)
    assert queries == []
    pane.shown()
    return pane


def test_tables_show_rows_files_and_bytes_and_a_sample_beside() -> None:
    queries: list[str] = []
    pane = catalog(queries, [])
    shown = text(pane, (120, 14))
    assert "6.00M     3   230 MB" in shown
    assert "its file is no Parquet file" in shown
    assert "lineitem: sample rows" in shown
    assert queries == ["SELECT * FROM lineitem LIMIT 50"]


def test_enter_opens_the_columns_with_their_types() -> None:
    pane = catalog([], [])
    text(pane)
    testing.press(pane, SIZE, "enter")
    assert "l_tax                    DOUBLE" in text(pane)
    testing.press(pane, SIZE, "down", "down")
    assert pane.word() == "l_tax"
    testing.press(pane, SIZE, "left")
    assert "l_tax" not in text(pane, (80, 30))


def test_other_keys_are_for_the_program_and_tab_goes_to_the_sample() -> None:
    actions: list[str] = []
    pane = catalog([], actions)
    text(pane)
    testing.press(pane, SIZE, "i", "q", "r", "/")
    assert actions == ["insert", "query", "reload", "filter"]
    testing.press(pane, SIZE, "tab", "down")
    sample = pane._sample()
    assert sample is not None
    assert sample.row == 1


def test_a_server_without_tables_says_how_to_get_some() -> None:
    pane = CatalogPane(InlineBackground(), lambda _sql: pa.table({}), lambda _action: None)
    pane.refresh([], None, loaded=True)
    assert "--data" in text(pane)
    testing.check_box_sizing(pane)
