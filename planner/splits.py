"""Scans → splits: contiguous row groups of one file, few and large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.catalog import Catalog, Column, DataFile, RowGroup
from planner.logical import Scan
from planner.optimize.prune_row_groups import Pruning
from planner.physical import Share, ShareInput, Split
from planner.row_groups import RowGroups

DECODED_SIZE = 4
"""Arrow data is about so many times as large as Parquet's column chunks (2 to 4 for TPC-H's tables)."""


MOST_MEASURED = 256
"""Of so many files the sizes of columns are looked up; where there are more, they tell of the others, by the files' sizes."""
MOST_BYTES_TOGETHER = 8 << 20
"""Files of which nobody knows how many rows they have go into one share up to so many bytes."""


@dataclass(frozen=True, slots=True)
class FileGroups:
    """A file with those of its row groups that may matter; ``groups`` is None where there are no footers to read."""

    file: DataFile
    groups: Sequence[RowGroup] | None
    total: int

    @property
    def rows(self) -> int | None:
        """Rows in them."""
        if self.groups is None or isinstance(self.groups, RowGroups):
            return None if self.groups is None else self.groups.rows
        return sum(group.rows for group in self.groups)

    def column_bytes(self, columns: Sequence[str]) -> int:
        """Compressed bytes of these columns in them."""
        if isinstance(self.groups, RowGroups):
            return self.groups.bytes_of(columns)
        return sum(group.column_bytes.get(name, 0) for group in self.groups or () for name in columns)


@dataclass(frozen=True, slots=True)
class ScanExtent:
    """What of a scan's files is to be read. ``rows`` is None where it is not known without reading."""

    files: tuple[FileGroups, ...]

    @property
    def rows(self) -> int | None:
        """Rows in the kept row groups."""
        rows = 0
        for file in self.files:
            if (known := file.rows) is None:
                return None
            rows += known
        return rows

    def column_bytes(self, columns: Sequence[str]) -> int:
        """Compressed bytes of these columns in the kept row groups; of very many files, about."""
        if len(self.files) <= MOST_MEASURED:
            return sum(file.column_bytes(columns) for file in self.files)
        measured = [self.files[place * len(self.files) // MOST_MEASURED] for place in range(MOST_MEASURED)]
        of_files = sum(file.file.size_bytes for file in self.files if file.groups)
        known = sum(file.file.size_bytes for file in measured if file.groups)
        return 0 if known == 0 else int(sum(file.column_bytes(columns) for file in measured) / known * of_files)

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
    pruning = Pruning(scan)
    if pruning.columns:
        catalog.read_ahead(scan.table.files, pruning.columns)
    files: list[FileGroups] = []
    spare: FileGroups | None = None
    for file in scan.table.files:
        groups = catalog.row_groups(file)
        kept = pruning.keep(groups) if pruning.columns and groups is not None else groups
        files.append(FileGroups(file, kept, len(groups or ())))
        if groups and spare is None:
            spare = FileGroups(file, groups[:1], len(groups))
    extent = ScanExtent(tuple(files))
    return ScanExtent((spare,)) if spare is not None and extent.row_groups_kept == 0 else extent


def whole_splits(scan: Scan, extent: ScanExtent) -> tuple[Split, ...]:
    """One split for each run of neighbouring row groups: for a scan that is read in one place."""
    few = len(extent.files) <= MOST_MEASURED
    return tuple(split for file in extent.files for split in splits_of_groups(scan, file, measured=few))


def splits_of_groups(scan: Scan, file: FileGroups, *, measured: bool = True) -> Iterator[Split]:
    """A file's kept row groups, or all of it, in as few splits as there are runs of neighbours.

    ``measured``: the sizes of their columns are looked up, and not guessed by the file's.
    """
    if file.groups is None or len(file.groups) == file.total:
        yield Split(file.file, None, 0, file.rows, file.file.size_bytes)
    else:
        yield from (_split(scan, file, run, measured=measured) for run in _runs(file.groups))


def parallel_shares(scan: Scan, extent: ScanExtent, wanted: int, least_rows: int, most_rows: int | None) -> tuple[Share, ...]:
    """About ``wanted`` shares of ``least_rows`` to ``most_rows`` rows (None: any number), each of neighbouring splits; one without rows
    where there are none.

    A row group is never cut: it may make a share larger. Files of which nobody knows the rows go by their bytes.
    """
    like = -(-(extent.rows or 0) // max(1, wanted))
    target = max(1, least_rows, like if most_rows is None else min(most_rows, like))
    each = max(1, min(MOST_BYTES_TOGETHER, sum(file.file.size_bytes for file in extent.files) // max(1, wanted)))
    few = len(extent.files) <= MOST_MEASURED
    shares: list[list[Split]] = []
    full = 0.0  # how much of what a share is to have the last one has, below 0 where those before it had less
    for file in extent.files:
        for split in _file_splits(scan, file, target, measured=few):
            part = split.bytes / each if split.rows is None else split.rows / target
            if not shares or (shares[-1] and full + part / 2 >= 1):
                full = min(0.0, full - 1) if shares else 0.0
                shares.append([])
            shares[-1].append(split)
            full += part
    none = [[Split(file.file, None, 0, 0, file.file.size_bytes)] for file in extent.files[:1]] or [[]]
    return tuple(Share((ShareInput(scan.name, tuple(splits)),)) for splits in shares or none)


def shares_of(name: str, splits: Sequence[Split]) -> tuple[Share, ...]:
    """A share of the input ``name`` for each of its splits; where there are none, one without rows: a parallel fragment has shares."""
    parts: list[tuple[Split, ...]] = [(split,) for split in splits] or [()]
    return tuple(Share((ShareInput(name, part),)) for part in parts)


def _file_splits(scan: Scan, file: FileGroups, target: int, *, measured: bool) -> Iterator[Split]:
    """A file's kept row groups in splits of about ``target`` rows."""
    if file.groups is None:
        yield Split(file.file, None, 0, None, file.file.size_bytes)
    elif not measured and len(file.groups) == file.total and (file.rows or 0) <= target:
        yield Split(file.file, None, 0, file.rows, file.file.size_bytes)
    else:
        for run in _runs(file.groups):
            yield from (_split(scan, file, piece, measured=measured) for piece in _pieces(run, target))


def _pieces(run: Sequence[RowGroup], target: int) -> list[Sequence[RowGroup]]:
    """Cuts a run so that each piece has about ``target`` rows."""
    if isinstance(run, RowGroups) and run.rows <= target:
        return [run]
    pieces: list[list[RowGroup]] = [[]]
    rows = 0
    for group in run:
        if pieces[-1] and rows + group.rows // 2 >= target:
            pieces.append([])
            # What one has less, the next has more: the last would be a rest that is hardly worth a share.
            rows = min(0, rows - target)
        pieces[-1].append(group)
        rows += group.rows
    return list(pieces)


def _runs(groups: Sequence[RowGroup]) -> list[Sequence[RowGroup]]:
    """Neighbouring row groups together."""
    if isinstance(groups, RowGroups):
        return [groups] if groups else []
    runs: list[list[RowGroup]] = []
    for group in groups:
        if runs and runs[-1][-1].index + 1 == group.index:
            runs[-1].append(group)
        else:
            runs.append([group])
    return list(runs)


def _split(scan: Scan, file: FileGroups, groups: Sequence[RowGroup], *, measured: bool) -> Split:
    part = FileGroups(file.file, groups, file.total)
    size = part.column_bytes([column.name for column in scan.needed]) if measured else file.file.size_bytes * len(groups) // file.total
    first = groups[0]
    return Split(file.file, tuple(range(first.index, first.index + len(groups))), first.first_row, part.rows, size)
