from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from flight_server.protocol.messages import QueryStatus, ResultStatus, WorkerStatus
from planner.errors import VolleyError
from tests.tui.fake_server import FakeServer, Unreachable
from tui.link import follower as following
from tui.link.follower import AWAY_SECONDS, HELD_SECONDS, LOST_SECONDS, POLL_SECONDS, SILENT_SECONDS, Follower

Answer = QueryStatus | Exception | None
RUNNING = QueryStatus("q", "", "running")
HELD = QueryStatus("q", "", "running", result=ResultStatus(held=True))
DONE = QueryStatus("q", "", "completed")
NOBODY = Unreachable("worker w2, which is gone, may have owned it")


def test_the_follower_asks_on_while_the_server_is_away_and_stops_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "AWAY_SECONDS", 0.01)
    answers: list[Answer] = [RUNNING, Unreachable("gone"), Unreachable("gone"), DONE]
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


@dataclass
class Scripted(FakeServer):
    """Answers ``script`` in turn, then the last of it for ever, at the time of ``now``; ``up``: whether it answers to anything else."""

    script: list[Answer] = field(default_factory=list)
    now: float = 0.0
    up: bool = True
    asked_at: list[float] = field(default_factory=list)

    def status(self, query_id: str) -> QueryStatus | None:
        self.asked_at.append(self.now)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def workers(self, *, timeout: float = 1.0) -> list[WorkerStatus]:
        if not self.up:
            raise Unreachable("cannot reach a server")
        return []


@dataclass
class Told:
    """What a follower told of one query, with the time."""

    server: Scripted
    lines: list[tuple[float, str]] = field(default_factory=list)

    def take(self, status: QueryStatus) -> None:
        self.lines.append((self.server.now, "held" if status.result.held else status.state))

    def lost(self, error: VolleyError) -> None:
        self.lines.append((self.server.now, f"lost: {error}"))

    def silent(self, error: VolleyError) -> None:
        self.lines.append((self.server.now, f"silent: {error}"))


@pytest.fixture(name="follow")
def _follow(monkeypatch: pytest.MonkeyPatch) -> Callable[[Scripted, float], Told]:
    """Follows a query of a server by a clock that jumps from one look to the next, without the thread."""
    monkeypatch.setattr(threading.Thread, "start", lambda _thread: None)

    def follow(server: Scripted, until: float, woken_at: Sequence[float] = ()) -> Told:
        follower = Follower(server, lambda call: call(), clock=lambda: server.now)
        told = Told(server)
        follower.add("q", told.take, told.lost, told.silent)
        waking = list(woken_at)
        while (due := follower.next_due()) is not None:
            if waking and waking[0] <= due:
                server.now = waking.pop(0)
                follower.wake("q")
                continue
            if due > until:
                break
            server.now = max(server.now, due)
            follower.look_at_due()
        return told

    return follow


def times(server: Scripted) -> list[float]:
    return [round(later - earlier, 6) for earlier, later in zip(server.asked_at, server.asked_at[1:], strict=False)]


def test_what_runs_is_looked_at_five_times_a_second_and_what_is_held_seldom(follow: Callable[..., Told]) -> None:
    running, held = Scripted(script=[RUNNING]), Scripted(script=[HELD])
    follow(running, 2.0)
    follow(held, 20.0)
    assert times(running)[: len(POLL_SECONDS) + 2] == [*POLL_SECONDS, POLL_SECONDS[-1], POLL_SECONDS[-1]]
    assert times(held)[: len(POLL_SECONDS) + 2] == [*POLL_SECONDS, HELD_SECONDS, HELD_SECONDS]


def test_what_is_woken_is_looked_at_quickly_again(follow: Callable[..., Told]) -> None:
    held = Scripted(script=[HELD])
    follow(held, 12.0, woken_at=[7.0])
    after = [round(at - 7.0, 6) for at in held.asked_at if 7.0 <= at <= 8.0]
    assert after == [0.02, 0.04, 0.07, 0.12, 0.22, 0.42]


def test_that_nothing_is_heard_is_told_after_some_seconds_and_forgotten_with_the_next_answer(follow: Callable[..., Told]) -> None:
    server = Scripted(script=[RUNNING, *[NOBODY] * 5, RUNNING, DONE])
    told = follow(server, 60.0)
    assert [line for _, line in told.lines] == ["running", f"silent: {NOBODY}", f"silent: {NOBODY}", "running", "completed"]
    first_failure, silent_at = server.asked_at[1], told.lines[1][0]
    assert SILENT_SECONDS <= silent_at - first_failure <= SILENT_SECONDS + AWAY_SECONDS


def test_a_query_whose_owner_is_gone_is_lost_when_the_server_answers_to_all_else(follow: Callable[..., Told]) -> None:
    server = Scripted(script=[RUNNING, NOBODY])
    told = follow(server, 600.0)
    at, line = told.lines[-1]
    assert line.startswith("lost: for 30 s nobody has answered for this query: worker w2, which is gone")
    assert at - server.asked_at[1] <= LOST_SECONDS + AWAY_SECONDS


def test_a_server_that_is_away_loses_no_query(follow: Callable[..., Told]) -> None:
    told = follow(Scripted(script=[RUNNING, NOBODY], up=False), 600.0)
    assert not any(line.startswith("lost") for _, line in told.lines)


def test_what_is_forgotten_is_asked_for_no_more() -> None:
    server = Scripted(script=[HELD])
    follower = Follower(server, lambda call: call())
    follower.add("q", lambda _status: None, lambda _error: None)
    follower.forget("q")
    follower.wake("q")
    assert follower.next_due() is None
    follower.close()
