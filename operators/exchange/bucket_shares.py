"""How the buckets of hash exchanges are divided into shares, once it is known how much is in each: a pure function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.physical import Share, ShareInput

SHARES_PER_SLOT = 3
"""So many shares for each place where one can run: the last ones even out what the first ones took longer."""
SMALL_BYTES = 8 << 20
"""What is less together is one share: a share costs some calls, and the kernel a few milliseconds to begin."""
MIN_SHARE_BYTES = 2 << 20
MAX_SHARE_BYTES = 256 << 20
HOT = 2.0
"""A bucket that is so many times as large as a share should be is cut, where that is allowed."""
MAX_PARTS = 64


@dataclass(frozen=True, slots=True)
class BucketedBytes:
    """One input that comes in buckets: its name, and how many bytes there are in each.

    ``pieces``: into how many parts what is in a bucket can be cut at most, 1 for not at all.
    """

    name: str
    bytes: Sequence[int]
    pieces: Sequence[int]


def bucket_shares(
    inputs: Sequence[BucketedBytes], places: int, small_bytes: int = SMALL_BYTES, most_bytes: int = MAX_SHARE_BYTES
) -> tuple[Share, ...]:
    """Shares of ranges of buckets, in their order, for ``places`` places where one can run: each bucket of all inputs in one of them.

    A bucket that is much too large alone is in several shares, each with a part of one of its inputs and all of the others.
    ``small_bytes``: what is less together is not divided. ``most_bytes``: a share is in its worker's memory while it runs, and should be
    no larger.
    """
    assert inputs, "there is an input in buckets"
    buckets = len(inputs[0].bytes)
    assert buckets, "there are buckets"
    assert all(len(each.bytes) == len(each.pieces) == buckets for each in inputs), "all inputs have the same buckets"
    sizes = [sum(each.bytes[bucket] for each in inputs) for bucket in range(buckets)]
    total = sum(sizes)
    if total < small_bytes or places < 1:
        return (_range(inputs, 0, buckets),)
    least = min(MIN_SHARE_BYTES, max(1, small_bytes))
    target = min(most_bytes, max(least, total // (places * SHARES_PER_SLOT)))
    shares: list[Share] = []
    first, size = 0, 0
    for bucket in range(buckets):
        cut = _cut(inputs, bucket, target) if sizes[bucket] > HOT * target else None
        # In which share a bucket makes the smaller difference to what a share should have.
        if bucket > first and (cut is not None or size + sizes[bucket] - target > target - size):
            shares.append(_range(inputs, first, bucket))
            first, size = bucket, 0
        if cut is not None:
            shares.extend(cut)
            first, size = bucket + 1, 0
        else:
            size += sizes[bucket]
    if first < buckets:
        shares.append(_range(inputs, first, buckets))
    return tuple(shares)


def _range(inputs: Sequence[BucketedBytes], first: int, behind_last: int) -> Share:
    return Share(tuple(ShareInput(each.name, buckets=(first, behind_last)) for each in inputs))


def _cut(inputs: Sequence[BucketedBytes], bucket: int, target: int) -> list[Share] | None:
    """The parts of a bucket; None where none of the inputs can be cut into several."""
    largest = max(inputs, key=lambda each: each.bytes[bucket] if each.pieces[bucket] > 1 else -1)
    count = min(MAX_PARTS, largest.pieces[bucket], -(-largest.bytes[bucket] // target))
    if count <= 1:
        return None
    (whole,) = (_range(inputs, bucket, bucket + 1),)
    return [
        Share(
            tuple(
                ShareInput(part.name, buckets=part.buckets, part=(which, count)) if part.name == largest.name else part
                for part in whole.inputs
            )
        )
        for which in range(count)
    ]
