"""The query handler: accepts statements, plans and admits them, owns them while they run, and answers for them afterwards.

The way of a query: ``submit`` plans it and gives it a result that can be read from now on; admission starts it or has it wait; a
thread of the pool executes the plan into the result; the result's manifest outlives the process.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial

import pyarrow as pa

from flight_server.cluster.forwarding import Forwarding
from flight_server.errors import NoRoom, QueryKilled, ServerClosing, UnknownExchange, UnknownQuery
from flight_server.exchanges.site import Site
from flight_server.protocol.exchange_messages import OPERATOR_STOP, StopOperators
from flight_server.protocol.messages import BatchPlace, Cursor, PeekTicket, QueryStatus, ResultTicket, decode, encode
from flight_server.protocol.service import Cancelled, PeekStream, ResultStream, StatementShape, Submitted
from flight_server.protocol.status import as_volley_error
from flight_server.queries.analyze import RowCounter, analyze_lines
from flight_server.queries.execution import Execution
from flight_server.queries.planned_ahead import PlannedAhead
from flight_server.queries.query import Query, result_status, stored_status
from flight_server.queries.query_state import Completed, Failed, Killed
from flight_server.queries.scheduler import Admission
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
    ) -> None:
        self._catalog = catalog
        self._results = results
        self._site = site
        self._forwarding = forwarding
        self._limits = limits
        self._discard_uploads = discard_uploads
        self._options = options
        self._lock = threading.Lock()
        self._queries: OrderedDict[str, Query] = OrderedDict()
        self._admission = Admission(limits.queries, limits.queue)
        self._threads = ThreadPoolExecutor(limits.queries, thread_name_prefix="query")
        self._executions: dict[str, Execution] = {}
        self._planned_ahead = PlannedAhead()
        self._parsed = lru_cache(MAX_KEPT_STATEMENTS)(partial(prepare, limits=options.limits))
        self._draining = False
        self._closing = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep_for_ever, name="sweeper", daemon=True)

    def start(self) -> None:
        """Begins to expire results and to look after abandoned queries."""
        self._sweeper.start()

    def drain(self, seconds: float) -> None:
        """Refuses new queries, waits up to ``seconds`` for those that run, and kills what is left."""
        with self._lock:
            self._draining = True
        deadline = time.monotonic() + seconds
        while self._alive() and time.monotonic() < deadline:
            self._closing.wait(0.05)
        for query in self._alive():
            self._kill(query, QueryKilled("the server is shutting down", remedy="run the query again"))

    def close(self) -> None:
        """Kills what still runs and waits for the threads."""
        self.drain(0.0)
        self._closing.set()
        self._threads.shutdown(wait=True)
        if self._sweeper.is_alive():
            self._sweeper.join()

    # -- asking for work ------------------------------------------------------------------------------------------------

    def submit(self, sql: str, owner: str, parameters: Sequence[object] | None = None) -> Submitted:
        """Plans a statement and starts or queues it. Raises what planning raises, ``NoRoom`` and ``ServerClosing``."""
        if self._draining:
            raise ServerClosing("the server is shutting down and takes no new queries", remedy="try another worker, or again later")
        planned = (None if parameters else self._planned_ahead.take(sql)) or self._plan(self._statement(sql), parameters)
        query_id = secrets.token_hex(16)
        writer = self._results.create(query_id, planned.schema, sql, owner)
        query = Query(query_id, owner, planned, writer, self._site.worker_id)
        with self._lock:
            verdict = self._admission.arrive(query_id)
            if verdict != "refuse":
                self._remember(query)
        if verdict == "refuse":
            error = NoRoom(self._limits.queries, self._limits.queue)
            writer.abort(error)
            raise error
        if verdict == "run":
            self._threads.submit(self._run, query)
        return Submitted(query_id, planned.schema)

    def plan_schema(self, sql: str, parameters: Sequence[object] | None = None) -> pa.Schema:
        """The schema that a statement's result would have. Without ``parameters``, placeholders count as NULL."""
        statement = self._statement(sql)
        return self._planned(sql, statement, [None] * statement.parameter_count() if parameters is None else parameters).schema

    def prepare(self, sql: str) -> StatementShape:
        """What can be told of a statement without the values of its placeholders."""
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

    def _plan(self, statement: Prepared, parameters: Sequence[object] | None) -> PhysicalPlan:
        options = replace(self._options, workers=1 + len(self._site.others()))
        return plan(statement, self._catalog.session(), options, parameters)

    # -- reading --------------------------------------------------------------------------------------------------------

    def read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled, abandon: bool) -> ResultStream:
        """Opens a result at a cursor. Raises ``UnknownQuery``, and the query's own error where it failed."""
        query = self._find(ticket.query_id, owner)
        if query is not None:
            batches = self._batches(query.result, ticket, cancelled)
            return ResultStream(query.plan.schema, self._watched(query, batches, cancelled, abandon))
        stored = self._stored(ticket.query_id, owner)
        if stored is not None:
            return ResultStream(stored.schema, self._batches(stored, ticket, cancelled))
        forwarded = self._forwarding.read(ticket, owner, cancelled)
        if forwarded is None:
            raise UnknownQuery(ticket.query_id)
        return forwarded

    def peek(self, ticket: PeekTicket, owner: str) -> PeekStream:
        """Records that wait in an exchange of a query, or the newest row groups of its result."""
        query = self._find(ticket.query_id, owner)
        if query is None:
            forwarded = self._forwarding.peek(ticket, owner)
            if forwarded is None:
                raise UnknownQuery(ticket.query_id)
            return forwarded
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
        self, query: Query, batches: Iterator[tuple[pa.RecordBatch, BatchPlace]], cancelled: Cancelled, abandon: bool
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

    def queries(self, owner: str) -> list[QueryStatus]:
        """The owner's queries on all workers, newest first."""
        found = {status.query_id: status for status in [*self._forwarding.queries(owner), *self.local_queries(owner)]}
        return sorted(found.values(), key=lambda status: status.submitted_at, reverse=True)

    def kill(self, query_id: str, owner: str) -> QueryStatus | None:
        """Stops a query, wherever it is; its status, or None if the owner has no such query."""
        return self.local_kill(query_id, owner) or self._forwarding.kill(query_id, owner)

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
        """How a query of this worker is doing, or one whose result is stored; None if the owner has no such query here."""
        query = self._find(query_id, owner)
        if query is not None:
            return query.status()
        result = self._stored(query_id, owner)
        return None if result is None else self._stored_status(result)

    def local_queries(self, owner: str) -> list[QueryStatus]:
        """The owner's queries on this worker, and those whose results are stored."""
        with self._lock:
            known = dict(self._queries)
        own = [query.status() for query in known.values() if query.owner == owner]
        stored = [stored_status(m) for m in self._results.list() if m.query_id not in known and m.owner == owner]
        return [*own, *stored]

    def local_kill(self, query_id: str, owner: str) -> QueryStatus | None:
        """Stops a query of this worker; its status, or None."""
        query = self._find(query_id, owner)
        if query is None:
            return self.local_status(query_id, owner)
        self._kill(query, QueryKilled("it was killed by its owner" if owner else "it was killed"))
        return query.status()

    def on_worker_lost(self, worker_id: str) -> None:
        """A worker is gone: what it held is run again elsewhere."""
        with self._lock:
            executions = list(self._executions.values())
        for execution in executions:
            execution.on_worker_lost(worker_id)

    def running(self) -> int:
        """How many queries run."""
        with self._lock:
            return self._admission.statistics().running

    # -- the life of a query --------------------------------------------------------------------------------------------

    def _run(self, query: Query) -> None:
        """Runs one query from its start to its end, in a thread of the pool; never raises."""
        try:
            if query.start():
                self._execute(query)
        except Exception as error:
            self._end_badly(query, as_volley_error(error))
        finally:
            self._leave(query)

    def _execute(self, query: Query) -> None:
        sink = RowCounter() if query.plan.analyze else query.writer
        execution = Execution(query.query_id, query.plan, sink, query.cancellation, self._site)
        query.operators = execution.statuses
        with self._lock:
            self._executions[query.query_id] = execution
        try:
            execution.run()
            query.cancellation.check()
            if query.plan.analyze:
                seconds = time.time() - (query.state.started_at or 0.0)
                lines = analyze_lines(query.plan.text, execution.statuses(), seconds)
                query.writer.append(pa.record_batch([pa.array(lines, pa.string())], schema=query.plan.schema))
            query.writer.finish(lambda: encode(_completed(query)).decode())
            query.on(Completed())
        finally:
            self._release(query, execution)

    def _release(self, query: Query, execution: Execution) -> None:
        """Frees what the query held, here and on the workers that took part."""
        execution.close()
        operators = execution.statuses()
        query.operators = lambda: operators
        self._site.registry.drop(query.query_id)
        for uri in execution.others():
            try:
                self._site.peers.action(uri, OPERATOR_STOP, encode(StopOperators(query.query_id)), timeout_seconds=STOP_SECONDS)
            except VolleyError as error:
                # A worker that does not answer is lost, and its operators with it.
                log.warning("could not stop query %s at %s: %s", query.query_id, uri, error)

    def _end_badly(self, query: Query, error: VolleyError) -> None:
        cause = query.cancellation.error
        query.on(Failed(error) if cause is None else Killed(cause))
        query.writer.abort(error if cause is None else cause)
        log.info("query %s: %s: %s", query.query_id, query.state.phase, error)

    def _kill(self, query: Query, error: VolleyError) -> None:
        waiting = query.state.phase == "queued"
        query.cancellation.cancel(error)
        if waiting and query.on(Killed(error)):
            query.writer.abort(error)
            self._leave(query)

    def _leave(self, query: Query) -> None:
        with self._lock:
            self._executions.pop(query.query_id, None)
            following = self._admission.leave(query.query_id)
            starting = None if following is None else self._queries.get(following)
        if starting is not None:
            self._threads.submit(self._run, starting)

    def _remember(self, query: Query) -> None:
        self._queries[query.query_id] = query
        excess = len(self._queries) - MAX_REMEMBERED
        if excess > 0:
            ended = [key for key, known in self._queries.items() if known.state.ended]
            for key in ended[:excess]:
                del self._queries[key]

    # -- finding --------------------------------------------------------------------------------------------------------

    def _find(self, query_id: str, owner: str) -> Query | None:
        query = self._queries.get(query_id)
        return query if query is not None and query.owner == owner else None

    def _stored(self, query_id: str, owner: str) -> Result | None:
        try:
            result = self._results.get(query_id)
        except NoSuchResult:
            return None
        return result if result is not None and result.owner == owner else None

    @staticmethod
    def _stored_status(result: Result) -> QueryStatus:
        status = decode(result.status.encode(), QueryStatus)
        status.result = result_status(result)
        return status

    def _alive(self) -> list[Query]:
        with self._lock:
            return [query for query in self._queries.values() if not query.state.ended]

    # -- sweeping -------------------------------------------------------------------------------------------------------

    def _sweep_for_ever(self) -> None:
        expire_at = time.monotonic()
        while not self._closing.wait(SWEEP_SECONDS):
            for query in self._alive():
                if query.abandoned_seconds() > self._limits.abandon_seconds:
                    self._kill(query, QueryKilled(f"nobody has read it for {self._limits.abandon_seconds:.0f} s"))
            if time.monotonic() >= expire_at:
                expire_at = time.monotonic() + EXPIRE_SECONDS
                try:
                    self._discard_uploads(self._results.sweep(time.time()))
                except (VolleyError, OSError):
                    log.warning("could not clear expired results away; will try again", exc_info=True)


def _completed(query: Query) -> QueryStatus:
    status = query.status()
    status.state, status.ended_at, status.progress = "completed", time.time(), 1.0
    return status
