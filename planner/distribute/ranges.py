"""Aligned shares: tables written in the order of a key, divided by ranges of it, so that rows with equal keys meet without an exchange.

What a row group's statistics say of the key tells which shares need it. One that lies across a boundary is read by both its neighbours,
each of which drops the other's rows.
"""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from planner.catalog import RowGroup
from planner.logical import Scan
from planner.physical import Share, ShareInput, Split
from planner.quoting import quote_name
from planner.splits import FileGroups, ScanExtent, splits_of_groups

Bound = Any
"""A whole number or a date: what statistics tell exactly."""

MOST_READ_TWICE = 1.25
"""Tables are not divided by ranges where the shares would read more than so many times their rows."""
MOST_ROW_GROUPS = 20_000
"""Of tables of more, nobody looks for the ranges: each share's would be looked for among all of them."""
_WHOLE_NUMBERS = frozenset(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"))


@dataclass(frozen=True, slots=True)
class KeyedScan:
    """A scan with the column by which it is to be divided."""

    scan: Scan
    key: str
    extent: ScanExtent

    def may_be_aligned(self) -> bool:
        """Whether the statistics of all row groups tell ranges of the key."""
        kind = next(column.type for column in self.scan.columns if column.name == self.key)
        if kind not in _WHOLE_NUMBERS and kind != "DATE":
            return False
        kept = self.extent.row_groups_kept
        if kept is None or kept > MOST_ROW_GROUPS:
            return False
        return all(_range(group, self.key) for file in self.extent.files for group in file.groups or ())


def aligned_shares(parts: Sequence[KeyedScan], wanted: int) -> tuple[Share, ...] | None:
    """About ``wanted`` shares of like size, by ranges of the keys; None where row groups do not lie in ranges.

    Each row is in exactly one share, that of its key; rows without a key are in the first.
    """
    largest = max(parts, key=lambda part: part.extent.rows or 0)
    bounds = list(_bounds(largest, wanted))
    there = sum(part.extent.rows or 0 for part in parts)
    edges: list[Bound | None] = [None, *bounds, None]
    shares = [_share(parts, low, high) for low, high in pairwise(edges)]
    read = sum(share.rows or 0 for share in shares)
    return tuple(shares) if read <= MOST_READ_TWICE * there else None


def lie_in_ranges(parts: Sequence[KeyedScan], wanted: int) -> bool:
    """Whether row groups lie so that about ``wanted`` shares, and fewer, would not read many of them twice. Cheaper than the shares."""
    bounds = list(_bounds(max(parts, key=lambda part: part.extent.rows or 0), wanted))
    read = sum(_rows_in_shares(part, bounds) for part in parts)
    return read <= MOST_READ_TWICE * sum(part.extent.rows or 0 for part in parts)


def _bounds(part: KeyedScan, wanted: int) -> Iterator[Bound]:
    """Where a share ends: values of the key with which a row group begins. They make ``wanted`` shares at most: one more than there are
    workers would have all wait for it.
    """
    groups = [(span, group.rows) for file in part.extent.files for group in file.groups or () if (span := _range(group, part.key))]
    groups.sort(key=lambda item: item[0])
    each = max(1, sum(rows for _, rows in groups) / max(1, wanted))
    seen, found, last = 0, 0, None
    for (low, _), rows in groups:
        if found + 1 < wanted and seen >= (found + 1) * each - rows / 2 and seen and low != last:
            yield low
            last = low
            found += 1
        seen += rows


def _rows_in_shares(part: KeyedScan, bounds: Sequence[Bound]) -> int:
    """How many rows shares with these bounds would read, but for those without a key."""
    groups = ((group.rows, found) for file in part.extent.files for group in file.groups or () if (found := _range(group, part.key)))
    return sum(rows * (1 + bisect_right(bounds, most) - bisect_right(bounds, least)) for rows, (least, most) in groups)


def _share(parts: Sequence[KeyedScan], low: Bound | None, high: Bound | None) -> Share:
    return Share(tuple(ShareInput(part.scan.name, tuple(_splits(part, low, high)), _predicate(part, low, high)) for part in parts))


def _splits(part: KeyedScan, low: Bound | None, high: Bound | None) -> Iterator[Split]:
    for file in part.extent.files:
        kept = tuple(group for group in file.groups or () if _overlaps(group, part.key, low, high))
        if kept:
            yield from splits_of_groups(part.scan, FileGroups(file.file, kept, file.total))


def _overlaps(group: RowGroup, key: str, low: Bound | None, high: Bound | None) -> bool:
    found = _range(group, key)
    if found is None or (low is None and group.ranges[key].null_count != 0):
        return True
    least, most = found
    return (high is None or least < high) and (low is None or most >= low)


def _predicate(part: KeyedScan, low: Bound | None, high: Bound | None) -> str | None:
    column = quote_name(part.key)
    terms = []
    if low is not None:
        terms.append(f"{column} >= {_literal(low)}")
    if high is not None:
        terms.append(f"{column} < {_literal(high)}")
    if not terms:
        return None
    nulls = low is None and any(group.ranges[part.key].null_count != 0 for file in part.extent.files for group in file.groups or ())
    return " AND ".join(terms) + (f" OR {column} IS NULL" if nulls else "")


def _range(group: RowGroup, key: str) -> tuple[Bound, Bound] | None:
    known = group.ranges.get(key)
    if known is None:
        return None
    least, most = known.minimum, known.maximum
    if type(least) is not type(most) or type(least) not in (int, datetime.date):
        return None
    return least, most


def _literal(value: Bound) -> str:
    return f"DATE '{value.isoformat()}'" if isinstance(value, datetime.date) else str(value)
