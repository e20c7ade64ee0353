"""The queries of this worker: admitted, run in threads of a pool, held for their readers, killed, remembered when they have ended."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import pyarrow as pa

from flight_server.errors import NoRoom
from flight_server.exchanges.site import Site
from flight_server.protocol.exchange_messages import OPERATOR_STOP, StopOperators
from flight_server.protocol.messages import QueryStatus, encode
from flight_server.protocol.status import as_volley_error
from flight_server.queries.analyze import SPILL_LOOK_SECONDS, RowDrop, SpillWatch, analyze_lines
from flight_server.queries.execution import Execution
from flight_server.queries.query import HandledQuery
from flight_server.queries.query_state import Completed, Failed, Killed
from flight_server.queries.scheduler import Admission
from flight_server.queries.statement_planner import closing
from flight_server.settings.config import LimitsConfig
from planner.errors import VolleyError
from planner.physical import PhysicalPlan

MAX_REMEMBERED = 1_000
"""Ended queries that are kept in memory for ``query.list``; the results of older ones are still on storage."""
STOP_SECONDS = 2.0

log = logging.getLogger(__name__)


class QueryRunner:
    """Runs the queries that one worker accepted, and knows them. Thread-safe."""

    def __init__(self, site: Site, limits: LimitsConfig) -> None:
        self._site = site
        self._limits = limits
        self._lock = threading.Lock()
        self._queries: OrderedDict[str, HandledQuery] = OrderedDict()
        self._admission = Admission(limits.queries, limits.queue)
        # Twice as many as run: those that wait for a reader have one, too.
        self._threads = ThreadPoolExecutor(2 * limits.queries, thread_name_prefix="query")
        self._executions: dict[str, Execution] = {}
        self._draining = False

    # -- which there are ------------------------------------------------------------------------------------------------

    def find(self, query_id: str, owner: str) -> HandledQuery | None:
        """A query of ``owner``, one that has ended not long ago too."""
        query = self._queries.get(query_id)
        return query if query is not None and query.owner == owner else None

    def known(self) -> dict[str, HandledQuery]:
        """All of them by id, oldest first."""
        with self._lock:
            return dict(self._queries)

    def alive(self) -> list[HandledQuery]:
        """Those that have not ended."""
        return [query for query in self.known().values() if not query.state.ended]

    def forget(self, query_id: str) -> None:
        """Knows nothing of a query any more; it must have ended."""
        with self._lock:
            self._queries.pop(query_id, None)

    def execution(self, query_id: str) -> Execution | None:
        """What runs of a query here, while it does."""
        return self._executions.get(query_id)

    def running(self) -> int:
        """How many run."""
        with self._lock:
            return self._admission.statistics().running

    # -- what they are told ---------------------------------------------------------------------------------------------

    def admit(self, query: HandledQuery) -> None:
        """Starts a query or has it wait. Raises ``NoRoom``, and ``ServerClosing`` where the server has begun to drain."""
        with self._lock:
            if self._draining:
                raise closing()
            verdict = self._admission.arrive(query.query_id)
            if verdict == "refuse":
                raise NoRoom(self._limits.queries, self._limits.queue)
            self._remember(query)
        if verdict == "run":
            self._threads.submit(self._run, query)

    def kill(self, query: HandledQuery, error: VolleyError) -> None:
        """Has a query end with ``error``, whether it runs or waits; one that has ended stays as it is."""
        waiting = query.state.phase == "queued"
        query.cancellation.cancel(error)
        if waiting and query.on(Killed(error)):
            query.writer.abort(error)
            self._leave(query)

    def on_hold(self, query_id: str, held: bool) -> None:
        """A look waits for its reader, or goes on: its place is for others meanwhile."""
        with self._lock:
            if not held:
                self._admission.resume(query_id)
                return
            query = self._queries.get(query_id)
            paused = self._admission.pause(query_id)
        if query is not None:
            query.on_hold()
        if paused.freed is not None and (freed := self._queries.get(paused.freed)) is not None:
            freed.writer.release()
        self._start(paused.following)

    def exclude(self, worker_id: str) -> None:
        """A worker is gone: what it held is run again elsewhere."""
        with self._lock:
            executions = list(self._executions.values())
        for execution in executions:
            execution.exclude(worker_id)

    @property
    def draining(self) -> bool:
        """Whether new queries are refused."""
        return self._draining

    def refuse_new(self) -> None:
        """Admits no query from now on; those that run and wait go on, looks to their end: who looks may come back for the rest."""
        with self._lock:
            self._draining = True
        for query in self.alive():
            query.writer.release()

    def close(self) -> None:
        """Waits for the threads; whatever should not run to its end has been killed."""
        self._threads.shutdown(wait=True)

    # -- the life of a query --------------------------------------------------------------------------------------------

    def _run(self, query: HandledQuery) -> None:
        """Runs one query from its start to its end, in a thread of the pool; never raises."""
        try:
            if query.start():
                self._execute(query)
        except Exception as error:
            _end_badly(query, as_volley_error(error))
        finally:
            self._leave(query)

    def _execute(self, query: HandledQuery) -> None:
        execution: Execution | None = None
        try:
            for number, plan in enumerate(query.runs):
                if execution is not None:
                    self._release(query, execution)
                execution = self._begun(query, plan, number)
                if plan.analyze:
                    self._analyze(query, plan, execution)
                else:
                    execution.run()
                query.cancellation.check()
            query.writer.finish(lambda: encode(_completed(query)).decode())
            query.on(Completed())
        except Exception as error:
            # Told before it is cleared away: others may be slow to answer that they stop.
            if execution is not None:
                execution.close()
            _end_badly(query, as_volley_error(error))
        finally:
            if execution is not None:
                self._release(query, execution)

    def _begun(self, query: HandledQuery, plan: PhysicalPlan, number: int) -> Execution:
        """One run of a query, with a name of its own for the workers that take part."""
        name = query.query_id if number == 0 else f"{query.query_id}-{number}"
        execution = Execution(name, plan, RowDrop() if plan.analyze else query.writer, query.cancellation, self._site)
        query.operators = execution.statuses
        with self._lock:
            self._executions[query.query_id] = execution
        return execution

    def _analyze(self, query: HandledQuery, plan: PhysicalPlan, execution: Execution) -> None:
        """Runs a query to be measured; its result is what was measured."""
        watch = SpillWatch(self._site.kernel, self._site.serial_kernel)
        started = time.perf_counter()
        with self._site.heartbeats.keep(SPILL_LOOK_SECONDS, watch.look):
            execution.run()
        lines = analyze_lines(plan, execution.statuses(), time.perf_counter() - started, watch.most_bytes)
        query.writer.append(pa.record_batch([pa.array(lines, pa.string())], schema=plan.schema))

    def _release(self, query: HandledQuery, execution: Execution) -> None:
        """Frees what a run held, here and on the workers that took part."""
        execution.close()
        operators = execution.statuses()
        query.operators = lambda: operators
        self._site.registry.drop(execution.query_id)
        for uri in execution.others():
            try:
                self._site.peers.tell(uri, OPERATOR_STOP, StopOperators(execution.query_id), timeout_seconds=STOP_SECONDS)
            except VolleyError as error:
                # A worker that does not answer is lost, and its operators with it.
                log.warning("could not stop query %s at %s: %s", execution.query_id, uri, error)

    def _leave(self, query: HandledQuery) -> None:
        with self._lock:
            self._executions.pop(query.query_id, None)
            following = self._admission.leave(query.query_id)
        self._start(following)

    def _start(self, query_id: str | None) -> None:
        """Starts the query whose turn has come, if one's has."""
        starting = None if query_id is None else self._queries.get(query_id)
        if starting is not None:
            self._threads.submit(self._run, starting)

    def _remember(self, query: HandledQuery) -> None:
        self._queries[query.query_id] = query
        excess = len(self._queries) - MAX_REMEMBERED
        if excess > 0:
            # From the oldest on, as far as need be: nearly always the first one has ended.
            ended = (key for key, known in self._queries.items() if known.state.ended)
            for key in list(islice(ended, excess)):
                del self._queries[key]


def _end_badly(query: HandledQuery, error: VolleyError) -> None:
    cause = query.cancellation.error
    query.on(Failed(error) if cause is None else Killed(cause))
    query.writer.abort(error if cause is None else cause)
    log.info("query %s: %s: %s", query.query_id, query.state.phase, error)


def _completed(query: HandledQuery) -> QueryStatus:
    status = query.status()
    status.state, status.ended_at, status.progress = "completed", time.time(), 1.0
    return status
