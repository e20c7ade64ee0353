"""What runs on other threads in the program, at once and in place for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from flight_server.protocol.messages import ENDED, QueryStatus, ResultStatus, RowGroupStatus
from planner.errors import VolleyError
from tui.link.background import Background, as_volley_error
from tui.link.follower import Follower, Forgotten
from tui.link.row_source import RowSource


class InlineBackground(Background):
    """Runs tasks when they are submitted; ``paused`` ones wait for :meth:`resume`."""

    def __init__(self) -> None:
        self.paused = False
        self._waiting: list[Callable[[], None]] = []

    def submit(
        self, call: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[VolleyError], None] = lambda _error: None
    ) -> None:
        def task() -> None:
            try:
                answer = call()
            except Exception as raised:
                failed(as_volley_error(raised))
            else:
                done(answer)

        if self.paused:
            self._waiting.append(task)
        else:
            task()

    def resume(self) -> None:
        self.paused = False
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            task()

    def close(self) -> None:
        return


class InlineFollower(Follower):
    """Looks at a query when it is added and when it is woken, and at all of them at :meth:`look_at_all`."""

    def __init__(self, status: Callable[[str], QueryStatus | None]) -> None:
        self._status = status
        self._queries: dict[str, tuple[Callable[[QueryStatus], None], Callable[[VolleyError], None]]] = {}
        self._silent: dict[str, Callable[[VolleyError], None]] = {}

    def add(
        self,
        query_id: str,
        take: Callable[[QueryStatus], None],
        lost: Callable[[VolleyError], None],
        silent: Callable[[VolleyError], None] = lambda _error: None,
    ) -> None:
        if query_id not in self._queries:
            self._queries[query_id] = (take, lost)
            self._silent[query_id] = silent
            self._look(query_id)

    def wake(self, query_id: str) -> None:
        if query_id in self._queries:
            self._look(query_id)

    def forget(self, query_id: str) -> None:
        self._queries.pop(query_id, None)

    def hear_nothing(self, query_id: str, error: VolleyError) -> None:
        """Tells that nobody answers for a query."""
        self._silent[query_id](error)

    def look_at_all(self) -> None:
        for query_id in list(self._queries):
            self._look(query_id)

    def _look(self, query_id: str, item: object = None) -> None:
        take, lost = self._queries[query_id]
        status = self._status(query_id)
        if status is None:
            del self._queries[query_id]
            lost(Forgotten("the server does not know this query any more"))
            return
        if status.state in ENDED:
            del self._queries[query_id]
        take(status)

    def close(self) -> None:
        return


def source_of(table: pa.Table, *, rows_per_group: int, background: Background, budget_bytes: int = 1 << 30) -> RowSource:
    """A source over ``table`` cut into row groups, which fetches as from a server."""
    source = RowSource(
        table.schema,
        lambda cursor, rows: table.slice(cursor.row_group * rows_per_group + cursor.row, rows),
        background,
        budget_bytes=budget_bytes,
    )
    groups = [
        RowGroupStatus(0, number, min(rows_per_group, table.num_rows - start))
        for number, start in enumerate(range(0, table.num_rows, rows_per_group))
    ]
    source.extend(ResultStatus(table.num_rows, table.nbytes, groups, True))
    return source
