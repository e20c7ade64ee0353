from __future__ import annotations

from flight_server.cluster.membership import FORGET_SECONDS, LOST_SECONDS, Membership
from flight_server.protocol.messages import WorkerStatus


def worker(name: str) -> WorkerStatus:
    return WorkerStatus(worker_id=name, uri=f"grpc://127.0.0.1:{ord(name)}", pid=1, slots=1)


def test_a_worker_that_beats_stays_and_one_that_is_silent_is_lost_once() -> None:
    members = Membership("self")
    assert members.heard(worker("a"), 0.0)
    assert not members.heard(worker("a"), 1.0)
    assert members.silent(1.0 + LOST_SECONDS) == []
    (lost,) = members.silent(1.1 + LOST_SECONDS)
    assert (lost.worker_id, lost.state) == ("a", "lost")
    assert members.silent(2.0 + LOST_SECONDS) == []


def test_a_lost_worker_can_come_back_and_an_old_loss_is_forgotten() -> None:
    members = Membership("self")
    members.heard(worker("a"), 0.0)
    assert members.lost("a") is not None
    assert members.lost("a") is None
    assert members.lost("stranger") is None
    assert members.heard(worker("a"), 1.0), "it is back"
    members.lost("a")
    members.silent(2.0 + FORGET_SECONDS)
    assert members.others() == []


def test_only_workers_that_are_up_and_unknown_are_greeted() -> None:
    members = Membership("self")
    members.heard(worker("a"), 0.0)
    gone = worker("c")
    gone.state = "lost"
    assert [members.mentioned(status) for status in (worker("a"), worker("b"), gone)] == [False, True, False]
