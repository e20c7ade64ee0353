"""One statement on a server, from here: started, read, waited for, and killed when the one who asked gives up."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from types import TracebackType

import pyarrow as pa

from flight_server.cli.background import interruptible, waiting
from flight_server.client import Client, Submitted
from flight_server.errors import ClientError
from flight_server.protocol.messages import ENDED, QueryStatus, ResultTicket
from planner.errors import Status

KILL_SECONDS = 5.0


class RunningStatement:
    """A running statement, as a context: leaving it before the result was read to its end kills the query on the server.

    ``seconds`` count from the submission: ``planned_seconds`` until the server accepted it, ``first_seconds`` until the first batch.
    """

    def __init__(self, client: Client, sql: str) -> None:
        self._client = client
        self._sql = sql
        self._submitted: Submitted | None = None
        self._answered = threading.Event()
        self._finished = False
        self._abandoned = False
        self._started = time.monotonic()
        self.planned_seconds: float | None = None
        self.first_seconds: float | None = None

    def __enter__(self) -> RunningStatement:
        try:
            waiting(self._submit)
        except KeyboardInterrupt:
            self.see_it_killed()
            raise
        self.planned_seconds = self.seconds
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._finished:
            self.kill()

    def _submit(self) -> Submitted:
        try:
            self._submitted = self._client.submit(self._sql)
        finally:
            self._answered.set()
        if self._abandoned:
            self.kill()
            raise ClientError("the query was given up before it began", status=Status.CANCELLED)
        return self._submitted

    @property
    def query_id(self) -> str:
        """The query's id on the server."""
        assert self._submitted is not None
        return self._submitted.query_id

    @property
    def schema(self) -> pa.Schema:
        """The result's schema."""
        assert self._submitted is not None
        return self._submitted.schema

    @property
    def seconds(self) -> float:
        """Seconds since the submission."""
        return time.monotonic() - self._started

    def batches(self, limit: int | None = None) -> Iterator[pa.RecordBatch]:
        """The result's batches, of the first ``limit`` rows if that is given. Raises ``ClientError`` when the query fails."""
        ticket = ResultTicket(self.query_id, follow=True, limit=limit)
        rows = 0
        for batch, _ in interruptible(lambda: self._client.read(ticket)):
            if self.first_seconds is None:
                self.first_seconds = self.seconds
            rows += batch.num_rows
            yield batch
        self._finished = limit is None or rows < limit

    def ended(self) -> QueryStatus | None:
        """Waits until the query has ended; its last status, or None if the server knows it no more."""
        last: QueryStatus | None = None
        for last in interruptible(lambda: self._client.watch(self.query_id)):
            if last.state in ENDED:
                break
        self._finished = last is not None and last.state in ENDED
        return last

    def total_rows(self) -> int | None:
        """Waits for the end; the rows of the whole result, or None if the server forgot it. Raises the query's own error."""
        status = self.ended()
        if status is None:
            return None
        if status.error is not None:
            code = Status.__members__.get(status.error.status, Status.INTERNAL)
            raise ClientError(status.error.message, status=code)
        if status.state == "killed":
            raise ClientError(f"query {self.query_id} was killed", status=Status.CANCELLED)
        return status.result.rows

    def abandon(self) -> None:
        """Kills the query, from any thread: at once if the server has answered, and else as soon as it does."""
        self._abandoned = True  # before the look whether there is an answer: whoever comes second sees the other
        self.kill()

    def see_it_killed(self) -> None:
        """Kills the query as soon as the server has answered: until then nobody knows which one. Waits at most ``KILL_SECONDS``."""
        self._answered.wait(KILL_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Stops the query on the server, as far as the server can be reached."""
        if self._submitted is None:
            return
        # Somebody is leaving, perhaps because the server has gone: there is nobody to tell that the kill failed too.
        with contextlib.suppress(ClientError):
            self._client.kill(self.query_id, timeout=KILL_SECONDS)
        self._finished = True
