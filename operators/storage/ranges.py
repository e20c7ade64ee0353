"""Which bytes to ask for: neighbours merged, large ranges cut for fetching side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from operators.storage.backend import ByteRange

MERGE_WASTE = 0.03
"""At most this part of what is needed is fetched besides it, to save requests."""
MAX_GAP_BYTES = 1 << 20
MAX_REQUEST_BYTES = 8 << 20


def total_bytes(ranges: Iterable[ByteRange]) -> int:
    """The bytes in ``ranges``, which do not overlap."""
    return sum(stop - start for start, stop in ranges)


def union(ranges: Iterable[ByteRange]) -> list[ByteRange]:
    """The same bytes in order, without overlaps and empty ranges; ranges that touch are one."""
    merged: list[ByteRange] = []
    for start, stop in sorted(ranges):
        if start >= stop:
            continue
        if merged and start <= merged[-1].stop:
            merged[-1] = ByteRange(merged[-1].start, max(stop, merged[-1].stop))
        else:
            merged.append(ByteRange(start, stop))
    return merged


def complement(ranges: Iterable[ByteRange], start: int, stop: int) -> list[ByteRange]:
    """What of ``start`` … ``stop`` is in none of ``ranges``."""
    gaps = []
    position = start
    for taken in union(ranges):
        if taken.start > position:
            gaps.append(ByteRange(position, min(taken.start, stop)))
        position = max(position, taken.stop)
    return [gap for gap in (*gaps, ByteRange(position, stop)) if gap.start < gap.stop]


def requests(needed: Iterable[ByteRange]) -> list[ByteRange]:
    """Ranges that hold all of ``needed``: the smallest gaps are fetched too, as far as ``MERGE_WASTE`` allows."""
    merged = union(needed)
    budget = int(total_bytes(merged) * MERGE_WASTE)
    bridged = set()
    for gap, index in sorted((merged[index + 1].start - merged[index].stop, index) for index in range(len(merged) - 1)):
        if gap > budget or gap > MAX_GAP_BYTES:
            break
        budget -= gap
        bridged.add(index)
    return [part for whole in _joined(merged, bridged) for part in _cut(whole)]


def _joined(ranges: Sequence[ByteRange], bridged: set[int]) -> list[ByteRange]:
    joined: list[ByteRange] = []
    for index, current in enumerate(ranges):
        if index - 1 in bridged:
            joined[-1] = ByteRange(joined[-1].start, current.stop)
        else:
            joined.append(current)
    return joined


def _cut(whole: ByteRange) -> list[ByteRange]:
    parts = -(-(whole.stop - whole.start) // MAX_REQUEST_BYTES)
    size = -(-(whole.stop - whole.start) // parts)
    return [ByteRange(start, min(start + size, whole.stop)) for start in range(whole.start, whole.stop, size)]
