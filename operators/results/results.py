"""All results of a server: those that queries of this process write, and those on storage, which outlive it.

Several processes may share the storage: each finds what the others have finished, and what a dead one left half-done is removed
once nobody has touched it for ``ABANDONED_SECONDS``; writers that live touch theirs at each :meth:`ResultStore.sweep`. When the
finished results are larger than all may be together, the oldest go that nobody has read for ``READING_SECONDS``; what is read
elsewhere is known by marks that each process leaves at its sweeps.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar
from weakref import WeakValueDictionary

import msgspec
import pyarrow as pa

from operators.errors import NoSuchResult, ResultExpired, StorageError
from operators.results.materialize import GROUPS_PER_FILE, ROWS_PER_GROUP, TOTAL_BYTES, ResultLimits, ResultWriter
from operators.results.reading import BEGINNING, ReadBatch, Result, ResultPlace
from operators.results.result_files import Failure, ResultFiles, ResultManifest
from operators.results.row_group_cache import CacheStatistics, RowGroupCache
from planner.errors import VolleyError

__all__ = ["BEGINNING", "ReadBatch", "Result", "ResultManifest", "ResultPlace", "ResultStore", "ResultStoreStatistics", "StoredResult"]

ABANDONED_SECONDS = 900.0
READING_SECONDS = 60.0
"""Who reads page by page is still reading between two pages."""
MARKED_SECONDS = 180.0
"""For how long a mark of another process counts: three of its sweeps."""
CACHE_BYTES = 256 << 20
MAX_LOADED = 1_024
"""Finished results whose row groups' sizes are kept in memory; others are loaded from their manifests again."""
WRITER_THREADS = 2
QUERY_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)

Found = TypeVar("Found")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResultStoreStatistics:
    """Results under way, finished ones that are loaded, and the cache of their row groups."""

    writing: int
    loaded: int
    cache: CacheStatistics


class StoredResult(NamedTuple):
    """A finished result in short, of which there may be very many. ``line`` is what the store's ``short`` says of its query."""

    query_id: str
    owner: str
    created_at: float
    completed_at: float
    expires_at: float
    rows: int
    bytes: int
    line: str


class ResultStore:
    """The results below ``root``/results of an fsspec filesystem. Thread-safe.

    ``ttl_seconds``, ``max_result_bytes``: a result's life after it is whole, and its greatest size in bytes of Arrow data.
    ``total_bytes``: what all finished results together may have, as a sweep finds them.
    ``failure`` says what the filesystem's own errors mean, ``patience_seconds`` for how long it is waited for where it is away.
    ``short`` makes of a manifest what :meth:`list` should tell of its query; that is all that is kept in memory of most. ``clock`` gives
    Unix seconds.
    """

    def __init__(
        self,
        fs: Any,
        root: str,
        failure: Failure = lambda _error: None,
        *,
        short: Callable[[ResultManifest], str] = lambda manifest: manifest.status,
        rows_per_group: int = ROWS_PER_GROUP,
        groups_per_file: int = GROUPS_PER_FILE,
        ttl_seconds: float = 86_400.0,
        max_result_bytes: int = 64 << 30,
        total_bytes: int = TOTAL_BYTES,
        patience_seconds: float = 0.0,
        cache_bytes: int = CACHE_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._files = ResultFiles(fs, root, failure, patience_seconds)
        self._cache = RowGroupCache(cache_bytes)
        self._limits = ResultLimits(
            rows_per_group=rows_per_group, groups_per_file=groups_per_file, result_bytes=max_result_bytes, ttl_seconds=ttl_seconds
        )
        self._total_bytes = total_bytes
        self._short = short
        self._clock = clock
        self._pool = ThreadPoolExecutor(WRITER_THREADS, thread_name_prefix="result-files")
        self._lock = threading.Lock()
        self._writers: dict[str, ResultWriter] = {}
        self._finished: OrderedDict[str, Result] = OrderedDict()
        # Also those that only their readers or their query still have: a result is one object, or nobody would know who reads it.
        self._alive: WeakValueDictionary[str, Result] = WeakValueDictionary()
        self._stored: dict[str, StoredResult] = {}

    def create(
        self,
        query_id: str,
        schema: pa.Schema,
        sql: str,
        owner: str,
        ahead: int | None = None,
        on_hold: Callable[[bool], None] = lambda held: None,
    ) -> ResultWriter:
        """Begins a result, which readers can wait on from now on. Touches no storage yet.

        ``ahead``: how many row groups are made beyond those that somebody reads; None: all at once. ``on_hold`` is told by the writer's
        thread when it begins to wait for readers (true), and when it goes on.
        """
        assert QUERY_ID.fullmatch(query_id), "query ids are 32 hexadecimal digits"
        result = Result(query_id, owner, schema, self._files, self._cache, self._clock)
        writer = ResultWriter(
            result,
            sql,
            self._files,
            self._pool,
            self._limits,
            clock=self._clock,
            ended=lambda manifest: self._on_ended(result, manifest),
            ahead=ahead,
            on_hold=on_hold,
        )
        with self._lock:
            assert query_id not in self._writers
            self._writers[query_id] = writer
        return writer

    def get(self, query_id: str) -> Result | None:
        """The result of a query, whether it is being written here or was stored by any process; None if there is none.

        Raises ``ResultExpired`` for one that is past its time, ``StorageError`` if the storage cannot be asked.
        """
        if not QUERY_ID.fullmatch(query_id):
            return None
        with self._lock:
            writer = self._writers.get(query_id)
            if writer is not None:
                return writer.result
            result = self._alive.get(query_id)
        if result is None:
            result = self._load(query_id)
        if result is None:
            return None
        if result.expires_at is not None and result.expires_at <= self._clock():
            raise _expired(query_id)
        return result

    def list(self) -> Sequence[StoredResult]:
        """The finished results of all processes that have not expired, oldest first. Raises ``StorageError``."""
        now = self._clock()
        found = [stored for stored in self._known() if stored.expires_at > now]
        return sorted(found, key=lambda stored: stored.completed_at)

    def delete(self, query_id: str) -> bool:
        """Removes a finished result; False if there is none. Readers of it get ``NoSuchResult``. Raises ``StorageError``."""
        if not QUERY_ID.fullmatch(query_id) or self._load(query_id) is None:
            return False
        self._remove(query_id, NoSuchResult(f"the result of query {query_id} was removed", remedy="Run the query again."))
        return True

    def expire_within(self, query_id: str, seconds: float) -> None:
        """Has a finished result of this process expire ``seconds`` from now, where it would stay for longer.

        Returns at once; storage is told in the background.
        """
        with self._lock:
            result = self._alive.get(query_id)
        manifest = None if result is None else result.manifest
        expires_at = self._clock() + seconds
        if result is not None and manifest is not None and expires_at < manifest.expires_at:
            self._pool.submit(self._replace, result, msgspec.structs.replace(manifest, expires_at=expires_at))

    def _replace(self, result: Result, manifest: ResultManifest) -> None:
        """Puts another manifest in the place of a result's; one that was removed meanwhile stays so. Never raises."""
        try:
            self._files.replace_manifest(manifest)
        except (OSError, StorageError) as error:
            log.warning("result %s stays for its whole time: %s", manifest.query_id, error)
            return
        with self._lock:
            there = manifest.query_id in self._stored
            if there:
                self._stored[manifest.query_id] = self._stored[manifest.query_id]._replace(expires_at=manifest.expires_at)
        if there:
            result.replace_manifest(manifest)
        else:
            self._guarded(partial(self._files.remove, manifest.query_id))

    def sweep(self, now: float) -> Sequence[str]:
        """Removes what has expired, was abandoned, or is too much; returns those query ids. To be called every minute or so.

        Raises ``StorageError``.
        """
        with self._lock:
            writing = {query_id: writer for query_id, writer in self._writers.items() if writer.on_storage}
            reading = [query_id for query_id, result in self._alive.items() if _within(result.read_at, READING_SECONDS, now)]
        for query_id in writing:
            self._guarded(partial(self._files.keep_alive, query_id))
        for query_id in reading:
            self._guarded(partial(self._mark_read, query_id, now))
        expired = [stored.query_id for stored in self._known() if stored.expires_at <= now]
        for query_id in expired:
            self._remove(query_id, _expired(query_id))
        return [*expired, *self._make_room(now), *self._sweep_abandoned(now)]

    def recover(self) -> Sequence[str]:
        """Removes what dead processes left half-done, and what has expired; returns those query ids. To be called at start."""
        return self.sweep(self._clock())

    def close(self) -> None:
        """Waits for files that are being written, but not for a storage that is away. Results stay on storage."""
        self._files.closing.set()
        self._pool.shutdown(wait=True)

    def statistics(self) -> ResultStoreStatistics:
        """What it has in memory."""
        with self._lock:
            return ResultStoreStatistics(len(self._writers), len(self._finished), self._cache.statistics())

    # -- inside ---------------------------------------------------------------------------------------------------------

    def _on_ended(self, result: Result, manifest: ResultManifest | None) -> None:
        stored = None if manifest is None else self._in_short(manifest)
        with self._lock:
            self._writers.pop(result.query_id, None)
            if stored is not None:
                self._stored[stored.query_id] = stored
                self._remember(result)

    def _in_short(self, manifest: ResultManifest) -> StoredResult:
        return StoredResult(
            manifest.query_id,
            sys.intern(manifest.owner),
            manifest.created_at,
            manifest.completed_at,
            manifest.expires_at,
            manifest.rows_total,
            manifest.bytes_total,
            self._short(manifest),
        )

    def _remember(self, result: Result) -> None:
        self._finished[result.query_id] = self._alive[result.query_id] = result
        if len(self._finished) > MAX_LOADED:
            self._finished.popitem(last=False)

    def _load(self, query_id: str) -> Result | None:
        with self._lock:
            known = self._alive.get(query_id)
        manifest = None if known is not None else self._read_manifest(query_id)
        if manifest is None:
            return known
        try:
            result = Result.from_manifest(manifest, self._files, self._cache, self._clock)
        except (pa.ArrowException, ValueError) as error:
            log.warning("the manifest of result %s is damaged: %s", query_id, error)
            return None
        with self._lock:
            known = self._alive.get(query_id)
            if known is not None:
                return known
            self._remember(result)
        return result

    def _read_manifest(self, query_id: str) -> ResultManifest | None:
        try:
            return self._guarded(lambda: self._files.read_manifest(query_id))
        except msgspec.DecodeError as error:
            log.warning("the manifest of result %s is damaged: %s", query_id, error)
            return None

    def _known(self) -> Sequence[StoredResult]:
        """What all manifests on storage say; each is read once, since it never changes. What others have removed is forgotten."""
        with self._lock:
            before = set(self._stored)
        names = {name for name in self._guarded(self._files.query_ids) if QUERY_ID.fullmatch(name)}
        with self._lock:
            # Only what was known before: what has come since is not in the list.
            gone = before - names
            for query_id in gone:
                self._stored.pop(query_id, None)
                self._finished.pop(query_id, None)
                self._alive.pop(query_id, None)
            new = names - self._stored.keys() - self._writers.keys()
        for query_id in gone:
            self._cache.forget(query_id)
        read = [self._in_short(manifest) for manifest in map(self._read_manifest, sorted(new)) if manifest is not None]
        with self._lock:
            self._stored.update((stored.query_id, stored) for stored in read)
            return tuple(self._stored.values())

    def _make_room(self, now: float) -> Sequence[str]:
        """Removes the oldest results that nobody reads, until all others together are no larger than they may be."""
        oldest_first = sorted(self._known(), key=lambda stored: (stored.completed_at, stored.query_id))
        excess = sum(stored.bytes for stored in oldest_first) - self._total_bytes
        removed = []
        for stored in oldest_first:
            if excess <= 0:
                break
            if not self._is_read(stored.query_id, now):
                self._remove(stored.query_id, _crowded_out(stored.query_id, self._total_bytes))
                removed.append(stored.query_id)
                excess -= stored.bytes
        return removed

    def _is_read(self, query_id: str, now: float) -> bool:
        with self._lock:
            result = self._alive.get(query_id)
        if result is not None and _within(result.read_at, READING_SECONDS, now):
            return True
        return _within(self._guarded(partial(self._files.read_at, query_id)), MARKED_SECONDS, now)

    def _mark_read(self, query_id: str, now: float) -> None:
        with suppress(FileNotFoundError):  # another process has removed it
            self._files.mark_read(query_id, now)

    def _sweep_abandoned(self, now: float) -> Sequence[str]:
        names = {name for name in self._guarded(self._files.query_ids) if QUERY_ID.fullmatch(name)}
        with self._lock:
            unknown = names - self._stored.keys() - self._writers.keys()
        abandoned = []
        for query_id in sorted(unknown):
            touched_at = self._guarded(partial(self._files.touched_at, query_id))
            if touched_at is not None and touched_at + ABANDONED_SECONDS <= now and self._read_manifest(query_id) is None:
                self._guarded(partial(self._files.remove, query_id))
                abandoned.append(query_id)
        return abandoned

    def _remove(self, query_id: str, error: VolleyError) -> None:
        with self._lock:
            self._finished.pop(query_id, None)
            result = self._alive.pop(query_id, None)
            self._stored.pop(query_id, None)
        if result is not None:
            result.fail(error)
        self._cache.forget(query_id)
        self._guarded(lambda: self._files.remove(query_id))

    def _guarded(self, ask: Callable[[], Found]) -> Found:
        try:
            return ask()
        except OSError as error:
            log.warning("results: %s", error)
            raise StorageError("stored results cannot be reached", remedy="Check the default connection; try again later.") from None


def _within(when: float | None, seconds: float, now: float) -> bool:
    return when is not None and when + seconds > now


def _crowded_out(query_id: str, total_bytes: int) -> NoSuchResult:
    return NoSuchResult(
        f"the result of query {query_id} was removed: all results together may have {total_bytes:,} bytes, and it was the oldest",
        remedy="Run the query again, or raise results.total_bytes.",
    )


def _expired(query_id: str) -> ResultExpired:
    return ResultExpired(f"the result of query {query_id} has expired", remedy="Run the query again.")
