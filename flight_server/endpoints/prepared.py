"""Prepared statements: a SQL text under a handle, with the values that a client has bound to its placeholders."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.flight as flight
from cachetools import LRUCache

from flight_server.errors import BadRequest, UnknownHandle

MAX_STATEMENTS = 4096
MAX_EXECUTIONS = 16
MAX_PARAMETER_ROWS = 10_000
MAX_PARAMETER_BYTES = 64 << 20

Values = tuple[object, ...]


@dataclass(slots=True)
class PreparedStatement:
    """One statement of one owner. ``rows`` is None until values are bound; a statement runs once for each row."""

    handle: str
    sql: str
    owner: str
    parameters: int
    rows: list[Values] | None = None
    executions: LRUCache[str, list[Values]] = field(default_factory=lambda: LRUCache(MAX_EXECUTIONS))

    def bound(self) -> list[Values]:
        """The rows to run with. Raises ``BadRequest`` if the statement has placeholders and none were bound."""
        if self.rows is not None:
            return self.rows
        if self.parameters:
            raise BadRequest(f"the statement has {self.parameters} parameters, but no values were bound to them")
        return [()]

    def freeze(self) -> str:
        """Remembers the rows as bound now, for one execution; returns its name."""
        name = secrets.token_hex(8)
        self.executions[name] = self.bound()
        return name


class PreparedStatements:
    """All prepared statements of a server, at most ``limit``: then the longest unused one is closed. Thread-safe."""

    def __init__(self, limit: int = MAX_STATEMENTS) -> None:
        self._lock = threading.Lock()
        self._statements: LRUCache[str, PreparedStatement] = LRUCache(limit)

    def add(self, sql: str, owner: str, parameters: int) -> PreparedStatement:
        """A new statement under a new handle."""
        statement = PreparedStatement(secrets.token_hex(16), sql, owner, parameters)
        with self._lock:
            self._statements[statement.handle] = statement
        return statement

    def get(self, handle: bytes, owner: str) -> PreparedStatement:
        """The statement. Raises ``UnknownHandle`` if the owner has none of that handle."""
        name = handle.decode("ascii", "replace")
        with self._lock:
            statement = self._statements.get(name)
            if statement is not None and statement.owner == owner:
                return statement
        raise UnknownHandle("there is no such prepared statement", remedy="prepare it again: it was closed, or the server was restarted")

    def bind(self, handle: bytes, owner: str, rows: list[Values]) -> None:
        """Binds rows of values. Raises ``BadRequest`` if there are not as many as the statement has placeholders."""
        statement = self.get(handle, owner)
        wrong = next((row for row in rows if len(row) != statement.parameters), None)
        if wrong is not None:
            raise BadRequest(f"the statement has {statement.parameters} parameters, but {len(wrong)} values were bound")
        with self._lock:
            statement.rows = rows

    def freeze(self, handle: bytes, owner: str) -> str:
        """Remembers the bound rows for one execution; returns its name."""
        statement = self.get(handle, owner)
        with self._lock:
            return statement.freeze()

    def execution(self, handle: bytes, owner: str, name: str) -> list[Values]:
        """The rows of an execution. Raises ``UnknownHandle`` if it is too long ago."""
        statement = self.get(handle, owner)
        with self._lock:
            rows = statement.executions.get(name)
        if rows is None:
            raise UnknownHandle("this execution of the prepared statement is no longer known", remedy="execute it again")
        return rows

    def close(self, handle: bytes, owner: str) -> None:
        """Forgets a statement; of one that is not there, nothing needs to be forgotten."""
        with self._lock:
            statement = self._statements.get(handle.decode("ascii", "replace"))
            if statement is not None and statement.owner == owner:
                del self._statements[statement.handle]

    def __len__(self) -> int:
        with self._lock:
            return len(self._statements)


def parameter_rows(reader: flight.MetadataRecordBatchReader) -> list[Values]:
    """The rows that a client sends with DoPut, as Python values. Raises ``BadRequest`` if they are too many."""
    rows: list[Values] = []
    size = 0
    for chunk in reader:
        if chunk.data is None:
            continue
        size += chunk.data.nbytes
        if len(rows) + chunk.data.num_rows > MAX_PARAMETER_ROWS or size > MAX_PARAMETER_BYTES:
            raise BadRequest(
                f"a statement can be run with at most {MAX_PARAMETER_ROWS} rows of parameters ({MAX_PARAMETER_BYTES >> 20} MiB) at once",
                remedy="send them in several calls",
            )
        rows.extend(_rows(chunk.data))
    return rows


def _rows(batch: pa.RecordBatch) -> Iterator[Values]:
    columns = [column.to_pylist() for column in batch.columns]
    return iter(zip(*columns, strict=True)) if columns else iter([()] * batch.num_rows)
