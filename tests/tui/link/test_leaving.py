from __future__ import annotations

import threading
import time

from flight_server.protocol.messages import QueryStatus
from tests.tui.fake_server import FakeServer, Unreachable
from tui.link.leaving import drop_all


def test_what_is_left_behind_is_dropped_though_some_of_it_is_gone() -> None:
    class Forgetful(FakeServer):
        def drop(self, query_id: str) -> QueryStatus | None:
            if query_id == "q1":
                raise Unreachable("its owner is gone")
            return super().drop(query_id)

    server = Forgetful()
    drop_all(server, ["q1", "q2"])
    assert server.dropped == ["q2"]


def test_nobody_waits_for_a_server_that_does_not_answer() -> None:
    asked, answers = threading.Event(), threading.Event()

    class Hanging(FakeServer):
        def drop(self, query_id: str) -> QueryStatus | None:
            asked.set()
            assert answers.wait(30)
            return None

    began = time.monotonic()
    drop_all(Hanging(), ["q1"], seconds=0.05)
    assert time.monotonic() - began < 20
    assert asked.wait(30)
    answers.set()
