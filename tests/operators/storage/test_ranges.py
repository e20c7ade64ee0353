from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from operators.storage import ByteRange
from operators.storage.ranges import MAX_GAP_BYTES, MAX_REQUEST_BYTES, MERGE_WASTE, complement, requests, total_bytes, union

RANGES = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 60)).map(lambda pair: ByteRange(pair[0], pair[0] + pair[1])), max_size=20)


def covered(ranges: list[ByteRange]) -> set[int]:
    return {position for start, stop in ranges for position in range(start, stop)}


@given(RANGES)
def test_union_and_complement_share_out_every_byte(ranges: list[ByteRange]) -> None:
    merged, rest = union(ranges), complement(ranges, 0, 600)
    assert covered(merged) == covered(ranges)
    assert covered(rest) == set(range(600)) - covered(ranges)
    assert total_bytes(merged) + total_bytes(rest) == 600
    assert all(left.stop < right.start for left, right in pairwise(merged))


@given(RANGES)
def test_requests_hold_all_that_is_needed_and_little_else(ranges: list[ByteRange]) -> None:
    asked = requests(ranges)
    assert covered(ranges) <= covered(asked)
    assert total_bytes(asked) == len(covered(asked))
    assert total_bytes(asked) <= len(covered(ranges)) * (1 + MERGE_WASTE)


def test_small_gaps_are_bridged_before_large_ones() -> None:
    needed = [ByteRange(0, 1000), ByteRange(1010, 2000), ByteRange(2100, 3000)]
    assert requests(needed) == [ByteRange(0, 2000), ByteRange(2100, 3000)]


def test_gaps_have_a_limit_and_large_ranges_are_cut_evenly() -> None:
    size = 100 * MAX_REQUEST_BYTES
    asked = requests([ByteRange(0, size), ByteRange(size + MAX_GAP_BYTES + 1, size + MAX_GAP_BYTES + 11)])
    assert asked[-1] == ByteRange(size + MAX_GAP_BYTES + 1, size + MAX_GAP_BYTES + 11)
    assert {stop - start for start, stop in asked[:-1]} == {MAX_REQUEST_BYTES}
    assert len(requests([ByteRange(0, MAX_REQUEST_BYTES + 2)])) == 2
