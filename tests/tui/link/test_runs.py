from __future__ import annotations

import pyarrow as pa

from flight_server.protocol.messages import QueryLine
from tests.flight_server.fake_service import line_of
from tests.tui.fake_server import FakeServer
from tests.tui.inline import InlineBackground, InlineFollower
from tui.link.runs import RunBook, tally

TABLE = pa.table({"n": list(range(10))})


def book(server: FakeServer) -> tuple[RunBook, InlineFollower]:
    follower = InlineFollower(server.status)
    return RunBook(server, InlineBackground(), lambda call: call(), clock=lambda: 1e9, follower=follower), follower


def test_a_run_goes_from_its_statement_to_its_rows() -> None:
    runs, _ = book(FakeServer({"t": TABLE}))
    run = runs.run("SELECT * FROM t")
    assert (run.state, run.rows) == ("completed", 10)
    assert run.source is not None
    assert run.source.window(8, 5)[0].table.column(0).to_pylist() == [8, 9]


def test_a_statement_that_is_refused_has_failed_and_says_why() -> None:
    runs, _ = book(FakeServer())
    run = runs.run("SELECT !")
    assert run.state == "failed"
    assert run.error is not None
    assert "line 1, column 8" in run.error.message


def test_one_after_another_goes_on_behind_a_failure() -> None:
    server = FakeServer({"t": TABLE}, held=True)
    runs, follower = book(server)
    listed = runs.run_all([("SELECT 1", None), ("SELECT !", None), ("SELECT 3", None)])
    assert [run.state for run in listed] == ["running", "waiting", "waiting"]
    server.release("q1")
    follower.look()
    assert [run.state for run in listed] == ["completed", "failed", "running"]
    server.release("q2")
    follower.look()
    found = tally(listed)
    assert (found.completed, found.failed, found.progress) == (2, 1, 1.0)


def test_queries_that_run_together_all_show_their_rows() -> None:
    server = FakeServer({"t": TABLE}, held=True)
    runs, _ = book(server)
    listed = runs.run_all([(f"SELECT n + {number} AS n FROM t", None) for number in range(3)], together=3)
    assert [run.state for run in listed] == ["running"] * 3
    for number, run in enumerate(listed):
        assert run.source is not None
        assert run.source.window(0, 2)[0].table.column(0).to_pylist() == [number, number + 1]


def test_a_query_of_the_cluster_has_its_whole_statement_once_its_status_is_here() -> None:
    server = FakeServer({"t": TABLE})
    sql = f"SELECT n, '{'x' * 300}' AS x FROM t"
    query_id = server.submit(sql).query_id
    line = QueryLine(query_id, sql[:200], "completed", submitted_at=1.0)
    runs, _ = book(server)
    run = runs.follow(line)
    assert (run.sql, run.state, run.started_at) == (sql, "completed", 1.0)
    assert run.source is not None
    assert run.source.window(8, 5)[0].table.column(0).to_pylist() == [8, 9]
    assert runs.follow(line) is run


def test_a_query_of_the_cluster_that_is_gone_is_lost() -> None:
    runs, _ = book(FakeServer())
    run = runs.follow(QueryLine("q9", "SELECT 1", "completed"))
    assert run.state == "lost"
    assert run.error is not None


def test_what_waits_can_be_started_together_later() -> None:
    server = FakeServer({"t": TABLE}, held=True)
    runs, _ = book(server)
    listed = runs.run_all([("SELECT 1", None)] * 3)
    runs.go_together()
    assert [run.state for run in listed] == ["running"] * 3


def test_killing_reaches_the_server_and_what_waits_never_starts() -> None:
    server = FakeServer({"t": TABLE}, held=True)
    runs, follower = book(server)
    first, second = runs.run_all([("SELECT 1", None), ("SELECT 2", None)])
    runs.kill(second)
    runs.kill(first)
    follower.look()
    assert (first.state, second.state) == ("killed", "killed")
    assert server.killed == ["q1"]


def test_a_query_that_the_server_forgot_is_lost() -> None:
    server = FakeServer({"t": TABLE}, held=True)
    runs, follower = book(server)
    run = runs.run("SELECT 1")
    del server.statuses["q1"]
    follower.look()
    assert run.state == "lost"


def test_a_query_of_someone_else_can_be_followed() -> None:
    server = FakeServer({"t": TABLE}, rows_per_group=5, held=True)
    server.submit("SELECT * FROM t")
    runs, follower = book(server)
    run = runs.follow(line_of(server.statuses["q1"]))
    assert runs.follow(line_of(server.statuses["q1"])) is run
    server.release("q1")
    follower.look()
    assert run.state == "completed"
    assert run.source is not None
    assert run.source.rows == 10
