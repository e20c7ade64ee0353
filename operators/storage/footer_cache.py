"""Footers that were read, kept by file and version: as they are stored, the newest of them parsed, and outlines of very many."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from cachetools import LRUCache

from operators.storage.backend import StoredFile
from operators.storage.footers import Footer, ReadRanges, parsed_footer, read_footer
from operators.storage.outlines import FileOutline, Outlines

READER_THREADS = 16
FILES_AT_A_TIME = 32
"""A thread is given so many files: to give it one costs a third of what reading it does."""
PARSED_FACTOR = 10
PARSED_BYTES = 4 << 10
"""A parsed footer takes about this many times the memory of its bytes, and so much more."""
GARBAGE_BYTES = 128 << 20
"""So much may wait to be collected: parsed footers point at themselves in a circle, and are few objects for their size."""
PARSED_PART = 4
"""Parsed footers are given one such part of the cache."""
OUTLINE_BYTES = 512 << 20
"""Room for the outlines of a million files."""

Key = tuple[str, str]


class FooterCache:
    """Footers by path and version, least recently used ones dropped beyond ``max_bytes``. Thread-safe.

    One that is larger by itself is kept alone: a scan asks for it once for each of its splits. ``keep_small``: whether of a small file all
    is to be kept, because it lies where each read takes its time.
    """

    def __init__(self, read_ranges: ReadRanges, max_bytes: int, keep_small: Callable[[StoredFile], bool] = lambda file: True) -> None:
        self._read_ranges = read_ranges
        self._keep_small = keep_small
        self._lock = threading.Lock()
        parsed = max(1, max_bytes // PARSED_PART)
        self._parsed: LRUCache[Key, Footer] = LRUCache(parsed, lambda footer: min(_parsed_cost(footer), parsed))
        stored = max(1, max_bytes - parsed)
        self._stored: LRUCache[Key, bytes] = LRUCache(stored, len)
        self._parsed_bytes = 0
        self._outlines = Outlines(OUTLINE_BYTES)

    def get(self, file: StoredFile) -> Footer:
        """The footer of ``file``. Raises ``FileUnreadable`` naming it."""
        key = (file.path, file.version)
        with self._lock:
            footer = self._parsed.get(key)
            tail = None if footer is not None else self._stored.get(key)
        if footer is not None:
            return footer
        footer = self._read_one(file) if tail is None else parsed_footer(file, tail)
        self._collect_garbage(_parsed_cost(footer))
        with self._lock:
            if tail is None and len(footer.tail) <= self._stored.maxsize:
                self._stored[key] = footer.tail
            return self._parsed.setdefault(key, footer)

    def _collect_garbage(self, parsed_bytes: int) -> None:
        with self._lock:
            self._parsed_bytes += parsed_bytes
            full = self._parsed_bytes > GARBAGE_BYTES
            if full:
                self._parsed_bytes = 0
        if full:
            gc.collect()

    def _read_one(self, file: StoredFile) -> Footer:
        return read_footer(file, self._read_ranges, keep_small=self._keep_small(file))

    def outline(self, file: StoredFile) -> FileOutline:
        """The outline of ``file``. Raises ``FileUnreadable`` naming it."""
        return self._outlines.get(file) or self._outlines.of(self.get(file))

    def outlines(self, files: Sequence[StoredFile]) -> list[FileOutline]:
        """The outlines of ``files``, in their order. Raises ``FileUnreadable`` naming one that has none."""
        found = [self._outlines.get(file) for file in files]
        missing = [file for file, outline in zip(files, found, strict=True) if outline is None]
        read = self._read(missing)
        return [next(read) if outline is None else outline for outline in found]

    def _read(self, files: Sequence[StoredFile]) -> Iterator[FileOutline]:
        if len(files) < 2:
            return iter([self.outline(file) for file in files])
        # Few are read one by one: from far away each takes its time.
        size = max(1, min(FILES_AT_A_TIME, len(files) // READER_THREADS))
        parts = [files[start : start + size] for start in range(0, len(files), size)]
        with ThreadPoolExecutor(min(READER_THREADS, len(parts)), thread_name_prefix="footers") as pool:
            return iter([outline for part in pool.map(self._outlines_of, parts) for outline in part])

    def _outlines_of(self, files: Sequence[StoredFile]) -> list[FileOutline]:
        return [self.outline(file) for file in files]


def _parsed_cost(footer: Footer) -> int:
    return len(footer.tail) + PARSED_FACTOR * int(footer.metadata.serialized_size) + PARSED_BYTES
