"""Row groups and their statistics, as the planner may trust them to prune: read from footers a column at a time, and kept."""

from __future__ import annotations

import datetime
import decimal
import threading
from array import array
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow.parquet as pq

from operators.scan.column_names import FILE_ROW_NUMBER, folded
from operators.storage import Storage, StoredFile
from operators.storage.outlines import FileOutline, FileSchema
from planner.catalog import Column, StatisticsValue
from planner.row_groups import ColumnChunks, RowGroups

READER_THREADS = 16
FILES_AT_A_TIME = 32
FILE_BYTES = 500
COLUMN_BYTES = 250
VALUE_BYTES = 48
"""What is kept takes about so much memory for each file, for each column of it, and for each value that is no number in an array."""

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_EXPECTED: Mapping[str, type] = {
    **dict.fromkeys(_INTEGERS, int),
    "BOOLEAN": bool,
    "FLOAT": float,
    "DOUBLE": float,
    "DATE": datetime.date,
    "TIMESTAMP": datetime.datetime,
    "TIMESTAMP WITH TIME ZONE": datetime.datetime,
    "VARCHAR": str,
}


@dataclass(frozen=True, slots=True)
class SchemaColumns:
    """The columns of all files of a schema, with the kernel's names and types, and the leaves of each.

    ``numbered``: rows can be told by their numbers in the file.
    """

    columns: tuple[Column, ...]
    names: tuple[str, ...]
    leaves: Mapping[str, tuple[int, ...]]
    types: Mapping[str, str]
    numbered: bool

    @classmethod
    def of(cls, schema: FileSchema, columns: tuple[Column, ...]) -> SchemaColumns:
        """Of a schema whose columns are, in order, ``columns``."""
        leaves = {
            column.name: tuple(leaf for leaf, owner in enumerate(schema.leaf_columns) if owner == place)
            for place, column in enumerate(columns)
        }
        numbered = FILE_ROW_NUMBER not in map(folded, schema.column_names)
        return cls(columns, tuple(leaves), leaves, {column.name: column.type for column in columns}, numbered)


Described = tuple[StoredFile, FileOutline, SchemaColumns]
"""A file, and what is known of it and of its schema."""


class Statistics:
    """What was read of columns of files, by the files' versions, the oldest dropped beyond ``max_bytes``. Thread-safe."""

    def __init__(self, storage: Storage, max_bytes: int) -> None:
        self._storage = storage
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: dict[str, tuple[str, dict[str, ColumnChunks]]] = {}
        self._lock = threading.Lock()

    def column(self, file: StoredFile, outline: FileOutline, described: SchemaColumns, name: str) -> ColumnChunks:
        """A column of a file."""
        known = self._known.get(file.path)
        found = known[1].get(name) if known is not None and known[0] == file.version else None
        return found or self._keep(file, name, self._read(file, outline, described, name))

    def read_ahead(self, files: Sequence[Described], names: Sequence[str]) -> None:
        """Reads these columns of files, several files at a time."""
        if len(files) < 2 or not names:
            return
        size = max(1, min(FILES_AT_A_TIME, len(files) // READER_THREADS))
        parts = [files[start : start + size] for start in range(0, len(files), size)]
        with ThreadPoolExecutor(min(READER_THREADS, len(parts)), thread_name_prefix="footers") as pool:
            for _ in pool.map(partial(self._read_part, names), parts):
                pass

    def _read_part(self, names: Sequence[str], files: Sequence[Described]) -> None:
        for file, outline, described in files:
            for name in names:
                if name in described.leaves:
                    self.column(file, outline, described, name)

    def _read(self, file: StoredFile, outline: FileOutline, described: SchemaColumns, name: str) -> ColumnChunks:
        leaves, kind = described.leaves[name], described.types[name]
        metadata = self._storage.footer(file).metadata
        sizes: list[int] = []
        encoded: list[int] = []
        lows: list[StatisticsValue | None] = []
        highs: list[StatisticsValue | None] = []
        nulls: list[int | None] = []
        for index in range(outline.row_groups):
            group = metadata.row_group(index)
            chunks = [group.column(leaf) for leaf in leaves]
            sizes.append(sum(chunk.total_compressed_size for chunk in chunks))
            encoded.append(sum(chunk.total_uncompressed_size for chunk in chunks))
            low, high, count = _range(chunks[0], kind) if len(chunks) == 1 else (None, None, None)
            lows.append(low)
            highs.append(high)
            nulls.append(count)
        return ColumnChunks(_compact(sizes), _compact(lows), _compact(highs), _compact(nulls), _compact(encoded))

    def _keep(self, file: StoredFile, name: str, chunks: ColumnChunks) -> ColumnChunks:
        with self._lock:
            known = self._known.get(file.path)
            if known is None or known[0] != file.version:
                self._drop(file.path)
                known = self._known[file.path] = file.version, {}
                self._bytes += FILE_BYTES
            if name not in known[1]:
                known[1][name] = chunks
                self._bytes += _cost(chunks)
            while self._bytes > self._max_bytes and len(self._known) > 1:
                self._drop(next(iter(self._known)))
        return chunks

    def _drop(self, path: str) -> None:
        dropped = self._known.pop(path, None)
        if dropped is not None:
            self._bytes -= FILE_BYTES + sum(map(_cost, dropped[1].values()))


class FileRowGroups(RowGroups):
    """The row groups of a file."""

    __slots__ = ("_described", "_file", "_outline", "_statistics")

    def __init__(self, file: StoredFile, outline: FileOutline, described: SchemaColumns, statistics: Statistics) -> None:
        super().__init__(outline.first_rows, described.names)
        self._file = file
        self._outline = outline
        self._described = described
        self._statistics = statistics

    def column(self, name: str) -> ColumnChunks:
        return self._statistics.column(self._file, self._outline, self._described, name)


def _cost(chunks: ColumnChunks) -> int:
    return COLUMN_BYTES + sum(len(part) * (part.itemsize if isinstance(part, array) else VALUE_BYTES) for part in _parts(chunks))


def _parts(chunks: ColumnChunks) -> tuple[Sequence[object], ...]:
    return chunks.bytes, chunks.minimums, chunks.maximums, chunks.null_counts, chunks.encoded_bytes


def _compact(values: list) -> Sequence:  # type: ignore[type-arg]
    """The values, eight bytes each where they are whole numbers of so many."""
    if len(values) > 1 and all(type(value) is int for value in values):
        try:
            return array("q", values)
        except OverflowError:
            pass
    return tuple(values)


def _range(chunk: pq.ColumnChunkMetaData, kind: str) -> tuple[StatisticsValue | None, StatisticsValue | None, int | None]:
    """The least and the greatest value, and how many are NULL; None for what is not known."""
    if kind not in _EXPECTED and not kind.startswith("DECIMAL("):
        return None, None, None
    statistics = chunk.statistics if chunk.is_stats_set else None
    if statistics is None:
        return None, None, None
    nulls = statistics.null_count if statistics.has_null_count else None
    if not statistics.has_min_max:
        return None, None, nulls
    try:
        low, high = statistics.min, statistics.max
    except (ValueError, OverflowError, NotImplementedError, KeyError):
        # Dates beyond Python's calendar, text cut inside a character: no statistics that could be compared.
        low = high = None
    return _usable(low, kind), None if kind in ("FLOAT", "DOUBLE") else _usable(high, kind), nulls


def _usable(value: object, kind: str) -> StatisticsValue | None:
    """``value`` if it is what a column of that type compares with.

    The maximum of floats is never usable: statistics leave NaN out, which is the greatest of all for the kernel.
    """
    if kind.startswith("DECIMAL("):
        return value if isinstance(value, decimal.Decimal) and value.is_finite() else None
    expected = _EXPECTED[kind]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool) or value != value:
        return None
    if expected is datetime.date and isinstance(value, datetime.datetime):
        return None
    if expected is datetime.datetime:
        assert isinstance(value, datetime.datetime)
        return value if (value.tzinfo is not None) == (kind != "TIMESTAMP") else None
    return value  # type: ignore[return-value]
