"""Broadcast tables: the result of one fragment, sent whole to every worker that runs another one.

The query handler has the table and sends it by parts, a bounded number of bytes for each call; a worker fetches it once for the query.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pyarrow as pa

from flight_server.cluster.peers import Peers
from flight_server.errors import ClientError, WorkerLost
from flight_server.protocol.exchange_messages import TableFrame, TableTicket
from flight_server.protocol.message_sizes import message_slices
from flight_server.protocol.messages import encode
from flight_server.protocol.service import ExchangeStream
from operators.batch_sizes import empty_batch, referenced_bytes
from operators.cancellation import Cancellation
from planner.errors import Status, VolleyError

PULL_BYTES = 64 << 20
"""A pull ends after so many: a worker that does not hang has sent them within ``PULL_SECONDS``."""
PULL_SECONDS = 20.0
ATTEMPTS = 5
RETRY_SECONDS = 0.2
PASSING = (Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED)

log = logging.getLogger(__name__)


def table_stream(table: pa.Table, first_row: int) -> ExchangeStream:
    """Rows of ``table`` from ``first_row`` on, about ``PULL_BYTES`` of them; a batch without rows where there are none."""
    return ExchangeStream(table.schema, _frames(table, max(0, first_row)))


def _frames(table: pa.Table, first_row: int) -> Iterator[tuple[pa.RecordBatch, bytes]]:
    frame = encode(TableFrame(table.num_rows))
    sent = 0
    for batch in table.slice(first_row).to_batches():
        for _, piece in message_slices(batch):
            yield piece, frame
            sent += referenced_bytes(piece)
            if sent >= PULL_BYTES:
                return
    if first_row >= table.num_rows:
        yield empty_batch(table.schema), frame


class FetchedTables:
    """The broadcast tables of one query of the handler at ``uri``, on another worker; each is fetched once. Thread-safe."""

    def __init__(self, peers: Peers, uri: str, consumer: str, cancellation: Cancellation) -> None:
        self._peers = peers
        self._uri = uri
        self._consumer = consumer
        self._cancellation = cancellation
        self._fetched: dict[str, Future[pa.Table]] = {}
        self._lock = threading.Lock()

    def fetch(self, name: str) -> pa.Table:
        """The table of that name, whoever asked for it first; waits until it is here.

        Raises ``ClientError`` or ``WorkerLost`` once it cannot be had, and the cancellation's error.
        """
        with self._lock:
            known = self._fetched.get(name)
            future = known if known is not None else self._fetched.setdefault(name, Future())
        if known is None:
            try:
                future.set_result(self._pull_all(name))
            except BaseException as error:
                future.set_exception(error)
        return future.result()

    def _pull_all(self, name: str) -> pa.Table:
        batches: list[pa.RecordBatch] = []
        failures = 0
        while True:
            had = len(batches)
            try:
                schema = self._pull(name, batches)
                if schema is not None:
                    return pa.Table.from_batches(batches, schema=schema)
                error: VolleyError = WorkerLost(f"the worker at {self._uri} broke off")
            except ClientError as trouble:
                error = trouble
            self._cancellation.check()
            if len(batches) > had:
                failures = 0
                continue
            failures += 1
            if error.status not in PASSING or failures == ATTEMPTS:
                raise error
            log.info("%s asks again for %s: %s", self._consumer, name, error)
            self._pause()

    def _pull(self, name: str, batches: list[pa.RecordBatch]) -> pa.Schema | None:
        """Adds to ``batches`` what one call brings; the table's schema when all rows are there, else None. Raises ``ClientError``."""
        rows = sum(batch.num_rows for batch in batches)
        stream = self._peers.pull(self._uri, TableTicket(name, self._consumer, rows), timeout_seconds=PULL_SECONDS)
        complete = False
        with self._cancellation.on_cancel(stream.cancel):
            for batch, frame in stream.frames(TableFrame):
                if batch.num_rows:
                    batches.append(batch)
                    rows += batch.num_rows
                complete = rows >= frame.rows_total
        return stream.schema if complete else None

    def _pause(self) -> None:
        over = threading.Event()
        with self._cancellation.on_cancel(over.set):
            over.wait(RETRY_SECONDS)
