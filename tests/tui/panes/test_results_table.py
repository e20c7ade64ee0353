from __future__ import annotations

import datetime
import decimal

import pyarrow as pa
from urwid import testing

from flight_server.protocol.messages import Cursor, ResultStatus, RowGroupStatus
from planner.errors import Status, VolleyError
from tests.tui.inline import InlineBackground, source_of
from tui.link.row_source import RowSource
from tui.panes.results_table import ResultsTable

SIZE = (60, 12)


def table_of(table: pa.Table, rows_per_group: int = 1000) -> ResultsTable:
    return ResultsTable(source_of(table, rows_per_group=rows_per_group, background=InlineBackground()))


def numbers(count: int) -> ResultsTable:
    return table_of(pa.table({"n": pa.array(range(count), pa.int64()), "text": [f"row {number}" for number in range(count)]}))


def shown(widget: ResultsTable) -> list[str]:
    lines: list[str] = testing.render_text(widget, SIZE, focus=True, strip=True)
    return lines


def test_names_types_and_values_are_aligned() -> None:
    lines = shown(
        table_of(pa.table({"amount": [decimal.Decimal("1.50"), None], "day": [datetime.date(2024, 1, 2)] * 2, "name": ["a", "b\nc"]}))
    )
    assert lines[:4] == [
        "          amount  day         name",
        "    decimal(3,2)  date        varchar",
        "  1         1.50  2024-01-02  a",
        "  2         NULL  2024-01-02  b⏎c",
    ]


def test_null_looks_unlike_the_text_null() -> None:
    runs = testing.render_runs(table_of(pa.table({"t": [None, "NULL"]})), SIZE)
    kinds = [attribute for row in runs[2:4] for attribute, text in row if "NULL" in text]
    assert kinds == ["row.null", "cell"]


def test_the_last_row_of_many_is_two_keys_away_and_so_is_the_first() -> None:
    widget = numbers(50_000)
    testing.press(widget, SIZE, "G")
    assert shown(widget)[11].startswith("50,000")
    assert widget.positions() == ("column 1/2  50,000/50,000", "50,000/50,000")
    testing.press(widget, SIZE, "g")
    assert shown(widget)[2].split() == ["1", "0", "row", "0", "█"]


def test_paging_down_and_up_comes_back_to_the_same_rows() -> None:
    widget = numbers(5_000)
    first = shown(widget)
    testing.press(widget, SIZE, *["page down"] * 7, *["page up"] * 7)
    assert shown(widget) == first


def test_the_current_column_is_brought_into_sight() -> None:
    widget = table_of(pa.table({f"column_{number:02}": [number] for number in range(30)}))
    testing.press(widget, SIZE, "end")
    assert "column_29" in shown(widget)[0]
    testing.press(widget, SIZE, "home")
    assert "column_00" in shown(widget)[0]


def test_columns_fit_their_values_up_to_a_limit_and_can_be_made_wider() -> None:
    widget = table_of(pa.table({"t": ["x" * 300]}))
    assert "…" in shown(widget)[2]
    before = widget.columns[0].width
    testing.press(widget, SIZE, ">")
    assert widget.columns[0].width == before + 2


def test_wide_characters_keep_their_columns() -> None:
    widget = table_of(pa.table({"t": ["漢字漢字", "ab"], "n": [1, 2]}))
    lines = shown(widget)
    assert lines[2].endswith("漢字漢字       1")
    assert lines[3].endswith("ab             2")


def test_a_click_chooses_a_cell_and_the_wheel_scrolls() -> None:
    widget = numbers(100)
    shown(widget)
    assert testing.click(widget, SIZE, 5, 6)
    assert (widget.row, widget.column) == (4, 0)
    testing.click(widget, SIZE, 5, 6, button=5)
    assert widget.row == 7


def test_a_click_on_the_bar_at_the_right_jumps() -> None:
    widget = numbers(10_000)
    shown(widget)
    testing.click(widget, SIZE, SIZE[0] - 1, 11)
    assert widget.row == 9_999


def test_rows_that_are_not_here_yet_are_dots_and_keys_still_work() -> None:
    background = InlineBackground()
    background.paused = True
    widget = ResultsTable(source_of(pa.table({"n": list(range(100))}), rows_per_group=100, background=background))
    assert "···" in shown(widget)[2]
    testing.press(widget, SIZE, "down")
    assert widget.value() is None
    background.resume()
    assert widget.value() == 1


def test_rows_that_cannot_be_read_say_why_and_scrolling_tries_again() -> None:
    class Gone(VolleyError):
        status = Status.NOT_FOUND

    rows = pa.table({"n": list(range(100))})
    answers: list[Exception | None] = [Gone("this result has expired"), None]

    def fetch(cursor: Cursor, count: int) -> pa.Table:
        answer = answers.pop(0) if answers else None
        if answer is not None:
            raise answer
        return rows.slice(cursor.row, count)

    source = RowSource(rows.schema, fetch, InlineBackground())
    source.extend(ResultStatus(100, 800, [RowGroupStatus(0, 0, 100)], True))
    widget = ResultsTable(source)
    assert "these rows cannot be read: this result has expired" in shown(widget)[2]
    testing.press(widget, SIZE, "page down")
    assert "expired" not in "".join(shown(widget))


def test_a_result_without_rows_or_columns_is_drawn() -> None:
    testing.check_box_sizing(table_of(pa.table({"n": pa.array([], pa.int64())})))
    testing.check_box_sizing(table_of(pa.table({})))


def test_any_size_can_be_drawn() -> None:
    testing.check_box_sizing(numbers(1_000))


def wide() -> ResultsTable:
    return table_of(pa.table({f"column_{number:02}": [number] for number in range(30)}))


def test_columns_out_of_sight_are_counted_at_both_ends_and_the_current_one_is_told() -> None:
    widget = wide()
    first = shown(widget)[0]
    assert first.endswith(" 26›")
    assert first.split()[:4] == ["column_00", "column_01", "column_02", "column_03"]
    testing.press(widget, SIZE, *["right"] * 6)
    assert shown(widget)[0].startswith("‹3")
    assert shown(widget)[0].endswith(" 23›")
    assert widget.positions()[0] == "column 7/30  1/1"
    testing.press(widget, SIZE, "end")
    assert "›" not in shown(widget)[0]
    assert shown(widget)[0].startswith("‹25")


def test_one_can_go_to_a_column() -> None:
    widget = wide()
    widget.go_column(17)
    assert "column_17" in shown(widget)[0]
    assert widget.value() == 17


def test_a_time_or_number_is_never_cut_where_another_column_can_make_room_and_a_text_may_be() -> None:
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5, 678901)
    widget = table_of(pa.table({"name": ["x" * 45], "at": [moment], "note": ["y" * 90]}))
    assert "2024" not in shown(widget)[2]
    assert shown(widget)[0].endswith(" 2›")
    testing.press(widget, SIZE, "right")
    assert "2024-01-02 03:04:05.678901" in shown(widget)[2]
    assert shown(widget)[2].rstrip().endswith("yyy…")
    narrow = (20, 12)
    assert "2024-01-02 …" in "\n".join(testing.render_text(widget, narrow, focus=True))
