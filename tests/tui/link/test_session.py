from __future__ import annotations

import pyarrow as pa

from flight_server.protocol.messages import WorkerStatus
from planner.errors import Status, VolleyError
from tests.tui.fake_server import FakeServer
from tests.tui.inline import InlineBackground
from tui.link.session import Link, Session


class Refused(VolleyError):
    status = Status.INTERNAL


def session(server: FakeServer) -> tuple[Session, list[Link]]:
    made = Session(server, InlineBackground(), lambda call: call(), "grpc://fake")
    links: list[Link] = []
    made.link_changed.append(links.append)
    return made, links


def look(made: Session) -> None:
    """One look, without the thread."""
    made._closed.set()
    made.look()


def test_a_server_that_answers_is_up_and_its_tables_are_loaded() -> None:
    made, links = session(FakeServer({"b": pa.table({"n": [1]}), "A": pa.table({"n": [1]})}))
    look(made)
    assert links == ["up"]
    assert [table.name for table in made.tables] == ["A", "b"]
    assert made.pulse is not None
    assert len(made.pulse.workers) == 2


def test_a_lost_server_is_said_once_and_so_is_its_return() -> None:
    server = FakeServer()
    made, links = session(server)
    look(made)
    server.down = True
    look(made)
    look(made)
    server.down = False
    look(made)
    assert links == ["up", "lost", "up"]
    assert made.link_error is None


def test_an_answer_that_is_an_error_is_an_answer() -> None:
    class Broken(FakeServer):
        def workers(self, *, timeout: float = 1.0) -> list[WorkerStatus]:
            raise Refused("internal error")

    made, links = session(Broken())
    look(made)
    assert links == ["up"]
    assert str(made.link_error) == "internal error"
