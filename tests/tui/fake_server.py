"""A server in memory for the tests of the terminal UI: DuckDB behind the client's methods, and its troubles on demand."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import duckdb
import msgspec
import pyarrow as pa

from flight_server.client import Submitted
from flight_server.protocol.messages import (
    BatchPlace,
    ColumnStatus,
    Cursor,
    ErrorInfo,
    InstanceStatus,
    OperatorStatus,
    QueryLine,
    QueryStatus,
    ResultStatus,
    ResultTicket,
    RowGroupStatus,
    TableStatus,
    WorkerStatus,
)
from planner.errors import Position, SqlSyntaxError, Status, VolleyError
from tests.flight_server.fake_service import line_of


class Unreachable(VolleyError):
    status = Status.UNAVAILABLE


@dataclass
class FakeServer:
    """``held``: new queries stay running with half of their rows until :meth:`release`. ``down``: nothing answers.

    A query with ``ahead`` makes only so many row groups beyond those that were read, then waits for its reader, as with the real server.
    """

    tables_: dict[str, pa.Table] = field(default_factory=dict)
    rows_per_group: int = 1000
    held: bool = False
    down: bool = False
    results: dict[str, pa.Table] = field(default_factory=dict)
    statuses: dict[str, QueryStatus] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    ahead: dict[str, int] = field(default_factory=dict)
    furthest: dict[str, int] = field(default_factory=dict)
    reads: list[ResultTicket] = field(default_factory=list)
    peeked: list[pa.RecordBatch] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def _run(self, sql: str) -> pa.Table:
        self._answer()
        connection = duckdb.connect()
        for name, table in self.tables_.items():
            connection.register(name, table)
        if "!" in sql:
            raise SqlSyntaxError("unexpected '!'", sql=sql, position=_position(sql, "!"))
        try:
            return connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise VolleyError(str(error)) from error

    def _answer(self) -> None:
        if self.down:
            raise Unreachable("cannot reach a server at fake", remedy="is one running there?")

    def submit(self, sql: str, *, ahead: int | None = None, purpose: str | None = None) -> Submitted:
        table = self._run(sql)
        query_id = f"q{next(self._numbers)}"
        self.results[query_id] = table
        if self.held:
            self.statuses[query_id] = self._status(query_id, sql, "running", table.num_rows // 2)
        else:
            if ahead is not None:
                self.ahead[query_id] = ahead
            self._make(query_id, sql, -1)
        if purpose is not None:
            self.statuses[query_id].purpose = purpose
        return Submitted(query_id, table.schema, ResultTicket(query_id, follow=True))

    def _make(self, query_id: str, sql: str, read: int) -> None:
        """Makes as many row groups as may be made when the ``read``-th has been read; all of what is no look."""
        total = self.results[query_id].num_rows
        self.furthest[query_id] = max(read, self.furthest.get(query_id, -1))
        groups = total if query_id not in self.ahead else max(0, self.furthest[query_id] + 1 + self.ahead[query_id])
        made = min(total, groups * self.rows_per_group)
        purpose = self.statuses[query_id].purpose if query_id in self.statuses else ""
        self.statuses[query_id] = self._status(query_id, sql, "completed" if made == total else "running", made, held=made < total)
        self.statuses[query_id].purpose = purpose

    def _status(self, query_id: str, sql: str, state: str, rows: int, *, held: bool = False) -> QueryStatus:
        table = self.results[query_id]
        starts = range(0, rows, self.rows_per_group)
        groups = [RowGroupStatus(0, number, min(self.rows_per_group, rows - start)) for number, start in enumerate(starts)]
        now = time.time()
        return QueryStatus(
            query_id,
            sql,
            state,  # type: ignore[arg-type]
            owner="ada",
            submitted_at=now,
            started_at=now,
            ended_at=now if state == "completed" else None,
            progress=1.0 if state == "completed" else 0.5,
            result=ResultStatus(rows, table.nbytes * rows // max(1, table.num_rows), groups, state == "completed", held=held),
            operators=OPERATORS,
        )

    def release(self, query_id: str) -> None:
        old = self.statuses[query_id]
        self.statuses[query_id] = self._status(query_id, old.sql, "completed", self.results[query_id].num_rows)

    def make_all(self, query_id: str, *, timeout: float | None = None) -> None:
        self._answer()
        self.ahead.pop(query_id, None)
        self._make(query_id, self.statuses[query_id].sql, 0)

    def drop(self, query_id: str) -> QueryStatus | None:
        self._answer()
        self.dropped.append(query_id)
        return self.statuses.pop(query_id, None)

    def query(self, sql: str) -> pa.Table:
        return self._run(sql)

    def schema(self, sql: str) -> pa.Schema:
        return self._run(sql).schema

    def read(self, ticket: ResultTicket, /) -> Iterator[tuple[pa.RecordBatch, BatchPlace]]:
        self._answer()
        self.reads.append(ticket)
        table = self.results[ticket.query_id]
        if ticket.query_id in self.ahead and self.statuses[ticket.query_id].state == "running":
            read = table.num_rows // self.rows_per_group if ticket.follow else ticket.cursor.row_group
            self._make(ticket.query_id, self.statuses[ticket.query_id].sql, read)
        start = ticket.cursor.row_group * self.rows_per_group + ticket.cursor.row
        end = table.num_rows if ticket.follow else min(table.num_rows, (ticket.cursor.row_group + 1) * self.rows_per_group)
        if ticket.limit is not None:
            end = min(end, start + ticket.limit)
        for batch in table.slice(start, end - start).to_batches(max_chunksize=500):
            yield batch, BatchPlace(Cursor(0, 0, 0), None)

    def status(self, query_id: str) -> QueryStatus | None:
        self._answer()
        return self.statuses.get(query_id)

    def queries(self, *, everything: bool = False, limit: int | None = None, timeout: float = 1.0) -> list[QueryLine]:
        self._answer()
        return [line_of(status) for status in reversed(self.statuses.values()) if everything or not status.purpose][:limit]

    def kill(self, query_id: str) -> QueryStatus | None:
        self._answer()
        self.killed.append(query_id)
        old = self.statuses[query_id]
        self.statuses[query_id] = msgspec.structs.replace(old, state="killed", error=ErrorInfo("CANCELLED", "killed by its owner"))
        return self.statuses[query_id]

    def workers(self, *, timeout: float = 1.0) -> list[WorkerStatus]:
        self._answer()
        return WORKERS

    def tables(self) -> list[TableStatus]:
        self._answer()
        return [
            TableStatus(name, "default", [ColumnStatus(f.name, str(f.type)) for f in table.schema], table.num_rows, 1, table.nbytes)
            for name, table in self.tables_.items()
        ]

    def peek(self, query_id: str, exchange: str, records: int, /) -> list[pa.RecordBatch]:
        self._answer()
        return self.peeked[:records]

    def close(self) -> None:
        return


OPERATORS = [
    OperatorStatus("result", "result", "result", "running", ["final"], rows=500),
    OperatorStatus("final", "producer", "final", "running", ["exchange-1"], records_total=4, records_done=1, rows=500, seconds=0.5),
    OperatorStatus("exchange-1", "exchange", "hash(l_orderkey)", "running", ["scan"], queue_depth=3, leases=2, rows=9000, bytes=1_200_000),
    OperatorStatus(
        "scan",
        "producer",
        "scan lineitem",
        "completed",
        records_total=8,
        records_done=8,
        rows=60_000,
        bytes=5_000_000,
        retries=1,
        seconds=2.5,
        instances=[
            InstanceStatus("w1", 6, 50_000, 4_000_000, 2.2, state="completed"),
            InstanceStatus("w2", 2, 10_000, 1_000_000, 0.3, state="completed"),
        ],
    ),
]

WORKERS = [
    WorkerStatus("w1", "grpc://127.0.0.1:8815", 41, 4, 3, 8 << 30, 2 << 30, 93.0, 64 << 20, 1),
    WorkerStatus("w2", "grpc://127.0.0.1:8816", 42, 4, 0, 8 << 30, 1 << 30, 5.0, 0, 0, "lost"),
]


def _position(sql: str, needle: str) -> Position:
    before = sql[: sql.index(needle)]
    return Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
