"""What the Flight face asks of those behind it: four small protocols, and the little types that cross them.

``flight_server.endpoints`` knows nothing else about queries, tables and workers. Every method may raise a ``planner.errors.VolleyError``,
which reaches the client with its status and its message; anything else is a bug and reaches it as an incident number. All methods
are called from Flight's threads, several at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import pyarrow as pa

from flight_server.protocol.messages import (
    BatchPlace,
    PeekTicket,
    QueryLine,
    QueryStatus,
    ResultTicket,
    TableListRequest,
    TableStatus,
    WorkerStatus,
)
from planner.options import Distribution
from planner.physical import SessionChange
from planner.time_zones import UTC

Cancelled = Callable[[], bool]
"""Whether the client that waits has gone. Cheap; to be polled inside every wait, several times a second."""


class Accepted(NamedTuple):
    """A query that was accepted, and the schema that its result will have. ``change``: what it sets for its session from now on."""

    query_id: str
    schema: pa.Schema
    change: SessionChange | None = None


class StatementShape(NamedTuple):
    """The types that the values of a statement's placeholders should have (others may come), and the schema of its result.

    ``schema`` is what the result has for values of these types; None where it hangs on the values themselves.
    """

    parameter_types: tuple[pa.DataType, ...]
    schema: pa.Schema | None


class ResultStream(NamedTuple):
    """A result, or a part of it. Every batch has exactly ``schema``."""

    schema: pa.Schema
    batches: Iterator[tuple[pa.RecordBatch, BatchPlace]]


class PeekStream(NamedTuple):
    """Records that wait in an exchange, as copies."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


class ExchangeStream(NamedTuple):
    """Leased records of an exchange, each with its ``app_metadata``."""

    schema: pa.Schema
    batches: Iterator[tuple[pa.RecordBatch, bytes]]


@dataclass(frozen=True, slots=True)
class StatementSettings:
    """How one statement is to run: for at most ``seconds`` (None: as long as it takes), and whether several workers are to share it.

    ``auto`` leaves that to the server; ``always`` divides it wherever that is possible; ``never`` keeps it on the worker that was asked.
    ``time_zone``: what TIMESTAMP WITH TIME ZONE is read and shown in. ``session_id``: who keeps what the statement sets; None: nobody.
    """

    seconds: float | None = None
    distribute: Distribution = "auto"
    time_zone: str = UTC
    session_id: str | None = field(default=None, compare=False)


DEFAULT_SETTINGS = StatementSettings()


class Queries(Protocol):
    """Runs queries and knows about them. ``owner`` is who asks, ``""`` where nobody had to say who they are.

    Queries of other owners look to everybody as if they did not exist.
    """

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
        """Plans a statement and starts or queues it. ``parameters`` are values for its placeholders, in their order.

        ``runs``: instead, those of several runs, or of none. They are one query, with one result: the rows of one run after another's.
        ``ahead`` and ``purpose`` are those of ``messages.Submission``.
        """

    def plan_schema(
        self, sql: str, parameters: Sequence[pa.Scalar] | None = None, *, settings: StatementSettings = DEFAULT_SETTINGS
    ) -> pa.Schema:
        """Plans only. Without ``parameters``, placeholders count as NULL of the types that :meth:`prepare` tells."""

    def time_zone(self, name: str) -> str | None:
        """The time zone that is called so, as it spells itself; None if there is none."""

    def prepare(self, sql: str, *, settings: StatementSettings = DEFAULT_SETTINGS) -> StatementShape:
        """What can be told of a statement before the values of its placeholders are there. Raises what planning raises."""

    def read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled, abandon: bool) -> ResultStream:
        """Opens a result at a cursor; the iterator waits for rows that are not there yet.

        ``abandon``: if this reader goes away while the query runs, the query is killed. Closing the iterator is going away.
        Raises ``UnknownQuery`` for a query that the owner does not have.
        """

    def peek(self, ticket: PeekTicket, owner: str) -> PeekStream:
        """Looks at records that wait in an exchange of a running query; leases and consumes none."""

    def local_read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled, abandon: bool) -> ResultStream | None:
        """As ``read``, for a client of another worker: only what this worker has itself; None if it has no such query."""

    def local_peek(self, ticket: PeekTicket, owner: str) -> PeekStream | None:
        """As ``peek``, for a client of another worker: only what this worker has itself; None if it has no such query."""

    def status(self, query_id: str, owner: str) -> QueryStatus | None:
        """How a query is doing, or None if the owner has no such query."""

    def queries(self, owner: str, *, everything: bool = False, limit: int | None = None, before: float | None = None) -> list[QueryLine]:
        """The owner's queries, newest first, at most ``limit``, of those submitted ``before`` (Unix seconds) where that is given.

        Those with a purpose only if ``everything`` is asked for.
        """

    def kill(self, query_id: str, owner: str) -> QueryStatus | None:
        """Asks a query to stop, and returns its status; None if the owner has no such query. Killing an ended query changes nothing."""

    def drop(self, query_id: str, owner: str) -> QueryStatus | None:
        """Removes a query and its result at once, having killed it if it runs; its last status, or None if the owner has no such query."""

    def watch(self, query_id: str, owner: str, cancelled: Cancelled) -> Iterator[QueryStatus]:
        """The status now, at each change, and at last when the query has ended. Raises ``UnknownQuery``."""


class Tables(Protocol):
    """Knows the tables."""

    def tables(self, request: TableListRequest) -> list[TableStatus]:
        """The tables whose names match, sorted by name. Files are opened only if ``request.details``."""

    def schemas(self, pattern: str | None) -> Iterator[tuple[str, pa.Schema | None]]:
        """The tables whose names match a LIKE pattern (None: all), sorted by name, with the schema of ``SELECT *``.

        None for a table that cannot be read just now; the log says why.
        """


class Exchanges(Protocol):
    """Serves exchanges to other workers."""

    def pull(self, body: bytes, cancelled: Cancelled) -> ExchangeStream:
        """Opens a pull from an exchange; ``body`` is the whole ticket."""


class BetweenWorkers(Protocol):
    """Does what other workers ask."""

    def run(self, name: str, body: bytes) -> Iterator[bytes] | None:
        """Runs an action between workers; None if there is none of that name."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that the Flight face asks, of whom it asks it. ``workers`` gives all workers that are known."""

    queries: Queries
    tables: Tables
    exchanges: Exchanges
    between_workers: BetweenWorkers
    workers: Callable[[], list[WorkerStatus]]
