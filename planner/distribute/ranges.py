"""Aligned shares: tables written in the order of a key, divided by ranges of it, so that rows with equal keys meet without an exchange.

What a row group's statistics say of the key tells which shares need it. One that lies across a boundary is read by both its neighbours,
each of which drops the other's rows.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from planner.logical import Scan
from planner.physical import Share, ShareInput
from planner.quoting import quote_name
from planner.splits import ScanExtent, splits_of_groups

Bound = Any
"""A whole number or a date: what statistics tell exactly."""
Range = tuple[Bound, Bound, int | None]
"""The least and the greatest key of a row group, and how many rows of it have none."""

MOST_READ_TWICE = 1.25
"""Tables are not divided by ranges where the shares would read more than so many times their rows."""
MOST_ROW_GROUPS = 20_000
"""Of tables of more, nobody looks for the ranges: each share's would be looked for among all of them."""
WHOLE_NUMBERS = frozenset(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"))


@dataclass(frozen=True)
class KeyedScan:
    """A scan with the column by which it is to be divided."""

    scan: Scan
    key: str
    extent: ScanExtent

    def may_be_aligned(self) -> bool:
        """Whether the statistics of all row groups tell ranges of the key."""
        kind = next(column.type for column in self.scan.columns if column.name == self.key)
        return (kind in WHOLE_NUMBERS or kind == "DATE") and self._ranges is not None

    @property
    def ranges(self) -> tuple[tuple[Range, ...], ...]:
        """For each file, the ranges of its row groups."""
        assert self._ranges is not None, "only scans that may be aligned are divided by ranges"
        return self._ranges

    @cached_property
    def may_have_nulls(self) -> bool:
        """Whether rows may have no key."""
        return any(nulls != 0 for file in self.ranges for _, _, nulls in file)

    @cached_property
    def _ranges(self) -> tuple[tuple[Range, ...], ...] | None:
        kept = self.extent.row_groups_kept
        if kept is None or kept > MOST_ROW_GROUPS:
            return None
        files = tuple(tuple(file.ranges(self.key)) for file in self.extent.files)
        known = all(type(least) is type(most) and type(least) in (int, datetime.date) for file in files for least, most, _ in file)
        return files if known else None


def aligned_shares(parts: Sequence[KeyedScan], wanted: int) -> tuple[Share, ...] | None:
    """About ``wanted`` shares of like size, by ranges of the keys; None where row groups do not lie in ranges.

    Each row is in exactly one share, that of its key; rows without a key are in the first.
    """
    largest = max(parts, key=lambda part: part.extent.rows or 0)
    bounds = list(_bounds(largest, wanted))
    places = [_Places(part, bounds) for part in parts]
    if not _read_once(parts, places):
        return None
    edges: list[Bound | None] = [None, *bounds, None]
    inputs = (tuple(known.input(share, low, high) for known in places) for share, (low, high) in enumerate(pairwise(edges)))
    return tuple(map(Share, inputs))


class _Places:
    """Where the row groups of a scan go, which shares between ``bounds`` divide; ``rows``: how many all of them read together."""

    def __init__(self, part: KeyedScan, bounds: Sequence[Bound]) -> None:
        self._part = part
        self._shares: list[dict[int, list[int]]] = [{} for _ in range(len(bounds) + 1)]
        self.rows = 0
        for number, ranges in enumerate(part.ranges):
            counts = part.extent.files[number].counts
            for place, (least, most, nulls) in enumerate(ranges):
                first, last = bisect_right(bounds, least), bisect_right(bounds, most)
                shares = range(first, last + 1) if first == 0 or nulls == 0 else (0, *range(first, last + 1))
                self.rows += len(shares) * counts[place]
                for share in shares:
                    self._shares[share].setdefault(number, []).append(place)

    def input(self, share: int, low: Bound | None, high: Bound | None) -> ShareInput:
        """What a share has of the scan."""
        part = self._part
        found = self._shares[share].items()
        splits = tuple(split for number, kept in found for split in splits_of_groups(part.scan, part.extent.files[number], kept))
        return ShareInput(part.scan.name, splits, _predicate(part, low, high))


def lie_in_ranges(parts: Sequence[KeyedScan], wanted: int) -> bool:
    """Whether row groups lie so that about ``wanted`` shares, and fewer, would not read many of them twice. Cheaper than the shares."""
    bounds = list(_bounds(max(parts, key=lambda part: part.extent.rows or 0), wanted))
    return _read_once(parts, [_Places(part, bounds) for part in parts])


def _read_once(parts: Sequence[KeyedScan], places: Sequence[_Places]) -> bool:
    return sum(known.rows for known in places) <= MOST_READ_TWICE * sum(part.extent.rows or 0 for part in parts)


def _rows_in_shares(part: KeyedScan, bounds: Sequence[Bound]) -> int:
    """How many rows shares with these bounds would read, but for those without a key."""
    return sum(
        rows * (1 + bisect_right(bounds, most) - bisect_right(bounds, least))
        for file, ranges in zip(part.extent.files, part.ranges, strict=True)
        for (least, most, _), rows in zip(ranges, file.counts, strict=True)
    )


def _bounds(part: KeyedScan, wanted: int) -> Iterator[Bound]:
    """Where a share ends: values of the key with which a row group begins. They make ``wanted`` shares at most: one more than there are
    workers would have all wait for it.
    """
    groups = [
        (least, most, rows)
        for file, ranges in zip(part.extent.files, part.ranges, strict=True)
        for (least, most, _), rows in zip(ranges, file.counts, strict=True)
    ]
    groups.sort(key=lambda item: item[:2])
    each = max(1, sum(rows for _, _, rows in groups) / max(1, wanted))
    seen, found, last = 0, 0, None
    for low, _, rows in groups:
        if found + 1 < wanted and seen >= (found + 1) * each - rows / 2 and seen and low != last:
            yield low
            last = low
            found += 1
        seen += rows


def _predicate(part: KeyedScan, low: Bound | None, high: Bound | None) -> str | None:
    column = quote_name(part.key)
    terms = []
    if low is not None:
        terms.append(f"{column} >= {_literal(low)}")
    if high is not None:
        terms.append(f"{column} < {_literal(high)}")
    if not terms:
        return None
    return " AND ".join(terms) + (f" OR {column} IS NULL" if low is None and part.may_have_nulls else "")


def _literal(value: Bound) -> str:
    return f"DATE '{value.isoformat()}'" if isinstance(value, datetime.date) else str(value)
