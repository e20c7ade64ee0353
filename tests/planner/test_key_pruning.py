"""What keys leave of a fragment's splits and shares."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from planner.catalog import Column, ColumnRange, DataFile, RowGroup
from planner.key_pruning import KeySet, keys_of, pruned
from planner.physical import ExchangeInput, Fragment, RuntimeFilter, ScanInput, Share, ShareInput, Split

COLUMNS = (Column("k", "BIGINT"), Column("v", "BIGINT"))
FILE = DataFile("default:t.parquet", 1000, "1")
SPLIT = Split(FILE, None, 0, 40, 1000)


def group(index: int, low: Any, high: Any, nulls: int | None = 0) -> RowGroup:
    """Ten rows, of 8 bytes for each of two columns."""
    return RowGroup(index, 10 * index, 10, {"k": 80, "v": 80}, {"k": ColumnRange(low, high, nulls)})


TENS = tuple(group(index, 10 * index, 10 * index + 9) for index in range(4))


def fragment(splits: Sequence[Split], groups: Sequence[RowGroup] = TENS, shares: tuple[Share, ...] = (), path: str = FILE.path) -> Fragment:
    scan = ScanInput("in_0", "t", COLUMNS, COLUMNS, tuple(splits))
    filters = (RuntimeFilter("in_0", "k", 7, "d", groups={path: tuple(groups)}),)
    return Fragment(0, "SELECT 1 FROM in_0", (scan,), 0, shares, filters=filters)


def keys(*values: Any) -> KeySet:
    return KeySet(min(values, default=None), max(values, default=None), tuple(sorted(values)))


def kept(found: Fragment) -> list[tuple[int, ...] | None]:
    (scan,) = found.inputs
    assert isinstance(scan, ScanInput)
    return [split.row_groups for split in scan.splits]


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (keys(5), [(0,)]),
        (keys(0, 39), [(0,), (3,)]),
        (keys(9, 10), [(0, 1)]),
        (keys(-1, 40), []),
        (keys(), []),
        (keys(1, 11, 21, 31), [None]),
        (KeySet(8, 21, None), [(0, 1, 2)]),
        (KeySet(40, 90, None), []),
    ],
)
def test_row_groups_are_kept_in_which_a_key_may_be(known: KeySet, wanted: list[tuple[int, ...] | None]) -> None:
    found, (spared,) = pruned(fragment([SPLIT]), {7: known})
    assert kept(found) == wanted
    rows = sum(len(groups or TENS) for groups in wanted) * 10
    assert (spared.row_groups, spared.rows, spared.bytes) == ((40 - rows) // 10, 40 - rows, (40 - rows) * 16)
    assert spared.files == (not wanted)


def test_a_split_of_some_row_groups_loses_none_of_the_others() -> None:
    found, _ = pruned(fragment([Split(FILE, (1, 2), 10, 20, 320)]), {7: keys(5, 25)})
    (scan,) = found.inputs
    assert isinstance(scan, ScanInput)
    assert scan.splits == (Split(FILE, (2,), 20, 10, 160),)


def test_what_statistics_do_not_tell_is_kept() -> None:
    unknown = (RowGroup(0, 0, 10), group(1, None, None, None), group(2, None, None, 3), group(3, None, 5), group(4, 2, None))
    assert kept(pruned(fragment([SPLIT], unknown), {7: keys(100)})[0]) == [None]
    assert kept(pruned(fragment([SPLIT], path="default:another.parquet"), {7: keys(100)})[0]) == [None]


def test_row_groups_of_nothing_but_nulls_have_no_key() -> None:
    assert kept(pruned(fragment([SPLIT], (group(0, None, None, 10), TENS[1])), {7: keys(10)})[0]) == [(1,)]


@pytest.mark.parametrize(
    ("low", "high", "key", "may"),
    [
        ("a", "c", "b", True),
        ("a", "c", "d", False),
        (datetime.date(2024, 1, 1), datetime.date(2024, 2, 1), datetime.date(2024, 1, 15), True),
        (datetime.date(2024, 1, 1), datetime.date(2024, 2, 1), datetime.date(2024, 3, 1), False),
        (datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 1), datetime.datetime(2024, 2, 1, 0, 0, 1), False),
        (datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 1), datetime.date(2024, 3, 1), True),
        (Decimal("1.50"), Decimal("2.50"), Decimal("2.5"), True),
        (Decimal("1.50"), Decimal("2.50"), Decimal("2.51"), False),
        (1, 2, "3", True),
        (False, True, 3, True),
        (b"a", b"b", "c", True),
    ],
)
def test_values_that_do_not_compare_rule_nothing_out(low: Any, high: Any, key: Any, may: bool) -> None:
    assert keys(key).may_lie_in(low, high) is may


def test_keys_come_as_one_row() -> None:
    assert keys_of(pa.table({"low": [1], "high": [3], "keys": [[1, 3]]})) == keys(1, 3)
    assert keys_of(pa.table({"low": [1], "high": [3], "keys": pa.array([None], pa.list_(pa.int64()))})) == KeySet(1, 3, None)
    nothing = keys_of(pa.table({"low": pa.nulls(1), "high": pa.nulls(1), "keys": pa.nulls(1)}))
    assert not nothing.may_lie_in(None, None)
    assert nothing.count == 0


def test_without_keys_all_is_read() -> None:
    given = fragment([SPLIT])
    assert pruned(given, {}) == (given, ())
    assert pruned(given, {8: keys()}) == (given, ())


def share(first: int, behind: int) -> Share:
    return Share((ShareInput("in_0", (Split(FILE, tuple(range(first, behind)), 10 * first, 10 * (behind - first), 160),)),))


def test_shares_without_rows_are_dropped_but_one() -> None:
    shares = (share(0, 1), share(1, 3), share(3, 4))
    splits = [split for each in shares for split in each.inputs[0].splits]
    found, (spared,) = pruned(fragment(splits, shares=shares), {7: keys(12, 35)})
    assert [each.inputs[0].splits[0].row_groups for each in found.shares] == [(1,), (3,)]
    assert kept(found) == [(1,), (3,)]
    assert spared.row_groups == 2
    nothing, _ = pruned(fragment(splits, shares=shares), {7: keys()})
    assert nothing.shares == (Share((ShareInput("in_0", ()),)),)
    assert nothing.parallel


def test_a_share_that_has_rows_of_another_input_stays() -> None:
    other = ScanInput("in_1", "u", COLUMNS, COLUMNS, (SPLIT,))
    both = tuple(Share((*each.inputs, ShareInput("in_1", (SPLIT,), "k < 20"))) for each in (share(0, 2), share(2, 4)))
    given = fragment([SPLIT], shares=both)
    given = Fragment(0, given.sql, (*given.inputs, other, ExchangeInput("in_2", 3, COLUMNS)), 0, both, filters=given.filters)
    found, (spared,) = pruned(given, {7: keys(5)})
    assert [[part.splits for part in each.inputs] for each in found.shares] == [
        [(Split(FILE, (0,), 0, 10, 160),), (SPLIT,)],
        [(), (SPLIT,)],
    ]
    assert found.inputs[1:] == given.inputs[1:]
    assert spared.row_groups == 3


def test_a_row_group_that_two_shares_read_is_spared_once() -> None:
    shares = (share(0, 2), share(1, 4))
    _, (spared,) = pruned(fragment([SPLIT], shares=shares), {7: keys(5)})
    assert (spared.row_groups, spared.rows) == (3, 30)


def parted(*values: str | None, kind: str = "BIGINT") -> Fragment:
    splits = [Split(DataFile(f"default:t/k={value}.parquet", 100, "1", partitions=(("k", value),)), None, 0, 5, 100) for value in values]
    scan = ScanInput("in_0", "t", COLUMNS, COLUMNS, tuple(splits), partition_columns=(Column("k", kind),))
    return Fragment(0, "SELECT 1", (scan,), 0, filters=(RuntimeFilter("in_0", "k", 7, "d", Column("k", kind)),))


@pytest.mark.parametrize(
    ("given", "known", "wanted"),
    [
        (parted("1", "02", "3", None), keys(2, 3), ["02", "3"]),
        (parted("1", "2"), keys(), []),
        (parted("a", "b%20c", kind="VARCHAR"), keys("z"), ["b%20c"]),
        (parted("2024-01-01", "2024-01-02", kind="DATE"), keys(datetime.date(2024, 1, 2)), ["2024-01-02"]),
        (parted("1", "5", "9"), KeySet(2, 6, None), ["5"]),
    ],
)
def test_files_of_partitions_without_a_key_are_not_opened(given: Fragment, known: KeySet, wanted: list[str]) -> None:
    found, (spared,) = pruned(given, {7: known})
    (scan,) = found.inputs
    assert isinstance(scan, ScanInput)
    assert [dict(split.file.partitions)["k"] for split in scan.splits] == wanted
    (before,) = given.inputs
    assert isinstance(before, ScanInput)
    assert (spared.files, spared.bytes) == (len(before.splits) - len(wanted), 100 * (len(before.splits) - len(wanted)))
