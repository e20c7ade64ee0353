"""Whose output of a share counts: one worker's, the first to be acknowledged of those that are still there."""

from __future__ import annotations

import random

import pytest

from operators.exchange.bucket_places import BucketPlaces, BucketSizes, OutputMade, WorkerGone, part_of


def sizes(*rows: int) -> BucketSizes:
    return BucketSizes(rows, tuple(10 * count for count in rows))


def test_it_is_complete_when_each_share_has_an_output() -> None:
    places = BucketPlaces(3, 2)
    for share, worker in ((2, "a"), (0, "b")):
        assert places.on(OutputMade(share, worker, sizes(share, 1))) == []
    assert (places.complete, places.done) == (False, 2)
    places.on(OutputMade(1, "a", sizes(5, 0)))
    assert (places.complete, places.done) == (True, 3)
    assert places.by_worker() == {"b": [0], "a": [1, 2]}
    assert places.rows() == 9
    assert places.bytes_by_bucket() == (70, 20)
    assert places.holders_by_bucket() == (2, 2)


def test_the_first_output_of_a_share_stays() -> None:
    places = BucketPlaces(1, 1)
    places.on(OutputMade(0, "a", sizes(4)))
    places.on(OutputMade(0, "b", sizes(4)))
    places.on(OutputMade(0, "a", sizes(4)))
    assert places.by_worker() == {"a": [0]}
    assert places.rows() == 4


def test_what_a_lost_worker_kept_has_to_be_made_again_and_counts_no_more() -> None:
    places = BucketPlaces(3, 1)
    for share, worker in enumerate("aba"):
        places.on(OutputMade(share, worker, sizes(share + 1)))
    assert places.on(WorkerGone("a")) == [0, 2]
    assert not places.complete
    assert places.by_worker() == {"b": [1]}
    assert (places.rows(), places.bytes_by_bucket(), places.holders_by_bucket()) == (2, (20,), (1,))
    assert places.on(WorkerGone("a")) == []
    assert places.on(OutputMade(0, "a", sizes(1))) == [0], "an ack that comes late"
    places.on(OutputMade(0, "b", sizes(1)))
    assert places.on(OutputMade(0, "a", sizes(1))) == []
    assert places.by_worker() == {"b": [0, 1]}


def test_nothing_is_complete_at_once() -> None:
    assert BucketPlaces(0, 4).complete
    assert BucketPlaces(0, 4).by_worker() == {}


@pytest.mark.parametrize("seed", range(30))
def test_whatever_happens_each_share_counts_once_and_at_a_worker_that_is_there(seed: int) -> None:
    chance = random.Random(seed)
    shares, buckets, workers = chance.randint(1, 12), chance.randint(1, 4), ["a", "b", "c", "home"]
    rows = [tuple(chance.randrange(4) for _ in range(buckets)) for _ in range(shares)]
    places, gone, open_shares = BucketPlaces(shares, buckets), set[str](), set(range(shares))
    for _ in range(60):
        if chance.random() < 0.1:
            lost = chance.choice(workers[:-1])
            gone.add(lost)
            open_shares.update(places.on(WorkerGone(lost)))
        else:
            share, worker = chance.randrange(shares), chance.choice(workers)
            if not places.on(OutputMade(share, worker, sizes(*rows[share]))) and worker not in gone:
                open_shares.discard(share)
        by_worker = places.by_worker()
        counted = [share for found in by_worker.values() for share in found]
        assert len(counted) == len(set(counted)) == places.done
        assert set(range(shares)) - set(counted) == open_shares
        assert gone.isdisjoint(by_worker)
        assert places.complete == (not open_shares)
        assert places.rows() == sum(sum(rows[share]) for share in counted)
        assert places.bytes_by_bucket() == tuple(10 * sum(rows[share][bucket] for share in counted) for bucket in range(buckets))
        assert places.holders_by_bucket() == tuple(sum(rows[share][bucket] > 0 for share in counted) for bucket in range(buckets))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_parts_have_each_share_once(count: int) -> None:
    shares = [0, 1, 3, 4, 8, 9, 12]
    parts = [part_of(shares, (which, count)) for which in range(count)]
    assert sorted(share for part in parts for share in part) == shares
    assert part_of(shares, None) == shares


def test_a_share_is_in_the_same_part_wherever_it_is() -> None:
    """It may be made again elsewhere after the first part was read."""
    assert [part_of([4, 7, 9], (which, 2)) + part_of([2, 5], (which, 2)) for which in (0, 1)] == [[4, 2], [7, 9, 5]]
