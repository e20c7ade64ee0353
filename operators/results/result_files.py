"""A result on storage: ``results/<query_id>/`` with data files and, last of all, the manifest ``result.json``.

A result without a manifest does not exist, so that only the manifest has to appear at once; data files may be seen half-written.

Data files are Parquet where Parquet gives back exactly the Arrow types that went in (columns are named by their number there:
names of a result may repeat). A schema with any other type (nested, dictionary, interval, view, extension …) is stored as
``.arrow`` files: one Arrow IPC stream after another, one for each row group, whose offsets the manifest knows.
"""

from __future__ import annotations

import errno
import itertools
import os
import posixpath
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from operators.errors import StorageAway, StorageError

MANIFEST_NAME = "result.json"
ALIVE_NAME = "alive"
READ_NAME = "read"
RESULTS_FOLDER = "results"
PAUSES_SECONDS = (0.2, 0.5, 1.0)
_PASSING = frozenset((errno.EBUSY, errno.EIO, errno.ETIMEDOUT, errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH))
"""What libraries say of an object store that is out of order or out of reach."""
Compression = Literal["none", "lz4"]
Failure = Callable[[Exception], StorageError | None]
"""What a filesystem's error means that is no ``OSError``; None for one that it would not raise."""

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class ManifestFile(msgspec.Struct, frozen=True):
    """One data file: rows and bytes (of Arrow data) of each row group, and where each starts in an ``.arrow`` file."""

    name: str
    rows: list[int]
    bytes: list[int]
    offsets: list[int] = []


class ResultManifest(msgspec.Struct, frozen=True):
    """What is known of a finished result. ``schema`` is an Arrow IPC message, ``status`` the query's last status as JSON.

    Times are Unix seconds.
    """

    query_id: str
    sql: str
    owner: str
    schema: bytes
    files: list[ManifestFile]
    created_at: float
    completed_at: float
    expires_at: float
    status: str

    @property
    def rows_total(self) -> int:
        """Rows of the whole result."""
        return sum(sum(file.rows) for file in self.files)

    @property
    def bytes_total(self) -> int:
        """Bytes of Arrow data of the whole result."""
        return sum(sum(file.bytes) for file in self.files)


# Made now, by the one thread that imports this: two threads that met at the first use would take the process down.
_MANIFESTS = msgspec.json.Decoder(ResultManifest)


def _told(method: Callable[Concatenate[ResultFiles, Arguments], Answer]) -> Callable[Concatenate[ResultFiles, Arguments], Answer]:
    """Lets errors that only the filesystem knows out as what they mean."""

    @wraps(method)
    def call(self: ResultFiles, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        try:
            return method(self, *args, **kwargs)
        except (OSError, pa.ArrowException, msgspec.DecodeError):
            raise
        except Exception as error:
            meant = self.failure(error)
            if meant is None:
                raise
            raise meant from error

    return call


def _patient(method: Callable[Concatenate[ResultFiles, Arguments], Answer]) -> Callable[Concatenate[ResultFiles, Arguments], Answer]:
    """Tries again while the storage is away, for as long as its connection's patience lasts."""

    @wraps(method)
    def call(self: ResultFiles, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        waited = 0.0
        for pause in itertools.chain(PAUSES_SECONDS, itertools.repeat(PAUSES_SECONDS[-1])):
            began = time.monotonic()
            try:
                return method(self, *args, **kwargs)
            except (OSError, StorageAway) as error:
                if isinstance(error, OSError) and (self._local or error.errno not in _PASSING):
                    raise
                waited += time.monotonic() - began + pause
                if waited > self.patience_seconds or self.closing.wait(pause):
                    raise
        raise AssertionError("unreachable: the pauses have no end")

    return call


class ResultFiles:
    """Reads and writes results below ``root`` of an fsspec filesystem. Thread-safe.

    Raises ``OSError`` as the filesystem does, and ``StorageError`` for what ``failure`` says of its other errors. Rows and manifests are
    written, and rows are read, with patience: a storage that is away is waited for ``patience_seconds``, until ``closing`` is set.
    """

    def __init__(self, fs: Any, root: str, failure: Failure = lambda _error: None, patience_seconds: float = 0.0) -> None:
        self.failure = failure
        self.patience_seconds = patience_seconds
        self.closing = threading.Event()
        self._fs = fs
        self._folder = f"{root.rstrip('/')}/{RESULTS_FOLDER}"
        protocol = fs.protocol
        self._local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
        # Measured on 6 M rows of lineitem: lz4 costs as much processor time as the rest of the writing, and halves the bytes.
        self._compression: Compression = "none" if self._local else "lz4"

    def create(self, query_id: str) -> None:
        """Makes the result's folder, where folders exist."""
        if self._local:
            os.makedirs(self._path(query_id), exist_ok=True)

    @_told
    def query_ids(self) -> list[str]:
        """Results that there is something of, finished or not."""
        if self._local:
            try:
                return os.listdir(self._folder)
            except FileNotFoundError:
                return []
        try:
            found = self._fs.ls(self._folder, detail=False, refresh=True)
        except FileNotFoundError:
            return []
        return [posixpath.basename(path.rstrip("/")) for path in found]

    @_told
    def touched_at(self, query_id: str) -> float | None:
        """When anything of the result was last written, by the storage's clock; None if there is nothing."""
        if self._local:
            try:
                with os.scandir(self._path(query_id)) as entries:
                    times = [entry.stat().st_mtime for entry in entries]
                return max([*times, os.stat(self._path(query_id)).st_mtime])
            except FileNotFoundError:
                return None
        try:
            found = self._fs.ls(self._path(query_id), detail=True, refresh=True)
        except FileNotFoundError:
            return None
        return max((_modified_at(info) for info in found), default=None)

    @_told
    def keep_alive(self, query_id: str) -> None:
        """Says to other processes that somebody still writes this result."""
        self.create(query_id)
        self._fs.pipe_file(self._path(query_id, ALIVE_NAME), b"1")

    @_told
    def mark_read(self, query_id: str, now: float) -> None:
        """Says to other processes that somebody reads this result. Raises ``FileNotFoundError`` where it is gone, if the storage knows."""
        self._fs.pipe_file(self._path(query_id, READ_NAME), repr(now).encode())

    @_told
    def read_at(self, query_id: str) -> float | None:
        """When a process last said that somebody reads this result, in Unix seconds; None if none ever did."""
        try:
            return float(self._fs.cat_file(self._path(query_id, READ_NAME)))
        except (FileNotFoundError, ValueError):
            return None  # a mark may be seen half-written; the next one will not be

    @_told
    def remove(self, query_id: str) -> None:
        """Removes a result, its manifest first. Nothing happens if there is none."""
        if self._local:
            Path(self._path(query_id, MANIFEST_NAME)).unlink(missing_ok=True)
            shutil.rmtree(self._path(query_id), ignore_errors=True)
            return
        with suppress(FileNotFoundError):
            self._fs.rm_file(self._path(query_id, MANIFEST_NAME))
        with suppress(FileNotFoundError):
            self._fs.rm(self._path(query_id), recursive=True)

    @_told
    def write_manifest(self, manifest: ResultManifest) -> None:
        """Makes a result exist: the manifest appears whole or not at all."""
        if not manifest.files:
            self.create(manifest.query_id)
        self.replace_manifest(manifest)

    @_patient
    @_told
    def replace_manifest(self, manifest: ResultManifest) -> None:
        """Writes a result's manifest anew, whole or not at all.

        Raises ``FileNotFoundError`` where the result is gone, if the storage knows.
        """
        path = self._path(manifest.query_id, MANIFEST_NAME)
        body = msgspec.json.encode(manifest)
        if not self._local:
            self._fs.pipe_file(path, body)
            return
        nascent = f"{path}.{uuid.uuid4().hex[:8]}"
        Path(nascent).write_bytes(body)
        os.replace(nascent, path)

    @_told
    def read_manifest(self, query_id: str) -> ResultManifest | None:
        """What is known of a finished result; None if there is none (yet). Raises ``msgspec.DecodeError`` for a damaged one."""
        path = self._path(query_id, MANIFEST_NAME)
        try:
            body = Path(path).read_bytes() if self._local else self._fs.cat_file(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _MANIFESTS.decode(body)

    @_patient
    @_told
    def write_groups(self, query_id: str, number: int, schema: pa.Schema, groups: Sequence[Sequence[pa.RecordBatch]]) -> ManifestFile:
        """Writes one data file of row groups; returns what the manifest says of it, with bytes left to the caller."""
        as_parquet = fits_parquet(schema)
        name = f"{number}.{'parquet' if as_parquet else 'arrow'}"
        self.create(query_id)
        with self._output(self._path(query_id, name)) as sink:
            offsets = [] if as_parquet else _write_arrow(sink, schema, groups, self._compression)
            if as_parquet:
                _write_parquet(sink, schema, groups, self._compression)
        rows = [sum(batch.num_rows for batch in group) for group in groups]
        return ManifestFile(name, rows, [0] * len(rows), offsets)

    @_patient
    @_told
    def read_group(self, query_id: str, file: ManifestFile, group: int, schema: pa.Schema) -> list[pa.RecordBatch]:
        """The batches of one row group. Raises ``OSError`` or ``pa.ArrowException`` if the file is gone or damaged."""
        path = self._path(query_id, file.name)
        if file.name.endswith(".parquet"):
            with self._input(path) as source:
                table = pq.ParquetFile(source, pre_buffer=not self._local).read_row_group(group)
            return _as_written(table, schema)
        stop = file.offsets[group + 1]
        with self._input(path) as source:
            source.seek(file.offsets[group])
            body = source.read(stop - file.offsets[group])
        if len(body) != stop - file.offsets[group]:
            raise OSError(f"{file.name} is shorter than its manifest says")
        return list(pa.ipc.open_stream(body))

    def _path(self, query_id: str, name: str = "") -> str:
        return f"{self._folder}/{query_id}/{name}" if name else f"{self._folder}/{query_id}"

    @contextmanager
    def _output(self, path: str) -> Iterator[Any]:
        if self._local:
            with pa.OSFile(path, "wb") as sink:
                yield sink
            return
        file = self._fs.open(path, "wb")
        try:
            yield pa.PythonFile(file, mode="w")
        except BaseException:
            file.discard()
            file.closed = True  # else it would begin another upload when it is collected
            raise
        file.close()

    @contextmanager
    def _input(self, path: str) -> Iterator[Any]:
        if self._local:
            with pa.OSFile(path, "rb") as source:
                yield source
            return
        with self._fs.open(path, "rb", cache_type="none") as file:
            yield file


def fits_parquet(schema: pa.Schema) -> bool:
    """Whether Parquet gives every column back with the type that it had."""
    return all(_fits_parquet(field.type) for field in schema)


def _fits_parquet(kind: pa.DataType) -> bool:
    types = pa.types
    simple = types.is_boolean(kind) or types.is_integer(kind) or types.is_float32(kind) or types.is_float64(kind) or types.is_date32(kind)
    texts = types.is_string(kind) or types.is_binary(kind)
    times = types.is_time64(kind) or ((types.is_timestamp(kind) or types.is_time32(kind)) and kind.unit != "s")
    return bool(simple or texts or times or types.is_decimal128(kind))


def _write_parquet(sink: Any, schema: pa.Schema, groups: Sequence[Sequence[pa.RecordBatch]], compression: Compression) -> None:
    numbered = pa.schema([pa.field(f"c{index}", field.type) for index, field in enumerate(schema)])
    with pq.ParquetWriter(
        sink,
        numbered,
        compression=compression,
        use_dictionary=False,
        write_statistics=False,
        store_decimal_as_integer=True,
        store_schema=False,
    ) as writer:
        for group in groups:
            table = pa.Table.from_batches([pa.RecordBatch.from_arrays(batch.columns, schema=numbered) for batch in group])
            writer.write_table(table, row_group_size=max(1, table.num_rows))


def _as_written(table: pa.Table, schema: pa.Schema) -> list[pa.RecordBatch]:
    columns = [
        column if column.type == field.type else column.cast(field.type) for column, field in zip(table.columns, schema, strict=True)
    ]
    batches: list[pa.RecordBatch] = pa.Table.from_arrays(columns, schema=schema).to_batches()
    return batches


def _write_arrow(sink: Any, schema: pa.Schema, groups: Sequence[Sequence[pa.RecordBatch]], compression: Compression) -> list[int]:
    offsets = [0]
    options = pa.ipc.IpcWriteOptions(compression=None if compression == "none" else compression)
    for group in groups:
        with pa.ipc.new_stream(sink, schema, options=options) as writer:
            for batch in group:
                writer.write_batch(batch)
        offsets.append(sink.tell())
    return offsets


def _modified_at(info: dict[str, Any]) -> float:
    """What an fsspec filesystem says of a file's age; now, for those that do not say, so that nothing is taken for old by mistake."""
    when = info.get("LastModified") or info.get("mtime") or info.get("created")
    if isinstance(when, datetime):
        return when.timestamp()
    return float(when) if when is not None else time.time()
