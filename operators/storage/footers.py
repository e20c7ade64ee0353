"""Footers of Parquet files: read by one or two ranged reads, kept by file and version."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq
from cachetools import LRUCache

from operators.errors import FileUnreadable
from operators.storage.backend import ByteRange, StoredFile

MAGIC = b"PAR1"
ENCRYPTED_MAGIC = b"PARE"
TRAILER_BYTES = 8
FIRST_READ_BYTES = 64 << 10
SMALL_FILE_BYTES = 16 << 10
"""Files up to this size are kept whole with their footer: they need no other read."""
MAX_FOOTER_BYTES = 256 << 20
READER_THREADS = 16
PARSED_FACTOR = 3
"""A parsed footer takes about this many times the memory of its bytes."""

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


class FooterCache:
    """Footers by path and version, least recently used ones dropped beyond ``max_bytes``. Thread-safe.

    One that is larger by itself is kept alone: a scan asks for it once for each of its splits.
    """

    def __init__(self, read_ranges: ReadRanges, max_bytes: int) -> None:
        self._read_ranges = read_ranges
        self._lock = threading.Lock()
        self._footers: LRUCache[tuple[str, str], Footer] = LRUCache(max_bytes, lambda footer: min(_cost(footer), max_bytes))

    def get(self, file: StoredFile) -> Footer:
        """The footer of ``file``. Raises ``FileUnreadable`` naming it."""
        return self._cached(file) or self._keep(read_footer(file, self._read_ranges))

    def get_all(self, files: Sequence[StoredFile]) -> list[Footer]:
        """The footers of ``files``, in their order."""
        found = [self._cached(file) for file in files]
        missing = [file for file, footer in zip(files, found, strict=True) if footer is None]
        if not missing:
            return [footer for footer in found if footer is not None]
        if len(missing) == 1:
            read = iter([self.get(missing[0])])
        else:
            with ThreadPoolExecutor(min(READER_THREADS, len(missing)), thread_name_prefix="footers") as pool:
                read = iter(list(pool.map(self.get, missing)))
        return [footer if footer is not None else next(read) for footer in found]

    def _cached(self, file: StoredFile) -> Footer | None:
        with self._lock:
            return self._footers.get((file.path, file.version))

    def _keep(self, footer: Footer) -> Footer:
        with self._lock:
            return self._footers.setdefault((footer.file.path, footer.file.version), footer)


def _cost(footer: Footer) -> int:
    return len(footer.tail) * PARSED_FACTOR


def read_footer(file: StoredFile, read_ranges: ReadRanges) -> Footer:
    """Reads and checks a footer. Raises ``FileUnreadable`` for what is not a whole Parquet file."""
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
    kept = start if size <= SMALL_FILE_BYTES else footer_start
    return Footer(file, tail[kept - start :], kept, _parse(file, tail[footer_start - start :]))


def _parse(file: StoredFile, tail: bytes) -> pq.FileMetaData:
    try:
        return pq.read_metadata(pa.BufferReader(MAGIC + tail))
    except (pa.ArrowException, OSError):
        raise _unreadable(file, "has a corrupt footer") from None


def _unreadable(file: StoredFile, why: str) -> FileUnreadable:
    return FileUnreadable(f"the file {file.path} {why}", remedy="Replace or remove the file, then run the query again.")
