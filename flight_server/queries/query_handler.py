"""The query handler: accepts statements, plans and admits them, owns them while they run, and answers for them afterwards.

The way of a query: ``submit`` plans it and gives it a result that can be read from now on; admission starts it or has it wait; a
thread of the pool executes the plan into the result; the result's manifest outlives the process.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial

import pyarrow as pa

from flight_server.cluster.forwarding import Forwarding
from flight_server.errors import NoRoom, QueryKilled, QueryTimedOut, ServerClosing, UnknownExchange, UnknownQuery
from flight_server.exchanges.site import Site
from flight_server.protocol.exchange_messages import OPERATOR_STOP, StopOperators
from flight_server.protocol.messages import BatchPlace, Cursor, PeekTicket, QueryLine, QueryStatus, ResultTicket, encode
from flight_server.protocol.service import (
    DEFAULT_SETTINGS,
    Accepted,
    Cancelled,
    Distribution,
    PeekStream,
    ResultStream,
    StatementSettings,
    StatementShape,
)
from flight_server.protocol.status import as_volley_error
from flight_server.queries.analyze import SPILL_LOOK_SECONDS, RowDrop, SpillWatch, analyze_lines
from flight_server.queries.execution import Execution
from flight_server.queries.planned_ahead import PlannedAhead
from flight_server.queries.query import HandledQuery
from flight_server.queries.query_state import Completed, Failed, Killed
from flight_server.queries.recurring import Recurring
from flight_server.queries.scheduler import Admission
from flight_server.queries.stored import StoredQueries
from flight_server.settings.config import LimitsConfig
from operators.errors import NoSuchResult
from operators.results.results import Result, ResultStore
from operators.scan.catalog import FileCatalog
from planner import PlanOptions, Prepared, plan, prepare
from planner.errors import InvalidQuery, VolleyError
from planner.physical import PhysicalPlan

MAX_REMEMBERED = 1_000
"""Ended queries that are kept in memory for ``query.list``; the results of older ones are still on storage."""
MAX_KEPT_STATEMENTS = 32
MAX_KEPT_SQL_CHARS = 4 << 10
"""A syntax tree takes a hundred times the text's bytes, at worst a thousand times."""
SWEEP_SECONDS = 0.5
STOP_SECONDS = 2.0
DROP_SECONDS = 5.0
"""How long a query that is dropped has to end; less than another worker waits for the answer."""
EXPIRE_SECONDS = 60.0

log = logging.getLogger(__name__)


class QueryHandler:
    """The queries that one worker accepted. Thread-safe."""

    def __init__(
        self,
        catalog: FileCatalog,
        results: ResultStore,
        site: Site,
        forwarding: Forwarding,
        limits: LimitsConfig,
        options: PlanOptions,
        discard_uploads: Callable[[Sequence[str]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._results = results
        self._site = site
        self._forwarding = forwarding
        self._limits = limits
        self._discard_uploads = discard_uploads
        self._options = options
        self._clock = clock
        self._lock = threading.Lock()
        self._left = threading.Condition(self._lock)
        self._planning = 0
        self._queries: OrderedDict[str, HandledQuery] = OrderedDict()
        self._admission = Admission(limits.queries, limits.queue)
        # Twice as many as run: those that wait for a reader have one, too.
        self._threads = ThreadPoolExecutor(2 * limits.queries, thread_name_prefix="query")
        self._executions: dict[str, Execution] = {}
        self._planned_ahead = PlannedAhead()
        self._stored_queries = StoredQueries()
        self._parsed = lru_cache(MAX_KEPT_STATEMENTS)(partial(prepare, limits=options.limits))
        self._draining = False
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
        """Whether new queries are refused. This is where a worker knows it from; nothing else in it keeps a state of its own."""
        return self._draining

    def refuse_new(self) -> None:
        """Takes no new queries from now on; those that run and wait go on, looks to their end: who looks may come back for the rest."""
        with self._lock:
            self._draining = True
        for query in self._alive():
            query.writer.release()

    def drain(self, seconds: float) -> None:
        """Refuses new queries, waits up to ``seconds`` for those that run, and kills what is left."""
        self.refuse_new()
        deadline = time.monotonic() + seconds
        while self._alive() and time.monotonic() < deadline:
            self._closing.wait(0.05)
        for query in self._alive():
            self._kill(query, QueryKilled("the server is shutting down", remedy="run the query again"))

    def close(self) -> None:
        """Kills what still runs, and waits for the threads and for calls that plan: after it, nobody uses the kernel any more."""
        self.drain(0.0)
        with self._lock:
            self._closing.set()
            self._left.wait_for(lambda: self._planning == 0)
        self._threads.shutdown(wait=True)
        for sweeper in self._sweepers:
            sweeper.stop()

    # -- asking for work ------------------------------------------------------------------------------------------------

    def submit(
        self,
        sql: str,
        owner: str,
        parameters: Sequence[object] | None = None,
        *,
        ahead: int | None = None,
        purpose: str = "",
        settings: StatementSettings = DEFAULT_SETTINGS,
    ) -> Accepted:
        """Plans a statement and starts or queues it. Raises what planning raises, ``NoRoom`` and ``ServerClosing``.

        With ``ahead`` only so many row groups are made beyond those that are read. ``purpose`` says what a program asks it for itself.
        """
        if self._draining:
            raise _closing()
        with self._while_open():
            ahead_of = None if parameters or settings.distribute != "auto" else self._planned_ahead.take(sql)
            planned = ahead_of or self._plan(self._statement(sql), parameters, settings.distribute)
            query_id = secrets.token_hex(16)
            writer = self._results.create(query_id, planned.schema, sql, owner, ahead, partial(self._on_hold, query_id))
            look = ahead is not None
            query = HandledQuery(
                query_id, owner, planned, writer, self._site.worker_id, self._clock, purpose=purpose, look=look, seconds=settings.seconds
            )
            try:
                self._admit(query)
            except VolleyError as error:
                writer.abort(error)
                raise
        return Accepted(query_id, planned.schema)

    def plan_schema(self, sql: str, parameters: Sequence[object] | None = None) -> pa.Schema:
        """The schema that a statement's result would have. Without ``parameters``, placeholders count as NULL."""
        with self._while_open():
            statement = self._statement(sql)
            return self._planned(sql, statement, [None] * statement.parameter_count() if parameters is None else parameters).schema

    def prepare(self, sql: str) -> StatementShape:
        """What can be told of a statement without the values of its placeholders."""
        with self._while_open():
            statement = self._statement(sql)
            types = statement.parameter_types(self._catalog.session())
            try:
                return StatementShape(types, self._planned(sql, statement, [None] * len(types)).schema)
            except InvalidQuery:
                if not types:
                    raise
                # Not every placeholder can be NULL (`read_files(?)`): the schema is known when values are.
                return StatementShape(types, None)

    def _planned(self, sql: str, statement: Prepared, parameters: Sequence[object]) -> PhysicalPlan:
        """The plan of a statement that is likely to be asked for at once."""
        planned = self._plan(statement, parameters)
        if not parameters:
            self._planned_ahead.put(sql, planned)
        return planned

    def _statement(self, sql: str) -> Prepared:
        """The parsed statement. A few short ones are kept: clients prepare and then execute, and dashboards ask again and again."""
        return self._parsed(sql) if len(sql) <= MAX_KEPT_SQL_CHARS else prepare(sql, self._options.limits)

    def _plan(self, statement: Prepared, parameters: Sequence[object] | None, distribute: Distribution = "auto") -> PhysicalPlan:
        workers = 1 if distribute == "never" else 1 + len(self._site.others())
        rows = 0 if distribute == "always" else self._options.distribute_rows
        options = replace(self._options, workers=workers, distribute_rows=rows)
        return plan(statement, self._catalog.session(), options, parameters)

    @contextmanager
    def _while_open(self) -> Iterator[None]:
        """For calls that use the kernel: :meth:`close` waits for them, and raises ``ServerClosing`` for those that come later."""
        with self._lock:
            if self._closing.is_set():
                raise _closing()
            self._planning += 1
        try:
            yield
        finally:
            with self._lock:
                self._planning -= 1
                self._left.notify_all()

    def _admit(self, query: HandledQuery) -> None:
        """Starts a query or has it wait. Raises ``NoRoom``, and ``ServerClosing`` where the server began to drain meanwhile."""
        with self._lock:
            if self._draining:
                raise _closing()
            verdict = self._admission.arrive(query.query_id)
            if verdict == "refuse":
                raise NoRoom(self._limits.queries, self._limits.queue)
            self._remember(query)
        if verdict == "run":
            self._threads.submit(self._run, query)

    # -- reading --------------------------------------------------------------------------------------------------------

    def read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled, abandon: bool) -> ResultStream:
        """Opens a result at a cursor. Raises ``UnknownQuery``, and the query's own error where it failed."""
        stream = self.local_read(ticket, owner, cancelled, abandon) or self._forwarding.read(ticket, owner, cancelled, abandon)
        if stream is None:
            raise UnknownQuery(ticket.query_id)
        return stream

    def local_read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled, abandon: bool) -> ResultStream | None:
        """Opens a result that this worker has itself; None if the owner has no such query here."""
        query = self._find(ticket.query_id, owner)
        if query is not None:
            batches = self._batches(query.result, ticket, cancelled)
            return ResultStream(query.plan.schema, self._watched(query, batches, cancelled, abandon))
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
        query = self._find(ticket.query_id, owner)
        if query is None:
            return None
        query.heard()
        execution = self._executions.get(ticket.query_id)
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
        self, query: HandledQuery, batches: Iterator[tuple[pa.RecordBatch, BatchPlace]], cancelled: Cancelled, abandon: bool
    ) -> Iterator[tuple[pa.RecordBatch, BatchPlace]]:
        """``batches``, with an eye on whether the reader stays until the end."""
        complete = False
        try:
            with query.reading():
                yield from batches
                complete = not cancelled()
        finally:
            if abandon and not complete and not query.state.ended:
                self._kill(query, QueryKilled("its client went away"))

    # -- questions about queries ----------------------------------------------------------------------------------------

    def status(self, query_id: str, owner: str) -> QueryStatus | None:
        """How a query is doing, wherever it is; None if the owner has no such query."""
        return self.local_status(query_id, owner) or self._forwarding.status(query_id, owner)

    def queries(self, owner: str, *, everything: bool = False, limit: int | None = None) -> list[QueryLine]:
        """The owner's queries on all workers, newest first, at most ``limit``; those with a purpose only if ``everything`` is asked for."""
        lines = [*self._forwarding.queries(owner, everything, limit), *self.local_queries(owner, everything, limit)]
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
        query = self._find(query_id, owner)
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
        query = self._find(query_id, owner)
        if query is not None:
            query.heard()
            return query.status()
        result = self._stored(query_id, owner)
        if result is None or result.manifest is None:
            return None
        return self._stored_queries.status(result.manifest)

    def local_queries(self, owner: str, everything: bool = False, limit: int | None = None) -> list[QueryLine]:
        """The owner's queries on this worker, and those whose results are stored; of both the newest ``limit``, newest first."""
        with self._lock:
            known = dict(self._queries)
        own = (query for query in reversed(known.values()) if query.owner == owner and (everything or not query.purpose) and query.there)
        stored = [manifest for manifest in self._results.list() if manifest.owner == owner and manifest.query_id not in known]
        stored.sort(key=lambda manifest: manifest.created_at, reverse=True)
        told = (line for line in self._stored_queries.lines(stored) if everything or not line.purpose)
        return [*(query.line() for query in itertools.islice(own, limit)), *itertools.islice(told, limit)]

    def local_kill(self, query_id: str, owner: str) -> QueryStatus | None:
        """Stops a query of this worker; its status, or None."""
        query = self._find(query_id, owner)
        if query is None:
            return self.local_status(query_id, owner)
        self._kill(query, QueryKilled("it was killed by its owner" if owner else "it was killed"))
        return query.status()

    def local_drop(self, query_id: str, owner: str) -> QueryStatus | None:
        """Removes a query of this worker, or a result that is stored; its last status, or None. Raises ``StorageError``.

        One that does not end within ``DROP_SECONDS`` stays listed until it has: killed then, and without a result.
        """
        query = self._find(query_id, owner)
        if query is None:
            status = self.local_status(query_id, owner)
            if status is not None:
                self._results.delete(query_id)
            return status
        if not query.state.ended:
            self._kill(query, QueryKilled("it was dropped by its owner" if owner else "it was dropped"))
        if query.wait_ended(DROP_SECONDS):
            self._results.delete(query_id)
            with self._lock:
                self._queries.pop(query_id, None)
        return query.status()

    def on_worker_lost(self, worker_id: str) -> None:
        """A worker is gone: what it held is run again elsewhere."""
        with self._lock:
            executions = list(self._executions.values())
        for execution in executions:
            execution.exclude(worker_id)

    def running(self) -> int:
        """How many queries run."""
        with self._lock:
            return self._admission.statistics().running

    # -- the life of a query --------------------------------------------------------------------------------------------

    def _run(self, query: HandledQuery) -> None:
        """Runs one query from its start to its end, in a thread of the pool; never raises."""
        try:
            if query.start():
                self._execute(query)
        except Exception as error:
            self._end_badly(query, as_volley_error(error))
        finally:
            self._leave(query)

    def _execute(self, query: HandledQuery) -> None:
        sink = RowDrop() if query.plan.analyze else query.writer
        execution = Execution(query.query_id, query.plan, sink, query.cancellation, self._site)
        query.operators = execution.statuses
        with self._lock:
            self._executions[query.query_id] = execution
        try:
            if query.plan.analyze:
                self._analyze(query, execution)
            else:
                execution.run()
            query.cancellation.check()
            query.writer.finish(lambda: encode(_completed(query)).decode())
            query.on(Completed())
        except Exception as error:
            # Told before it is cleared away: others may be slow to answer that they stop.
            execution.close()
            self._end_badly(query, as_volley_error(error))
        finally:
            self._release(query, execution)

    def _analyze(self, query: HandledQuery, execution: Execution) -> None:
        """Runs a query to be measured; its result is what was measured."""
        watch = SpillWatch(self._site.kernel, self._site.serial_kernel)
        started = time.perf_counter()
        with self._site.heartbeats.keep(SPILL_LOOK_SECONDS, watch.look):
            execution.run()
        lines = analyze_lines(query.plan.text, execution.statuses(), time.perf_counter() - started, watch.most_bytes)
        query.writer.append(pa.record_batch([pa.array(lines, pa.string())], schema=query.plan.schema))

    def _release(self, query: HandledQuery, execution: Execution) -> None:
        """Frees what the query held, here and on the workers that took part."""
        execution.close()
        operators = execution.statuses()
        query.operators = lambda: operators
        self._site.registry.drop(query.query_id)
        for uri in execution.others():
            try:
                self._site.peers.tell(uri, OPERATOR_STOP, StopOperators(query.query_id), timeout_seconds=STOP_SECONDS)
            except VolleyError as error:
                # A worker that does not answer is lost, and its operators with it.
                log.warning("could not stop query %s at %s: %s", query.query_id, uri, error)

    def _end_badly(self, query: HandledQuery, error: VolleyError) -> None:
        cause = query.cancellation.error
        query.on(Failed(error) if cause is None else Killed(cause))
        query.writer.abort(error if cause is None else cause)
        log.info("query %s: %s: %s", query.query_id, query.state.phase, error)

    def _kill(self, query: HandledQuery, error: VolleyError) -> None:
        waiting = query.state.phase == "queued"
        query.cancellation.cancel(error)
        if waiting and query.on(Killed(error)):
            query.writer.abort(error)
            self._leave(query)

    def _on_hold(self, query_id: str, held: bool) -> None:
        """A look waits for its reader, or goes on: its place is for others meanwhile."""
        with self._lock:
            if not held:
                self._admission.resume(query_id)
                return
            following = self._admission.pause(query_id)
        self._start_next(following)

    def _leave(self, query: HandledQuery) -> None:
        with self._lock:
            self._executions.pop(query.query_id, None)
            following = self._admission.leave(query.query_id)
        self._start_next(following)

    def _start_next(self, query_id: str | None) -> None:
        starting = None if query_id is None else self._queries.get(query_id)
        if starting is not None:
            self._threads.submit(self._run, starting)

    def _remember(self, query: HandledQuery) -> None:
        self._queries[query.query_id] = query
        excess = len(self._queries) - MAX_REMEMBERED
        if excess > 0:
            ended = [key for key, known in self._queries.items() if known.state.ended]
            for key in ended[:excess]:
                del self._queries[key]

    # -- finding --------------------------------------------------------------------------------------------------------

    def _find(self, query_id: str, owner: str) -> HandledQuery | None:
        query = self._queries.get(query_id)
        return query if query is not None and query.owner == owner else None

    def _stored(self, query_id: str, owner: str) -> Result | None:
        try:
            result = self._results.get(query_id)
        except NoSuchResult:
            return None
        return result if result is not None and result.owner == owner else None

    def _alive(self) -> list[HandledQuery]:
        with self._lock:
            return [query for query in self._queries.values() if not query.state.ended]

    # -- sweeping -------------------------------------------------------------------------------------------------------

    def kill_abandoned(self) -> None:
        """Stops the queries that nobody has read or asked for any more, for ``limits.abandon``, and those whose time is over."""
        for query in self._alive():
            if query.seconds is not None and query.age_seconds() > query.seconds:
                self._kill(query, QueryTimedOut(query.seconds))
            if query.abandoned_seconds() > self._limits.abandon_seconds:
                self._kill(query, QueryKilled(f"nobody has read it or asked for it for {self._limits.abandon_seconds:.0f} s"))

    def remove_expired(self) -> None:
        """Removes results that are past their time, and what was left half-done. Raises ``StorageError``."""
        self._discard_uploads(self._results.sweep(time.time()))


def _closing() -> ServerClosing:
    return ServerClosing("the server is shutting down and takes no new queries", remedy="try another worker, or again later")


def _completed(query: HandledQuery) -> QueryStatus:
    status = query.status()
    status.state, status.ended_at, status.progress = "completed", time.time(), 1.0
    return status
