"""Reading a result by cursor, while it grows and afterwards.

A result is a growing list of closed row groups, each with an address: file, and place in that file. Readers share it with its one writer
(:mod:`operators.results.materialize`), wait on it for what is not there yet, and are cheap to abandon: nothing is held for them.

Where only what is looked at should be made, the writer waits for its readers too (:meth:`Result.hold`).
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from operators.batch_sizes import empty_batch, fitting_rows, referenced_bytes
from operators.errors import CursorOutOfRange, NoSuchResult, ResultUnreadable, StorageError
from operators.results.result_files import ManifestFile, ResultFiles, ResultManifest
from operators.results.row_group_cache import RowGroupCache
from planner.errors import VolleyError

MAX_SLICE_ROWS = 65_536
MAX_SLICE_BYTES = (3 << 20) - (64 << 10)
"""Clients refuse messages over 4 MiB; what a slice's buffers say is not all that travels."""
POLL_SECONDS = 0.2
"""How soon a waiting reader sees that it is cancelled."""

Cancelled = Callable[[], bool]

log = logging.getLogger(__name__)


class ResultPlace(NamedTuple):
    """A cursor: file and row group in it, both from 0, and the row in that group."""

    file: int
    row_group: int
    row: int


BEGINNING = ResultPlace(0, 0, 0)
END_FILE = (1 << 53) - 1
"""A cursor with this file means the end of the result, wherever that is: who reads there waits until all rows are made."""


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """A slice of a result: where it starts, and where to go on (None after the last row)."""

    batch: pa.RecordBatch
    cursor: ResultPlace
    next: ResultPlace | None


@dataclass(slots=True)
class _Group:
    file: int
    index: int
    rows: int
    bytes: int
    batches: Sequence[pa.RecordBatch] | None
    """In memory until its file is written."""

    @property
    def start(self) -> ResultPlace:
        return ResultPlace(self.file, self.index, 0)


class Result:
    """The rows of a query, by row groups, as far as they are closed. Thread-safe.

    The methods of the writer are :meth:`hold`, :meth:`add_group`, :meth:`stored`, :meth:`complete` and :meth:`fail`; the store's own is
    :meth:`replace_manifest`.
    """

    def __init__(
        self,
        query_id: str,
        owner: str,
        schema: pa.Schema,
        files: ResultFiles,
        cache: RowGroupCache,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.query_id = query_id
        self.owner = owner
        self.schema = schema
        self._files = files
        self._cache = cache
        self._changed = threading.Condition()
        self._groups: list[_Group] = []
        self._first_of_file: list[int] = []
        self._stored: dict[int, ManifestFile] = {}
        self._bytes = 0
        self._manifest: ResultManifest | None = None
        self._error: VolleyError | None = None
        self._clock = clock
        self._readers = 0
        self._read_at: float | None = None
        self._furthest = -1
        self._awaited: list[Callable[[], bool]] = []
        self._held = False
        self._released = False

    @classmethod
    def from_manifest(
        cls, manifest: ResultManifest, files: ResultFiles, cache: RowGroupCache, clock: Callable[[], float] = time.time
    ) -> Result:
        """A finished result, as its manifest describes it. Raises ``pa.ArrowInvalid`` if that is damaged."""
        schema = pa.ipc.read_schema(pa.py_buffer(manifest.schema))
        result = cls(manifest.query_id, manifest.owner, schema, files, cache, clock)
        for number, file in enumerate(manifest.files):
            for rows, size in zip(file.rows, file.bytes, strict=True):
                result._append(number, rows, size, None)
            result._stored[number] = file
        result._manifest = manifest
        return result

    # -- what there is --------------------------------------------------------------------------------------------------

    @property
    def row_groups(self) -> Sequence[Sequence[int]]:
        """The rows of each closed row group, file by file."""
        with self._changed:
            bounds = [*self._first_of_file, len(self._groups)]
            return [[group.rows for group in self._groups[start:stop]] for start, stop in itertools.pairwise(bounds)]

    @property
    def rows(self) -> int:
        """Rows of the closed row groups."""
        with self._changed:
            return sum(group.rows for group in self._groups)

    @property
    def bytes(self) -> int:
        """Bytes of Arrow data in the closed row groups."""
        return self._bytes

    @property
    def closed(self) -> bool:
        """No more rows will come, and all that came can be read."""
        return self._manifest is not None

    @property
    def held(self) -> bool:
        """Whether more rows are made as soon as somebody reads on, and not before."""
        return self._held

    @property
    def error(self) -> VolleyError | None:
        """Why it cannot be read (any more)."""
        return self._error

    @property
    def expires_at(self) -> float | None:
        """When it will be removed, in Unix seconds; None while it is written."""
        return None if self._manifest is None else self._manifest.expires_at

    @property
    def manifest(self) -> ResultManifest | None:
        """What is stored of it beside its rows; None while it is written."""
        return self._manifest

    @property
    def read_at(self) -> float | None:
        """When somebody last read in it here, in Unix seconds: now, while somebody does; None if nobody ever did."""
        return self._clock() if self._readers else self._read_at

    # -- reading --------------------------------------------------------------------------------------------------------

    def follow(
        self, cursor: tuple[int, int, int], *, limit: int | None = None, whole: bool = True, cancelled: Cancelled = lambda: False
    ) -> Generator[ReadBatch, None, None]:
        """Slices from ``cursor`` on: all to the end of the result (``whole``), or to the end of that row group. At most ``limit`` rows.

        Waits for what is not there yet; ends silently once ``cancelled`` says so. Where there is nothing to deliver, one empty batch
        comes. Slices have at most 65,536 rows and about 3 MiB, unless one row is larger. Raises ``CursorOutOfRange``, the error
        with which the query failed, ``NoSuchResult`` if the result was removed meanwhile, ``ResultUnreadable``.
        """
        with self._reading():
            yield from self._follow(cursor, limit, whole, cancelled)

    def _follow(
        self, cursor: tuple[int, int, int], limit: int | None, whole: bool, cancelled: Cancelled
    ) -> Generator[ReadBatch, None, None]:
        place = ResultPlace(*cursor)
        if min(place) < 0 or (limit is not None and limit < 0):
            raise CursorOutOfRange(f"the cursor {list(place)} or the limit {limit} is negative", remedy="Start from [0, 0, 0].")
        found = self._locate(place, cancelled)
        if found is None:
            return
        index, row = found
        if index == len(self._groups) or limit == 0:
            yield ReadBatch(empty_batch(self.schema), place, None if index == len(self._groups) else self._place(index, row))
            return
        left = limit
        while True:
            for read in self._slices(index, row, left, cancelled):
                yield read
                if left is not None:
                    left -= read.batch.num_rows
                if read.next is None or left == 0:
                    return
            if not whole or cancelled():
                return
            index, row = index + 1, 0

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._changed:
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._read_at = self._clock()

    def _slices(self, index: int, row: int, limit: int | None, cancelled: Cancelled) -> Iterator[ReadBatch]:
        """The slices of one row group from ``row`` on. The last one waits until it is known whether another group follows."""
        self._ask(index)
        group = self._groups[index]
        stop = group.rows if limit is None else min(group.rows, row + limit)
        for batch, start in _cut(self._batches(index), row, stop):
            after = start + batch.num_rows
            following: ResultPlace | None = ResultPlace(group.file, group.index, after)
            if after == group.rows:
                if not self._await(lambda: len(self._groups) > index + 1 or self.closed, cancelled):
                    return
                following = self._groups[index + 1].start if len(self._groups) > index + 1 else None
            if self._error is not None:
                raise self._error
            yield ReadBatch(batch, ResultPlace(group.file, group.index, start), following)

    def _locate(self, place: ResultPlace, cancelled: Cancelled) -> tuple[int, int] | None:
        """The flat index of the row group, and the row, that ``place`` means; the end is ``(number of groups, 0)``.

        Waits until that is known; None if cancelled before.
        """
        if not self._await(lambda: self._known(place), cancelled):
            return None
        with self._changed:
            index = self._index(place)
            if index is None:
                raise self._out_of_range(place)
            if index < len(self._groups) and place.row > self._groups[index].rows:
                raise self._out_of_range(place)
        if index == len(self._groups) or place.row < self._groups[index].rows:
            return index, place.row
        # At the end of a row group: the next one's start, as soon as there is one, else the end of the result.
        if not self._await(lambda: len(self._groups) > index + 1 or self.closed, cancelled):
            return None
        return index + 1, 0

    def _known(self, place: ResultPlace) -> bool:
        """Whether what ``place`` means cannot change any more."""
        return self.closed or len(self._first_of_file) > place.file + 1 or self._index(place) is not None

    def _index(self, place: ResultPlace) -> int | None:
        """The flat index of a row group, which may be the one after the last of its file; None where there is none."""
        files = len(self._first_of_file)
        if place.file == END_FILE:
            return len(self._groups) if self.closed else None
        if place.file < files:
            last = place.file + 1 == files
            stop = len(self._groups) if last else self._first_of_file[place.file + 1]
            index = self._first_of_file[place.file] + place.row_group
            at_end = index == stop and place.row == 0 and (not last or self.closed)
            return index if index < stop or at_end else None
        at_end = place == ResultPlace(files, 0, 0) and self.closed
        return len(self._groups) if at_end else None

    def _place(self, index: int, row: int) -> ResultPlace:
        group = self._groups[index]
        return ResultPlace(group.file, group.index, row)

    def _await(self, ready: Callable[[], bool], cancelled: Cancelled) -> bool:
        """Waits until ``ready``; False if cancelled before. Raises the result's error."""
        with self._changed:
            self._awaited.append(ready)
            self._changed.notify_all()
            try:
                while self._error is None:
                    if ready():
                        return True
                    if cancelled():
                        return False
                    self._changed.wait(POLL_SECONDS)
                raise self._error
            finally:
                self._awaited.remove(ready)

    def _ask(self, index: int) -> None:
        """A reader has come to a row group."""
        with self._changed:
            if index > self._furthest:
                self._furthest = index
                self._changed.notify_all()

    def _batches(self, index: int) -> Sequence[pa.RecordBatch]:
        with self._changed:
            if self._error is not None:
                raise self._error
            group = self._groups[index]
            batches, file = group.batches, self._stored.get(group.file)
        if batches is not None:
            return batches
        key = (self.query_id, group.file, group.index)
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        assert file is not None, "a row group is in memory until its file is stored"
        read = self._read(file, group)
        self._cache.put(key, read, group.bytes)
        return read

    def _read(self, file: ManifestFile, group: _Group) -> list[pa.RecordBatch]:
        try:
            batches = self._files.read_group(self.query_id, file, group.index, self.schema)
        except FileNotFoundError:
            raise self._error or NoSuchResult(f"the result of query {self.query_id} was removed", remedy="Run the query again.") from None
        except (OSError, StorageError, pa.ArrowException) as error:
            log.warning("result %s, file %s, row group %d: %s", self.query_id, file.name, group.index, error)
            raise self._unreadable(file) from None
        if sum(batch.num_rows for batch in batches) != group.rows:
            raise self._unreadable(file)
        return batches

    def _unreadable(self, file: ManifestFile) -> ResultUnreadable:
        return ResultUnreadable(
            f"file {file.name} of the result of query {self.query_id} cannot be read", remedy="Try again later, or run the query again."
        )

    def _out_of_range(self, place: ResultPlace) -> CursorOutOfRange:
        last = self._groups[-1] if self._groups else None
        end = list(BEGINNING) if last is None else [last.file, last.index, last.rows]
        return CursorOutOfRange(
            f"the cursor {list(place)} is not in the result of query {self.query_id}, which ends at {end}", remedy="Start from [0, 0, 0]."
        )

    # -- for the writer -------------------------------------------------------------------------------------------------

    def hold(self, ahead: int) -> None:
        """Waits before a new row group while ``ahead`` are closed behind the furthest one that a reader has come to.

        A reader that waits for more than that, the end for instance, gets it. Returns at once after :meth:`release` and :meth:`fail`.
        """
        with self._changed:
            self._held = self._may_wait(ahead)
            self._changed.wait_for(lambda: not self._may_wait(ahead))
            self._held = False

    def is_ahead(self, ahead: int) -> bool:
        """Whether :meth:`hold` would wait now."""
        with self._changed:
            return self._may_wait(ahead)

    def release(self) -> None:
        """Has :meth:`hold` wait for nobody any more, now and later. May come from any thread."""
        with self._changed:
            self._released = True
            self._changed.notify_all()

    def _may_wait(self, ahead: int) -> bool:
        free = self._released or self._error is not None
        # What readers wait for is asked here, not counted: one that has what it wanted may not have woken yet.
        return not free and len(self._groups) > self._furthest + ahead and all(ready() for ready in self._awaited)

    def add_group(self, file: int, batches: Sequence[pa.RecordBatch]) -> int:
        """Closes a row group: readers see it from now on. Returns its bytes."""
        assert batches, "a row group has rows"
        size = sum(referenced_bytes(batch) for batch in batches)
        with self._changed:
            self._append(file, sum(batch.num_rows for batch in batches), size, batches)
            self._changed.notify_all()
        return size

    def stored(self, file: int, described: ManifestFile) -> ManifestFile:
        """A file is written: its row groups leave the memory. Returns what the manifest says of it."""
        with self._changed:
            if self._error is not None:
                return described
            groups = [group for group in self._groups[self._first_of_file[file] :] if group.file == file]
            assert described.rows == [group.rows for group in groups]
            sized = ManifestFile(described.name, described.rows, [group.bytes for group in groups], described.offsets)
            self._stored[file] = sized
            for group in groups:
                assert group.batches is not None
                self._cache.put((self.query_id, file, group.index), group.batches, group.bytes)
                group.batches = None
        return sized

    def complete(self, manifest: ResultManifest) -> None:
        """The result is whole, and stored."""
        with self._changed:
            assert self._error is None
            assert len(self._stored) == len(self._first_of_file)
            self._manifest = manifest
            self._changed.notify_all()

    def replace_manifest(self, manifest: ResultManifest) -> None:
        """The same result, which expires at another time."""
        with self._changed:
            assert self._manifest is not None
            self._manifest = manifest

    def fail(self, error: VolleyError) -> None:
        """Has all readers get ``error``, now and later, and frees the rows in memory. The first error stays."""
        with self._changed:
            if self._error is None:
                self._error = error
            for group in self._groups:
                group.batches = None
            self._changed.notify_all()
        self._cache.forget(self.query_id)

    def _append(self, file: int, rows: int, size: int, batches: Sequence[pa.RecordBatch] | None) -> None:
        assert rows > 0
        if file == len(self._first_of_file):
            self._first_of_file.append(len(self._groups))
        assert file == len(self._first_of_file) - 1, "files are filled in order"
        self._groups.append(_Group(file, len(self._groups) - self._first_of_file[file], rows, size, batches))
        self._bytes += size


def _cut(batches: Sequence[pa.RecordBatch], start: int, stop: int) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Slices of rows ``start`` … ``stop`` of a row group, with the row at which each starts."""
    first = 0
    for batch in batches:
        row = max(start - first, 0)
        end = min(stop - first, batch.num_rows)
        part = batch.slice(0, max(end, 0))
        while row < end:
            rows = fitting_rows(part, row, MAX_SLICE_ROWS, MAX_SLICE_BYTES)
            yield batch.slice(row, rows), first + row
            row += rows
        first += batch.num_rows
