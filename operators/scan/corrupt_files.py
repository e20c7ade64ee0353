"""Finding the file that the kernel stumbled over, where its message does not say."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from operators.errors import FileUnreadable
from operators.scan.column_names import folded, unnamed
from operators.scan.pieces import Piece
from planner.physical import ScanInput

MAX_SEARCH_BYTES = 4 << 30
"""Beyond this it is not worth the time to find the one among many."""

_REMEDY = "Replace or remove the file, then run the query again."


class _Found(FileUnreadable):
    """Names the file that was found to be corrupt."""


class _Guess(FileUnreadable):
    """Names a file that another scan of the same query may know better."""


def name_corrupt_file(error: FileUnreadable, scan: ScanInput, pieces: Sequence[Piece]) -> FileUnreadable:
    """``error`` if it names one of the scan's files; else one that names the corrupt file among ``pieces``.

    Where none of them is found to be corrupt, the error is a guess, which the other scans of the query get to see.
    """
    paths = sorted({piece.file.path for piece in pieces})
    if isinstance(error, _Found) or (not isinstance(error, _Guess) and any(path in error.message for path in paths)):
        return error
    found = _search(scan, pieces)
    if found is not None:
        return _Found(f"the file {found} has corrupt data", remedy=_REMEDY)
    if isinstance(error, _Guess):
        return error
    several = f"one of the {len(paths)} files of table '{scan.table}' (the first is {paths[0]})"
    return _Guess(f"{f'the file {paths[0]}' if len(paths) == 1 else several} has corrupt data", remedy=_REMEDY)


def _search(scan: ScanInput, pieces: Sequence[Piece]) -> str | None:
    if sum(piece.file.size_bytes for piece in pieces) > MAX_SEARCH_BYTES:
        return None
    return next(
        (piece.file.path for piece in pieces if piece.outline is not None and not _decodes(scan, piece, piece.outline.first_rows)), None
    )


def _decodes(scan: ScanInput, piece: Piece, first_rows: Sequence[int]) -> bool:
    wanted = {folded(column.name) for column in scan.columns}
    try:
        with pq.ParquetFile(piece.path) as file:
            names = file.schema_arrow.names
            # What the kernel gave a name of its own cannot be found by it.
            columns = None if unnamed(names) is not None else [name for name in names if folded(name) in wanted]
            for group in range(file.num_row_groups):
                if piece.rows is None or any(start <= first_rows[group] < stop for start, stop in piece.rows):
                    file.read_row_group(group, columns=columns)
    except (pa.ArrowException, OSError):
        return False
    return True
