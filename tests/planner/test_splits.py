"""Shares of tables of very many files: few, of neighbouring files, and made without looking at each file's columns."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from planner.catalog import Column, ColumnRange, DataFile, RowGroup, Table
from planner.logical import Scan
from planner.optimize.prune_row_groups import keep_row_groups
from planner.options import PlanOptions
from planner.parse import parse
from planner.row_groups import ColumnChunks, RowGroups
from planner.splits import MOST_BYTES_TOGETHER, MOST_MEASURED, FileGroups, ScanExtent, parallel_shares, whole_splits

COLUMNS = (Column("a", "BIGINT"), Column("b", "VARCHAR"))


class MadeUpGroups(RowGroups):
    """Row groups of equal size, whose column ``a`` is the number of the row; counts what is looked up."""

    def __init__(self, count: int, rows: int = 10) -> None:
        super().__init__([rows * index for index in range(count + 1)], ("a", "b"))
        self._rows = rows
        self.looked_up: list[str] = []

    def column(self, name: str) -> ColumnChunks:
        self.looked_up.append(name)
        starts = self.first_rows[:-1]
        if name == "b":
            return ColumnChunks([7] * len(starts), [None] * len(starts), [None] * len(starts), [None] * len(starts))
        return ColumnChunks([5] * len(starts), starts, [start + self._rows - 1 for start in starts], [0] * len(starts))


def scan_of(condition: str = "true") -> Scan:
    select = parse(f"SELECT 1 FROM t WHERE {condition}", PlanOptions().limits).ast["Query"]["body"]["Select"]
    table = Table("t", (DataFile("default:t/0.parquet", 100, "1"),))
    return Scan(select["from"][0]["relation"], "in_0", "t", table, COLUMNS, COLUMNS, predicates=(select["selection"],))


def extent_of(groups: Sequence[RowGroups | None], size: int = 100) -> ScanExtent:
    files = (DataFile(f"default:t/{number}.parquet", size, "1") for number in range(len(groups)))
    return ScanExtent(tuple(FileGroups(file, known, len(known or ())) for file, known in zip(files, groups, strict=True)))


def rows_of(extent: ScanExtent, wanted: int, least: int = 0) -> list[int | None]:
    return [share.rows for share in parallel_shares(scan_of(), extent, wanted, least, 1_000_000)]


def test_files_are_shared_out_together() -> None:
    extent = extent_of([MadeUpGroups(1) for _ in range(1000)])
    shares = parallel_shares(scan_of(), extent, 12, 0, 1_000_000)
    rows = [share.rows or 0 for share in shares]
    assert len(rows) == 12
    assert set(rows) <= {820, 830, 840}, "what one has less, the next has more"
    assert sum(rows) == 10_000
    paths = [split.file.path for share in shares for part in share.inputs for split in part.splits]
    assert paths == [file.file.path for file in extent.files], "neighbours, in their order"


def test_a_share_has_as_many_rows_as_pay() -> None:
    extent = extent_of([MadeUpGroups(1) for _ in range(1000)])
    assert rows_of(extent, 12, least=5_000) == [5_000, 5_000]
    assert rows_of(extent, 12, least=100_000) == [10_000]


def test_large_files_are_cut_and_small_ones_go_together() -> None:
    extent = extent_of([MadeUpGroups(20), MadeUpGroups(1), MadeUpGroups(1), MadeUpGroups(20)])
    assert rows_of(extent, 4) == [100, 110, 110, 100]


def test_files_of_unknown_rows_go_by_their_bytes() -> None:
    small = extent_of([None] * 1000, size=1000)
    shares = parallel_shares(scan_of(), small, 10, 0, 1_000_000)
    assert [share.bytes for share in shares] == [100_000] * 10
    assert rows_of(small, 10) == [None] * 10
    large = extent_of([None] * 20, size=MOST_BYTES_TOGETHER)
    assert len(parallel_shares(scan_of(), large, 2, 0, 1_000_000)) == 20, "none waits for another for long"


def test_there_is_a_share_where_there_are_no_rows() -> None:
    (share,) = parallel_shares(scan_of(), extent_of([MadeUpGroups(0), MadeUpGroups(0)]), 4, 0, 1000)
    assert share.rows == 0


@pytest.mark.parametrize("files", [MOST_MEASURED, 10 * MOST_MEASURED])
def test_sizes_of_columns_are_looked_up_in_few_files(files: int) -> None:
    known = [MadeUpGroups(2) for _ in range(files)]
    extent = extent_of(known)
    assert extent.column_bytes(["a"]) == 10 * files
    assert extent.column_bytes(["a", "b", "elsewhere"]) == 24 * files
    parallel_shares(scan_of(), extent, 12, 0, 1_000_000)
    whole_splits(scan_of(), extent)
    assert sum(bool(groups.looked_up) for groups in known) <= MOST_MEASURED


def test_pruning_looks_at_the_columns_that_it_asks_about() -> None:
    groups = MadeUpGroups(10)
    kept = keep_row_groups(scan_of("a BETWEEN 25 AND 34"), groups)
    assert [(group.index, group.first_row, group.rows) for group in kept] == [(2, 20, 10), (3, 30, 10)]
    assert set(groups.looked_up) == {"a"}
    assert keep_row_groups(scan_of("a >= 0"), groups) is groups, "nothing is made anew where all may match"


@pytest.mark.parametrize(
    "condition",
    ["a = 25", "a < 30", "a <= 30", "a > 69", "a >= 70", "a IN (5, 95)", "a IS NULL", "b = 'x'", "a = 25 AND a = 35", "a + 1 = 2"],
)
def test_row_groups_column_by_column_are_pruned_as_one_by_one(condition: str) -> None:
    groups = MadeUpGroups(10)
    one_by_one = [
        RowGroup(group.index, group.first_row, group.rows, {}, {"a": ColumnRange(group.first_row, group.first_row + 9, 0)})
        for group in groups
    ]
    scan = scan_of(condition)
    assert [group.index for group in keep_row_groups(scan, groups)] == [group.index for group in keep_row_groups(scan, one_by_one)]


def test_a_row_group_knows_its_columns() -> None:
    group = MadeUpGroups(3)[-1]
    assert (dict(group.column_bytes), dict(group.ranges)) == ({"a": 5, "b": 7}, {"a": ColumnRange(20, 29, 0)})
    assert group.ranges.get("elsewhere") is None
    assert [found.index for found in MadeUpGroups(3)[1:]] == [1, 2]
