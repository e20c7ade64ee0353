"""What the terminal UI asks of a server: the part of ``flight_server.client.client.Client`` that it uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from flight_server.client import Submitted
from flight_server.protocol.messages import BatchPlace, QueryLine, QueryStatus, ResultTicket, TableStatus, WorkerStatus


class Server(Protocol):
    """A connection to a server; thread-safe. Every method may wait, and raises ``VolleyError`` when the server says no."""

    def submit(self, sql: str) -> Submitted: ...

    def query(self, sql: str) -> pa.Table: ...

    def schema(self, sql: str) -> pa.Schema: ...

    def read(self, ticket: ResultTicket, /) -> Iterator[tuple[pa.RecordBatch, BatchPlace]]: ...

    def status(self, query_id: str) -> QueryStatus | None: ...

    def queries(self, *, timeout: float = ...) -> list[QueryLine]: ...

    def kill(self, query_id: str) -> QueryStatus | None: ...

    def workers(self, *, timeout: float = ...) -> list[WorkerStatus]: ...

    def tables(self) -> list[TableStatus]: ...

    def peek(self, query_id: str, exchange: str, records: int, /) -> Sequence[pa.RecordBatch]: ...

    def close(self) -> None: ...
