"""Writing a result: batches of any size in, row groups that readers see at once, files behind them, and a manifest at the end.

    append ──► pending rows ──full──► row group (readable, in memory) ──file full──► data file (by the store's thread) ──finish──► manifest

Row groups close at ``rows_per_group`` rows, or earlier at ``MAX_GROUP_BYTES``; files at ``groups_per_file`` groups, or earlier at
``MAX_FILE_BYTES``. A writer has at most ``MAX_FILES_UNDER_WAY`` full files in memory: then :meth:`ResultWriter.append` waits for the
storage. With ``ahead`` it waits for readers too: so many row groups are made before somebody reads on, the first of them small, and no
file before it is full.
"""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum

import pyarrow as pa

from operators.batch_sizes import fitting_rows, referenced_bytes
from operators.errors import OperatorError, ResultTooLarge, StorageError
from operators.results.reading import Result
from operators.results.result_files import ManifestFile, ResultFiles, ResultManifest
from planner.errors import VolleyError

ROWS_PER_GROUP = 122_880
GROUPS_PER_FILE = 8
FIRST_LOOK_ROWS = 4_096
LOOK_GROWTH = 4
"""Row groups of a look begin small, a few screens, and grow to the size of all others: the first rows are there sooner, fewer are made."""
MAX_GROUP_BYTES = 32 << 20
MAX_FILE_BYTES = 64 << 20
MAX_FILES_UNDER_WAY = 2
TOTAL_BYTES = 256 << 30
"""What all finished results together may have, where nobody says how much: four of the largest."""
MIN_BATCH_ROWS = 16_384
"""Smaller batches are copied together: a slice that a client gets should be worth its message."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResultLimits:
    """How large row groups, files and results become."""

    rows_per_group: int = ROWS_PER_GROUP
    groups_per_file: int = GROUPS_PER_FILE
    group_bytes: int = MAX_GROUP_BYTES
    file_bytes: int = MAX_FILE_BYTES
    result_bytes: int = 64 << 30
    ttl_seconds: float = 86_400.0


class _Phase(Enum):
    WRITING = "writing"
    FINISHING = "finishing"
    CLOSED = "closed"
    ABORTED = "aborted"


class ResultWriter:
    """Writes one result. :meth:`append` and :meth:`finish` belong to one thread; :meth:`abort` may come from any, at any time."""

    def __init__(
        self,
        result: Result,
        sql: str,
        files: ResultFiles,
        pool: Executor,
        limits: ResultLimits,
        *,
        clock: Callable[[], float] = time.time,
        ended: Callable[[ResultManifest | None], None] = lambda manifest: None,
        ahead: int | None = None,
        on_hold: Callable[[bool], None] = lambda held: None,
    ) -> None:
        assert ahead is None or ahead >= 0
        self.result = result
        self._sql = sql
        self._files = files
        self._pool = pool
        self._limits = limits
        self._clock = clock
        self._ended = ended
        self._ahead = ahead
        self._on_hold = on_hold
        self._group_rows = limits.rows_per_group if ahead is None else min(FIRST_LOOK_ROWS, limits.rows_per_group)
        self._created_at = clock()
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._file = 0
        self._touched = False
        self._groups: list[Sequence[pa.RecordBatch]] = []
        self._file_bytes = 0
        self._changed = threading.Condition()
        self._phase = _Phase.WRITING
        self._under_way = 0
        self._written: dict[int, ManifestFile] = {}
        self._error: VolleyError | None = None

    @property
    def on_storage(self) -> bool:
        """Whether files of this result may be on storage while it has no manifest yet."""
        return self._touched and self._phase in (_Phase.WRITING, _Phase.FINISHING)

    def append(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows. Waits while the storage is behind, and while it is ``ahead`` of its readers.

        Raises ``ResultTooLarge``, ``StorageError`` if a file cannot be written, and the error of :meth:`abort`.
        """
        self._check()
        batch = conformed(batch, self.result.schema)
        start = 0
        while start < batch.num_rows:
            if not self._pending:
                self._wait_for_readers()
            rows = self._take(batch, start)
            if rows == 0:
                self._close_group()
            start += rows
            if self._pending_rows == self._group_rows:
                self._close_group()

    def release(self) -> None:
        """Has :meth:`append` wait for no reader any more. May come from any thread."""
        self.result.release()

    def finish(self, status: Callable[[], str]) -> None:
        """Makes the result whole: writes what is left, asks ``status`` for the text to keep, publishes, and ends the readers' wait.

        Raises as :meth:`append` does.
        """
        with self._changed:
            self._check()
            assert self._phase is _Phase.WRITING
            self._phase = _Phase.FINISHING
        try:
            manifest = self._publish(status)
            with self._changed:
                self._check()
                self._phase = _Phase.CLOSED
        except BaseException:
            with self._changed:
                aborted = self._phase is _Phase.ABORTED
                self._phase = _Phase.ABORTED if aborted else _Phase.WRITING
            if aborted:
                self._remove()
            raise
        self.result.complete(manifest)
        self._ended(manifest)

    def abort(self, error: VolleyError) -> None:
        """Gives up: readers get ``error``, files are removed. Only the first call counts; after :meth:`finish`, none does."""
        with self._changed:
            if self._phase in (_Phase.CLOSED, _Phase.ABORTED):
                return
            finishing = self._phase is _Phase.FINISHING
            self._phase = _Phase.ABORTED
            self._error = self._error or error
            remove = self._under_way == 0 and not finishing
            self._changed.notify_all()
        self.result.fail(error)
        if remove:
            self._remove()
        self._ended(None)

    # -- row groups -----------------------------------------------------------------------------------------------------

    def _wait_for_readers(self) -> None:
        if self._ahead is None or not self.result.is_ahead(self._ahead):
            return
        self._on_hold(True)
        try:
            self.result.hold(self._ahead)
        finally:
            self._on_hold(False)
        self._check()

    def _take(self, batch: pa.RecordBatch, start: int) -> int:
        """Moves as many rows as fit into the pending row group; returns how many. One row fits into any empty group."""
        free_bytes = self._limits.group_bytes - self._pending_bytes
        rows = fitting_rows(batch, start, self._group_rows - self._pending_rows, free_bytes)
        part = batch.slice(start, rows)
        size = referenced_bytes(part)
        if size > free_bytes and self._pending_rows:
            return 0
        self._pending.append(part)
        self._pending_rows += rows
        self._pending_bytes += size
        return rows

    def _close_group(self) -> None:
        self._check()
        group = merged(self._pending)
        self._pending, self._pending_rows, self._pending_bytes = [], 0, 0
        self._group_rows = min(LOOK_GROWTH * self._group_rows, self._limits.rows_per_group)
        size = self.result.add_group(self._file, group)
        if self.result.bytes > self._limits.result_bytes:
            raise ResultTooLarge(
                f"the result is larger than the server stores for one query ({self._limits.result_bytes:,} bytes)",
                remedy="Select fewer rows or columns, or raise limits.result_bytes.",
            )
        self._groups.append(group)
        self._file_bytes += size
        if len(self._groups) == self._limits.groups_per_file or self._file_bytes >= self._limits.file_bytes:
            self._wait(lambda: self._under_way < MAX_FILES_UNDER_WAY)
            self._submit(self._next_file())

    # -- files ----------------------------------------------------------------------------------------------------------

    def _next_file(self) -> tuple[int, Sequence[Sequence[pa.RecordBatch]]]:
        full = self._file, self._groups
        self._file += 1
        self._touched = True
        self._groups, self._file_bytes = [], 0
        with self._changed:
            self._under_way += 1
        return full

    def _submit(self, full: tuple[int, Sequence[Sequence[pa.RecordBatch]]]) -> None:
        self._pool.submit(self._write, full)

    def _write(self, full: tuple[int, Sequence[Sequence[pa.RecordBatch]]]) -> None:
        """Writes one file; never raises, the writer's thread will."""
        number, groups = full
        query_id, failed = self.result.query_id, None
        try:
            if self._error is None:
                file = self._files.write_groups(query_id, number, self.result.schema, groups)
                if self._error is None:
                    self._written[number] = self.result.stored(number, file)
        except (OSError, StorageError) as error:
            log.warning("result %s, file %d: %s", query_id, number, error)
            failed = _not_stored(error)
        except Exception:
            log.exception("result %s, file %d", query_id, number)
            failed = StorageError("the result cannot be stored", remedy="The server's log says why.")
        with self._changed:
            self._under_way -= 1
            self._error = self._error or failed
            remove = self._phase is _Phase.ABORTED and self._under_way == 0
            self._changed.notify_all()
        if remove:
            self._remove()

    def _publish(self, status: Callable[[], str]) -> ResultManifest:
        if self._pending_rows:
            self._close_group()
        if self._groups:
            self._write(self._next_file())
        self._wait(lambda: self._under_way == 0)
        manifest = self._manifest(status())
        self._touched = True
        try:
            self._files.write_manifest(manifest)
        except (OSError, StorageError) as error:
            raise _not_stored(error) from error
        return manifest

    def _remove(self) -> None:
        if not self._touched:
            return
        try:
            self._files.remove(self.result.query_id)
        except (OSError, StorageError) as error:
            log.warning("files of the given-up result %s stay until they are found abandoned: %s", self.result.query_id, error)

    def _manifest(self, status: str) -> ResultManifest:
        now = self._clock()
        return ResultManifest(
            query_id=self.result.query_id,
            sql=self._sql,
            owner=self.result.owner,
            schema=self.result.schema.serialize().to_pybytes(),
            files=[self._written[number] for number in range(self._file)],
            created_at=self._created_at,
            completed_at=now,
            expires_at=now + self._limits.ttl_seconds,
            status=status,
        )

    def _wait(self, ready: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or ready())
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error


def merged(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """The same rows in batches of at least ``MIN_BATCH_ROWS`` rows, the last one excepted; large batches are not copied."""
    large: list[pa.RecordBatch] = []
    small: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        small.append(batch)
        rows += batch.num_rows
        if rows >= MIN_BATCH_ROWS:
            large.append(small[0] if len(small) == 1 else pa.concat_batches(small))
            small, rows = [], 0
    if small:
        large.append(small[0] if len(small) == 1 else pa.concat_batches(small))
    return large


def conformed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """``batch`` with exactly ``schema``, which clients were told. Raises ``OperatorError`` if a column cannot have the type planned."""
    if batch.schema.equals(schema, check_metadata=True):
        return batch
    if batch.num_columns != len(schema):
        raise OperatorError(f"the query was planned with {len(schema)} columns and has {batch.num_columns}")
    columns = []
    for column, field in zip(batch.columns, schema, strict=True):
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except pa.ArrowException:
            raise OperatorError(f"column {field.name} was planned as {field.type} and is {column.type}") from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _not_stored(error: OSError | StorageError) -> StorageError:
    if isinstance(error, StorageError):
        return error
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError("the result cannot be stored: no space is left", remedy="Free space on the default connection, or select less.")
    reason = (error.strerror or type(error).__name__).lower()
    return StorageError(f"the result cannot be stored: {reason}", remedy="Check the default connection, then run the query again.")
