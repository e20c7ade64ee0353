"""Searching the rows of a result that are here."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tui.draw import cells
from tui.link.row_source import RowSpan


def find(pieces: Sequence[RowSpan], text: str, row: int, *, forward: bool) -> tuple[int, int] | None:
    """The row and column of the next cell that contains ``text`` (lower case), from ``row`` on, or back from it."""
    for piece in pieces if forward else reversed(pieces):
        last = piece.start + piece.table.num_rows
        if (forward and last <= row) or (not forward and piece.start > row):
            continue
        hits: list[tuple[int, int]] = []
        for number, column in enumerate(piece.table.columns):
            matches = pc.indices_nonzero(pc.fill_null(_contains(column, text), False)).to_pylist()
            rows = [piece.start + index for index in matches]
            rows = [found for found in rows if (found >= row if forward else found <= row)]
            if rows:
                hits.append((rows[0] if forward else rows[-1], number))
        if hits:
            return min(hits) if forward else max(hits, key=lambda hit: (hit[0], -hit[1]))
    return None


def _contains(column: pa.ChunkedArray, text: str) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_dictionary(kind) or pa.types.is_interval(kind):
        return pa.chunked_array([[None if value is None else text in cells.one_line(value).lower() for value in column.to_pylist()]])
    return pc.match_substring(pc.cast(column, pa.large_string()), text, ignore_case=True)
