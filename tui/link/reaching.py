"""Has a look make more rows than are looked at: up to a row, or all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from flight_server.protocol.messages import ENDED, Cursor, QueryStatus, ResultTicket
from planner.errors import Status, VolleyError
from tui.link.server import Server

TURN_SECONDS = 1.0
"""How long a thread is taken at a time: others get theirs, and a stop is heeded, in between."""
ASK_SECONDS = 0.02


class Reach:
    """One request for rows, in turns. ``row`` is the number of the row to be made, from 0; None for all rows.

    :meth:`turn` is for background threads, one at a time; :meth:`stop` may come from any.
    """

    def __init__(self, server: Server, query_id: str, row: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._query_id = query_id
        self._row = row
        self._clock = clock
        self._stopped = threading.Event()

    @property
    def row(self) -> int | None:
        return self._row

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        """Asks for no more rows. What is made stays."""
        self._stopped.set()

    def turn(self) -> QueryStatus | None:
        """Asks for about ``TURN_SECONDS``; the status of then, None if the query is gone. Raises what the server says.

        To be called again until :meth:`reached` says so of that status.
        """
        if self._row is None:
            return self._all()
        until = self._clock() + TURN_SECONDS
        while True:
            status = self._server.status(self._query_id)
            if status is None or self.reached(status) or self.stopped or self._clock() >= until:
                return status
            if status.result.row_groups:
                # Who reads in the last row group has the next one made.
                last = status.result.row_groups[-1]
                for _ in self._server.read(ResultTicket(self._query_id, Cursor(last.file, last.row_group, 0), follow=False, limit=1)):
                    pass
            self._stopped.wait(ASK_SECONDS)

    def reached(self, status: QueryStatus) -> bool:
        """Whether there is nothing more to ask for."""
        if status.state in ENDED or status.result.closed:
            return True
        # The last row of what is not closed is not read before the next one is known.
        return self._row is not None and status.result.rows - 1 > self._row

    def _all(self) -> QueryStatus | None:
        try:
            self._server.make_all(self._query_id, timeout=TURN_SECONDS)
        except VolleyError as error:
            if error.status is not Status.DEADLINE_EXCEEDED:
                raise
        return self._server.status(self._query_id)
