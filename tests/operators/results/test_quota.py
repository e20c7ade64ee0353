"""What all results together may have: the oldest go first, but none that somebody reads or writes, here or elsewhere."""

from __future__ import annotations

import pytest

from operators.errors import NoSuchResult
from operators.results import results
from operators.results.reading import Result
from operators.results.results import BEGINNING, MARKED_SECONDS, READING_SECONDS, ResultStore
from planner.errors import Status
from tests.operators.results.result_samples import SmallStore, all_numbers, begun, finished, rows


class Crowd:
    """Three results of 65 rows, one a second, in a store that has room for two and a half of them."""

    def __init__(self, small: SmallStore) -> None:
        self.small = small
        size = finished(small.store, 65)
        assert small.store.delete(size.query_id)
        self.total_bytes = size.bytes * 5 // 2
        self.store = self.another()
        self.results = [self.one() for _ in range(3)]

    def another(self) -> ResultStore:
        return self.small.another(total_bytes=self.total_bytes, ttl_seconds=10_000)

    def one(self) -> Result:
        self.small.clock.now += 1
        return finished(self.store, 65)

    def sweep(self, store: ResultStore | None = None) -> list[int]:
        """Which of the results a sweep removes, by their number."""
        gone = (store or self.store).sweep(self.small.clock.now)
        return [number for number, result in enumerate(self.results) if result.query_id in gone]

    def left(self) -> set[str]:
        return {name.split("/")[0] for name in self.small.files()}

    def quiet(self) -> None:
        """Whoever read has not for a while."""
        self.small.clock.now += READING_SECONDS


@pytest.fixture(name="crowd")
def _crowd(small: SmallStore) -> Crowd:
    return Crowd(small)


def test_the_oldest_goes_when_all_are_too_large_and_its_readers_are_told_why(crowd: Crowd) -> None:
    assert crowd.sweep() == [0]
    assert crowd.left() == {result.query_id for result in crowd.results[1:]}
    assert [manifest.query_id for manifest in crowd.store.list()] == [result.query_id for result in crowd.results[1:]]
    assert crowd.store.get(crowd.results[0].query_id) is None
    with pytest.raises(NoSuchResult, match=r"all results together may have .* bytes, and it was the oldest") as told:
        all_numbers(crowd.results[0])
    assert (told.value.status, told.value.remedy) == (Status.NOT_FOUND, "Run the query again, or raise results.total_bytes.")
    assert crowd.sweep() == [], "what is left fits"
    assert [all_numbers(result) for result in crowd.results[1:]] == [list(range(65))] * 2


def test_as_many_go_as_must(crowd: Crowd) -> None:
    crowd.results += [crowd.one(), crowd.one()]
    assert crowd.sweep() == [0, 1, 2]


def test_one_that_is_larger_than_all_may_be_goes_too(small: SmallStore) -> None:
    store = small.another(total_bytes=10)
    result = finished(store, 65)
    assert store.sweep(small.clock.now) == [result.query_id]
    assert small.files() == []


def test_what_is_being_read_stays_and_the_next_oldest_goes(crowd: Crowd) -> None:
    reading = crowd.results[0].follow(BEGINNING)
    next(reading)
    crowd.quiet()
    assert crowd.sweep() == [1]
    assert len(list(reading)) == 6
    assert crowd.sweep() == []


def test_what_is_being_read_is_known_though_so_many_others_were_loaded_since(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_LOADED", 1)
    reading = crowd.results[0].follow(BEGINNING)
    next(reading)
    crowd.results.append(crowd.one())
    crowd.quiet()
    assert crowd.sweep() == [1, 2]
    assert crowd.store.statistics().loaded == 1
    assert len(list(reading)) == 6


def test_between_two_pages_somebody_still_reads(crowd: Crowd) -> None:
    list(crowd.results[0].follow(BEGINNING, whole=False))
    crowd.small.clock.now += READING_SECONDS - 1
    assert crowd.sweep() == [1]
    crowd.results.append(crowd.one())
    crowd.small.clock.now += MARKED_SECONDS
    assert crowd.sweep() == [0]


def test_what_is_being_written_is_neither_counted_nor_removed(crowd: Crowd) -> None:
    writer = begun(crowd.store)
    for start in range(0, 1_000, 10):
        writer.append(rows(start, start + 10))
    assert crowd.sweep() == [0]
    assert not crowd.store.sweep(crowd.small.clock.now)
    writer.append(rows(1_000, 1_005))
    writer.finish(lambda: "{}")
    assert all_numbers(writer.result) == list(range(1_005))


def test_what_another_process_reads_stays(crowd: Crowd) -> None:
    other = crowd.another()
    stored = other.get(crowd.results[0].query_id)
    assert stored is not None
    reading = stored.follow(BEGINNING)
    next(reading)
    crowd.quiet()
    assert crowd.sweep(other) == [1], "it knows of its own reader"
    crowd.results.append(crowd.one())
    assert crowd.sweep() == [2], "and has said so"
    assert len(list(reading)) == 6


def test_a_mark_does_not_last_for_ever(crowd: Crowd) -> None:
    other = crowd.another()
    stored = other.get(crowd.results[0].query_id)
    assert stored is not None
    all_numbers(stored)
    assert crowd.sweep(other) == [1]
    crowd.results.append(crowd.one())
    crowd.small.clock.now += MARKED_SECONDS - 2
    assert crowd.sweep() == [2]
    crowd.results.append(crowd.one())
    assert crowd.sweep() == [0]


def test_expiry_takes_what_is_read_too(crowd: Crowd) -> None:
    list(crowd.results[0].follow(BEGINNING, whole=False))
    crowd.small.clock.now += 10_000 - 2
    assert crowd.sweep() == [0]


def test_two_processes_may_make_room_at_once(crowd: Crowd) -> None:
    other = crowd.another()
    assert len(other.list()) == 3
    assert crowd.sweep() == [0]
    assert crowd.sweep(other) == []
    assert other.get(crowd.results[0].query_id) is None


def test_what_another_process_has_removed_is_forgotten_with_the_rows_in_memory(crowd: Crowd) -> None:
    other = crowd.another()
    stored = other.get(crowd.results[0].query_id)
    assert stored is not None
    assert all_numbers(stored) == list(range(65))
    assert other.statistics().cache.groups == 7
    assert len(other.list()) == 3
    crowd.quiet()
    assert crowd.sweep() == [0]
    assert len(other.list()) == 2
    assert other.get(crowd.results[0].query_id) is None
    assert other.statistics().cache.groups == 0


def test_a_mark_for_what_is_gone_brings_nothing_back_for_long(crowd: Crowd) -> None:
    other = crowd.another()
    stored = other.get(crowd.results[0].query_id)
    assert stored is not None
    list(stored.follow(BEGINNING))
    assert crowd.store.delete(crowd.results[0].query_id)
    other.sweep(crowd.small.clock.now)
    assert crowd.results[0].query_id not in {manifest.query_id for manifest in crowd.another().list()}
