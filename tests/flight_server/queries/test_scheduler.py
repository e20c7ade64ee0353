from __future__ import annotations

from flight_server.queries.scheduler import Admission, AdmissionStatistics


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
    assert admission.pause("a") == "b"
    assert admission.statistics() == AdmissionStatistics(running=1, waiting=1, paused=1)
    admission.resume("a")
    assert admission.statistics() == AdmissionStatistics(running=2, waiting=1, paused=0), "its reader need not wait in line"
    assert admission.leave("b") is None, "one runs: that is enough"
    assert admission.leave("a") == "c"


def test_one_that_ends_while_it_is_paused_has_no_place_to_give() -> None:
    admission = Admission(max_running=1, max_waiting=1)
    assert [admission.arrive(name) for name in "ab"] == ["run", "wait"]
    assert admission.pause("a") == "b"
    assert admission.arrive("c") == "wait"
    assert admission.leave("a") is None
    admission.resume("a")
    assert admission.leave("b") == "c"
    assert admission.statistics() == AdmissionStatistics(running=1, waiting=0, paused=0)


def test_as_many_as_run_may_pause_and_more_keep_their_places() -> None:
    admission = Admission(max_running=1, max_waiting=3)
    assert [admission.arrive(name) for name in "abc"] == ["run", "wait", "wait"]
    assert admission.pause("a") == "b"
    assert admission.pause("b") is None
    assert admission.statistics() == AdmissionStatistics(running=1, waiting=1, paused=1)
    admission.resume("b")
    assert admission.leave("b") == "c"


def test_one_that_found_no_room_to_pause_does_so_when_another_ends_or_goes_on() -> None:
    for change in ("leave", "resume"):
        admission = Admission(max_running=2, max_waiting=9)
        for query in "abcdef":
            admission.arrive(query)
        assert [admission.pause(query) for query in "abcd"] == ["c", "d", None, None]
        if change == "leave":
            assert admission.leave("a") == "e", "c pauses in the place of a"
            assert admission.statistics() == AdmissionStatistics(running=2, waiting=1, paused=2)
            assert admission.leave("d") == "f"
        else:
            assert admission.resume("a") is None, "c pauses, and a has its place"
            assert admission.statistics() == AdmissionStatistics(running=2, waiting=2, paused=2)
            assert admission.leave("a") == "e"


def test_one_that_goes_on_before_there_was_room_to_pause_keeps_its_place() -> None:
    admission = Admission(max_running=1, max_waiting=9)
    for query in "abc":
        admission.arrive(query)
    assert [admission.pause("a"), admission.pause("b"), admission.resume("b")] == ["b", None, None]
    assert admission.leave("a") is None, "nobody would pause now"
    assert admission.leave("b") == "c"
