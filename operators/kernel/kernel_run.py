"""A running statement: begun, read batch by batch, interrupted from any thread, and left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TypeVar

import duckdb
import pyarrow as pa

from operators.errors import Interrupted, OperatorError
from operators.kernel.kernel_errors import FAILURES

REINTERRUPT_SECONDS = 0.01

Step = TypeVar("Step")

Bind = Callable[[duckdb.DuckDBPyConnection], tuple[duckdb.DuckDBPyRelation, pa.Schema]]
"""Makes a statement ready on a connection; answers with it, and with the schema of its batches."""


class KernelRun:
    """One running SELECT. Enter it, iterate it once for its batches, leave it: everything that it held is free then.

    ``connect`` opens the connection that is its own, ``bind`` makes the statement ready there, and ``failed`` says what to tell of an
    error. All but :meth:`interrupt` belongs to the thread that entered it.
    """

    def __init__(
        self, connect: Callable[[], duckdb.DuckDBPyConnection], bind: Bind, failed: Callable[[Exception], OperatorError], batch_rows: int
    ) -> None:
        self._connect = connect
        self._bind = bind
        self._failed = failed
        self._batch_rows = batch_rows
        self._interrupted = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._relation: duckdb.DuckDBPyRelation | None = None
        self._reader: pa.RecordBatchReader | None = None
        self.schema = pa.schema([])
        """The schema of the batches; known once entered."""

    def __enter__(self) -> KernelRun:
        self._connection = self._connect()
        try:
            self._relation, self.schema = self._bind(self._connection)
        except FAILURES as error:
            self.close()
            raise self._failed(error) from None
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Runs it. Raises ``Interrupted`` after :meth:`interrupt`, and ``KernelError``, ``OutOfMemory`` or ``FileUnreadable``."""
        relation = self._relation
        assert relation is not None, "the run has been entered"
        self._reader = reader = self._step(lambda: relation.to_arrow_reader(self._batch_rows))
        while (batch := self._step(lambda: _next(reader))) is not None:
            yield batch

    def interrupt(self) -> None:
        """Stops the run, from any thread and at any time; does not wait. Has no effect once the last batch is out."""
        with self._lock:
            self._interrupted.set()
            if self._idle.is_set() or self._connection is None:
                return
            self._connection.interrupt()
        # A statement that is just about to start would not have heard it.
        threading.Thread(target=self._interrupt_until_idle, name="kernel-interrupt", daemon=True).start()

    def close(self) -> None:
        """Frees the connection, its relations and its memory."""
        with self._lock:
            connection, self._connection = self._connection, None
        if self._reader is not None:
            # The stream, not the connection, holds the memory of a run that was left half-way.
            self._reader.close()
            self._reader = None
        if connection is not None:
            self._relation = None
            connection.close()

    def _interrupt_until_idle(self) -> None:
        while not self._idle.wait(REINTERRUPT_SECONDS):
            with self._lock:
                if self._connection is not None and not self._idle.is_set():
                    self._connection.interrupt()

    def _step(self, work: Callable[[], Step]) -> Step:
        """``work()`` between ``interrupt`` calls: never begun after one, and told of those that come during it."""
        with self._lock:
            if self._interrupted.is_set():
                raise Interrupted("the run was stopped")
            self._idle.clear()
        try:
            return work()
        except FAILURES as error:
            raise self._failed(error) from None
        finally:
            self._idle.set()


def _next(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    with suppress(StopIteration):
        return reader.read_next_batch()
    return None
