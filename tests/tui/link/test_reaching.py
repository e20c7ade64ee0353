from __future__ import annotations

import pyarrow as pa
import pytest

from planner.errors import Status, VolleyError
from tests.tui.fake_server import FakeServer
from tui.link import reaching
from tui.link.reaching import Reach

SQL = "SELECT n FROM t ORDER BY n"


@pytest.fixture
def server() -> FakeServer:
    made = FakeServer({"t": pa.table({"n": list(range(95))})}, rows_per_group=10)
    made.submit(SQL, ahead=1)
    return made


def test_a_turn_ends_after_its_time_and_the_next_one_goes_on(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "ASK_SECONDS", 0.0)
    times = iter(range(100))
    reach = Reach(server, "q1", 42, clock=lambda: next(times) * 0.4)
    first = reach.turn()
    assert first is not None
    assert (reach.reached(first), first.result.rows) == (False, 30)
    while not reach.reached(status := reach.turn() or first):
        assert status.result.rows <= 50
    assert status.result.rows == 50


def test_the_row_itself_can_be_read_without_waiting_when_it_is_reached(server: FakeServer) -> None:
    """Row 49 is the last of its row group: whoever reads it waits until more is known."""
    status = Reach(server, "q1", 49).turn()
    assert status is not None
    assert status.result.rows == 60


def test_a_stopped_one_asks_for_nothing(server: FakeServer) -> None:
    reach = Reach(server, "q1", 42)
    reach.stop()
    assert reach.turn() is not None
    assert (reach.stopped, server.reads) == (True, [])


def test_all_rows_may_take_several_turns(server: FakeServer) -> None:
    class Late(VolleyError):
        status = Status.DEADLINE_EXCEEDED

    class Slow(FakeServer):
        late = 2

        def make_all(self, query_id: str, *, timeout: float | None = None) -> None:
            assert timeout == reaching.TURN_SECONDS
            if self.late:
                self.late -= 1
                raise Late("not within that time")
            super().make_all(query_id)

    slow = Slow({"t": pa.table({"n": list(range(95))})}, rows_per_group=10)
    slow.submit(SQL, ahead=1)
    reach = Reach(slow, "q1", None)
    statuses = [reach.turn() for _ in range(3)]
    assert [status is not None and reach.reached(status) for status in statuses] == [False, False, True]


def test_a_query_that_is_gone_has_no_more_rows(server: FakeServer) -> None:
    server.statuses.clear()
    assert Reach(server, "q1", 42).turn() is None


def test_what_has_ended_has_all_its_rows(server: FakeServer) -> None:
    killed = server.kill("q1")
    assert killed is not None
    assert Reach(server, "q1", 42).reached(killed)
