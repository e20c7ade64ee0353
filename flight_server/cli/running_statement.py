"""One statement on a server, from here: started, read, waited for, and killed when the one who asked gives up."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from types import TracebackType

import pyarrow as pa

from flight_server.cli.background import interruptible, waiting
from flight_server.client import Client, Submitted
from flight_server.errors import ClientError
from flight_server.protocol.messages import ENDED, QueryStatus, ResultTicket
from planner.errors import Status

KILL_SECONDS = 5.0
LOOK_AHEAD = 1
STATUS_SECONDS = 0.02


class RunningStatement:
    """A running statement, as a context: leaving it before the result was read to its end ends the query on the server.

    With ``look`` only what is read is made, and ``LOOK_AHEAD`` row groups more; a statement with parameters is made whole all the same.
    ``seconds`` count from the submission: ``planned_seconds`` until the server accepted it, ``first_seconds`` until the first batch.
    ``whole``: all rows are known to be made.
    """

    def __init__(self, client: Client, sql: str, parameters: Sequence[object] = (), *, look: bool = False) -> None:
        self._client = client
        self._sql = sql
        self._parameters = parameters
        self._look = look
        self._submitted: Submitted | None = None
        self._answered = threading.Event()
        self._finished = False
        self.whole = False
        self._abandoned = False
        self._dropping: threading.Thread | None = None
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
        if kind is None:
            self.let_go()
        elif not self._finished:
            self.kill()
        if self._dropping is not None:
            self._dropping.join(KILL_SECONDS)

    def _submit(self) -> Submitted:
        try:
            ahead = LOOK_AHEAD if self._look else None
            self._submitted = self._client.submit(self._sql, self._parameters, ahead=ahead)
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
        self.whole = self._finished = limit is None or rows < limit

    def total_rows(self) -> int | None:
        """Waits for the end; the rows of the whole result, or None if the server forgot it. Raises the query's own error."""
        last: QueryStatus | None = None
        for last in interruptible(lambda: self._client.watch(self.query_id)):
            if last.state in ENDED:
                break
        return None if last is None else self._rows(last)

    def rows_made(self, seconds: float) -> int | None:
        """How many rows of the result there are as soon as it has ended, waits for its reader, or ``seconds`` have passed.

        These are all if it is ``whole`` then. None if the server forgot it. Raises the query's own error.
        """
        status = waiting(lambda: self._settled(time.monotonic() + seconds))
        return None if status is None else self._rows(status)

    def _settled(self, deadline: float) -> QueryStatus | None:
        while True:
            status = self._client.status(self.query_id)
            if status is None or status.state in ENDED or status.result.held or time.monotonic() >= deadline:
                return status
            time.sleep(STATUS_SECONDS)

    def _rows(self, status: QueryStatus) -> int:
        self.whole = self._finished = status.state in ENDED
        if status.error is not None:
            code = Status.__members__.get(status.error.status, Status.INTERNAL)
            raise ClientError(status.error.message, status=code)
        if status.state == "killed":
            raise ClientError(f"query {self.query_id} was killed", status=Status.CANCELLED)
        return status.result.rows

    def let_go(self) -> None:
        """Ends a query of which nothing more is wanted. A look leaves nothing behind: it was no more than what was seen of it.

        Dropping it takes a cluster a moment, in which its rows can be shown: the end of the context waits for it.
        """
        if self._finished:
            return
        if not self._look:
            self.kill()
            return
        self._finished = True
        self._dropping = threading.Thread(target=self._drop, name="flight-drop", daemon=True)
        self._dropping.start()

    def _drop(self) -> None:
        # What cannot be dropped now is abandoned: the server stops a look that nobody reads.
        with contextlib.suppress(ClientError):
            self._client.drop(self.query_id, timeout=KILL_SECONDS)

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
