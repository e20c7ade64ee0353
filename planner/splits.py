"""Scans → splits: contiguous row groups of one file, few and large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from planner.catalog import Catalog, Column, DataFile, RowGroup, StatisticsValue
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
    """A file with those of its row groups that may matter; ``groups`` is None where there are no footers to read.

    Row groups are told by their places in ``groups``, from 0 on.
    """

    file: DataFile
    groups: Sequence[RowGroup] | None
    total: int
    _sizes: dict[tuple[str, ...], Sequence[int]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def rows(self) -> int | None:
        """Rows in them."""
        return None if self.groups is None else self.rows_of(0, len(self.groups))

    def rows_of(self, start: int, stop: int) -> int:
        """Rows in the row groups from one place up to another."""
        groups = self.groups or ()
        if isinstance(groups, RowGroups):
            return groups.first_rows[stop] - groups.first_rows[start]
        return sum(group.rows for group in groups[start:stop])

    @property
    def counts(self) -> list[int]:
        """Rows in each."""
        if isinstance(self.groups, RowGroups):
            return [stop - start for start, stop in pairwise(self.groups.first_rows)]
        return [group.rows for group in self.groups or ()]

    def sizes(self, columns: Sequence[str]) -> Sequence[int]:
        """Compressed bytes of these columns in each."""
        names = tuple(columns)
        known = self._sizes.get(names)
        if known is None:
            known = self._sizes[names] = list(_sizes(self.groups or (), names))
        return known

    def ranges(self, column: str) -> Iterator[tuple[StatisticsValue | None, StatisticsValue | None, int | None]]:
        """The least and the greatest value of a column in each, and how many are NULL; None for what is not known."""
        if isinstance(self.groups, RowGroups):
            known = self.groups.column(column) if column in self.groups.names else None
            unknown = [None] * len(self.groups)
            return (
                zip(known.minimums, known.maximums, known.null_counts, strict=True)
                if known
                else zip(unknown, unknown, unknown, strict=True)
            )
        found = (group.ranges.get(column) for group in self.groups or ())
        return ((known.minimum, known.maximum, known.null_count) if known else (None, None, None) for known in found)

    def runs(self, places: Sequence[int] | None = None) -> list[tuple[int, int]]:
        """Neighbours together, of the row groups at ``places`` (else of all): the first place of each run, and the one behind its last."""
        groups = self.groups or ()
        if places is None and isinstance(groups, RowGroups):
            return [(0, len(groups))] if groups else []
        gaps = None if isinstance(groups, RowGroups) else [group.index for group in groups]
        runs: list[tuple[int, int]] = []
        for place in range(len(groups)) if places is None else places:
            if runs and runs[-1][1] == place and (gaps is None or gaps[place - 1] + 1 == gaps[place]):
                runs[-1] = runs[-1][0], place + 1
            else:
                runs.append((place, place + 1))
        return runs

    def split(self, columns: Sequence[str], start: int, stop: int, *, measured: bool = True) -> Split:
        """Neighbouring row groups as a split, of which ``columns`` are read.

        ``measured``: the sizes of the columns are looked up, and not guessed by the file's.
        """
        groups = self.groups or ()
        if isinstance(groups, RowGroups):
            index, first_row = start, groups.first_rows[start]
        else:
            index, first_row = groups[start].index, groups[start].first_row
        size = sum(self.sizes(columns)[start:stop]) if measured else self.file.size_bytes * (stop - start) // self.total
        return Split(self.file, tuple(range(index, index + stop - start)), first_row, self.rows_of(start, stop), size)


def _sizes(groups: Sequence[RowGroup], names: Sequence[str]) -> Iterator[int]:
    if isinstance(groups, RowGroups):
        columns = [groups.column(name).bytes for name in names if name in groups.names]
        return map(sum, zip(*columns, strict=True)) if columns else iter([0] * len(groups))
    return (sum(group.column_bytes.get(name, 0) for name in names) for group in groups)


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
            return sum(sum(file.sizes(columns)) for file in self.files)
        measured = [self.files[place * len(self.files) // MOST_MEASURED] for place in range(MOST_MEASURED)]
        of_files = sum(file.file.size_bytes for file in self.files if file.groups)
        known = sum(file.file.size_bytes for file in measured if file.groups)
        return 0 if known == 0 else int(sum(sum(file.sizes(columns)) for file in measured) / known * of_files)

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


def splits_of_groups(scan: Scan, file: FileGroups, places: Sequence[int] | None = None, *, measured: bool = True) -> Iterator[Split]:
    """A file's kept row groups (or those of them at ``places``), or all of it, in as few splits as there are runs of neighbours."""
    if file.groups is None or (len(file.groups) if places is None else len(places)) == file.total:
        yield Split(file.file, None, 0, file.rows, file.file.size_bytes)
    else:
        columns = [column.name for column in scan.needed]
        yield from (file.split(columns, start, stop, measured=measured) for start, stop in file.runs(places))


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
        columns = [column.name for column in scan.needed]
        for start, stop in file.runs():
            yield from (file.split(columns, first, last, measured=measured) for first, last in _pieces(file, start, stop, target))


def _pieces(file: FileGroups, start: int, stop: int, target: int) -> Iterator[tuple[int, int]]:
    """Cuts a run so that each piece has about ``target`` rows."""
    first, rows = start, 0
    for place, own in enumerate(file.counts[start:stop], start):
        if place > first and rows + own // 2 >= target:
            yield first, place
            # What one has less, the next has more: the last would be a rest that is hardly worth a share.
            first, rows = place, min(0, rows - target)
        rows += own
    yield first, stop
