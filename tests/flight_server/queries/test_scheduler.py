from __future__ import annotations

from flight_server.queries.scheduler import Admission


def test_queries_wait_in_the_order_they_came_and_the_last_find_no_room() -> None:
    admission = Admission(max_running=2, max_waiting=2)
    assert [admission.arrive(query) for query in "abcde"] == ["run", "run", "wait", "wait", "refuse"]
    assert admission.leave("a") == "c"
    assert admission.leave("b") == "d"
    assert admission.leave("c") is None


def test_a_waiting_query_that_is_killed_frees_its_place_in_the_line() -> None:
    admission = Admission(max_running=1, max_waiting=1)
    admission.arrive("a")
    admission.arrive("b")
    assert admission.leave("b") is None
    assert admission.arrive("c") == "wait"
    assert admission.leave("a") == "c"
    assert (admission.statistics().running, admission.statistics().waiting) == (1, 0)


def test_leaving_twice_lets_only_one_in() -> None:
    admission = Admission(max_running=1, max_waiting=3)
    for query in "abc":
        admission.arrive(query)
    assert admission.leave("a") == "b"
    assert admission.leave("a") is None
    assert admission.leave("never seen") is None
    assert (admission.statistics().running, admission.statistics().waiting) == (1, 1)
