"""Footers of Parquet files: read by one or two ranged reads."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq

from operators.errors import FileUnreadable
from operators.storage.backend import ByteRange, StoredFile

MAGIC = b"PAR1"
ENCRYPTED_MAGIC = b"PARE"
TRAILER_BYTES = 8
FIRST_READ_BYTES = 64 << 10
SMALL_FILE_BYTES = 16 << 10
"""Files up to this size may be kept whole with their footer: they need no other read."""
MAX_FOOTER_BYTES = 256 << 20

ReadRanges = Callable[[StoredFile, Sequence[ByteRange]], list[bytes]]


@dataclass(frozen=True)
class Footer:
    """A file's metadata. ``tail`` is the end of the file as stored, from ``tail_offset`` on."""

    file: StoredFile
    tail: bytes
    tail_offset: int
    metadata: pq.FileMetaData

    @cached_property
    def fingerprint(self) -> str:
        """Equal for files of the same physical and logical schema, in the same order."""
        geo = (self.metadata.metadata or {}).get(b"geo", b"")
        return f"{self.metadata.schema}\n{geo!r}".partition("\n")[2]

    @cached_property
    def first_rows(self) -> tuple[int, ...]:
        """The first row of each row group, and at the end the number of rows of the file."""
        starts = [0]
        for index in range(self.metadata.num_row_groups):
            starts.append(starts[-1] + self.metadata.row_group(index).num_rows)
        return tuple(starts)

    @cached_property
    def leaf_columns(self) -> tuple[int, ...]:
        """For each leaf (in the order of a row group's column chunks) the index of the top-level column that it belongs to."""
        schema = self.metadata.schema
        paths = [schema.column(index).path.split(".") for index in range(len(schema))]
        names = list(schema.names)
        if all(len(path) == 1 for path in paths):
            return tuple(range(len(names)))
        fields = schema.to_arrow_schema()
        return tuple(index for index, field in enumerate(fields) for _ in range(_leaves(field.type)))

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The top-level columns' names, as stored."""
        schema = self.metadata.schema
        if all("." not in schema.column(index).path for index in range(len(schema))):
            return tuple(schema.names)
        return tuple(schema.to_arrow_schema().names)


def _leaves(kind: pa.DataType) -> int:
    if pa.types.is_nested(kind):
        return sum(_leaves(kind.field(index).type) for index in range(kind.num_fields))
    return 1


def read_footer(file: StoredFile, read_ranges: ReadRanges, *, keep_small: bool = True) -> Footer:
    """Reads and checks a footer; of a small file all is kept with it, if ``keep_small``.

    Raises ``FileUnreadable`` for what is not a whole Parquet file.
    """
    size = file.size_bytes
    if size == 0:
        raise _unreadable(file, "is empty (0 bytes)")
    if size < TRAILER_BYTES + len(MAGIC):
        raise _unreadable(file, "is too short to be a Parquet file")
    start = max(0, size - FIRST_READ_BYTES)
    (tail,) = read_ranges(file, [ByteRange(start, size)])
    if tail[-4:] == ENCRYPTED_MAGIC:
        raise _unreadable(file, "is an encrypted Parquet file, which Volley cannot read")
    if tail[-4:] != MAGIC:
        raise _unreadable(file, "is not a whole Parquet file (its end is missing or it is of another format)")
    (footer_bytes,) = struct.unpack("<I", tail[-8:-4])
    footer_start = size - TRAILER_BYTES - footer_bytes
    if footer_start < len(MAGIC) or footer_bytes > MAX_FOOTER_BYTES:
        raise _unreadable(file, "is not a whole Parquet file (its footer does not fit into it)")
    if footer_start < start:
        (head,) = read_ranges(file, [ByteRange(footer_start, start)])
        tail, start = head + tail, footer_start
    kept = start if keep_small and size <= SMALL_FILE_BYTES else footer_start
    return Footer(file, tail[kept - start :], kept, _parse(file, tail[footer_start - start :]))


def parsed_footer(file: StoredFile, tail: bytes) -> Footer:
    """The footer whose ``tail`` was read and checked before."""
    (footer_bytes,) = struct.unpack("<I", tail[-8:-4])
    return Footer(file, tail, file.size_bytes - len(tail), _parse(file, tail[len(tail) - TRAILER_BYTES - footer_bytes :]))


def _parse(file: StoredFile, tail: bytes) -> pq.FileMetaData:
    try:
        return pq.read_metadata(pa.BufferReader(MAGIC + tail))
    except (pa.ArrowException, OSError):
        raise _unreadable(file, "has a corrupt footer") from None


def _unreadable(file: StoredFile, why: str) -> FileUnreadable:
    return FileUnreadable(f"the file {file.path} {why}", remedy="Replace or remove the file, then run the query again.")
