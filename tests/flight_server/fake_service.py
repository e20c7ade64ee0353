"""A query service in memory, for tests of the Flight face: plain DuckDB behind the protocol, no files, no workers."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from flight_server.endpoints.server import VolleyServer
from flight_server.errors import ServerClosing, UnknownQuery
from flight_server.protocol.like import like
from flight_server.protocol.messages import (
    END,
    ENDED,
    BatchPlace,
    ColumnStatus,
    Cursor,
    ErrorInfo,
    PeekTicket,
    QueryLine,
    QueryStatus,
    ResultTicket,
    RowGroupStatus,
    TableListRequest,
    TableStatus,
    WorkerStatus,
)
from flight_server.protocol.service import (
    DEFAULT_SETTINGS,
    Accepted,
    Cancelled,
    ExchangeStream,
    PeekStream,
    ResultStream,
    Services,
    StatementSettings,
    StatementShape,
)
from operators.errors import Interrupted, KernelError
from planner.errors import NotReadOnly, SqlSyntaxError, UnknownTable
from planner.physical import SessionChange

ROWS_PER_GROUP = 1000


@dataclass
class FakeQuery:
    status: QueryStatus
    schema: pa.Schema
    groups: list[pa.RecordBatch]
    endless: bool = False
    ahead: int | None = None
    killed: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)

    def read_to(self, group: int) -> None:
        """A reader has come to a row group: a look goes on to those that are ahead of it."""
        if self.ahead is None or self.status.state in ENDED:
            return
        made = self.groups[: group + 1 + self.ahead]
        held = len(made) < len(self.groups)
        self.status.state, self.status.ended_at = ("running", None) if held else ("completed", time.time())
        self.status.result.held, self.status.result.closed = held, not held
        self.status.result.rows = max(self.status.result.rows, sum(part.num_rows for part in made))


def line_of(status: QueryStatus) -> QueryLine:
    """The line of ``query.list`` that says the same in short."""
    return msgspec.convert(msgspec.to_builtins(status), QueryLine)


class FakeService:
    """Runs statements at once. ``SELECT 'endless'`` never gets past its first row group until it is killed.

    ``fail`` is raised by every method, for tests of errors. ``draining`` refuses new queries, and nothing else. ``planned``: what was
    planned, also for a schema alone. ``looks``: the ``ahead`` of those queries that were submitted with one; they wait for their readers.
    ``settings``: those of the statement that was submitted last. ``changes``: what statements set for their session.
    """

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("CREATE TABLE numbers AS SELECT range AS n, 'row ' || range AS name FROM range(2500)")
        self._connection.execute("CREATE TABLE \"odd name\" AS SELECT 1 AS a, DATE '2026-11-24' AS b")
        self._queries: dict[str, FakeQuery] = {}
        self.fail: Exception | None = None
        self.draining = False
        self.actions: list[tuple[str, bytes]] = []
        self.planned: list[str] = []
        self.looks: dict[str, int] = {}
        self.settings = DEFAULT_SETTINGS
        self.changes: dict[str, SessionChange] = {}

    def add_table(self, statement: str) -> None:
        """One table more, by a statement that makes it."""
        self._connection.execute(statement)

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
        self.settings = settings
        if self.draining:
            raise ServerClosing("the server is shutting down and takes no new queries")
        tables = [self._run(sql, parameters)] if runs is None else [self._run(sql, values) for values in runs]
        table = pa.concat_tables(tables).combine_chunks() if tables else self.plan_schema(sql).empty_table()
        groups = table.to_batches(max_chunksize=ROWS_PER_GROUP)
        query_id = secrets.token_hex(16)
        status = QueryStatus(query_id, sql, "completed", owner, "w0", time.time(), time.time(), time.time(), 1.0)
        status.purpose = purpose
        if ahead is not None:
            self.looks[query_id] = ahead
        status.result.rows, status.result.closed, status.result.expires_at = table.num_rows, True, time.time() + 3600
        status.result.row_groups = [RowGroupStatus(0, index, group.num_rows) for index, group in enumerate(groups)]
        query = FakeQuery(status, table.schema, groups, endless="endless" in sql, ahead=ahead)
        if query.endless:
            status.state, status.ended_at, status.result.closed = "running", None, False
        elif ahead is not None:
            status.state, status.result.rows = "running", 0
            query.read_to(-1)
        self._queries[query_id] = query
        return Accepted(query_id, table.schema, self.changes.get(sql))

    def plan_schema(
        self, sql: str, parameters: Sequence[pa.Scalar] | None = None, *, settings: StatementSettings = DEFAULT_SETTINGS
    ) -> pa.Schema:
        return self._run(sql, parameters if parameters is not None else pa.nulls(self._parameter_count(sql))).schema

    def time_zone(self, name: str) -> str | None:
        return name if name in ("UTC", "Europe/Berlin", "Asia/Kathmandu") else None

    def prepare(self, sql: str, *, settings: StatementSettings = DEFAULT_SETTINGS) -> StatementShape:
        types = (pa.string(),) * self._parameter_count(sql)
        try:
            return StatementShape(types, self.plan_schema(sql))
        except KernelError:
            if not types:
                raise
            return StatementShape(types, None)

    def _parameter_count(self, sql: str) -> int:
        self._check()
        try:
            return len(duckdb.extract_statements(sql)[0].named_parameters)
        except duckdb.ParserException as error:
            raise SqlSyntaxError(str(error).split("\n")[0]) from error

    def read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled, abandon: bool) -> ResultStream:
        query = self._find(ticket.query_id, owner)
        return ResultStream(query.schema, self._batches(query, ticket, cancelled, abandon))

    def peek(self, ticket: PeekTicket, owner: str) -> PeekStream:
        query = self._find(ticket.query_id, owner)
        return PeekStream(query.schema, iter(query.groups[: ticket.peek]))

    local_read = read
    local_peek = peek

    def status(self, query_id: str, owner: str) -> QueryStatus | None:
        self._check()
        query = self._queries.get(query_id)
        return query.status if query is not None and query.status.owner == owner else None

    def queries(self, owner: str, *, everything: bool = False, limit: int | None = None, before: float | None = None) -> list[QueryLine]:
        self._check()
        known = [query.status for query in reversed(self._queries.values()) if query.status.owner == owner]
        page = [status for status in known if before is None or status.submitted_at < before]
        return [line_of(status) for status in page if everything or not status.purpose][:limit]

    def kill(self, query_id: str, owner: str) -> QueryStatus | None:
        self._check()
        query = self._queries.get(query_id)
        if query is None or query.status.owner != owner:
            return None
        if query.status.state == "running":
            query.status.state, query.status.error = "killed", ErrorInfo("CANCELLED", "killed by its user")
        query.killed.set()
        return query.status

    def drop(self, query_id: str, owner: str) -> QueryStatus | None:
        status = self.kill(query_id, owner)
        if status is not None:
            del self._queries[query_id]
        return status

    def watch(self, query_id: str, owner: str, cancelled: Cancelled) -> Iterator[QueryStatus]:
        query = self._find(query_id, owner)
        yield query.status
        while query.endless and not query.killed.wait(0.01):
            if cancelled():
                return
        if query.endless:
            yield query.status

    def workers(self) -> list[WorkerStatus]:
        self._check()
        return [WorkerStatus("w0", "grpc://127.0.0.1:1", 1, 2)]

    def tables(self, request: TableListRequest) -> list[TableStatus]:
        self._check()
        columns = [ColumnStatus("n", "BIGINT")] if request.details else []
        return [TableStatus(name, "default", columns) for name in self._matching(request.pattern)]

    def schemas(self, pattern: str | None) -> Iterator[tuple[str, pa.Schema | None]]:
        self._check()
        for name in self._matching(pattern):
            yield name, None if name == "unreadable" else self._run(f'SELECT * FROM "{name}"', None).schema

    def _matching(self, pattern: str | None) -> list[str]:
        return [name for name in ("numbers", "odd name", "unreadable") if like("%" if pattern is None else pattern).fullmatch(name)]

    def pull(self, body: bytes, cancelled: Cancelled) -> ExchangeStream:
        self._check()
        batch = pa.record_batch({"ticket": [body.decode()]})
        return ExchangeStream(batch.schema, iter([(batch, b"lease")]))

    def run(self, name: str, body: bytes) -> Iterator[bytes] | None:
        self._check()
        self.actions.append((name, body))
        return iter([b"done"]) if name == "exchange.ack" else None

    def let_go(self, query_id: str) -> bool:
        """Waits until a reader of a query has gone; whether one has."""
        return self._queries[query_id].left.wait(10)

    def _check(self) -> None:
        if self.fail is not None:
            raise self.fail

    def _find(self, query_id: str, owner: str) -> FakeQuery:
        self._check()
        query = self._queries.get(query_id)
        if query is None or query.status.owner != owner:
            raise UnknownQuery(query_id)
        return query

    def _run(self, sql: str, parameters: Sequence[pa.Scalar] | None) -> pa.Table:
        self._check()
        self.planned.append(sql)
        if sql.strip().split(" ")[0].upper() in ("DROP", "INSERT", "CREATE", "DELETE", "UPDATE"):
            raise NotReadOnly("the statement would change something", remedy="this server is read-only")
        try:
            return self._connection.cursor().sql(sql, params=[value.as_py() for value in parameters or ()] or None).to_arrow_table()
        except duckdb.CatalogException as error:
            raise UnknownTable(str(error).split("\n")[0]) from error
        except duckdb.ParserException as error:
            raise SqlSyntaxError(str(error).split("\n")[0]) from error
        except duckdb.Error as error:
            raise KernelError(str(error).split("\n")[0]) from error

    def _batches(
        self, query: FakeQuery, ticket: ResultTicket, cancelled: Callable[[], bool], abandon: bool
    ) -> Iterator[tuple[pa.RecordBatch, BatchPlace]]:
        try:
            last = len(query.groups) - 1
            first, left = len(query.groups) if ticket.cursor == END else ticket.cursor.row_group, ticket.limit
            if ticket.cursor == END:
                query.read_to(last)
            for index in range(first, len(query.groups)) if ticket.follow else [first] if first <= last else []:
                row = ticket.cursor.row if index == first else 0
                query.read_to(index)
                after = Cursor(0, index + 1, 0) if index < last or query.endless else None
                batch = query.groups[index].slice(row)
                if left is not None and left <= batch.num_rows:
                    yield (
                        batch.slice(0, left),
                        BatchPlace(Cursor(0, index, row), after if left == batch.num_rows else Cursor(0, index, row + left)),
                    )
                    return
                left = None if left is None else left - batch.num_rows
                yield batch, BatchPlace(Cursor(0, index, row), after)
            while ticket.follow and query.endless:
                if query.killed.wait(0.01):
                    raise Interrupted("the query was killed by its user")
                if cancelled():
                    return
        finally:
            if abandon and query.status.state == "running":
                self.kill(query.status.query_id, query.status.owner)
            query.left.set()


class Served:
    """A fake service behind a real server on a free port, for a ``with`` block."""

    def __init__(self, **options: Any) -> None:
        self.service = FakeService()
        self.services = Services(self.service, self.service, self.service, self.service, self.service.workers)
        self.server = VolleyServer(self.services, version="9.9", **options)
        self.uri = self.server.uri

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
