from __future__ import annotations

import threading

from flight_server.protocol.messages import QueryStatus
from tests.tui.fake_server import FakeServer, Unreachable
from tui.link.follower import Follower


def test_the_follower_asks_on_while_the_server_is_away_and_stops_at_the_end() -> None:
    answers: list[QueryStatus | Exception | None] = [
        QueryStatus("q", "", "running"),
        Unreachable("gone"),
        Unreachable("gone"),
        QueryStatus("q", "", "completed"),
    ]
    taken: list[str] = []
    over = threading.Event()

    class Away(FakeServer):
        def status(self, query_id: str) -> QueryStatus | None:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    def take(status: QueryStatus) -> None:
        taken.append(status.state)
        if status.state == "completed":
            over.set()

    follower = Follower(Away(), lambda call: call())
    follower.add("q", take, lambda error: taken.append(str(error)))
    assert over.wait(10)
    follower.close()
    assert taken == ["running", "completed"]
    assert answers == []
