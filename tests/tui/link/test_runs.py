from __future__ import annotations

import pyarrow as pa

from flight_server.protocol.messages import QueryLine
from planner.errors import VolleyError
from tests.flight_server.fake_service import line_of
from tests.tui.fake_server import FakeServer
from tests.tui.inline import InlineBackground, InlineFollower
from tui.link.derived import Derived
from tui.link.run import Run
from tui.link.runs import RunBook
from tui.link.tally import tally

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
    follower.look_at_all()
    assert [run.state for run in listed] == ["completed", "failed", "running"]
    server.release("q2")
    follower.look_at_all()
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
    follower.look_at_all()
    assert (first.state, second.state) == ("killed", "killed")
    assert server.killed == ["q1"]


def test_a_query_that_the_server_forgot_is_lost() -> None:
    server = FakeServer({"t": TABLE}, held=True)
    runs, follower = book(server)
    run = runs.run("SELECT 1")
    del server.statuses["q1"]
    follower.look_at_all()
    assert run.state == "lost"


def test_a_query_of_someone_else_can_be_followed() -> None:
    server = FakeServer({"t": TABLE}, rows_per_group=5, held=True)
    server.submit("SELECT * FROM t")
    runs, follower = book(server)
    run = runs.follow(line_of(server.statuses["q1"]))
    assert runs.follow(line_of(server.statuses["q1"])) is run
    server.release("q1")
    follower.look_at_all()
    assert run.state == "completed"
    assert run.source is not None
    assert run.source.rows == 10


# -- looks --------------------------------------------------------------------------------------------------------

MANY = pa.table({"n": list(range(95))})


class Looking:
    """A book over a server of ten rows to a row group; ``now`` is its clock."""

    def __init__(self, table: pa.Table = MANY) -> None:
        self.now = 1000.0
        self.server = FakeServer({"t": table}, rows_per_group=10)
        self.follower = InlineFollower(self.server.status)
        self.background = InlineBackground()
        self.book = RunBook(self.server, self.background, lambda call: call(), clock=lambda: self.now, follower=self.follower)
        self.reached: list[str] = []

    def reach(self, run: Run, row: int | None) -> None:
        self.book.reach(run, row, lambda: self.reached.append("reached"), lambda error: self.reached.append(str(error)))


def rows(run: Run, start: int, count: int) -> list[int]:
    assert run.source is not None
    return [value for piece in run.source.window(start, count) for value in piece.table.column(0).to_pylist()]


def test_of_a_statement_only_what_is_looked_at_is_made() -> None:
    looking = Looking()
    run = looking.book.run("SELECT n FROM t ORDER BY n")
    assert (run.shown_state, run.rows, run.whole) == ("held", 10, False)
    assert rows(run, 0, 5) == list(range(5))
    assert run.rows == 20
    for _ in range(3):
        rows(run, 0, 5)
    assert (run.shown_state, run.rows) == ("held", 20), "looking again makes nothing"


def test_scrolling_on_makes_more_until_all_is_there() -> None:
    looking = Looking()
    run = looking.book.run("SELECT n FROM t ORDER BY n")
    seen: list[int] = []
    for start in range(0, 95, 5):
        seen += rows(run, start, 5)
    assert seen == list(range(95))
    assert (run.state, run.rows, run.whole) == ("completed", 95, True)


def test_going_to_a_row_makes_the_rows_up_to_it_and_no_more() -> None:
    looking = Looking()
    run = looking.book.run("SELECT n FROM t ORDER BY n")
    looking.reach(run, 42)
    assert looking.reached == ["reached"]
    assert run.rows == 50
    assert rows(run, 42, 3) == [42, 43, 44]
    looking.reach(run, 900)
    assert (looking.reached, run.state, run.rows) == (["reached"] * 2, "completed", 95), "there is no such row, and that is known now"
    looking.reach(run, 3)
    assert looking.reached == ["reached"] * 3


def test_all_rows_are_made_when_they_are_asked_for() -> None:
    looking = Looking()
    run = looking.book.run("SELECT n FROM t ORDER BY n")
    looking.reach(run, None)
    assert (looking.reached, run.state, run.rows, run.reach) == (["reached"], "completed", 95, None)


def test_who_stops_asking_gets_no_more_and_keeps_what_is_made() -> None:
    looking = Looking()
    run = looking.book.run("SELECT n FROM t ORDER BY n")
    looking.background.paused = True
    looking.reach(run, None)
    looking.reach(run, 42)
    looking.book.stop_reaching(run)
    looking.background.resume()
    assert looking.reached == []
    assert run.reach is None


def test_what_the_server_says_to_it_is_told() -> None:
    looking = Looking()
    run = looking.book.run("SELECT n FROM t ORDER BY n")
    looking.server.down = True
    looking.reach(run, None)
    assert looking.reached == ["cannot reach a server at fake\nis one running there?"]
    looking.server.down = False
    looking.reach(run, None)
    assert looking.reached[1:] == ["reached"]


def test_waiting_for_a_reader_takes_none_of_a_querys_time() -> None:
    looking = Looking()
    run = looking.book.run("SELECT n FROM t ORDER BY n")
    looking.now += 600
    assert run.elapsed(looking.now) == 0.0
    looking.reach(run, None)
    assert run.elapsed(looking.now) == 0.0


def test_a_look_that_is_held_keeps_nothing_behind_it_waiting() -> None:
    looking = Looking()
    listed = looking.book.run_all([("SELECT n FROM t ORDER BY n", None), ("SELECT 1", None)])
    assert [run.shown_state for run in listed] == ["held", "completed"]
    assert looking.book.active() == []
    found = tally(listed)
    assert (found.completed, found.held, found.running, found.progress) == (1, 1, 0, 1.0)


def test_unsorting_goes_back_to_the_look_that_is_there() -> None:
    looking = Looking()
    run = looking.book.run("SELECT n FROM t")
    rows(run, 0, 5)
    ordered = looking.book.derive(run, Derived(run.sql).sorted_by(1))
    assert (ordered.shown_state, ordered.rows) == ("held", 10)
    assert looking.book.derive(ordered, Derived(run.sql)) is run
    assert (run.shown_state, run.rows) == ("held", 20)


def test_killing_what_is_being_submitted_waits_until_it_can_be_killed() -> None:
    looking = Looking()
    looking.background.paused = True
    run, refused = looking.book.run("SELECT 1"), looking.book.run("SELECT !")
    looking.server.held = True
    told: list[str] = []
    looking.book.kill(run, lambda: told.append("killed"))
    looking.book.kill(refused, lambda: told.append("refused"))
    assert told == []
    looking.background.resume()
    assert sorted(told) == ["killed", "refused"]
    assert looking.server.killed == [run.query_id]


def test_what_is_dropped_is_gone_from_the_list_and_from_the_server() -> None:
    looking = Looking()
    run, other = looking.book.run("SELECT n FROM t"), looking.book.run("SELECT 1")
    errors: list[VolleyError] = []
    looking.server.down = True
    looking.book.drop(run, lambda: None, errors.append)
    assert (len(errors), looking.book.runs) == (1, [run, other])
    looking.server.down = False
    looking.book.drop(run, lambda: None, errors.append)
    assert (len(errors), looking.book.runs, looking.server.dropped) == (1, [other], [run.query_id])
    assert (run.dropped, run.over) == (True, True)
    assert looking.book.run("SELECT 2").number == 3, "numbers are not given twice"


def test_unsorting_what_was_dropped_runs_it_again() -> None:
    looking = Looking()
    run = looking.book.run("SELECT n FROM t")
    ordered = looking.book.derive(run, Derived(run.sql).sorted_by(1))
    looking.book.drop(run, lambda: None, lambda _error: None)
    again = looking.book.derive(ordered, Derived(run.sql))
    assert again is not run
    assert (again.sql, again.shown_state) == (run.sql, "held")


def test_at_the_end_what_nobody_else_needs_is_dropped() -> None:
    looking = Looking()
    others = looking.server.submit("SELECT n FROM t", ahead=1).query_id
    held, small = looking.book.run("SELECT n FROM t"), looking.book.run("SELECT 1")
    looking.book.follow(line_of(looking.server.statuses[others]))
    ordered = looking.book.derive(small, Derived(small.sql).sorted_by(1))
    looking.book.close()
    assert looking.server.dropped == [held.query_id, ordered.query_id]


def test_that_nothing_is_heard_of_a_query_shows_until_something_is() -> None:
    looking = Looking()
    looking.server.held = True
    run = looking.book.run("SELECT n FROM t")
    assert run.query_id is not None
    looking.follower.hear_nothing(run.query_id, VolleyError("worker w2, which does not answer, may own it"))
    assert (str(run.unheard), run.state) == ("worker w2, which does not answer, may own it", "running")
    looking.follower.look_at_all()
    assert run.unheard is None
