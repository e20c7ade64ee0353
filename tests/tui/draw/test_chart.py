from __future__ import annotations

import math
from collections.abc import Sequence

import pyarrow as pa
import pytest

from tui.draw import chart
from tui.draw.canvas import width


def column(values: Sequence[object], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


def test_a_histogram_counts_every_number_once_and_says_what_is_missing() -> None:
    found = chart.histogram(column([0.0, 1.0, 2.0, 3.0, 10.0, None, math.nan, math.inf]), 5)
    assert found == chart.Histogram(0.0, 10.0, (2, 2, 0, 0, 1), 3)


@pytest.mark.parametrize("values", [[], [None], [math.nan]])
def test_no_numbers_no_histogram(values: list[object]) -> None:
    assert chart.histogram(column(values, pa.float64()), 5) is None


def test_one_value_is_one_bar() -> None:
    assert chart.histogram(column([7, 7]), 5) == chart.Histogram(7.0, 7.0, (2,), 0)


def test_the_most_frequent_values_come_first() -> None:
    assert chart.frequencies(column(["b", "a", "b", None]), 2) == chart.Bars(("b", "NULL"), (2.0, 1.0), left_out=1, rows=4)


def test_what_is_left_out_of_bars_is_counted_whole() -> None:
    found = chart.frequencies(column(["b", "a", "b", "c", "d"]), 3)
    assert chart.draw_bars(found, 20, 3)[-1] == [("dim", "and 2 values more")]
    assert chart.draw_bars(found, 20, 4)[-1] == [("dim", "and 1 value more")]


def test_drawings_fit_their_room() -> None:
    found = chart.histogram(column(list(range(1000))), 20)
    assert found is not None
    for columns, rows in ((20, 4), (80, 12), (200, 40)):
        for lines in (
            chart.draw_histogram(found, columns, rows),
            chart.draw_bars(chart.bars_of_rows(["a", "bb"], [1.0, -3.5]), columns, rows),
        ):
            assert len(lines) <= rows
            assert all(sum(width(text) for _, text in line) <= columns for line in lines)
