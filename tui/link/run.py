"""One query of this sitting: where it came from, what is known of it, how it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from flight_server.protocol.messages import ErrorInfo, QueryStatus
from planner.errors import VolleyError
from tui.link.derived import Derived
from tui.link.reaching import Reach
from tui.link.row_source import RowSource

RunState = Literal["waiting", "submitting", "queued", "running", "completed", "failed", "killed", "lost"]
ShownState = RunState | Literal["held"]
OVER: frozenset[RunState] = frozenset(("completed", "failed", "killed", "lost"))
MOST_PROGRESS = 0.99  # of what is not over: the last rows may still be written


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

    A ``derived`` one sorts and filters the result of ``base``, and was asked for where ``instead_of`` was shown. ``own``: this sitting has
    submitted it. ``held_at``: since when it waits for its reader; ``held_seconds``: for how long it did before. ``unheard``: what one is
    told instead of its status. ``dropped``: it is gone, here and at the server.
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
    own: bool = True
    dropped: bool = False
    held_at: float | None = None
    held_seconds: float = 0.0
    unheard: VolleyError | None = None
    reach: Reach | None = None
    derived: Derived | None = None
    base: Run | None = None
    instead_of: Run | None = None

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def held(self) -> bool:
        """Whether it makes more rows as soon as somebody looks at them, and none before."""
        return self.held_at is not None and not self.over

    @property
    def shown_state(self) -> ShownState:
        """Its state as people are told it."""
        return "held" if self.held else self.state

    @property
    def whole(self) -> bool:
        """Whether all its rows are known."""
        return self.over or (self.status is not None and self.status.result.closed)

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
        """Seconds from being submitted to the end, or to ``now``, without those for which it was held."""
        if self.started_at is None:
            return 0.0
        until = self.ended_at or (self.held_at if self.held else None) or now
        return max(0.0, until - self.started_at - self.held_seconds)
