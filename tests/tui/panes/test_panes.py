"""The panes of queries, cluster and catalog, and the dialogs."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pyarrow as pa
import urwid
from urwid import testing

from flight_server.protocol.messages import ColumnStatus, QueryStatus, ResultStatus, TableStatus
from tests.tui.fake_server import WORKERS
from tests.tui.inline import InlineBackground
from tui.draw.popup import Choice, Dialogs
from tui.link.runs import Run, RunState
from tui.panes.catalog_pane import CatalogPane
from tui.panes.cluster_pane import ClusterPane, QueryFilter
from tui.panes.queries_pane import QueriesPane

SIZE = (100, 14)
NOW = 1000.0


def text(widget: Any, size: tuple[int, int] = SIZE) -> str:
    return "\n".join(testing.render_text(widget, size, focus=True, strip=True))


# -- queries ------------------------------------------------------------------------------------------------------


def run(number: int, state: RunState, sql: str = "SELECT 1") -> Run:
    return Run(number, sql, state=state, started_at=NOW - 2, ended_at=NOW - 1 if state in ("completed", "failed") else None)


def test_the_list_counts_and_shows_states_and_overall_progress() -> None:
    runs = [run(1, "completed"), run(2, "failed"), run(3, "running"), run(4, "waiting")]
    pane = QueriesPane(lambda: runs, lambda _run: None, lambda _action: None)
    pane.refresh(NOW)
    shown = text(pane)
    assert "4 queries" in shown
    assert "50%  ✓ 1 completed  ✗ 1 failed  ▶ 1 running  ○ 1 waiting" in shown
    assert [line.split()[2] for line in shown.splitlines()[2:6]] == ["completed", "failed", "running", "waiting"]


def test_moving_in_the_list_chooses_the_run_that_is_shown_below() -> None:
    runs = [run(1, "completed"), run(2, "failed")]
    chosen: list[Run] = []
    pane = QueriesPane(lambda: runs, chosen.append, lambda _action: None)
    pane.refresh(NOW)
    text(pane)
    testing.press(pane, SIZE, "down")
    assert chosen == [runs[1]]
    runs.append(run(3, "running"))
    pane.refresh(NOW)
    assert pane.run is runs[1]


# -- cluster ------------------------------------------------------------------------------------------------------


def query(number: int, state: Any, sql: str, owner: str = "ada", rows: int = 0, at: float = NOW) -> QueryStatus:
    return QueryStatus(f"q{number}", sql, state, owner, submitted_at=at, started_at=at, progress=0.25, result=ResultStatus(rows))


QUERIES = [
    query(1, "completed", "SELECT 1", rows=5, at=NOW - 30),
    query(2, "running", "SELECT 2 FROM lineitem", "bob", rows=900, at=NOW - 20),
    query(3, "queued", "SELECT 3", at=NOW - 10),
]


def cluster(actions: list[str] | None = None) -> ClusterPane:
    pane = ClusterPane((actions if actions is not None else []).append)
    pane.refresh(WORKERS, QUERIES, NOW)
    return pane


def test_workers_show_load_memory_slots_and_who_is_lost() -> None:
    shown = text(cluster()).splitlines()
    assert "2 workers" in shown[0]
    assert "93%" in shown[2]
    assert "2.15 GB/8.59 GB" in shown[2]
    assert "3/4" in shown[2]
    assert shown[3].startswith(" ✗ w2")


def test_queries_show_owner_age_and_progress_newest_first() -> None:
    shown = text(cluster()).splitlines()
    assert "▶ 1 running" in shown[4]
    assert [line.split()[1] for line in shown[6:9]] == ["queued", "running", "completed"]
    assert "bob" in shown[7]
    assert "25%" in shown[7]


def test_queries_are_filtered_and_sorted() -> None:
    assert [q.query_id for q in QueryFilter("lineitem bob").apply(QUERIES)] == ["q2"]
    assert [q.query_id for q in QueryFilter(sort="state").apply(QUERIES)] == ["q2", "q3", "q1"]
    assert [q.query_id for q in QueryFilter(sort="rows").apply(QUERIES)] == ["q2", "q1", "q3"]
    assert [q.query_id for q in QueryFilter(sort="owner").apply(QUERIES)] == ["q3", "q1", "q2"]


def test_keys_act_on_the_query_that_stays_current_when_the_list_changes() -> None:
    actions: list[str] = []
    pane = cluster(actions)
    text(pane)
    testing.press(pane, SIZE, "down", "k")
    assert actions == ["kill"]
    assert pane.query is not None
    assert pane.query.query_id == "q2"
    pane.refresh(WORKERS, [query(4, "running", "SELECT 4", at=NOW), *QUERIES], NOW)
    assert pane.query.query_id == "q2"
    testing.press(pane, SIZE, "tab")
    assert pane.query is None


# -- catalog ------------------------------------------------------------------------------------------------------

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


# -- dialogs ------------------------------------------------------------------------------------------------------


def dialogs() -> Dialogs:
    return Dialogs(urwid.SolidFill("."))


def test_a_question_takes_y_and_n_and_a_click_on_no() -> None:
    answers: list[bool] = []
    for key in ("y", "n"):
        screen = dialogs()
        screen.ask("Kill", "Kill it?", lambda: answers.append(True), answer="kill")
        assert "Kill it?" in text(screen, (60, 12))
        testing.press(screen, (60, 12), key)
        assert screen.depth == 0
    assert answers == [True]


def test_a_line_is_typed_and_taken_with_enter() -> None:
    taken: list[str] = []
    screen = dialogs()
    screen.prompt("Open", "file ", "a", taken.append)
    text(screen)
    testing.press(screen, SIZE, "b", "enter")
    assert taken == ["ab"]
    assert screen.depth == 0


def test_a_list_is_narrowed_by_typing() -> None:
    taken: list[str] = []
    screen = dialogs()
    choices = [Choice("SELECT one FROM a", "1 s ago", "one"), Choice("SELECT two FROM b", "2 s ago", "two")]
    screen.choose("History", choices, lambda choice: taken.append(choice.value), footer="Enter")
    testing.press(screen, SIZE, *"b sel")
    shown = text(screen)
    assert "two" in shown
    assert "one" not in shown
    testing.press(screen, SIZE, "enter")
    assert taken == ["two"]


def test_a_long_text_scrolls_and_escape_closes_it() -> None:
    screen = dialogs()
    screen.show_text("Text", [[("dialog", f"line {number}")] for number in range(100)])
    testing.press(screen, SIZE, "end")
    assert "line 99" in text(screen)
    testing.press(screen, SIZE, "esc")
    assert screen.depth == 0


def test_times_and_errors_of_a_followed_query_are_drawn() -> None:
    failed = msgspec.structs.replace(QUERIES[1], ended_at=time.time())
    pane = ClusterPane(lambda _action: None)
    pane.refresh([], [failed], NOW)
    assert "no workers known yet" in text(pane)
    testing.check_box_sizing(pane, cols=80, rows=24)
