"""A progress bar on a terminal's stderr, for queries that take over a second."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from types import TracebackType

import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from flight_server.client import Client
from flight_server.errors import ClientError
from flight_server.protocol.messages import ENDED, QueryStatus
from flight_server.settings.quantities import format_size

QUIET_SECONDS = 1.0
POLL_SECONDS = 0.25


class QueryProgress:
    """Follows a query on the server in a thread, as a context; shows nothing where stderr is no terminal.

    ``stop`` wipes the bar, so that other output can follow; it may be called more than once.
    """

    def __init__(self, client: Client, query_id: str, console: Console | None = None) -> None:
        self._client = client
        self._query_id = query_id
        self._console = Console(file=sys.stderr) if console is None else console
        self._written = 0
        self._started = time.monotonic()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> QueryProgress:
        if self._console.is_terminal:
            self._thread = threading.Thread(target=self._follow, name="flight-progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def counted(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """``batches``, whose rows the bar shows as written once the query itself has ended."""
        for batch in batches:
            yield batch
            self._written += batch.num_rows

    def stop(self) -> None:
        """Ends the bar and wipes it from the terminal."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _follow(self) -> None:
        if self._stopped.wait(QUIET_SECONDS):
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.fields[said]}"))
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task("waiting", total=1.0, said="")
            while True:
                try:
                    status = self._client.status(self._query_id, timeout=5.0)
                except ClientError:
                    return  # the one who reads the result meets the same error, and tells it
                if status is None:
                    return
                _show(bar, task, status, self._written, time.monotonic() - self._started)
                if self._stopped.wait(POLL_SECONDS):
                    return


def _show(bar: Progress, task: TaskID, status: QueryStatus, written: int, seconds: float) -> None:
    doing: str = status.state
    done, said = status.progress, describe(status)
    if status.state in ENDED and written:
        doing, done, said = "writing", written / max(status.result.rows, written), f"{written:,} of {status.result.rows:,} rows"
    bar.update(task, description=doing, completed=done, said=" · ".join(part for part in (said, f"{seconds:.0f} s") if part))


def describe(status: QueryStatus) -> str:
    """How far a query is, in a few words: records done, rows and bytes of the result."""
    scans = [operator for operator in status.operators if operator.kind == "producer" and operator.records_total]
    parts = []
    if scans:
        done, total = sum(scan.records_done for scan in scans), sum(scan.records_total for scan in scans)
        parts.append(f"{done:,} of {total:,} records")
    if status.result.rows:
        parts.append(f"{status.result.rows:,} row{'' if status.result.rows == 1 else 's'}, {format_size(status.result.bytes)}")
    return " · ".join(parts)
