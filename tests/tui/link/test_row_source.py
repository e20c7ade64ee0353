from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flight_server.protocol.messages import Cursor, ResultStatus, RowGroupStatus
from planner.errors import Status, VolleyError
from tests.tui.inline import InlineBackground, source_of
from tui.link.row_source import MAX_PAGE_ROWS, PAGE_BYTES, RowSource


def numbers(count: int) -> pa.Table:
    return pa.table({"n": pa.array(range(count), pa.int64())})


def rows(source: RowSource, start: int, count: int) -> list[int]:
    return [value for piece in source.window(start, count) for value in piece.table.column(0).to_pylist()]


@settings(max_examples=60)
@given(st.integers(0, 500), st.integers(1, 90), st.lists(st.tuples(st.integers(0, 520), st.integers(1, 60)), max_size=20))
def test_every_window_shows_its_rows(total: int, per_group: int, windows: list[tuple[int, int]]) -> None:
    source = source_of(numbers(total), rows_per_group=per_group, background=InlineBackground(), budget_bytes=400)
    source._page_rows = 17
    for start, count in windows:
        assert rows(source, start, count) == list(range(total))[start : start + count]


def test_the_end_of_a_large_result_takes_one_small_read() -> None:
    reads: list[tuple[Cursor, int]] = []

    def fetch(cursor: Cursor, count: int) -> pa.Table:
        reads.append((cursor, count))
        return numbers(count)

    source = RowSource(numbers(0).schema, fetch, InlineBackground())
    groups = [RowGroupStatus(number // 8, number % 8, 122_880) for number in range(49)]
    source.extend(ResultStatus(49 * 122_880, 49 * 122_880 * 100, groups, True))
    source.window(source.rows - 20, 20)
    assert reads[0][0].file == 6
    assert reads[0][1] <= MAX_PAGE_ROWS
    assert all(cursor.file == 6 for cursor, _ in reads)


def test_pages_of_wide_rows_have_fewer_rows() -> None:
    source = RowSource(numbers(0).schema, lambda cursor, count: numbers(count), InlineBackground())
    source.extend(ResultStatus(1000, 1000 * 100_000, [RowGroupStatus(0, 0, 1000)], True))
    assert source.page_rows == PAGE_BYTES // 100_000


def test_memory_is_bounded_while_scrolling_through_everything_and_back() -> None:
    source = source_of(numbers(200_000), rows_per_group=10_000, background=InlineBackground(), budget_bytes=300_000)
    source._page_rows = 1_000
    for start in [*range(0, 200_000, 50), *range(199_950, -1, -50)]:
        assert rows(source, start, 50) == list(range(start, start + 50))
        assert source.statistics().bytes <= 300_000
    assert source.statistics().dropped > 300


def test_a_result_grows_while_it_is_looked_at() -> None:
    table = numbers(300)
    source = RowSource(table.schema, lambda cursor, count: table.slice(cursor.row_group * 100 + cursor.row, count), InlineBackground())
    assert source.extend(ResultStatus(100, 800, [RowGroupStatus(0, 0, 100)], False))
    assert rows(source, 95, 20) == list(range(95, 99)), "whoever reads the last row waits for what follows"
    assert source.extend(ResultStatus(300, 2400, [RowGroupStatus(0, number, 100) for number in range(3)], True))
    assert rows(source, 95, 20) == list(range(95, 115))
    assert not source.extend(ResultStatus(300, 2400, [RowGroupStatus(0, number, 100) for number in range(3)], True))


def test_nothing_is_shown_until_a_page_has_come_and_nobody_waits_for_it() -> None:
    background = InlineBackground()
    background.paused = True
    source = source_of(numbers(100), rows_per_group=100, background=background)
    changes: list[None] = []
    source.changed = lambda: changes.append(None)
    assert rows(source, 0, 10) == []
    assert source.statistics().fetching == 1
    background.resume()
    assert changes
    assert rows(source, 0, 10) == list(range(10))
    assert (source.statistics().fetching, source.statistics().fetched) == (0, 1)


def test_a_failed_read_is_kept_and_tried_again_when_asked() -> None:
    class Down(VolleyError):
        status = Status.UNAVAILABLE

    answers: list[pa.Table | None] = [None, numbers(10)]

    def fetch(cursor: Cursor, count: int) -> pa.Table:
        answer = answers.pop(0)
        if answer is None:
            raise Down("gone")
        return answer

    source = RowSource(numbers(0).schema, fetch, InlineBackground())
    source.extend(ResultStatus(10, 80, [RowGroupStatus(0, 0, 10)], True))
    assert rows(source, 0, 10) == []
    assert str(source.error) == "gone"
    assert rows(source, 0, 10) == []
    source.retry()
    assert rows(source, 0, 10) == list(range(10))


@pytest.mark.parametrize("count", [0, 3])
def test_a_table_at_hand_is_a_source_too(count: int) -> None:
    source = RowSource.of_table(numbers(count), InlineBackground())
    assert rows(source, 0, 10) == list(range(count))
    assert source.closed


def test_the_last_row_of_what_grows_is_left_out_until_it_is_known_what_follows() -> None:
    table = numbers(30)
    reads: list[tuple[Cursor, int]] = []

    def fetch(cursor: Cursor, count: int) -> pa.Table:
        reads.append((cursor, count))
        return table.slice(cursor.row_group * 10 + cursor.row, count)

    source = RowSource(table.schema, fetch, InlineBackground())
    groups = [RowGroupStatus(0, number, 10) for number in range(3)]
    source.extend(ResultStatus(10, 80, groups[:1], False))
    assert (source.rows, source.made) == (9, 10)
    assert rows(source, 0, 30) == list(range(9))
    source.extend(ResultStatus(30, 240, groups, True))
    assert (source.rows, source.made) == (30, 30)
    assert rows(source, 0, 30) == list(range(30))
    assert reads == [(Cursor(0, 0, 0), 9), (Cursor(0, 0, 0), 10), (Cursor(0, 1, 0), 10), (Cursor(0, 2, 0), 10)]


def test_a_row_group_of_one_row_is_read_all_the_same() -> None:
    source = RowSource(numbers(0).schema, lambda cursor, count: numbers(count), InlineBackground())
    source.extend(ResultStatus(1, 40 << 20, [RowGroupStatus(0, 0, 1)], False))
    assert source.rows == 1


def test_nothing_is_fetched_ahead_of_a_row_group_that_nobody_looks_at() -> None:
    table, fetched = numbers(40), set[int]()

    def fetch(cursor: Cursor, count: int) -> pa.Table:
        fetched.add(cursor.row_group)
        return table.slice(cursor.row_group * 20 + cursor.row, count)

    source = RowSource(table.schema, fetch, InlineBackground())
    source._page_rows = 10
    groups = [RowGroupStatus(0, number, 20) for number in range(2)]
    source.extend(ResultStatus(40, 320, groups, False))
    for _ in range(3):
        rows(source, 0, 5)
    assert (source.statistics().fetched, fetched) == (2, {0})
    source.extend(ResultStatus(40, 320, groups, True))
    rows(source, 12, 5)
    rows(source, 12, 5)
    assert fetched == {0, 1}, "of what is all there, one page more is fetched"


def test_what_was_told_earlier_and_comes_later_changes_nothing() -> None:
    source = RowSource(numbers(0).schema, lambda cursor, count: numbers(count), InlineBackground())
    source.extend(ResultStatus(20, 160, [RowGroupStatus(0, number, 10) for number in range(2)], True))
    assert not source.extend(ResultStatus(10, 80, [RowGroupStatus(0, 0, 10)], False))
    assert (source.rows, source.closed) == (20, True)
