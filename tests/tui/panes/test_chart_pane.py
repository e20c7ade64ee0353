from __future__ import annotations

import math

import duckdb
import pyarrow as pa
import pytest
from urwid import testing

from tests.tui.fake_server import FakeServer
from tests.tui.inline import InlineBackground, InlineFollower, source_of
from tui.draw import chart
from tui.link import derived
from tui.link.runs import RunBook
from tui.panes.chart_pane import WHOLE_BINS, ChartPane, bars_of, histogram_of
from tui.panes.run_panel import RunPanel, RunViews


@pytest.mark.parametrize("others", [[], [None, math.nan, math.inf, -math.inf]])
def test_the_histogram_that_a_server_counts_is_the_same(others: list[float | None]) -> None:
    values = [float(number**1.5) for number in range(500)] + others
    connection = duckdb.connect()
    connection.register("t", pa.table({"x y": values}))
    counted = connection.sql(derived.histogram_sql("SELECT * FROM t", "x y", WHOLE_BINS)).to_arrow_table()
    expected = chart.histogram(pa.chunked_array([values]), WHOLE_BINS)
    assert histogram_of(counted) == expected


def test_the_frequencies_that_a_server_counts() -> None:
    connection = duckdb.connect()
    connection.register("t", pa.table({"x": ["b", "a", "b", None]}))
    assert bars_of(connection.sql(derived.frequencies_sql("SELECT * FROM t", "x", 2)).to_arrow_table()) == chart.Bars(
        ("b", "a"), (2.0, 1.0), left_out=1, rows=4
    )


def pane(table: pa.Table) -> ChartPane:
    source = source_of(table, rows_per_group=1000, background=InlineBackground())
    source.window(0, 10)
    return ChartPane(source, lambda _action: None)


def test_few_rows_get_a_bar_each_named_by_their_texts() -> None:
    lines = testing.render_text(pane(pa.table({"flag": ["N", "R"], "status": ["O", "F"], "n": [1.0, 2.0]})), (60, 8))
    assert [line.split()[:3] for line in lines[1:3]] == [["N", "O", "1"], ["R", "F", "2"]]


def test_many_rows_get_a_histogram_of_what_is_loaded() -> None:
    made = pane(pa.table({"n": list(range(5000))}))
    lines = testing.render_text(made, (60, 10))
    assert "loaded of 5,000 rows" in lines[0]
    made.ask_whole()
    assert "loaded of 5,000 rows — counting all" in testing.render_text(made, (60, 10))[0]
    made.set_whole(0, chart.Histogram(0.0, 4999.0, (2500, 2499), 1))
    assert "all 5,000 rows, 1 NULL" in testing.render_text(made, (60, 10))[0]


def test_left_and_right_go_through_the_columns() -> None:
    made = pane(pa.table({"name": ["a"], "n": [1], "m": [2]}))
    assert made.column == 1
    testing.press(made, (60, 8), "right", "right")
    assert made.column == 0
    testing.check_box_sizing(made)


def test_a_chart_that_was_opened_while_the_query_runs_fills_itself() -> None:
    server = FakeServer({"t": pa.table({"n": list(range(40))})}, rows_per_group=10)
    follower, background = InlineFollower(server.status), InlineBackground()
    book = RunBook(server, background, lambda call: call(), follower=follower)
    views = RunViews(lambda _action: None)
    panel = RunPanel(views.of, lambda _action: None, "")
    book.changed.append(panel.changed)
    server.held = True
    run = book.run("SELECT n FROM t")
    panel.show(run)
    panel.set_mode("chart")
    background.paused = True
    before = "\n".join(testing.render_text(panel, (80, 14)))
    assert "no values" in before
    background.resume()
    assert "10 loaded of 20+ rows" in "\n".join(testing.render_text(panel, (80, 14)))
    assert run.query_id is not None
    server.release(run.query_id)
    follower.look_at_all()
    assert "10 loaded of 40 rows" in "\n".join(testing.render_text(panel, (80, 14)))
