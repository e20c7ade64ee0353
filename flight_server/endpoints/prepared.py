"""Prepared statements: a SQL text under a handle, with the values that a client has bound to its placeholders."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
import pyarrow.flight as flight
from cachetools import LRUCache

from flight_server.errors import BadRequest, UnknownHandle, shorten

MAX_STATEMENTS = 4096
MAX_PARAMETER_ROWS = 10_000
MAX_PARAMETER_BYTES = 64 << 20

Values = tuple[pa.Scalar, ...]


class Bound(NamedTuple):
    """What a statement is to run with: ``values``, or several ``runs`` with values of their own, or none; nothing, without placeholders."""

    values: Values | None = None
    runs: list[Values] | None = None


@dataclass(slots=True)
class PreparedStatement:
    """One statement of one owner, with the types that were announced for its parameters.

    ``rows`` is None until values are bound; a statement runs once for each row.
    """

    handle: str
    sql: str
    owner: str
    types: tuple[pa.DataType, ...]
    rows: list[Values] | None = None

    def bound(self) -> Bound:
        """What to run with. Raises ``BadRequest`` if the statement has placeholders and no values were bound."""
        if not self.types:
            return Bound()
        if self.rows is None:
            raise BadRequest(f"the statement has {_parameters(self.types)}, but no values were bound", remedy="bind one value for each")
        return Bound(self.rows[0]) if len(self.rows) == 1 else Bound(runs=self.rows)


class PreparedStatements:
    """All prepared statements of a server, at most ``limit``: then the longest unused one is closed. Thread-safe."""

    def __init__(self, limit: int = MAX_STATEMENTS) -> None:
        self._lock = threading.Lock()
        self._statements: LRUCache[str, PreparedStatement] = LRUCache(limit)

    def add(self, sql: str, owner: str, types: tuple[pa.DataType, ...]) -> PreparedStatement:
        """A new statement under a new handle."""
        statement = PreparedStatement(secrets.token_hex(16), sql, owner, types)
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

    def bind(self, handle: bytes, owner: str, values: pa.Table) -> None:
        """Binds rows of values, by the places of their columns. Raises ``BadRequest`` if there are not as many as placeholders."""
        statement = self.get(handle, owner)
        if values.num_columns != len(statement.types):
            given = f"{values.num_columns} value{' was' if values.num_columns == 1 else 's were'} bound"
            raise BadRequest(f"the statement has {_parameters(statement.types)}, but {given}", remedy="bind one value for each")
        rows = _rows(values, statement.types)
        with self._lock:
            statement.rows = rows

    def close(self, handle: bytes, owner: str) -> None:
        """Forgets a statement; of one that is not there, nothing needs to be forgotten."""
        with self._lock:
            statement = self._statements.get(handle.decode("ascii", "replace"))
            if statement is not None and statement.owner == owner:
                del self._statements[statement.handle]

    def __len__(self) -> int:
        with self._lock:
            return len(self._statements)


def parameter_values(reader: flight.MetadataRecordBatchReader) -> pa.Table:
    """The rows that a client sends with DoPut. Raises ``BadRequest`` if they are too many, or not what Arrow's format says."""
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for chunk in reader:
        if chunk.data is None:
            continue
        rows, size = rows + chunk.data.num_rows, size + chunk.data.nbytes
        if rows > MAX_PARAMETER_ROWS or size > MAX_PARAMETER_BYTES:
            raise BadRequest(
                f"a statement can be run with at most {MAX_PARAMETER_ROWS} rows of parameters ({MAX_PARAMETER_BYTES >> 20} MiB) at once",
                remedy="send them in several calls",
            )
        try:
            for column in chunk.data.columns:
                column.validate(full=not pa.types.is_time(column.type))  # Arrow knows no 24:00, and SQL does
        except pa.ArrowInvalid as error:
            raise BadRequest(f"the values of the parameters are damaged: {shorten(str(error))}") from error
        batches.append(chunk.data)
    return pa.Table.from_batches(batches, reader.schema)


def _rows(values: pa.Table, types: tuple[pa.DataType, ...]) -> list[Values]:
    """The rows, one for a statement without parameters; a NULL that came without a type has the announced one."""
    columns = [
        pa.nulls(len(column), kind) if pa.types.is_null(column.type) else column for column, kind in zip(values.columns, types, strict=True)
    ]
    return list(zip(*columns, strict=True)) if columns else [()]


def _parameters(types: tuple[pa.DataType, ...]) -> str:
    return f"{len(types)} parameter{'' if len(types) == 1 else 's'}"
