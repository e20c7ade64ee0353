"""The queries of this sitting: submitted, followed to their end, killed; one after another or several together."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from flight_server.client import Submitted
from flight_server.protocol.messages import ENDED, Cursor, ErrorInfo, QueryLine, QueryStatus, ResultTicket
from planner.errors import VolleyError
from tui.link.background import Background, Post
from tui.link.derived import Derived
from tui.link.follower import Follower
from tui.link.row_source import RowSource
from tui.link.server import Server

RunState = Literal["waiting", "submitting", "queued", "running", "completed", "failed", "killed", "lost"]
OVER: frozenset[RunState] = frozenset(("completed", "failed", "killed", "lost"))
MOST_PROGRESS = 0.99  # of what is not over: the last rows may still be written
TOGETHER = 8  # queries of a file at once; the server has a queue of its own


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a statement came from: a document of the editor, and the place of its first character there.

    ``start`` is an offset; ``line`` and ``column`` count from 1.
    """

    document: int
    start: int
    line: int = 1
    column: int = 1


_PLACE = re.compile(r"\(line (\d+), column (\d+)\)")


def in_document(message: str, origin: Origin | None) -> str:
    """A server's message about a statement, with the place where it is in the statement's document."""

    def moved(match: re.Match[str]) -> str:
        assert origin is not None
        line, column = int(match.group(1)), int(match.group(2))
        return f"(line {origin.line + line - 1}, column {column + origin.column - 1 if line == 1 else column})"

    return message if origin is None else _PLACE.sub(moved, message, count=1)


@dataclass(eq=False)
class Run:
    """One statement that was run, or waits for its turn. Belongs to the thread of the loop. Times are Unix seconds.

    A ``derived`` one sorts and filters the result of ``base``, and was asked for where ``instead_of`` was shown.
    """

    number: int
    sql: str
    origin: Origin | None = None
    batch: int | None = None
    state: RunState = "waiting"
    query_id: str | None = None
    schema: pa.Schema | None = None
    status: QueryStatus | None = None
    error: ErrorInfo | None = None
    source: RowSource | None = None
    started_at: float | None = None
    ended_at: float | None = None
    kill_wanted: bool = False
    derived: Derived | None = None
    base: Run | None = None
    instead_of: Run | None = None

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def title(self) -> str:
        """The statement on one line; of a derived one, what it asks of which query."""
        if self.derived is not None and self.base is not None and self.base.schema is not None:
            return "  ".join([f"query {self.base.number}", *self.derived.chips(self.base.schema.names)])
        return " ".join(self.sql.split())

    @property
    def rows(self) -> int:
        return 0 if self.status is None else self.status.result.rows

    @property
    def progress(self) -> float | None:
        """The share (0 … 1) of its input that is done; None while the server cannot tell, as of a query that is a single piece."""
        if self.state == "completed":
            return 1.0
        return None if self.status is None or not self.status.progress else min(MOST_PROGRESS, self.status.progress)

    @property
    def rows_so_far(self) -> int:
        """The rows of the result, or of the part of the plan that has put out most."""
        operators = [] if self.status is None else self.status.operators
        return max([self.rows, *(operator.rows for operator in operators)])

    def elapsed(self, now: float) -> float:
        """Seconds from being submitted to the end, or to ``now``."""
        if self.started_at is None:
            return 0.0
        return max(0.0, (now if self.ended_at is None else self.ended_at) - self.started_at)


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a list of queries is."""

    total: int
    completed: int
    failed: int
    running: int
    waiting: int

    @property
    def progress(self) -> float:
        return 1.0 if self.total == 0 else (self.completed + self.failed) / self.total


def tally(runs: Iterable[Run]) -> Tally:
    states = [run.state for run in runs]
    completed = states.count("completed")
    failed = sum(state in ("failed", "killed", "lost") for state in states)
    waiting = states.count("waiting")
    return Tally(len(states), completed, failed, len(states) - completed - failed - waiting, waiting)


class RunBook:
    """All runs, oldest first. ``changed(run)`` is called on the thread of the loop at every step of a run."""

    def __init__(
        self,
        server: Server,
        background: Background,
        post: Post,
        clock: Callable[[], float] = time.time,
        follower: Follower | None = None,
    ) -> None:
        self.runs: list[Run] = []
        self.changed: list[Callable[[Run], None]] = []
        self._server = server
        self._background = background
        self._post = post
        self._clock = clock
        self._batches: dict[int, int] = {}
        self._follower = Follower(server, post) if follower is None else follower

    def run(self, sql: str, origin: Origin | None = None) -> Run:
        """Starts one statement now."""
        run = self._new(sql, origin, None)
        self._submit(run)
        return run

    def again(self, old: Run) -> Run:
        """Starts the statement of a run once more."""
        run = self._new(old.sql, old.origin, None)
        run.derived, run.base = old.derived, old.base
        self._submit(run)
        return run

    def derive(self, shown: Run, wanted: Derived) -> Run:
        """What ``wanted`` makes of the result that ``shown`` is, or is derived from: a run that is there already, else a new one."""
        base = shown if shown.base is None else shown.base
        if wanted == Derived(base.sql):
            return base
        for run in reversed(self.runs):
            if run.base is base and run.derived == wanted and run.state not in ("failed", "killed", "lost"):
                return run
        run = self._new(wanted.sql, None, None)
        run.derived, run.base, run.instead_of = wanted, base, shown
        self._submit(run)
        return run

    def run_all(self, statements: Iterable[tuple[str, Origin | None]], together: int = 1) -> list[Run]:
        """Lists statements and runs them in order, ``together`` at a time; with 0 they wait until they are told to go.

        A failure does not stop those behind it.
        """
        batch = len(self._batches)
        self._batches[batch] = together
        started = [self._new(sql, origin, batch) for sql, origin in statements]
        self._advance(batch)
        return started

    def held(self) -> list[Run]:
        """The runs that wait until they are told to go."""
        return [run for run in self.runs if self._is_held(run)]

    def go(self) -> None:
        """Lets what waits to be told run now, one after another."""
        for batch, together in self._batches.items():
            if together == 0:
                self._batches[batch] = 1
                self._advance(batch)

    def go_together(self) -> None:
        """Lets what waits for its turn start now, several at a time."""
        for batch in self._batches:
            self._batches[batch] = TOGETHER
            self._advance(batch)

    def follow(self, line: QueryLine) -> Run:
        """Shows a query that someone else submitted, or an earlier sitting did. The whole statement comes with its status."""
        for run in self.runs:
            if run.query_id == line.query_id:
                return run
        run = self._new(line.sql, None, None)
        run.query_id = line.query_id
        run.started_at = line.submitted_at
        run.state = "queued"
        self._follower.add(line.query_id, functools.partial(self._take, run), functools.partial(self._lost, run))
        return run

    def kill(self, run: Run) -> None:
        """Kills a run on the server; one that waits for its turn never starts."""
        if run.over:
            return
        run.kill_wanted = True
        if run.state == "waiting":
            self._end(run, "killed")
        elif run.query_id is not None:
            query_id = run.query_id
            self._background.submit(lambda: self._server.kill(query_id), lambda _status: None, lambda error: self._notice(run, error))

    def retry(self) -> None:
        """The server is back: pages that could not be read are read again."""
        for run in self.runs:
            if run.source is not None and run.source.error is not None:
                run.source.retry()

    def active(self) -> list[Run]:
        """The runs that are not over; those that nobody has told to go are none of them."""
        return [run for run in self.runs if not run.over and not self._is_held(run)]

    def close(self) -> None:
        self._follower.close()

    # -- steps ----------------------------------------------------------------------------------------------------

    def _new(self, sql: str, origin: Origin | None, batch: int | None) -> Run:
        run = Run(len(self.runs) + 1, sql, origin, batch)
        self.runs.append(run)
        self._tell(run)
        return run

    def _is_held(self, run: Run) -> bool:
        return run.state == "waiting" and run.batch is not None and self._batches[run.batch] == 0

    def _submit(self, run: Run) -> None:
        run.state = "submitting"
        run.started_at = self._clock()
        self._background.submit(
            lambda: self._server.submit(run.sql), functools.partial(self._submitted, run), functools.partial(self._refused, run)
        )
        self._tell(run)

    def _submitted(self, run: Run, submitted: Submitted) -> None:
        run.query_id = submitted.query_id
        run.schema = submitted.schema
        run.state = "queued"
        if run.kill_wanted:
            self.kill(run)
        self._tell(run)
        self._follower.add(submitted.query_id, functools.partial(self._take, run), functools.partial(self._lost, run))

    def _refused(self, run: Run, error: VolleyError) -> None:
        run.error = ErrorInfo(error.status.value, in_document(str(error), run.origin))
        self._end(run, "failed")

    def _take_schema(self, run: Run, schema: pa.Schema) -> None:
        """The columns of a query that was submitted elsewhere."""
        run.schema = schema
        self._open_source(run)
        self._tell(run)

    def _open_source(self, run: Run) -> None:
        if run.source is None and run.schema is not None and run.query_id is not None:
            run.source = RowSource(run.schema, functools.partial(self._page, run.query_id), self._background)
        if run.source is not None and run.status is not None:
            run.source.extend(run.status.result)

    def _take(self, run: Run, status: QueryStatus) -> None:
        """A newer status of a run's query."""
        if run.over:
            return
        if run.schema is None and run.status is None:
            run.sql = status.sql
            self._background.submit(lambda: self._server.schema(status.sql), functools.partial(self._take_schema, run))
        run.status = status
        told = status.error
        run.error = None if told is None else ErrorInfo(told.status, in_document(told.message, run.origin))
        self._open_source(run)
        if status.state in ENDED:
            self._end(run, status.state)
            return
        run.state = status.state
        self._tell(run)

    def _lost(self, run: Run, error: VolleyError) -> None:
        run.error = ErrorInfo(error.status.value, str(error))
        self._end(run, "lost")

    def _end(self, run: Run, state: RunState) -> None:
        run.state = state
        run.ended_at = self._clock()
        if run.status is not None and run.status.ended_at is not None and state != "lost":
            run.ended_at = max(run.started_at or 0.0, min(run.ended_at, run.status.ended_at))
        if run.source is not None and state != "completed":
            run.source.closed = True
        self._tell(run)
        if run.batch is not None:
            self._advance(run.batch)

    def _advance(self, batch: int) -> None:
        """Starts as many of a batch's waiting runs as may run together."""
        mine = [run for run in self.runs if run.batch == batch]
        room = self._batches[batch] - sum(not run.over and run.state != "waiting" for run in mine)
        for run in [run for run in mine if run.state == "waiting"][: max(0, room)]:
            self._submit(run)

    def _page(self, query_id: str, cursor: Cursor, rows: int) -> pa.Table:
        """Reads one page; on a background thread."""
        batches = [batch for batch, _place in self._server.read(ResultTicket(query_id, cursor, follow=False, limit=rows))]
        return pa.Table.from_batches(batches) if batches else pa.table({})

    def _notice(self, run: Run, error: VolleyError) -> None:
        run.error = ErrorInfo(error.status.value, str(error))
        self._tell(run)

    def _tell(self, run: Run) -> None:
        for listener in self.changed:
            listener(run)
