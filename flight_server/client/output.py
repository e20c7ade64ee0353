"""Results as files and streams: CSV, JSON, JSON lines, Arrow and Parquet, batch by batch, never a whole result in memory."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from flight_server.client.text_columns import JSON, as_text, plain
from planner.errors import Status, VolleyError

Format = Literal["csv", "json", "jsonl", "arrow", "arrows", "parquet"]
"""``arrow`` is the Arrow IPC file format, which needs a file; ``arrows`` the IPC stream, which a pipe can take."""

FORMATS: tuple[Format, ...] = get_args(Format)
BINARY: frozenset[Format] = frozenset(("arrow", "arrows", "parquet"))
ROWS_PER_ROW_GROUP = 122_880
JSON_ROWS = 4_096

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrows",
    ".parquet": "parquet",
}


class OutputError(VolleyError):
    """A result cannot be written there."""

    status = Status.INVALID_ARGUMENT


def format_of(path: str | Path) -> Format | None:
    """The format that a file's suffix means, or None."""
    return _SUFFIXES.get(Path(path).suffix.lower())


def write_file(batches: Iterable[pa.RecordBatch], schema: pa.Schema, format: Format, path: str | Path) -> int:
    """Writes ``path`` whole or not at all; returns the rows written. Raises :class:`OutputError`, and whatever ``batches`` raises."""
    target = Path(path)
    partial = target.parent / f".{target.name}.{secrets.token_hex(4)}"
    try:
        # Not by tempfile, whose files are private: the umask, which the system applies here, can be looked at only by setting it.
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as sink:
            rows = write_stream(batches, schema, format, sink)
        os.replace(partial, target)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OutputError(f"cannot write {path}: {error.strerror}") from None
        raise
    return rows


def write_stream(batches: Iterable[pa.RecordBatch], schema: pa.Schema, format: Format, sink: BinaryIO) -> int:
    """Writes all ``batches`` to ``sink``, which stays open; returns the rows written.

    What a format has no type for is written as text. Raises whatever ``batches`` and ``sink`` raise.
    """
    match format:
        case "csv":
            return _write_csv(batches, schema, sink)
        case "json" | "jsonl":
            return _write_json(batches, schema, sink, lines=format == "jsonl")
        case "arrow" | "arrows":
            return _write_arrow(batches, schema, sink, stream=format == "arrows")
        case "parquet":
            return _write_parquet(batches, schema, sink)


def distinct_names(names: Iterable[str]) -> list[str]:
    """``names`` with ``_1``, ``_2`` … behind those that were there before, for formats in which a name stands once."""
    seen: set[str] = set()
    result = []
    for name in names:
        unique, count = name, 0
        while unique in seen:
            count += 1
            unique = f"{name}_{count}"
        seen.add(unique)
        result.append(unique)
    return result


def _write_csv(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO) -> int:
    """RFC 4180 with line feeds: quotes only where needed, NULL is nothing, and the empty string ``""``."""
    names = _quoted(pa.array(schema.names, pa.string())).to_pylist()
    sink.write((",".join(names) + "\n").encode())
    rows = 0
    for batch in batches:
        if batch.num_rows == 0:
            continue
        columns = [as_text(column) if _is_plain(column.type) else _quoted(as_text(column)) for column in batch.columns]
        lines = pc.binary_join_element_wise(*columns, ",", null_handling="replace", null_replacement="")
        one = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
        sink.write(pc.binary_join(one, "\n")[0].as_buffer())
        sink.write(b"\n")
        rows += batch.num_rows
    return rows


def _is_plain(kind: pa.DataType) -> bool:
    """Whether the type's texts never need quotes."""
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind) or pt.is_boolean(kind) or pt.is_temporal(kind))


def _quoted(text: pa.StringArray) -> pa.StringArray:
    needed = pc.match_substring_regex(text, '^$|[,"\\r\\n]')
    if not pc.any(needed).as_py():
        return text
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(needed, quoted, text)


def _write_json(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO, *, lines: bool) -> int:
    """One object a row: one a line, or the lines as one array. NaN and infinities, which JSON has not, become null."""
    names = distinct_names(schema.names)
    between = b"\n" if lines else b",\n"
    rows = 0
    if not lines:
        sink.write(b"[")
    for batch in _sliced(batches, JSON_ROWS):
        if rows:
            sink.write(between)
        elif not lines:
            sink.write(b"\n")
        columns = [_json_values(column) for column in batch.columns]
        sink.write(between.join(JSON.encode(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)))
        rows += batch.num_rows
    if not lines:
        sink.write(b"\n]\n" if rows else b"]\n")
    elif rows:
        sink.write(b"\n")
    return rows


def _json_values(column: pa.Array) -> list[object]:
    kind = column.type
    if pt.is_boolean(kind) or pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind) or pt.is_string(kind):
        return list(column.to_pylist())
    if pt.is_nested(kind) and not pt.is_union(kind):
        return [plain(value) for value in column.to_pylist()]
    return list(as_text(column).to_pylist())


def _sliced(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, rows):
            yield batch.slice(start, rows)


def _write_arrow(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO, *, stream: bool) -> int:
    rows = 0
    open_writer = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.PythonFile(_Counted(sink), "w") as file, open_writer(file, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _write_parquet(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: BinaryIO) -> int:
    storable = pa.schema([field if _in_parquet(field.type) else pa.field(field.name, pa.string()) for field in schema])
    rows = 0
    with pa.PythonFile(_Counted(sink), "w") as file, pq.ParquetWriter(file, storable, compression="zstd") as writer:
        for table in _groups(batches, schema, storable):
            writer.write_table(table, row_group_size=ROWS_PER_ROW_GROUP)
            rows += table.num_rows
    return rows


def _groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema, storable: pa.Schema) -> Iterator[pa.Table]:
    """The rows gathered into tables of ``ROWS_PER_ROW_GROUP`` rows each, the last one with the rest."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        start = 0
        while count + batch.num_rows - start >= ROWS_PER_ROW_GROUP:
            taken = ROWS_PER_ROW_GROUP - count
            waiting.append(_as_stored(batch.slice(start, taken), schema, storable))
            yield pa.Table.from_batches(waiting, storable)
            waiting, count, start = [], 0, start + taken
        if start < batch.num_rows:
            waiting.append(_as_stored(batch.slice(start), schema, storable))
            count += batch.num_rows - start
    if waiting:
        yield pa.Table.from_batches(waiting, storable)


def _as_stored(batch: pa.RecordBatch, schema: pa.Schema, storable: pa.Schema) -> pa.RecordBatch:
    if schema.equals(storable):
        return batch
    columns = [
        column if was.type == will.type else as_text(column) for column, was, will in zip(batch.columns, schema, storable, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=storable)


def _in_parquet(kind: pa.DataType) -> bool:
    """Whether Parquet has a place for the type; intervals and unions have none."""
    if pt.is_interval(kind) or pt.is_union(kind):
        return False
    if pt.is_dictionary(kind):
        return _in_parquet(kind.value_type)
    return all(_in_parquet(kind.field(index).type) for index in range(kind.num_fields))


class _Counted:
    """A binary sink that knows how far it is: Arrow's writers ask, and a pipe could not tell. Closing it leaves the sink open."""

    closed = False

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._written = 0

    def write(self, data: bytes) -> int:
        self._sink.write(data)
        self._written += memoryview(data).nbytes
        return memoryview(data).nbytes

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        self._sink.flush()

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True
