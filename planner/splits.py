"""Scans → splits: contiguous row groups of one file, few and large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.catalog import Catalog, Column, DataFile, RowGroup
from planner.logical import Scan
from planner.optimize.prune_row_groups import keep_row_groups, prunable
from planner.physical import Share, ShareInput, Split

DECODED_SIZE = 4
"""Arrow data is about so many times as large as Parquet's column chunks (2 to 4 for TPC-H's tables)."""


@dataclass(frozen=True, slots=True)
class FileGroups:
    """A file with those of its row groups that may matter; ``groups`` is None where there are no footers to read."""

    file: DataFile
    groups: tuple[RowGroup, ...] | None
    total: int


@dataclass(frozen=True, slots=True)
class ScanExtent:
    """What of a scan's files is to be read. ``rows`` is None where it is not known without reading."""

    files: tuple[FileGroups, ...]

    @property
    def rows(self) -> int | None:
        """Rows in the kept row groups."""
        if any(file.groups is None for file in self.files):
            return None
        return sum(group.rows for file in self.files for group in file.groups or ())

    def column_bytes(self, columns: Sequence[str]) -> int:
        """Compressed bytes of these columns in the kept row groups."""
        groups = (group for file in self.files for group in file.groups or ())
        return sum(group.column_bytes.get(name, 0) for group in groups for name in columns)

    def decoded_bytes(self, columns: Sequence[Column]) -> int:
        """About how much memory these columns take as Arrow data; predicates may leave less."""
        return DECODED_SIZE * self.column_bytes([column.name for column in columns])

    @property
    def row_groups_total(self) -> int | None:
        """Row groups in all files, kept or not."""
        return None if any(file.groups is None for file in self.files) else sum(file.total for file in self.files)

    @property
    def row_groups_kept(self) -> int | None:
        """Row groups that are to be read."""
        return None if any(file.groups is None for file in self.files) else sum(len(file.groups or ()) for file in self.files)


def unread_extent(scan: Scan) -> ScanExtent:
    """All of the scan's files, no footer read."""
    return ScanExtent(tuple(FileGroups(file, None, 0) for file in scan.table.files))


def read_extent(scan: Scan, catalog: Catalog) -> ScanExtent:
    """The row groups of the scan's files that its predicates do not rule out, but one at least. Reads the footers."""
    pruning = bool(prunable(scan))
    files: list[FileGroups] = []
    spare: FileGroups | None = None
    for file in scan.table.files:
        groups = catalog.row_groups(file)
        kept = keep_row_groups(scan, groups) if pruning and groups is not None else groups
        files.append(FileGroups(file, kept, len(groups or ())))
        if groups and spare is None:
            spare = FileGroups(file, groups[:1], len(groups))
    extent = ScanExtent(tuple(files))
    return ScanExtent((spare,)) if spare is not None and extent.row_groups_kept == 0 else extent


def whole_splits(scan: Scan, extent: ScanExtent) -> tuple[Split, ...]:
    """One split for each run of neighbouring row groups: for a scan that is read in one place."""
    return tuple(split for file in extent.files for split in splits_of_groups(scan, file))


def splits_of_groups(scan: Scan, file: FileGroups) -> Iterator[Split]:
    """A file's kept row groups, or all of it, in as few splits as there are runs of neighbours."""
    if file.groups is None or len(file.groups) == file.total:
        rows = None if file.groups is None else sum(group.rows for group in file.groups)
        yield Split(file.file, None, 0, rows, file.file.size_bytes)
    else:
        yield from (_split(scan, file.file, run) for run in _runs(file.groups))


def parallel_splits(scan: Scan, extent: ScanExtent, splits_wanted: int, least_rows: int, most_rows: int | None) -> tuple[Split, ...]:
    """About ``splits_wanted`` splits of ``least_rows`` to ``most_rows`` rows (None: any number); one where there are no rows.

    A file's end may make a split smaller, and a row group larger: it is never cut.
    """
    wanted = -(-(extent.rows or 0) // max(1, splits_wanted))
    target = max(1, least_rows, wanted if most_rows is None else min(most_rows, wanted))
    splits: list[Split] = []
    for file in extent.files:
        if file.groups is None:
            splits.append(Split(file.file, None, 0, None, file.file.size_bytes))
            continue
        for run in _runs(file.groups):
            splits += [_split(scan, file.file, piece) for piece in _pieces(run, target)]
    return tuple(splits) or tuple(Split(file.file, None, 0, 0, file.file.size_bytes) for file in extent.files[:1])


def shares_of(name: str, splits: Sequence[Split]) -> tuple[Share, ...]:
    """A share of the input ``name`` for each of its splits; where there are none, one without rows: a parallel fragment has shares."""
    parts: list[tuple[Split, ...]] = [(split,) for split in splits] or [()]
    return tuple(Share((ShareInput(name, part),)) for part in parts)


def _pieces(run: Sequence[RowGroup], target: int) -> list[list[RowGroup]]:
    """Cuts a run so that each piece has about ``target`` rows."""
    pieces: list[list[RowGroup]] = [[]]
    rows = 0
    for group in run:
        if rows and rows + group.rows // 2 >= target:
            pieces.append([])
            rows = 0
        pieces[-1].append(group)
        rows += group.rows
    return pieces


def _runs(groups: Sequence[RowGroup]) -> list[list[RowGroup]]:
    """Neighbouring row groups together."""
    runs: list[list[RowGroup]] = []
    for group in groups:
        if runs and runs[-1][-1].index + 1 == group.index:
            runs[-1].append(group)
        else:
            runs.append([group])
    return runs


def _split(scan: Scan, file: DataFile, groups: Sequence[RowGroup]) -> Split:
    needed = [column.name for column in scan.needed]
    size = sum(group.column_bytes.get(name, 0) for group in groups for name in needed)
    return Split(file, tuple(group.index for group in groups), groups[0].first_row, sum(group.rows for group in groups), size)
