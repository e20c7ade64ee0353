"""The query handler: accepts statements, answers for them while they run and afterwards, here or wherever else they are.

The way of a query: ``submit`` plans it (:mod:`~flight_server.queries.statement_planner`) and gives it a result that can be read from now
on; admission starts it or has it wait, a thread executes the plan into the result (:mod:`~flight_server.queries.query_runner`); the
result's manifest outlives the process.
"""

from __future__ import annotations

import itertools
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pyarrow as pa

from flight_server.cluster.forwarding import Forwarding
from flight_server.errors import QueryKilled, QueryTimedOut, UnknownExchange, UnknownQuery
from flight_server.exchanges.site import Site
from flight_server.protocol.messages import START, BatchPlace, Cursor, PeekTicket, QueryLine, QueryStatus, ResultTicket
from flight_server.protocol.service import (
    DEFAULT_SETTINGS,
    Accepted,
    Cancelled,
    PeekStream,
    ResultStream,
    StatementSettings,
    StatementShape,
)
from flight_server.queries.query import HandledQuery
from flight_server.queries.query_runner import QueryRunner
from flight_server.queries.recurring import Recurring
from flight_server.queries.statement_planner import StatementPlanner, closing
from flight_server.queries.stored import stored_lines, stored_status
from flight_server.settings.config import LimitsConfig
from operators.errors import NoSuchResult
from operators.results.results import Result, ResultStore
from operators.scan.catalog import FileCatalog
from planner import PlanOptions
from planner.errors import VolleyError

SWEEP_SECONDS = 0.5
DROP_SECONDS = 5.0
"""How long a query that is dropped has to end; less than another worker waits for the answer."""
EXPIRE_SECONDS = 60.0


class QueryHandler:
    """The queries that one worker accepted. Thread-safe.

    ``stream_ttl_seconds``: how long a result stays that a Flight SQL stream has read from its start to its end, where that is sooner.
    """

    def __init__(
        self,
        catalog: FileCatalog,
        results: ResultStore,
        site: Site,
        forwarding: Forwarding,
        limits: LimitsConfig,
        options: PlanOptions,
        discard_uploads: Callable[[Sequence[str]], None],
        stream_ttl_seconds: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._results = results
        self._worker_id = site.worker_id
        self._forwarding = forwarding
        self._limits = limits
        self._discard_uploads = discard_uploads
        self._stream_ttl_seconds = stream_ttl_seconds
        self._clock = clock
        self._planner = StatementPlanner(catalog, site, options)
        self._runner = QueryRunner(site, limits)
        self._closing = threading.Event()
        # Two threads: a storage that does not answer keeps nobody from finding what was abandoned.
        self._sweepers = (
            Recurring("abandonment", SWEEP_SECONDS, self.kill_abandoned),
            Recurring("expiry", EXPIRE_SECONDS, self.remove_expired),
        )

    def start(self) -> None:
        """Begins to expire results and to look after abandoned queries."""
        for sweeper in self._sweepers:
            sweeper.start()

    @property
    def draining(self) -> bool:
        """Whether new queries are refused. This is where the rest of the worker knows it from."""
        return self._runner.draining

    def refuse_new(self) -> None:
        """Takes no new queries from now on; those that run and wait go on, looks to their end: who looks may come back for the rest."""
        self._runner.refuse_new()

    def drain(self, seconds: float) -> None:
        """Refuses new queries, waits up to ``seconds`` for those that run, and kills what is left."""
        self.refuse_new()
        deadline = time.monotonic() + seconds
        while self._runner.alive() and time.monotonic() < deadline:
            self._closing.wait(0.05)
        for query in self._runner.alive():
            self._runner.kill(query, QueryKilled("the server is shutting down", remedy="run the query again"))

    def close(self) -> None:
        """Kills what still runs, and waits for the threads and for calls that plan: after it, nobody uses the kernel any more."""
        self.drain(0.0)
        self._closing.set()
        self._planner.close()
        self._runner.close()
        for sweeper in self._sweepers:
            sweeper.stop()

    # -- asking for work ------------------------------------------------------------------------------------------------

    def submit(
        self,
        sql: str,
        owner: str,
        parameters: Sequence[pa.Scalar] | None = None,
        *,
        runs: Sequence[Sequence[pa.Scalar]] | None = None,
        ahead: int | None = None,
        purpose: str = "",
        settings: StatementSettings = DEFAULT_SETTINGS,
    ) -> Accepted:
        """Plans a statement and starts or queues it. Raises what planning raises, ``NoRoom`` and ``ServerClosing``.

        ``runs``: see :meth:`flight_server.protocol.service.Queries.submit`; all but the first are planned when their turn comes.
        With ``ahead`` only so many row groups are made beyond those that are read. ``purpose`` says what a program asks it for itself.
        """
        if self.draining:
            raise closing()
        with self._planner.while_open():
            planned = self._planner.runs(sql, parameters, runs, settings)
            schema = planned.first.schema
            query_id = secrets.token_hex(16)
            writer = self._results.create(query_id, schema, sql, owner, ahead, partial(self._runner.on_hold, query_id))
            query = HandledQuery(query_id, owner, planned, writer, self._worker_id, self._clock, purpose=purpose, seconds=settings.seconds)
            try:
                self._runner.admit(query)
            except VolleyError as error:
                writer.abort(error)
                raise
        return Accepted(query_id, schema, planned.first.change)

    def plan_schema(
        self, sql: str, parameters: Sequence[pa.Scalar] | None = None, *, settings: StatementSettings = DEFAULT_SETTINGS
    ) -> pa.Schema:
        """The schema that a statement's result would have. Without ``parameters``, placeholders count as NULL."""
        with self._planner.while_open():
            return self._planner.schema(sql, parameters, settings)

    def time_zone(self, name: str) -> str | None:
        """The time zone that is called so, as it spells itself; None if there is none."""
        with self._planner.while_open():
            return self._planner.time_zone(name)

    def prepare(self, sql: str, *, settings: StatementSettings = DEFAULT_SETTINGS) -> StatementShape:
        """What can be told of a statement without the values of its placeholders."""
        with self._planner.while_open():
            return self._planner.shape(sql, settings)

    # -- reading --------------------------------------------------------------------------------------------------------

    def read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled, abandon: bool) -> ResultStream:
        """Opens a result at a cursor. Raises ``UnknownQuery``, and the query's own error where it failed."""
        stream = self.local_read(ticket, owner, cancelled, abandon) or self._forwarding.read(ticket, owner, cancelled, abandon)
        if stream is None:
            raise UnknownQuery(ticket.query_id)
        return stream

    def local_read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled, abandon: bool) -> ResultStream | None:
        """Opens a result that this worker has itself; None if the owner has no such query here."""
        query = self._runner.find(ticket.query_id, owner)
        if query is not None:
            batches = self._batches(query.result, ticket, cancelled)
            once = abandon and ticket == ResultTicket(ticket.query_id, START, follow=True)
            return ResultStream(query.plan.schema, self._watched(query, batches, cancelled, abandon, once))
        stored = self._stored(ticket.query_id, owner)
        return None if stored is None else ResultStream(stored.schema, self._batches(stored, ticket, cancelled))

    def peek(self, ticket: PeekTicket, owner: str) -> PeekStream:
        """Records that wait in an exchange of a running query; leases and consumes none. Raises ``UnknownQuery``, ``UnknownExchange``."""
        stream = self.local_peek(ticket, owner) or self._forwarding.peek(ticket, owner)
        if stream is None:
            raise UnknownQuery(ticket.query_id)
        return stream

    def local_peek(self, ticket: PeekTicket, owner: str) -> PeekStream | None:
        """Peeks into a query of this worker; None if the owner has no such query here. Raises ``UnknownExchange``."""
        query = self._runner.find(ticket.query_id, owner)
        if query is None:
            return None
        query.heard()
        execution = self._runner.execution(ticket.query_id)
        peeked = None if execution is None else execution.peek(ticket.exchange, ticket.peek)
        if peeked is None:
            names = [] if execution is None else execution.exchange_names()
            raise UnknownExchange(ticket.exchange, query.state.phase, names)
        return peeked

    @staticmethod
    def _batches(result: Result, ticket: ResultTicket, cancelled: Cancelled) -> Iterator[tuple[pa.RecordBatch, BatchPlace]]:
        for place in result.follow(ticket.cursor, limit=ticket.limit, whole=ticket.follow, cancelled=cancelled):
            following = None if place.next is None else Cursor(*place.next)
            yield place.batch, BatchPlace(cursor=Cursor(*place.cursor), next=following)

    def _watched(
        self, query: HandledQuery, batches: Iterator[tuple[pa.RecordBatch, BatchPlace]], cancelled: Cancelled, abandon: bool, once: bool
    ) -> Iterator[tuple[pa.RecordBatch, BatchPlace]]:
        """``batches``, with an eye on whether the reader stays until the end.

        ``once``: it has everything then, and will hardly come back.
        """
        complete = False
        try:
            with query.reading():
                yield from batches
                complete = not cancelled()
        finally:
            if abandon and not complete and not query.state.ended:
                self._runner.kill(query, QueryKilled("its client went away"))
            elif once and complete:
                self._results.expire_within(query.query_id, self._stream_ttl_seconds)

    # -- questions about queries ----------------------------------------------------------------------------------------

    def status(self, query_id: str, owner: str) -> QueryStatus | None:
        """How a query is doing, wherever it is; None if the owner has no such query."""
        return self.local_status(query_id, owner) or self._forwarding.status(query_id, owner)

    def queries(self, owner: str, *, everything: bool = False, limit: int | None = None, before: float | None = None) -> list[QueryLine]:
        """The owner's queries on all workers, newest first, at most ``limit``; those with a purpose only if ``everything`` is asked for.

        ``before`` (Unix seconds): of those that were submitted earlier.
        """
        elsewhere = self._forwarding.queries(owner, everything, limit, before)
        lines = [*elsewhere, *self.local_queries(owner, everything, limit, before)]
        found = {line.query_id: line for line in lines}
        return sorted(found.values(), key=lambda line: line.submitted_at, reverse=True)[:limit]

    def kill(self, query_id: str, owner: str) -> QueryStatus | None:
        """Stops a query, wherever it is; its status, or None if the owner has no such query."""
        return self.local_kill(query_id, owner) or self._forwarding.kill(query_id, owner)

    def drop(self, query_id: str, owner: str) -> QueryStatus | None:
        """Removes a query and its result, wherever they are, having stopped it; its last status, or None if the owner has no such query.

        Raises ``StorageError`` if the result cannot be removed.
        """
        own = self.local_drop(query_id, owner)
        elsewhere = self._forwarding.drop(query_id, owner, known=own is not None)
        return own or elsewhere

    def watch(self, query_id: str, owner: str, cancelled: Cancelled) -> Iterator[QueryStatus]:
        """The status now, at each change, and when the query has ended. Raises ``UnknownQuery``."""
        query = self._runner.find(query_id, owner)
        if query is not None:
            yield from query.watch(cancelled)
            return
        told = None
        while not cancelled():
            status = self.status(query_id, owner)
            if status is None:
                raise UnknownQuery(query_id)
            if status != told:
                yield status
                told = status
            if status.ended_at is not None:
                return
            self._closing.wait(SWEEP_SECONDS)

    def local_status(self, query_id: str, owner: str) -> QueryStatus | None:
        """How a query of this worker is doing, or one whose result is stored; None if the owner has no such query here.

        Whoever asks has not abandoned the query.
        """
        query = self._runner.find(query_id, owner)
        if query is not None:
            query.heard()
            return query.status()
        result = self._stored(query_id, owner)
        if result is None or result.manifest is None:
            return None
        return stored_status(result.manifest)

    def local_queries(self, owner: str, everything: bool = False, limit: int | None = None, before: float | None = None) -> list[QueryLine]:
        """The owner's queries on this worker, and those whose results are stored; of both the newest ``limit``, newest first."""

        def wanted(purpose: str, submitted_at: float) -> bool:
            return (everything or not purpose) and (before is None or submitted_at < before)

        known = self._runner.known()
        mine = (query for query in reversed(known.values()) if query.owner == owner and query.there)
        own = (query.line() for query in mine if wanted(query.purpose, query.state.submitted_at))
        stored = [result for result in self._results.list() if result.owner == owner and result.query_id not in known]
        stored.sort(key=lambda result: result.created_at, reverse=True)
        told = (line for line in stored_lines(stored) if wanted(line.purpose, line.submitted_at))
        return [*itertools.islice(own, limit), *itertools.islice(told, limit)]

    def local_kill(self, query_id: str, owner: str) -> QueryStatus | None:
        """Stops a query of this worker; its status, or None."""
        query = self._runner.find(query_id, owner)
        if query is None:
            return self.local_status(query_id, owner)
        self._runner.kill(query, QueryKilled("it was killed by its owner" if owner else "it was killed"))
        return query.status()

    def local_drop(self, query_id: str, owner: str) -> QueryStatus | None:
        """Removes a query of this worker, or a result that is stored; its last status, or None. Raises ``StorageError``.

        One that does not end within ``DROP_SECONDS`` stays listed until it has: killed then, and without a result.
        """
        query = self._runner.find(query_id, owner)
        if query is None:
            status = self.local_status(query_id, owner)
            if status is not None:
                self._results.delete(query_id)
            return status
        if not query.state.ended:
            self._runner.kill(query, QueryKilled("it was dropped by its owner" if owner else "it was dropped"))
        if query.wait_ended(DROP_SECONDS):
            self._results.delete(query_id)
            self._runner.forget(query_id)
        return query.status()

    def on_worker_lost(self, worker_id: str) -> None:
        """A worker is gone: what it held is run again elsewhere."""
        self._runner.exclude(worker_id)

    def running(self) -> int:
        """How many queries run."""
        return self._runner.running()

    def _stored(self, query_id: str, owner: str) -> Result | None:
        try:
            result = self._results.get(query_id)
        except NoSuchResult:
            return None
        return result if result is not None and result.owner == owner else None

    # -- sweeping -------------------------------------------------------------------------------------------------------

    def kill_abandoned(self) -> None:
        """Stops the queries that nobody has read or asked for any more, for ``limits.abandon``, and those whose time is over."""
        for query in self._runner.alive():
            if query.seconds is not None and query.age_seconds() > query.seconds:
                self._runner.kill(query, QueryTimedOut(query.seconds))
            if query.abandoned_seconds() > self._limits.abandon_seconds:
                self._runner.kill(query, QueryKilled(f"nobody has read it or asked for it for {self._limits.abandon_seconds:.0f} s"))

    def remove_expired(self) -> None:
        """Removes results that are past their time, and what was left half-done. Raises ``StorageError``."""
        self._discard_uploads(self._results.sweep(time.time()))
