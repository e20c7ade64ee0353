"""Buckets become shares: each is in one of them, small ones together, and what is much too large is cut up."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from operators.exchange.bucket_shares import (
    MAX_PARTS,
    MAX_SHARE_BYTES,
    MIN_SHARE_BYTES,
    SHARES_PER_SLOT,
    SMALL_BYTES,
    BucketedBytes,
    bucket_shares,
)
from planner.physical import Share, ShareInput

MB = 1 << 20


def whole(name: str, sizes: Sequence[int]) -> BucketedBytes:
    return BucketedBytes(name, sizes, [1] * len(sizes))


def ranges(shares: Sequence[Share], name: str = "a") -> list[tuple[int, int] | None]:
    return [part.buckets for share in shares for part in share.inputs if part.name == name]


def test_what_is_small_together_is_one_share() -> None:
    assert bucket_shares([whole("a", [MB] * 3), whole("b", [MB] * 3)], 8) == (
        Share((ShareInput("a", buckets=(0, 3)), ShareInput("b", buckets=(0, 3)))),
    )
    assert ranges(bucket_shares([whole("a", [0] * 10)], 8)) == [(0, 10)]
    assert ranges(bucket_shares([whole("a", [0] * 10)], 8, small_bytes=0)) == [(0, 10)]


def test_even_buckets_make_shares_of_one_size_some_for_each_place() -> None:
    shares = bucket_shares([whole("a", [MB] * 192), whole("b", [2 * MB] * 192)], 4)
    assert len(shares) == 4 * SHARES_PER_SLOT
    assert ranges(shares, "a") == ranges(shares, "b") == [(first, first + 16) for first in range(0, 192, 16)]


def test_shares_are_neither_tiny_nor_too_large_for_memory() -> None:
    assert len(bucket_shares([whole("a", [SMALL_BYTES // 64] * 64)], 1000)) == SMALL_BYTES // MIN_SHARE_BYTES
    sizes = [MAX_SHARE_BYTES // 4] * 192
    assert ranges(bucket_shares([whole("a", sizes)], 1)) == [(first, first + 4) for first in range(0, 192, 4)]
    assert len(bucket_shares([whole("a", sizes)], 1, most_bytes=MB)) == 192, "each bucket by itself: it is larger than that"


def test_where_everything_is_to_be_divided_so_are_a_few_bytes() -> None:
    assert len(bucket_shares([whole("a", [10] * 192)], 2, small_bytes=0)) == 2 * SHARES_PER_SLOT


def test_a_hot_bucket_is_cut_where_that_is_allowed_and_the_other_side_goes_whole_to_each_part() -> None:
    hot = [MB] * 10 + [100 * MB] + [MB] * 10
    shares = bucket_shares([BucketedBytes("a", hot, [9] * 21), whole("b", [MB] * 21)], 4)
    parts = [share for share in shares if any(part.part for part in share.inputs)]
    assert len(parts) == 9
    for which, share in enumerate(parts):
        assert share.inputs == (ShareInput("a", buckets=(10, 11), part=(which, 9)), ShareInput("b", buckets=(10, 11)))
    others = [part for share in shares if share not in parts for part in share.inputs]
    assert all(part.buckets is not None and not part.buckets[0] <= 10 < part.buckets[1] for part in others)


@pytest.mark.parametrize(("pieces", "parts"), [(1, 0), (2, 2), (3, 3), (10_000, MAX_PARTS)])
def test_a_bucket_is_cut_into_no_more_parts_than_there_are_pieces_of_it(pieces: int, parts: int) -> None:
    hot = [0] * 5 + [1000 * MB] + [0] * 5
    shares = bucket_shares([BucketedBytes("a", hot, [pieces] * 11)], 40)
    assert sum(part.part is not None for share in shares for part in share.inputs) == parts


def test_of_two_that_may_be_cut_the_larger_one_is() -> None:
    hot = [0, 90 * MB, 0]
    shares = bucket_shares([BucketedBytes("a", [0, 30 * MB, 0], [9] * 3), BucketedBytes("b", hot, [9] * 3)], 2)
    assert {part.name for share in shares for part in share.inputs if part.part} == {"b"}


@pytest.mark.parametrize("seed", range(60))
def test_each_bucket_of_each_input_is_in_one_share_or_in_all_parts_of_one(seed: int) -> None:
    chance = random.Random(seed)
    buckets = chance.choice([1, 2, 16, 192])
    largest = chance.choice([0, 10, MB, 50 * MB])
    inputs = [
        BucketedBytes(
            name,
            [chance.choice([0, 1, chance.randint(0, largest), 50 * chance.randint(0, largest)]) for _ in range(buckets)],
            [chance.choice([1, 1, 5]) for _ in range(buckets)],
        )
        for name in ("a", "b", "c")[: chance.randint(1, 3)]
    ]
    shares = bucket_shares(inputs, chance.choice([1, 2, 12, 64]), chance.choice([0, SMALL_BYTES]))
    assert all([part.name for part in share.inputs] == [each.name for each in inputs] for share in shares)
    assert all(len({part.buckets for part in share.inputs}) == 1 for share in shares), "alike for all inputs"
    assert all(sum(part.part is not None for part in share.inputs) <= 1 for share in shares), "one of them is cut"
    covered: list[tuple[int, int]] = []
    expected_part = (0, 1)
    for share in shares:
        found = share.inputs[0].buckets
        assert found is not None
        assert found[0] < found[1]
        cut = next((part.part for part in share.inputs if part.part is not None), None)
        if cut is None or cut[0] == 0:
            assert expected_part[0] + 1 == expected_part[1], "all parts of a bucket follow each other"
            assert found[0] == (covered[-1][1] if covered else 0)
            covered.append(found)
        else:
            assert found == covered[-1]
            assert cut == (expected_part[0] + 1, expected_part[1])
        expected_part = cut or (0, 1)
    assert covered[-1][1] == buckets
