"""A query that this worker accepted: its state, who watches it, who reads it, and what it says of itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from flight_server.errors import shorten
from flight_server.protocol.messages import (
    ENDED,
    LINE_SQL_CHARS,
    ErrorInfo,
    OperatorStatus,
    QueryLine,
    QueryStatus,
    ResultSize,
    ResultStatus,
    RowGroupStatus,
)
from flight_server.protocol.service import Cancelled
from flight_server.queries.query_state import Event, QueryState, Started
from flight_server.queries.runs import Runs
from operators.cancellation import Cancellation
from operators.results.materialize import ResultWriter
from operators.results.results import Result
from planner.errors import VolleyError

WATCH_SECONDS = 0.25
"""How often a watched query that runs tells of its progress."""

OperatorStatuses = Callable[[], list[OperatorStatus]]


class HandledQuery:
    """One accepted statement, with what is to run for it. Thread-safe. ``clock`` gives seconds from any origin.

    ``seconds``: how long it may take, from here on.
    """

    def __init__(
        self,
        query_id: str,
        owner: str,
        runs: Runs,
        writer: ResultWriter,
        worker_id: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        purpose: str = "",
        seconds: float | None = None,
    ) -> None:
        self.query_id = query_id
        self.owner = owner
        self.runs = runs
        self.plan = runs.first
        self.writer = writer
        self.worker_id = worker_id
        self.purpose = purpose
        self.cancellation = Cancellation()
        self.operators: OperatorStatuses = list
        self._clock = clock
        self._state = QueryState(submitted_at=time.time())
        self._changed = threading.Condition()
        self._readers = 0
        self.seconds = seconds
        self._accepted_at = clock()
        self._heard_at: float | None = None
        self._furthest = 0.0

    @property
    def state(self) -> QueryState:
        """Where it is in its life."""
        return self._state

    @property
    def result(self) -> Result:
        """Its result, as far as there is one."""
        return self.writer.result

    @property
    def there(self) -> bool:
        """Whether there is still something to tell of: a completed query goes when its result expires or is removed."""
        return self._state.phase != "completed" or self.result.error is None

    def on(self, event: Event) -> bool:
        """Moves its state on and wakes whoever watches; returns whether the event counted."""
        with self._changed:
            before = self._state
            self._state = before.on(event, time.time())
            self._changed.notify_all()
            return self._state is not before

    def start(self) -> bool:
        """Queued → running; False if it was killed while it waited."""
        return self.on(Started()) if not self._state.ended else False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Counts a reader for the time of the block."""
        with self._changed:
            self._readers += 1
            self._heard_at = None
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                if self._readers == 0:
                    self._heard_at = self._clock()

    def heard(self) -> None:
        """Its client has asked for it: whoever does that has not abandoned it."""
        with self._changed:
            if self._heard_at is not None:
                self._heard_at = self._clock()

    def on_hold(self) -> None:
        """It waits for a reader who may never come: from now on it can be abandoned, though it never had one."""
        with self._changed:
            if self._heard_at is None and self._readers == 0:
                self._heard_at = self._clock()

    def abandoned_seconds(self) -> float:
        """For how long nobody has read it or asked for it, since its last reader left or it first waited for one.

        0.0 if it has a reader, or never had any and waits for none.
        """
        heard_at = self._heard_at
        return 0.0 if heard_at is None else self._clock() - heard_at

    def age_seconds(self) -> float:
        """For how long it has been there."""
        return self._clock() - self._accepted_at

    def wait_ended(self, seconds: float) -> bool:
        """Waits until it has ended, at most so long; whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._state.ended, seconds)

    def watch(self, cancelled: Cancelled) -> Iterator[QueryStatus]:
        """Its status now, whenever it has changed, and when it has ended."""
        told: QueryStatus | None = None
        while not cancelled():
            self.heard()
            status = self.status()
            if status != told:
                yield status
                told = status
            if status.state in ENDED:
                return
            with self._changed:
                if self._state.phase == status.state:
                    self._changed.wait(WATCH_SECONDS)

    def line(self) -> QueryLine:
        """How it is doing, in short."""
        state, result = self._state, self.result
        return QueryLine(
            query_id=self.query_id,
            sql=shorten(self.plan.sql, LINE_SQL_CHARS),
            state=state.phase,
            owner=self.owner,
            worker_id=self.worker_id,
            submitted_at=state.submitted_at,
            started_at=state.started_at,
            ended_at=state.ended_at,
            progress=1.0 if state.phase == "completed" else self._progress_told(self.operators()),
            error=_told(state.error),
            result=ResultSize(result.rows, result.bytes, result.closed, result.expires_at, result.held),
            purpose=self.purpose,
        )

    def status(self) -> QueryStatus:
        """How it is doing."""
        state = self._state
        operators = self.operators()
        if state.ended and state.phase != "completed":
            operators = [_stopped(operator) for operator in operators]
        return QueryStatus(
            query_id=self.query_id,
            sql=self.plan.sql,
            state=state.phase,
            owner=self.owner,
            worker_id=self.worker_id,
            submitted_at=state.submitted_at,
            started_at=state.started_at,
            ended_at=state.ended_at,
            progress=1.0 if state.phase == "completed" else self._progress_told(operators),
            error=_told(state.error),
            result=_result_status(self.result),
            operators=operators,
            plan=self.plan.text,
            purpose=self.purpose,
        )

    def _progress_told(self, operators: list[OperatorStatus]) -> float:
        """How far it is; never less than it was, though there may be more to do than was known: shares of buckets are made as it runs."""
        self._furthest = max(self._furthest, self.runs.progress(_progress(operators)))
        return self._furthest


def _told(error: VolleyError | None) -> ErrorInfo | None:
    return None if error is None else ErrorInfo(status=error.status.value, message=str(error))


def _stopped(operator: OperatorStatus) -> OperatorStatus:
    """What an operator of a query that failed or was killed says of itself: it does not run any more."""
    if operator.state == "completed":
        return operator
    instances = [msgspec.structs.replace(instance, state="failed") for instance in operator.instances]
    return msgspec.structs.replace(operator, state="failed", instances=instances)


def _result_status(result: Result) -> ResultStatus:
    """How much of ``result`` can be read now."""
    groups = [
        RowGroupStatus(file=file, row_group=index, rows=rows)
        for file, groups in enumerate(result.row_groups)
        for index, rows in enumerate(groups)
    ]
    return ResultStatus(
        rows=sum(group.rows for group in groups),
        bytes=result.bytes,
        row_groups=groups,
        closed=result.closed,
        expires_at=result.expires_at,
        held=result.held,
    )


def _progress(operators: list[OperatorStatus]) -> float:
    """The part of all input records that are done: coarse."""
    total = sum(operator.records_total for operator in operators if operator.kind == "producer")
    done = sum(operator.records_done for operator in operators if operator.kind == "producer")
    return done / total if total else 0.0
