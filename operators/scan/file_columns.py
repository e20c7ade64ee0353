"""What is in the files of tables: their columns, row groups and rows, kept by the files' versions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from operators.errors import FileUnreadable, SchemaClash
from operators.kernel.kernel import Kernel
from operators.scan.column_names import folded, possibly_renamed, unnamed
from operators.scan.column_types import wider
from operators.scan.row_groups import FileRowGroups, SchemaColumns, Statistics
from operators.scan.scans import Options, columns_sql, key_sql
from operators.scan.table_files import copy_suffix, read_files
from operators.storage import Storage, StoredFile
from operators.storage.outlines import FileOutline, FileSchema
from planner.catalog import Column, DataFile, Table
from planner.errors import VolleyError
from planner.row_groups import RowGroups

MAX_CACHED_FILES = 50_000
STATISTICS_BYTES = 256 << 20
SNIFFER_THREADS = 4

NOT_UTF8 = "is not utf-8 encoded"
FOUND_OUT = "\n\n  file = "
"""What the kernel says of text files that it cannot read."""

GUESSED_TYPES = {"csv": "VARCHAR", "json": "JSON"}
"""Types in text files are guesses: where guesses clash, the values stay as they are written."""

Value = TypeVar("Value")


class FileColumns:
    """Opens files to learn what is in them, each version once. Thread-safe; one for all queries of a server."""

    def __init__(self, storage: Storage, kernel: Kernel) -> None:
        self._storage = storage
        self._kernel = kernel
        self._lock = threading.Lock()
        self._columns: dict[str, SchemaColumns] = {}
        self._text_columns: dict[tuple[object, ...], tuple[Column, ...]] = {}
        self._statistics = Statistics(storage, STATISTICS_BYTES)

    def columns(self, table: Table) -> tuple[Column, ...]:
        """The columns of all files of ``table``, those of its partitions last. Raises ``FileUnreadable`` and ``SchemaClash``."""
        assert table.files, "a table has files"
        if table.files[0].format == "parquet":
            schemas = [outline.schema for outline in self._outlines(table.files)]
            samples = _distinct(table.files, schemas, lambda schema: schema.fingerprint)
            _same_where_unnamed(table, samples)
            found = _merge(table, samples, lambda schema: self._described_schema(schema).columns)
        else:
            with ThreadPoolExecutor(SNIFFER_THREADS, thread_name_prefix="sniffers") as pool:
                sniffed = list(pool.map(partial(self._sniffed_columns, table.options), table.files))
            found = _merge(table, _distinct(table.files, sniffed, lambda columns: columns), lambda columns: columns)
        # As for the kernel: a column that is in the path and in the file too has the path's value.
        partitions = {folded(column.name) for column in table.partition_columns}
        return (*(column for column in found if folded(column.name) not in partitions), *table.partition_columns)

    def row_groups(self, file: DataFile) -> RowGroups | None:
        """The row groups of a Parquet file; None for text, and where the kernel cannot read them one by one."""
        if file.format != "parquet":
            return None
        stored = _stored(file)
        outline = self._storage.outline(stored)
        described = self._described_schema(outline.schema)
        # Ranges of rows would be taken from a column that is called as the kernel calls the number of a row.
        return FileRowGroups(stored, outline, described, self._statistics) if described.numbered else None

    def read_ahead(self, files: Sequence[DataFile], columns: Sequence[str]) -> None:
        """Reads what the row groups of Parquet files will be asked about these columns, several files at a time."""
        stored = [_stored(file) for file in files if file.format == "parquet"]
        known = zip(stored, self._storage.outlines(stored), strict=True)
        self._statistics.read_ahead([(file, outline, self._described_schema(outline.schema)) for file, outline in known], columns)

    def is_elsewhere(self, file: DataFile) -> bool:
        """Whether the file is not on this machine's disk."""
        return self._storage.is_elsewhere(file.path)

    def rows(self, table: Table) -> int | None:
        """How many rows the files have; None where no footer tells."""
        if table.files[0].format != "parquet":
            return None
        return sum(outline.rows for outline in self._outlines(table.files))

    def _outlines(self, files: Sequence[DataFile]) -> list[FileOutline]:
        return self._storage.outlines([_stored(file) for file in files])

    def _described_schema(self, schema: FileSchema) -> SchemaColumns:
        known = self._columns.get(schema.fingerprint)
        if known is None:
            footer = self._storage.footer(schema.sample)
            with self._storage.scratch_file(".parquet") as stub:
                # The kernel learns the columns from the end of the file alone; before it there may be anything.
                with stub.open("wb") as out:
                    out.write(b"PAR1")
                    out.seek(footer.tail_offset)
                    out.write(footer.tail)
                columns = self._described(footer.file, columns_sql(str(stub), "parquet"), unnamed(schema.column_names))
            known = self._columns[schema.fingerprint] = SchemaColumns.of(schema, columns)
        return known

    def _sniffed_columns(self, options: Options, file: DataFile) -> tuple[Column, ...]:
        key = (file.path, file.version, file.format, options)
        known = self._text_columns.get(key)
        if known is None:
            path = self._storage.local_path(file.path)
            if path is not None:
                known = self._text_file_columns(options, file, path)
            else:
                with self._storage.scratch_file(copy_suffix(file.path)) as copy:
                    self._storage.download(_stored(file), copy)
                    known = self._text_file_columns(options, file, copy)
            with self._lock:
                if len(self._text_columns) >= MAX_CACHED_FILES:
                    self._text_columns.clear()
                self._text_columns[key] = known
        return known

    def _text_file_columns(self, options: Options, file: DataFile, path: Path) -> tuple[Column, ...]:
        columns = self._described(_stored(file), columns_sql(str(path), file.format, options), options=options)
        if file.format == "json" and "columns" not in dict(options):
            for made, first in possibly_renamed([column.name for column in columns]):
                if not self._has_key(options, path, made):
                    raise FileUnreadable(
                        f"the file {file.path} has keys that differ in case alone: '{made.rpartition('_')[0]}' and '{first}'",
                        remedy="Give each key a name of its own.",
                    )
        return columns

    def _has_key(self, options: Options, path: Path, key: str) -> bool:
        with self._kernel.run(key_sql(str(path), key, options), {}) as run:
            return any(batch.num_rows for batch in run)

    def _described(self, file: StoredFile, sql: str, oddity: str | None = None, options: Options = ()) -> tuple[Column, ...]:
        try:
            return self._kernel.columns_of(sql)
        except VolleyError as error:
            if NOT_UTF8 in error.message and "encoding" not in dict(options):
                call = read_files(file.path, "encoding = 'latin-1'")
                raise FileUnreadable(f"the file {file.path} is not UTF-8", remedy=f"Say what it is: {call}, or 'utf-16'.") from None
            # Behind the message itself the kernel lists all that it has found out, or not.
            why = error.message.partition(FOUND_OUT)[0].strip()
            if oddity is not None:
                why += f" ({oddity})"
            remedy = "Check the options, or replace the file." if options else "Replace or remove the file."
            raise FileUnreadable(f"the file {file.path} cannot be read: {why}", remedy=remedy) from None


def _stored(file: DataFile) -> StoredFile:
    return StoredFile(file.path, file.size_bytes, file.version)


def _distinct(files: Sequence[DataFile], values: Sequence[Value], fingerprint: Callable[[Value], object]) -> list[tuple[DataFile, Value]]:
    """One file for each distinct fingerprint, in the files' order."""
    seen: dict[object, tuple[DataFile, Value]] = {}
    for file, value in zip(files, values, strict=True):
        seen.setdefault(fingerprint(value), (file, value))
    return list(seen.values())


def _merge(
    table: Table, samples: Sequence[tuple[DataFile, Value]], columns_of: Callable[[Value], tuple[Column, ...]]
) -> tuple[Column, ...]:
    """The columns of all files: the first file's, then new ones as they come; types widened where nothing is lost."""
    merged: dict[str, tuple[Column, DataFile]] = {}
    for file, sample in samples:
        columns = columns_of(sample)
        if file.format == "csv":
            _same_names(table, samples[0][0], columns_of(samples[0][1]), file, columns)
        for column in columns:
            first, owner = merged.get(folded(column.name), (column, file))
            if file.format == "json" and first.name != column.name:
                raise SchemaClash(
                    f"files of table '{table.name}' spell a key in two ways: '{first.name}' in {owner.path} "
                    f"and '{column.name}' in {file.path}",
                    remedy="Write it in the same way in all of them, or keep them in different tables.",
                )
            kind = wider(first.type, column.type) or GUESSED_TYPES.get(file.format)
            if kind is None:
                raise SchemaClash(
                    f"files of table '{table.name}' disagree on column '{first.name}': it is {first.type} in {owner.path} "
                    f"and {column.type} in {file.path}",
                    remedy="Rewrite one of the files, or keep them in different tables.",
                )
            merged[folded(column.name)] = (Column(first.name, kind), owner)
    return tuple(column for column, _ in merged.values())


def _same_names(table: Table, first: DataFile, expected: Sequence[Column], file: DataFile, columns: Sequence[Column]) -> None:
    if {folded(column.name) for column in expected} != {folded(column.name) for column in columns}:
        raise SchemaClash(
            f"CSV files of table '{table.name}' have different columns: {first.path} has {', '.join(column.name for column in expected)}; "
            f"{file.path} has {', '.join(column.name for column in columns)}",
            remedy="Give all CSV files of a table the same columns, or keep them in different tables.",
        )


def _same_where_unnamed(table: Table, samples: Sequence[tuple[DataFile, FileSchema]]) -> None:
    """Columns that no name of their own tells from others cannot be found again in files of other columns."""
    for file, schema in samples:
        oddity = unnamed(schema.column_names)
        other = next((its for its, theirs in samples if theirs.column_names != schema.column_names), None)
        if oddity is not None and other is not None:
            raise SchemaClash(
                f"files of table '{table.name}' have different columns, and those of {file.path} cannot be told apart by name: {oddity}; "
                f"{other.path} has others",
                remedy="Give each column a name of its own, or keep the files in different tables.",
            )
