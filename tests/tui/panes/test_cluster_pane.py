from __future__ import annotations

import time

import msgspec
from urwid import testing

from flight_server.protocol.messages import QueryLine, QueryPhase, ResultSize
from tests.tui.fake_server import WORKERS
from tests.tui.looking import SIZE, text
from tui.panes.cluster_pane import ClusterPane, QueryFilter

NOW = 1000.0


def query(number: int, state: QueryPhase, sql: str, owner: str = "ada", rows: int = 0, at: float = NOW) -> QueryLine:
    return QueryLine(f"q{number}", sql, state, owner, submitted_at=at, started_at=at, progress=0.25, result=ResultSize(rows))


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


def test_what_is_over_shows_its_size_and_what_is_held_that_there_may_be_more() -> None:
    done = msgspec.structs.replace(QUERIES[0], result=ResultSize(5, 1_500, closed=True))
    held = msgspec.structs.replace(QUERIES[1], result=ResultSize(245_760, 42_000_000, held=True))
    pane = ClusterPane(lambda _action: None)
    pane.refresh(WORKERS, [held, done], NOW)
    shown = text(pane).splitlines()
    assert "2 queries   ▶ 0 running" in shown[4]
    assert shown[6].split()[:2] == ["▷", "held"]
    assert "246K+       42.0 MB SELECT 2" in " ".join(shown[6].split(" "))
    assert "5       1.50 KB SELECT 1" in shown[7]
    assert "25%" not in shown[6]


def test_that_there_are_more_queries_is_said_and_what_programs_ask_for_is_marked() -> None:
    sample = msgspec.structs.replace(QUERIES[0], purpose="sample")
    pane = ClusterPane(lambda _action: None)
    pane.refresh(WORKERS, [sample], NOW, more=True, everything=True)
    shown = text(pane)
    assert " newest all 1 query (m: more)" in shown
    assert "[sample] SELECT 1" in shown


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


def test_times_and_errors_of_a_followed_query_are_drawn() -> None:
    failed = msgspec.structs.replace(QUERIES[1], ended_at=time.time())
    pane = ClusterPane(lambda _action: None)
    pane.refresh([], [failed], NOW)
    assert "no workers known yet" in text(pane)
    testing.check_box_sizing(pane, cols=80, rows=24)
