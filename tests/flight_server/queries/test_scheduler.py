from __future__ import annotations

from flight_server.queries.scheduler import Admission, AdmissionStatistics, Pause


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


def test_one_that_waits_for_its_reader_lends_its_place_and_goes_on_when_it_likes() -> None:
    admission = Admission(max_running=1, max_waiting=2)
    assert [admission.arrive(name) for name in "abc"] == ["run", "wait", "wait"]
    assert admission.pause("a") == Pause("b")
    assert admission.statistics() == AdmissionStatistics(running=1, waiting=1, paused=1)
    admission.resume("a")
    assert admission.statistics() == AdmissionStatistics(running=2, waiting=1, paused=0), "its reader need not wait in line"
    assert admission.leave("b") is None, "one runs: that is enough"
    assert admission.leave("a") == "c"


def test_one_that_ends_while_it_is_paused_has_no_place_to_give() -> None:
    admission = Admission(max_running=1, max_waiting=1)
    assert [admission.arrive(name) for name in "ab"] == ["run", "wait"]
    assert admission.pause("a") == Pause("b")
    assert admission.arrive("c") == "wait"
    assert admission.leave("a") is None
    admission.resume("a")
    assert admission.leave("b") == "c"
    assert admission.statistics() == AdmissionStatistics(running=1, waiting=0, paused=0)


def test_as_many_as_run_may_pause_and_then_the_one_that_has_for_longest_goes_on() -> None:
    admission = Admission(max_running=1, max_waiting=3)
    assert [admission.arrive(name) for name in "abcd"] == ["run", "wait", "wait", "wait"]
    assert admission.pause("a") == Pause("b")
    assert admission.pause("b") == Pause(None, freed="a"), "a has the place that b leaves"
    assert admission.statistics() == AdmissionStatistics(running=1, waiting=2, paused=1)
    admission.resume("a")
    assert admission.leave("a") == "c", "nobody waits behind a reader that does not come"
    assert admission.pause("c") == Pause(None, freed="b")


def test_one_that_was_read_has_not_paused_for_longest() -> None:
    admission = Admission(max_running=2, max_waiting=3)
    assert [admission.arrive(name) for name in "abc"] == ["run", "run", "wait"]
    assert admission.pause("a") == Pause("c")
    assert admission.pause("b") == Pause()
    admission.resume("a")
    assert admission.pause("a") == Pause()
    assert admission.pause("c") == Pause(freed="b")
    assert admission.pause("nobody") == Pause()
