"""What runtime filters leave of a fragment's scans, once their keys are known: a pure function of the plan and the keys.

The fragment of keys answers with one row (:data:`KEY_COLUMNS`): the least key, the greatest, and all of them in order unless they are too
many. A row group is kept if a key may lie between its least and its greatest value, a file of a partition if a key is its value.
"""

from __future__ import annotations

import datetime
import decimal
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from planner.catalog import DataFile, RowGroup
from planner.optimize.prune_partitions import partition_value
from planner.physical import Fragment, RuntimeFilter, ScanInput, Share, ShareInput, Split
from planner.row_groups import RowGroups
from planner.splits import MOST_MEASURED, FileGroups

MOST_KEYS = 10_000
"""Of more keys only the least and the greatest are used."""
KEY_COLUMNS = ("low", "high", "keys")

Key = Any
"""A whole number, a decimal, a date, a timestamp or a text: what compares in Python as it does in the kernel."""
_KEY_TYPES = (int, str, decimal.Decimal, datetime.date)


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys from ``low`` to ``high`` (both None: there are none), and all of them, in order, if they are known."""

    low: Key | None
    high: Key | None
    keys: tuple[Key, ...] | None

    @property
    def count(self) -> int | None:
        """How many there are, if that is known."""
        return 0 if self.low is None else None if self.keys is None else len(self.keys)

    def may_lie_in(self, least: Key | None, most: Key | None) -> bool:
        """Whether a key may lie between two values, themselves included; None is one that is not known."""
        if self.low is None or self.high is None:
            return False
        if not (_comparable(least, self.low) and _comparable(most, self.high)):
            return True
        if self.keys is None:
            return bool(least <= self.high) and bool(self.low <= most)
        place = bisect_left(self.keys, least)
        return place < len(self.keys) and bool(self.keys[place] <= most)


def _comparable(value: Key | None, key: Key) -> bool:
    if type(value) is type(key):
        return isinstance(value, _KEY_TYPES) and not isinstance(value, bool)
    numbers = (int, decimal.Decimal)
    return type(value) in numbers and type(key) in numbers


def keys_of(table: pa.Table) -> KeySet:
    """The keys that a fragment of keys has answered with. Raises ``ValueError`` where Python has no such values."""
    ((low, high, keys),) = zip(*(table.column(name).to_pylist() for name in KEY_COLUMNS), strict=True)
    return KeySet(low, high, None if keys is None else tuple(keys))


@dataclass(slots=True)
class Spared:
    """What a runtime filter spared: files that are not opened, row groups that are not read, with their rows and bytes."""

    filter: RuntimeFilter
    keys: int | None
    files: int = 0
    row_groups: int = 0
    rows: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Pruner:
    """Prunes splits by one filter. What several shares read is counted once."""

    filter: RuntimeFilter
    keys: KeySet
    columns: Sequence[str]
    spared: Spared = field(init=False)
    _dropped: dict[str, frozenset[int]] = field(default_factory=dict)
    """By the paths of files, the indexes of row groups without a key."""
    _told: set[tuple[str, int]] = field(default_factory=set)
    _opened: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.spared = Spared(self.filter, self.keys.count)

    def splits(self, splits: Sequence[Split]) -> tuple[Split, ...]:
        kept = self._of_partitions if self.filter.partition is not None else self._of_groups
        return tuple(one for split in splits for one in kept(split))

    def told(self) -> Spared:
        """What it spared of all splits that it saw."""
        self.spared.files = len({path for path, _ in self._told} - self._opened)
        return self.spared

    def _of_partitions(self, split: Split) -> Iterator[Split]:
        if self._may_have_key(split.file):
            yield split
        elif (place := (split.file.path, split.first_row)) not in self._told:
            self._told.add(place)
            self.spared.rows += split.rows or 0
            self.spared.bytes += split.bytes
            self.spared.row_groups += len(split.row_groups or ())

    def _may_have_key(self, file: DataFile) -> bool:
        assert self.filter.partition is not None
        text = dict(file.partitions).get(self.filter.column)
        if text is None:
            return False  # the partition of NULL, which equals no key
        value = partition_value(text, self.filter.partition.type)
        return value is None or self.keys.may_lie_in(value, value)

    def _of_groups(self, split: Split) -> Iterator[Split]:
        path, groups = split.file.path, self.filter.groups.get(split.file.path)
        dropped = None if groups is None else self._dropped_of(path, groups)
        if groups is None or not dropped or (split.row_groups is not None and dropped.isdisjoint(split.row_groups)):
            self._opened.add(path)
            yield split
            return
        wanted = None if split.row_groups is None else set(split.row_groups)
        read = [group for group in groups if wanted is None or group.index in wanted]
        kept = [group for group in read if group.index not in dropped]
        measured = len(self.filter.groups) <= MOST_MEASURED
        for group in read:
            if group.index in dropped and (path, group.index) not in self._told:
                self._told.add((path, group.index))
                self.spared.row_groups += 1
                self.spared.rows += group.rows
                self.spared.bytes += self._size([group]) if measured else split.bytes // len(read)
        if kept:
            self._opened.add(path)
        left = FileGroups(split.file, kept, len(groups))
        yield from (left.split(self.columns, start, stop, measured=measured) for start, stop in left.runs())

    def _size(self, groups: Sequence[RowGroup]) -> int:
        return sum(group.column_bytes.get(name, 0) for group in groups for name in self.columns)

    def _dropped_of(self, path: str, groups: Sequence[RowGroup]) -> frozenset[int]:
        known = self._dropped.get(path)
        if known is None:
            known = self._dropped[path] = frozenset(self._without_key(groups))
        return known

    def _without_key(self, groups: Sequence[RowGroup]) -> Iterator[int]:
        """The indexes of row groups that have no key."""
        if not isinstance(groups, RowGroups):
            for group in groups:
                known = group.ranges.get(self.filter.column)
                if known is not None and not self._may_match(known.minimum, known.maximum, known.null_count, group.rows):
                    yield group.index
        elif self.filter.column in groups.names:
            chunks, first = groups.column(self.filter.column), groups.first_rows
            told = zip(chunks.minimums, chunks.maximums, chunks.null_counts, strict=True)
            for index, (low, high, nulls) in enumerate(told):
                if not self._may_match(low, high, nulls, first[index + 1] - first[index]):
                    yield index

    def _may_match(self, low: Key | None, high: Key | None, nulls: int | None, rows: int) -> bool:
        return nulls != rows if low is None and high is None else self.keys.may_lie_in(low, high)


def pruned(fragment: Fragment, keys: Mapping[int, KeySet]) -> tuple[Fragment, tuple[Spared, ...]]:
    """``fragment`` without what its filters rule out, of which ``keys`` has those that are known, by the ids of their exchanges.

    Shares of which nothing is left are dropped, but one: where there are no rows, an aggregate has something to say of that.
    """
    spared: list[Spared] = []
    for each in fragment.filters:
        known = keys.get(each.exchange)
        scan = next((arm for arm in fragment.inputs if isinstance(arm, ScanInput) and arm.name == each.input), None)
        if known is None or scan is None:
            continue
        pruner = _Pruner(each, known, [column.name for column in scan.columns])
        fragment = _pruned_by(fragment, scan, pruner)
        spared.append(pruner.told())
    return fragment, tuple(spared)


def _pruned_by(fragment: Fragment, scan: ScanInput, pruner: _Pruner) -> Fragment:
    shares = tuple(
        Share(tuple(_part(part, pruner) if part.name == scan.name else part for part in share.inputs)) for share in fragment.shares
    )
    kept = tuple(share for share in shares if any(part.splits for part in share.inputs)) or shares[:1]
    if scan.name in fragment.divided:
        splits = tuple(dict.fromkeys(split for share in kept for part in share.inputs if part.name == scan.name for split in part.splits))
    else:
        splits = pruner.splits(scan.splits)
    inputs = tuple(replace(arm, splits=splits) if arm is scan else arm for arm in fragment.inputs)
    return replace(fragment, inputs=inputs, shares=kept)


def _part(part: ShareInput, pruner: _Pruner) -> ShareInput:
    return replace(part, splits=pruner.splits(part.splits))
