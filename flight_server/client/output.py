"""Results as files and streams in every format, batch by batch, never a whole result in memory.

The plain texts are in ``text_formats``, tables with a box in ``box_tables``; JSON, Arrow and Parquet are here. A text in a file whose
suffix ends in ``.gz`` or ``.zst`` is compressed so.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from flight_server.client.box_tables import write_tables
from flight_server.client.text_columns import JSON, as_text, plain
from flight_server.client.text_formats import write_csv, write_html, write_lines, write_markdown, write_tsv
from planner.errors import Status, VolleyError

Format = Literal["table", "line", "markdown", "html", "csv", "tsv", "json", "jsonl", "arrow", "arrows", "parquet"]
"""``line`` is each row as lines. ``arrow`` is the Arrow IPC file format, which needs a file; ``arrows`` the IPC stream, for a pipe."""

FORMATS: tuple[Format, ...] = get_args(Format)
BINARY: frozenset[Format] = frozenset(("arrow", "arrows", "parquet"))
ONE_RESULT: frozenset[Format] = BINARY | {"json"}
"""Formats of which a file holds one result; of the others, one can stand behind another."""
ROWS_PER_ROW_GROUP = 122_880
JSON_ROWS = 4_096

_SUFFIXES: dict[str, Format] = {
    ".txt": "table",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrows",
    ".parquet": "parquet",
}
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}


class OutputError(VolleyError):
    """A result cannot be written there."""

    status = Status.INVALID_ARGUMENT


class FileExists(OutputError):
    """There is a file already, and nobody said that it may go."""


def format_of(path: str | Path) -> Format | None:
    """The format that a file's suffix means, the one before ``.gz`` or ``.zst`` for texts; None if it means none."""
    path = Path(path)
    if compression_of(path) is None:
        return _SUFFIXES.get(path.suffix.lower())
    inner = _SUFFIXES.get(path.with_suffix("").suffix.lower())
    return None if inner in BINARY else inner


def refuse_compressing_twice(path: str | Path, format: Format | None = None) -> None:
    """Raises :class:`OutputError` if a file of that name, or of that format, would be compressed though its format is already."""
    found = format or _SUFFIXES.get(Path(path).with_suffix("").suffix.lower())
    if found in BINARY and compression_of(path) is not None:
        raise OutputError(f"{path}: {found} is not compressed once more", remedy=f"leave out {Path(path).suffix}")


def endings() -> list[str]:
    """How files may end, without the dot: the first suffix of each format, in the order in which people are told them."""
    first: dict[Format, str] = {}
    for suffix, format in _SUFFIXES.items():
        first.setdefault(format, suffix[1:])
    return list(first.values())


def compressed_endings() -> list[str]:
    """What may stand behind the ending of a text."""
    return list(_COMPRESSIONS)


def compression_of(path: str | Path) -> str | None:
    """How a text in a file of that name is compressed, as Arrow calls it; None if it is not."""
    return _COMPRESSIONS.get(Path(path).suffix.lower())


def would_replace(path: str | Path) -> bool:
    """Whether writing ``path`` would lose a file. A device or a pipe is written to, and loses nothing."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def refuse_to_replace(path: str | Path) -> None:
    """Raises :class:`FileExists` if writing ``path`` would lose a file."""
    if would_replace(path):
        raise FileExists(f"{path} exists", remedy="--force writes over it")


def write_file(batches: Iterable[pa.RecordBatch], schema: pa.Schema, format: Format, path: str | Path, *, replace: bool = True) -> int:
    """Writes ``path`` whole or not at all; returns the rows written.

    Raises :class:`OutputError`, and whatever ``batches`` raises. Without ``replace``, a file that is there, or has come while this
    was writing, stays, and :class:`FileExists` is raised.
    """
    target = Path(path)
    with whole_file(target, replace=replace) as sink, compressed(sink, target, format) as written:
        return write_stream(batches, schema, format, written)


@contextmanager
def whole_file(path: str | Path, *, replace: bool) -> Iterator[BinaryIO]:
    """A sink whose bytes become the file ``path`` when the context ends well, and nothing when it does not. Raises as ``write_file``."""
    target = Path(path)
    if not replace:
        refuse_to_replace(target)
    special = target.exists() and not would_replace(target)
    partial = target if special else target.parent / f".{target.name}.{secrets.token_hex(4)}"
    try:
        # Not by tempfile, whose files are private: the umask, which the system applies here, can be looked at only by setting it.
        handle = os.open(partial, os.O_WRONLY if special else os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as sink:
            yield sink
        if not special:
            if not replace:
                refuse_to_replace(target)
            os.replace(partial, target)
    except BaseException as error:
        if not special:
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise OutputError(f"cannot write {path}: {error.strerror}") from None
        raise


@contextmanager
def compressed(sink: BinaryIO, path: str | Path, format: Format) -> Iterator[BinaryIO]:
    """``sink``, or one that compresses what goes into it as the suffix of ``path`` says. Raises :class:`OutputError`."""
    refuse_compressing_twice(path, format)
    codec = compression_of(path)
    if codec is None:
        yield sink
        return
    with pa.CompressedOutputStream(pa.PythonFile(_Counted(sink), "w"), codec) as stream:
        yield stream


def write_stream(batches: Iterable[pa.RecordBatch], schema: pa.Schema, format: Format, sink: BinaryIO) -> int:
    """Writes all ``batches`` to ``sink``, which stays open; returns the rows written.

    What a format has no type for is written as text. Raises whatever ``batches`` and ``sink`` raise.
    """
    match format:
        case "json" | "jsonl":
            return _write_json(batches, schema, sink, lines=format == "jsonl")
        case "arrow" | "arrows":
            return _write_arrow(batches, schema, sink, stream=format == "arrows")
        case "parquet":
            return _write_parquet(batches, schema, sink)
        case _:
            return _TEXT_WRITERS[format](batches, schema, sink)


_TEXT_WRITERS: dict[Format, Callable[[Iterable[pa.RecordBatch], pa.Schema, BinaryIO], int]] = {
    "table": write_tables,
    "line": write_lines,
    "markdown": write_markdown,
    "html": write_html,
    "csv": write_csv,
    "tsv": write_tsv,
}


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
