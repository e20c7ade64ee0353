"""Scans: what a fragment reads from files, made into one SELECT that the kernel runs.

There is one way for every kind of storage and format::

    with prepare_scan(scan, splits, storage) as prepared:
        kernel.run(sql, {scan.name: prepared.relation})

Inside the block the files stay as they were listed: one that changes or vanishes meanwhile raises ``FileUnreadable`` when the
block is left, so that no answer mixes two versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import groupby

from operators.cancellation import Cancellation
from operators.errors import FileUnreadable
from operators.kernel.relations import FileRelation
from operators.scan.column_names import FILE_INDEX, FILE_ROW_NUMBER, folded, unnamed
from operators.scan.corrupt_files import name_corrupt_file
from operators.scan.pieces import Piece, parquet_piece
from operators.scan.remote_files import RemoteFiles
from operators.storage import Storage, StoredFile
from planner.catalog import Column, DataFile, FileFormat
from planner.physical import ScanInput, Split
from planner.quoting import quote_name, quote_text

FILES_PER_READER = 256
"""A reader with partition values carries a list of them, looked up in every vector: short lists are free, long ones are not."""

Options = tuple[tuple[str, str], ...]
"""Of the kernel's reader, as :class:`planner.catalog.ReadOptions` has them."""

_FOR_TYPES = frozenset(("auto_type_candidates", "column_types", "dtypes", "sample_size", "types"))
"""Options by which types are found out: once they are, the types themselves say more."""
_OBJECT_OPTIONS = frozenset(("compression", "format", "ignore_errors", "maximum_object_size"))
"""Options that a reader of JSON as it stands has too."""

ROW_COLUMN = "_row"
"""The name of the only column of a scan that needs none: it counts rows."""


@dataclass(slots=True)
class ScanReport:
    """What a scan asked of the storage, so far. ``files_bytes`` is the whole size of its files; for local files nothing is fetched."""

    files: int = 0
    files_bytes: int = 0
    fetched_bytes: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class PreparedScan:
    """A scan, ready to run: its relation, and its counters."""

    relation: FileRelation
    report: ScanReport

    @property
    def sql(self) -> str:
        """The relation as one SELECT."""
        return self.relation.sql


class StartedScan:
    """A scan whose bytes are on their way, if they come from elsewhere. To be closed by whoever started it.

    ``predicate``: only rows for which it holds. Until it is closed it may be prepared again and again, by several threads at once.
    """

    def __init__(self, scan: ScanInput, splits: Sequence[Split], storage: Storage, predicate: str | None = None) -> None:
        assert splits, "a scan has splits"
        self._scan = scan
        self._predicate = predicate
        self._splits = splits
        self._storage = storage
        # All files of a table are in one connection.
        self._files = {split.file.path: _stored(split.file) for split in splits}
        self._local = storage.local_files(list(self._files.values()))
        self._remote = RemoteFiles(scan, splits, storage) if self._local is None else None

    @contextmanager
    def prepared(self, cancellation: Cancellation | None = None) -> Iterator[PreparedScan]:
        """Waits for the bytes; see :func:`prepare_scan`."""
        report = ScanReport(len(self._files), sum(file.size_bytes for file in self._files.values()))
        if self._remote is not None:
            pieces, fetched = self._remote.pieces(cancellation)
            report.fetched_bytes, report.requests = fetched.bytes, fetched.requests
        else:
            pieces = self._local_pieces(self._local or ())
        columns = self._scan.columns or (Column(ROW_COLUMN, "INTEGER"),)
        try:
            yield PreparedScan(FileRelation(relation_sql(self._scan, pieces, self._predicate), columns), report)
        except FileUnreadable as error:
            raise name_corrupt_file(error, self._scan, pieces) from None
        if self._local is not None:
            self._storage.local_files(list(self._files.values()))

    def close(self) -> None:
        """Stops fetching and removes what was fetched. May be called again."""
        if self._remote is not None:
            self._remote.close()

    def _local_pieces(self, local: Sequence[str]) -> list[Piece]:
        paths = dict(zip(self._files, local, strict=True))
        if self._scan.format != "parquet":
            return [Piece(paths[split.file.path], split.file) for split in self._splits]
        outlines = dict(zip(self._files, self._storage.outlines(list(self._files.values())), strict=True))
        pieces = [parquet_piece(split, paths[split.file.path], outlines[split.file.path]) for split in self._splits]
        if self._predicate is not None and all(len(piece.rows or ()) <= 1 for piece in pieces) and len(pieces) == len(self._files):
            # A range of a key, for which no row outside of these holds: the kernel leaves out other row groups by it, and to count rows
            # beside it would cost a tenth more.
            return [replace(piece, rows=None) for piece in pieces]
        return pieces


@contextmanager
def prepare_scan(
    scan: ScanInput, splits: Sequence[Split], storage: Storage, cancellation: Cancellation | None = None, predicate: str | None = None
) -> Iterator[PreparedScan]:
    """The relation of ``splits`` (at least one) with exactly ``scan.columns``, rows in the order of the splits.

    ``predicate``: SQL over the columns, for rows to be kept; the kernel passes over row groups whose statistics rule them all out.

    Raises ``FileUnreadable`` for a file that is not what it was when it was listed, ``StorageError``, ``OutOfMemory`` where
    temporary storage is full, and the cancellation's error.
    """
    with closing(StartedScan(scan, splits, storage, predicate)) as started, started.prepared(cancellation) as prepared:
        yield prepared


def relation_sql(scan: ScanInput, pieces: Sequence[Piece], predicate: str | None = None) -> str:
    """One SELECT over ``pieces``, which are in order; of their rows those for which ``predicate`` holds, if there is one."""
    selects = []
    for whole, group in groupby(pieces, key=lambda piece: piece.rows is None):
        members = list(group)
        size = _files_per_reader(scan, members)
        runs = [members[start : start + size] for start in range(0, len(members), size)] if whole else [[piece] for piece in members]
        selects += [_select(scan, run, _expected_rows(scan, run, pieces, predicate)) for run in runs]
    rows = " UNION ALL ".join(selects)
    # Around the whole: the columns have the table's names and types only here.
    return rows if predicate is None else f"SELECT * FROM ({rows}) WHERE {predicate}"


def columns_sql(path: str, file_format: FileFormat, options: Options = ()) -> str:
    """A SELECT whose columns are those of one file; of text, as all of its rows have them."""
    return f"SELECT * FROM {_reader([path], file_format, {}, options, union=False)}"


def key_sql(path: str, key: str, options: Options = ()) -> str:
    """A SELECT that has a row if an object in a JSON file has exactly that key."""
    layout = [f", {name} = {value}" for name, value in options if name in _OBJECT_OPTIONS]
    objects = f"read_json_objects({quote_text(escape_glob(path))}{''.join(layout)})"
    return f"SELECT 1 FROM {objects} WHERE list_contains(json_keys(json), {quote_text(key)}) LIMIT 1"


def _expected_rows(scan: ScanInput, run: Sequence[Piece], pieces: Sequence[Piece], predicate: str | None) -> int | None:
    """How many of the scan's expected rows ``run`` has, of all ``pieces``; None where it has to be told nothing."""
    if scan.expected_rows is None or (run[0].rows is None and predicate is None):
        return None
    of_run, of_all = (sum(piece.row_count or 0 for piece in some) for some in (run, pieces))
    return max(1, scan.expected_rows * of_run // of_all) if of_all else None


def _select(scan: ScanInput, pieces: Sequence[Piece], expected_rows: int | None) -> str:
    """Pieces that are all whole, or a single one with ranges of rows."""
    partitions = {folded(column.name) for column in scan.partition_columns}
    stored = _stored_names(pieces)
    out = []
    for column in scan.columns:
        if folded(column.name) in partitions:
            value = _partition_value(column, pieces)
        elif stored is None or folded(column.name) in stored:
            value = f"CAST({quote_name(column.name)} AS {column.type})"
        else:
            value = f"NULL::{column.type}"
        out.append(f"{value} AS {quote_name(column.name)}")
    types = {column.name: column.type for column in scan.table_columns if folded(column.name) not in partitions}
    union = len({piece.outline.schema.fingerprint for piece in pieces if piece.outline is not None}) > 1
    reader = _reader([piece.path for piece in pieces], scan.format, types, scan.options, union=union, expected_rows=expected_rows)
    return f"SELECT {', '.join(out) or f'1 AS {ROW_COLUMN}'} FROM {reader}{_row_filter(pieces[0])}"


def _stored_names(pieces: Sequence[Piece]) -> set[str] | None:
    """The columns that at least one of the files has, folded; None where the reader knows them itself, or has all of the table's.

    It has all where the kernel names some of them: the catalog lets such files go only with others of the same columns.
    """
    schemas = {piece.outline.schema.fingerprint: piece.outline.schema for piece in pieces if piece.outline is not None}
    if not schemas or any(unnamed(schema.column_names) is not None for schema in schemas.values()):
        return None
    return {folded(name) for schema in schemas.values() for name in schema.column_names}


def _files_per_reader(scan: ScanInput, pieces: Sequence[Piece]) -> int:
    """How many files share a reader, which tells their partition values apart by the files' numbers if it can."""
    if not scan.partition_columns:
        return len(pieces)
    return 1 if any(folded(column.name) == FILE_INDEX for column in scan.table_columns) else FILES_PER_READER


def _partition_value(column: Column, pieces: Sequence[Piece]) -> str:
    values = [_literal(dict(piece.file.partitions).get(column.name)) for piece in pieces]
    if len(set(values)) == 1:
        return f"CAST({values[0]} AS {column.type})"
    listed = f"CAST([{', '.join(values)}] AS {column.type}[])"
    return f"{listed}[{FILE_INDEX}::BIGINT + 1]"


def _literal(value: str | None) -> str:
    return "NULL" if value is None else quote_text(value)


def _row_filter(piece: Piece) -> str:
    if piece.rows is None:
        return ""
    ranges = [f"{FILE_ROW_NUMBER} BETWEEN {first} AND {stop - 1}" for first, stop in piece.rows]
    return f" WHERE {' OR '.join(ranges) or 'false'}"


def _reader(
    paths: Sequence[str], file_format: FileFormat, types: dict[str, str], options: Options, *, union: bool, expected_rows: int | None = None
) -> str:
    """A table function over files. Without ``types``, those of text are found out from the whole of it.

    The first rows alone would not do: what comes later would be made to fit (1.5 becomes 2) or, keys of JSON, left out.
    """
    files = f"[{', '.join(quote_text(escape_glob(path)) for path in paths)}]"
    # The path of a connection is none of the table's partitions.
    if file_format == "parquet":
        expected = "" if expected_rows is None else f", explicit_cardinality = {expected_rows}"
        return f"read_parquet({files}, union_by_name = {str(union).lower()}, hive_partitioning = false{expected})"
    told = dict(options)
    if not types:
        told.setdefault("sample_size", "-1")
    elif file_format == "json":
        told = {name: value for name, value in told.items() if name not in _FOR_TYPES} | {"columns": _struct(types)}
    elif "columns" not in told:  # which says all names and types already
        told = {name: value for name, value in told.items() if name not in _FOR_TYPES} | {"types": _struct(types)}
    listed = ", ".join(f"{name} = {value}" for name, value in told.items())
    return f"read_{file_format}({files}, union_by_name = true, hive_partitioning = false, {listed})"


def escape_glob(path: str) -> str:
    """``path`` so that the kernel takes it for the name of one file."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in path)


def _struct(types: dict[str, str]) -> str:
    return "{" + ", ".join(f"{quote_text(name)}: {quote_text(kind)}" for name, kind in types.items()) + "}"


def _stored(file: DataFile) -> StoredFile:
    return StoredFile(file.path, file.size_bytes, file.version)
