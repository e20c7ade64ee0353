"""Writes a whole result to a file, in the background, batch by batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from flight_server.client.output import Format, compressed_endings, endings, format_of, write_file
from flight_server.protocol.messages import START, ResultTicket
from planner.errors import Status, VolleyError
from tui.link.server import Server

SUFFIXES = f"{', '.join(endings())}; texts also {', '.join(compressed_endings())}"


class ExportError(VolleyError):
    """A result that cannot be exported as asked."""

    status = Status.INVALID_ARGUMENT


class Stopped(VolleyError):
    """The export was stopped by the user; no file is left."""

    status = Status.CANCELLED


class Export:
    """One export. ``stop`` may be called from any thread; ``rows`` may be read from any."""

    def __init__(self, server: Server, query_id: str, schema: pa.Schema, path: str) -> None:
        """Raises ``ExportError`` if the path's ending names no format."""
        self.path = Path(path).expanduser()
        found = format_of(self.path)
        if found is None:
            raise ExportError(f"{path!r} names no format", remedy=f"end it in one of: {SUFFIXES}")
        self._format: Format = found
        self._server = server
        self._query_id = query_id
        self._schema = schema
        self._stopped = threading.Event()
        self.rows = 0

    def stop(self) -> None:
        self._stopped.set()

    def write(self, progress: Callable[[], None] = lambda: None) -> int:
        """Reads the result from its start to its end and writes it; returns the rows. Runs on a background thread.

        The file appears when it is whole. Raises ``VolleyError`` where the server or the file system says no.
        """
        return write_file(self._batches(progress), self._schema, self._format, self.path)

    def _batches(self, progress: Callable[[], None]) -> Iterator[pa.RecordBatch]:
        for batch, _place in self._server.read(ResultTicket(self._query_id, START, follow=True)):
            if self._stopped.is_set():
                raise Stopped("the export was stopped")
            yield batch
            self.rows += batch.num_rows
            progress()
