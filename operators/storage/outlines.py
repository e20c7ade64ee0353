"""What planning needs of a Parquet file's footer, in a few hundred bytes: there may be a hundred thousand files."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from operators.storage.backend import StoredFile
from operators.storage.footers import Footer

FILE_BYTES = 400
"""An outline takes about so much memory, with its file's name and version, and eight bytes for each row group."""


@dataclass(frozen=True, slots=True)
class FileSchema:
    """The columns of a Parquet file; one object for all files that have the same. ``sample`` is one of them.

    ``column_names`` are the top-level columns', as stored. ``leaf_columns`` has, for each leaf (in the order of a row group's column
    chunks), the index of the top-level column that it belongs to. For ``fingerprint`` see :class:`~operators.storage.footers.Footer`.
    """

    fingerprint: str
    column_names: tuple[str, ...]
    leaf_columns: tuple[int, ...]
    sample: StoredFile


@dataclass(frozen=True, slots=True)
class FileOutline:
    """A file's schema, and the first row of each of its row groups, at the end the number of its rows."""

    schema: FileSchema
    first_rows: array[int]

    @property
    def rows(self) -> int:
        """Rows in the file."""
        return self.first_rows[-1]

    @property
    def row_groups(self) -> int:
        """How many row groups there are."""
        return len(self.first_rows) - 1


class Outlines:
    """Outlines by path and version, the oldest dropped beyond ``max_bytes``. Thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: dict[str, tuple[str, FileOutline]] = {}
        self._schemas: dict[str, FileSchema] = {}
        self._lock = threading.Lock()

    def get(self, file: StoredFile) -> FileOutline | None:
        """What is known of that version of a file."""
        known = self._known.get(file.path)
        return known[1] if known is not None and known[0] == file.version else None

    def of(self, footer: Footer) -> FileOutline:
        """The outline of a footer, which is kept."""
        schema = self._schemas.get(footer.fingerprint)
        if schema is None:
            made = FileSchema(footer.fingerprint, footer.column_names, footer.leaf_columns, footer.file)
            schema = self._schemas.setdefault(footer.fingerprint, made)
        outline = FileOutline(schema, _first_rows(footer))
        with self._lock:
            self._drop(footer.file.path)
            self._known[footer.file.path] = footer.file.version, outline
            self._bytes += _cost(outline)
            while self._bytes > self._max_bytes and len(self._known) > 1:
                self._drop(next(iter(self._known)))
        return outline

    def _drop(self, path: str) -> None:
        dropped = self._known.pop(path, None)
        if dropped is not None:
            self._bytes -= _cost(dropped[1])


def _first_rows(footer: Footer) -> array[int]:
    metadata = footer.metadata
    rows: Iterable[int] = (metadata.row_group(index).num_rows for index in range(metadata.num_row_groups))
    return array("q", accumulate(rows, initial=0))


def _cost(outline: FileOutline) -> int:
    return FILE_BYTES + outline.first_rows.itemsize * len(outline.first_rows)
