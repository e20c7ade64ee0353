from __future__ import annotations

from flight_server.cluster.membership import ATTENTIVE_SECONDS, FORGET_SECONDS, LOST_SECONDS, Membership
from tests.flight_server.cluster.fake_flight import worker


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
    assert members.lost("a", 0.5) is not None
    assert members.lost("a", 0.6) is None
    assert members.lost("stranger", 0.7) is None
    assert members.heard(worker("a"), 1.0), "it is back"
    members.lost("a", 1.5)
    members.silent(2.0 + FORGET_SECONDS)
    assert members.others() == []


def test_what_was_said_before_the_newest_that_is_known_does_not_count() -> None:
    members = Membership("self")
    members.heard(worker("a", "draining"), 2.0)
    members.heard(worker("a"), 1.0)
    assert [status.state for status in members.others()] == ["draining"]
    members.lost("a", 3.0)
    assert not members.heard(worker("a"), 2.5)
    assert [status.state for status in members.others()] == ["lost"]


def test_who_could_hear_nobody_takes_nobody_for_lost() -> None:
    members = Membership("self")
    members.heard(worker("a"), 0.0)
    members.silent(1.0)
    assert members.silent(60.0) == [], "this worker was stopped itself"
    now = 60.0
    while now - 60.0 < LOST_SECONDS - ATTENTIVE_SECONDS:
        now += 1.0
        assert members.silent(now) == []
    lost = [status for step in range(1, 8) for status in members.silent(now + step)]
    assert [status.worker_id for status in lost] == ["a"], "it has been silent since"


def test_only_workers_that_are_there_and_unknown_are_greeted() -> None:
    members = Membership("self")
    members.heard(worker("a"), 0.0)
    told = (worker("a"), worker("b"), worker("c", "lost"), worker("d", "draining"), worker("self"))
    assert [members.mentioned(status) for status in told] == [False, True, False, True, False]
