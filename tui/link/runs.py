"""The queries of this sitting: submitted, followed to their end, killed; one after another or several together."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterable

import pyarrow as pa

from flight_server.client import Submitted
from flight_server.protocol.messages import ENDED, Cursor, ErrorInfo, QueryLine, QueryStatus, ResultTicket
from planner.errors import VolleyError
from tui.link.background import Background, Post
from tui.link.derived import Derived
from tui.link.follower import Follower
from tui.link.leaving import drop_all
from tui.link.reaching import Reach
from tui.link.row_source import RowSource
from tui.link.run import Origin, Run, RunState, in_document
from tui.link.server import Server

AHEAD = 1
"""Row groups that are made beyond those that somebody has looked at."""
TOGETHER = 8  # queries of a file at once; the server has a queue of its own


class RunBook:
    """All runs, oldest first. ``changed(run)`` is called on the thread of the loop at every step of a run.

    Every statement is submitted as a look: of its rows are made those that somebody looks at.
    """

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
        self._numbers = itertools.count(1)
        self._kill_told: dict[Run, list[Callable[[], None]]] = {}
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
            return self.again(base) if base.dropped else base
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

    def parked(self) -> list[Run]:
        """The runs that wait until they are told to go."""
        return [run for run in self.runs if self._is_parked(run)]

    def held(self) -> list[Run]:
        """The runs that wait until somebody looks at more of their rows."""
        return [run for run in self.runs if run.held]

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
        run.own = False
        run.query_id = line.query_id
        run.started_at = line.submitted_at
        run.state = "queued"
        self._follow(run, line.query_id)
        return run

    def kill(self, run: Run, told: Callable[[], None] = lambda: None) -> None:
        """Kills a run on the server; one that waits for its turn never starts, one that is being submitted is killed as soon as it can be.

        ``told`` is called when the server has answered, whatever it said, or need not be asked.
        """
        if run.over:
            told()
            return
        run.kill_wanted = True
        if run.state == "waiting":
            self._end(run, "killed")
            told()
        elif run.query_id is None:
            self._kill_told.setdefault(run, []).append(told)
        else:
            query_id = run.query_id

            def failed(error: VolleyError) -> None:
                self._notice(run, error)
                told()

            self._background.submit(lambda: self._server.kill(query_id), lambda _status: told(), failed)

    def drop(self, run: Run, done: Callable[[], None], failed: Callable[[VolleyError], None]) -> None:
        """Takes a run out of the list, and its query and result from the server; one that runs is killed by that."""

        def dropped() -> None:
            run.dropped = True
            if run in self.runs:
                self.runs.remove(run)
            if run.query_id is not None:
                self._follower.forget(run.query_id)
            self.stop_reaching(run)
            if not run.over:
                self._end(run, "killed")
            self._tell(run)
            done()

        if run.query_id is not None:
            query_id = run.query_id
            self._background.submit(lambda: self._server.drop(query_id), lambda _status: dropped(), failed)
        elif run.state == "submitting":
            self.kill(run, lambda: self.drop(run, done, failed))
        else:
            self.kill(run, dropped)

    def reach(self, run: Run, row: int | None, reached: Callable[[], None], failed: Callable[[VolleyError], None]) -> None:
        """Has a run make its rows up to the ``row``-th (from 0), or all of them, then calls ``reached``.

        Nothing is asked of one that is over. Asking for something else ends what was asked before.
        """
        self.stop_reaching(run)
        if run.whole or run.query_id is None:
            reached()
            return
        run.reach = Reach(self._server, run.query_id, row)
        self._next_turn(run, run.reach, reached, failed)

    def stop_reaching(self, run: Run) -> None:
        """Asks for no more rows than are looked at. What is made stays."""
        if run.reach is not None:
            run.reach.stop()
            run.reach = None

    def retry(self) -> None:
        """The server is back: pages that could not be read are read again."""
        for run in self.runs:
            if run.source is not None and run.source.error is not None:
                run.source.retry()

    def active(self) -> list[Run]:
        """The runs that go on by themselves until they are over: none that is held, none that nobody has told to go."""
        return [run for run in self.runs if not run.over and not run.held and not self._is_parked(run)]

    def close(self) -> None:
        """Ends the sitting: what is held, and what was derived from other results, is of no use to anybody else, and dropped."""
        self._follower.close()
        drop_all(self._server, [run.query_id for run in self.runs if run.query_id is not None and run.own and (run.held or run.derived)])

    # -- steps ----------------------------------------------------------------------------------------------------

    def _new(self, sql: str, origin: Origin | None, batch: int | None) -> Run:
        run = Run(next(self._numbers), sql, origin, batch)
        self.runs.append(run)
        self._tell(run)
        return run

    def _is_parked(self, run: Run) -> bool:
        return run.state == "waiting" and run.batch is not None and self._batches[run.batch] == 0

    def _submit(self, run: Run) -> None:
        run.state = "submitting"
        run.started_at = self._clock()
        self._background.submit(
            lambda: self._server.submit(run.sql, ahead=AHEAD),
            functools.partial(self._submitted, run),
            functools.partial(self._refused, run),
        )
        self._tell(run)

    def _submitted(self, run: Run, submitted: Submitted) -> None:
        run.query_id = submitted.query_id
        run.schema = submitted.schema
        run.state = "queued"
        if run.kill_wanted:
            self.kill(run, functools.partial(self._tell_killed, run))
        self._tell(run)
        self._follow(run, submitted.query_id)

    def _refused(self, run: Run, error: VolleyError) -> None:
        run.error = ErrorInfo(error.status.value, in_document(str(error), run.origin))
        self._end(run, "failed")
        self._tell_killed(run)

    def _tell_killed(self, run: Run) -> None:
        """What should have been killed while it was submitted has been, or never came to be."""
        for told in self._kill_told.pop(run, []):
            told()

    def _follow(self, run: Run, query_id: str) -> None:
        take, lost, silent = (functools.partial(step, run) for step in (self._take, self._lost, self._unheard))
        self._follower.add(query_id, take, lost, silent)

    def _next_turn(self, run: Run, reach: Reach, reached: Callable[[], None], failed: Callable[[VolleyError], None]) -> None:
        """Has some thread ask for more rows for a while, until there are as many as were wanted, or somebody stops it."""

        def done(status: QueryStatus | None) -> None:
            if status is not None:
                self._take(run, status)
            if run.reach is not reach:
                return
            if status is None or run.over or reach.reached(status):
                run.reach = None
                reached()
            else:
                self._next_turn(run, reach, reached, failed)

        def broken(error: VolleyError) -> None:
            if run.reach is reach:
                run.reach = None
                failed(error)

        self._background.submit(reach.turn, done, broken)

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
        rows, run.status = run.rows, status
        run.unheard = None
        told = status.error
        run.error = None if told is None else ErrorInfo(told.status, in_document(told.message, run.origin))
        self._hold(run, status.result.held and status.state not in ENDED, more=status.result.rows > rows)
        self._open_source(run)
        if status.state in ENDED:
            self._end(run, status.state)
            return
        run.state = status.state
        self._tell(run)
        if run.held and run.batch is not None:
            self._advance(run.batch)

    def _hold(self, run: Run, held: bool, *, more: bool = False) -> None:
        """Notes since when a run waits for its reader, and how long it has; one that has ``more`` rows did not wait all the time."""
        now = self._clock()
        if run.held_at is not None and (more or not held):
            run.held_seconds += now - run.held_at
            run.held_at = None
        if held and run.held_at is None:
            run.held_at = now

    def _unheard(self, run: Run, error: VolleyError) -> None:
        run.unheard = error
        self._tell(run)

    def _lost(self, run: Run, error: VolleyError) -> None:
        run.error = ErrorInfo(error.status.value, str(error))
        self._end(run, "lost")

    def _end(self, run: Run, state: RunState) -> None:
        self._hold(run, False)
        run.state = state
        run.unheard = None
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
        room = self._batches[batch] - sum(not run.over and not run.held and run.state != "waiting" for run in mine)
        for run in [run for run in mine if run.state == "waiting"][: max(0, room)]:
            self._submit(run)

    def _page(self, query_id: str, cursor: Cursor, rows: int) -> pa.Table:
        """Reads one page; on a background thread."""
        batches = [batch for batch, _place in self._server.read(ResultTicket(query_id, cursor, follow=False, limit=rows))]
        self._follower.wake(query_id)  # of a look, this has more rows made
        return pa.Table.from_batches(batches) if batches else pa.table({})

    def _notice(self, run: Run, error: VolleyError) -> None:
        run.error = ErrorInfo(error.status.value, str(error))
        self._tell(run)

    def _tell(self, run: Run) -> None:
        for listener in self.changed:
            listener(run)
