"""The hot row groups of all results of a process, in memory, up to a number of bytes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from cachetools import LRUCache

GroupKey = tuple[str, int, int]
"""Query id, file, row group in that file."""


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """What the cache holds, and how often it was asked for what it had (``hits``) or had not."""

    groups: int = 0
    bytes: int = 0
    hits: int = 0
    misses: int = 0


@dataclass(frozen=True, slots=True)
class _Cached:
    batches: Sequence[pa.RecordBatch]
    bytes: int


class RowGroupCache:
    """Keeps those row groups that were used last. Thread-safe. A group larger than the whole cache is not kept."""

    def __init__(self, limit_bytes: int) -> None:
        self._lock = threading.Lock()
        self._groups: LRUCache[GroupKey, _Cached] = LRUCache(limit_bytes, lambda cached: cached.bytes)
        self._hits = 0
        self._misses = 0

    def get(self, key: GroupKey) -> Sequence[pa.RecordBatch] | None:
        """The batches of a row group, or None if they are not (any more) in memory."""
        with self._lock:
            cached = self._groups.get(key)
            if cached is None:
                self._misses += 1
                return None
            self._hits += 1
            return cached.batches

    def put(self, key: GroupKey, batches: Sequence[pa.RecordBatch], size: int) -> None:
        """Keeps a row group of ``size`` bytes, at the cost of those that were not used for longest."""
        with self._lock:
            if size <= self._groups.maxsize and key not in self._groups:
                self._groups[key] = _Cached(batches, size)

    def forget(self, query_id: str) -> None:
        """Drops all row groups of a result."""
        with self._lock:
            for key in [key for key in self._groups if key[0] == query_id]:
                del self._groups[key]

    def statistics(self) -> CacheStatistics:
        """What it holds now."""
        with self._lock:
            return CacheStatistics(len(self._groups), int(self._groups.currsize), self._hits, self._misses)
