"""What a split means on this machine's disk."""

from __future__ import annotations

from dataclasses import dataclass

from operators.storage.outlines import FileOutline
from planner.catalog import DataFile
from planner.physical import Split


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a scan: a file on this machine's disk, all of it (``rows`` None) or ranges of its rows (first, last + 1)."""

    path: str
    file: DataFile
    rows: tuple[tuple[int, int], ...] | None = None
    outline: FileOutline | None = None

    @property
    def row_count(self) -> int | None:
        """Its rows; None where no footer tells."""
        if self.rows is not None:
            return sum(stop - first for first, stop in self.rows)
        return None if self.outline is None else self.outline.rows


def parquet_piece(split: Split, path: str, outline: FileOutline) -> Piece:
    """The piece that ``split`` means, in a (perhaps partial) copy of its file at ``path``."""
    if split.row_groups is None or len(split.row_groups) == outline.row_groups:
        return Piece(path, split.file, None, outline)
    starts = outline.first_rows
    ranges: list[tuple[int, int]] = []
    for index in sorted(split.row_groups):
        if ranges and ranges[-1][1] == starts[index]:
            ranges[-1] = (ranges[-1][0], starts[index + 1])
        else:
            ranges.append((starts[index], starts[index + 1]))
    return Piece(path, split.file, tuple(ranges), outline)
