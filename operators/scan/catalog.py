"""The tables of a server: files of its data roots, and globs that the configuration names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import pyarrow as pa

from operators.errors import FileUnreadable, SchemaClash
from operators.kernel.kernel import Kernel
from operators.scan import row_groups as row_group_statistics
from operators.scan.column_types import wider
from operators.scan.scans import columns_sql
from operators.scan.table_files import extension, make_table, table_name
from operators.storage import Listing, Storage, StoredFile
from operators.storage.backend import hidden
from operators.storage.footers import Footer
from operators.storage.globs import literal_folder
from planner.catalog import Column, DataFile, RowGroup, Table
from planner.errors import VolleyError

MAX_CACHED_FILES = 50_000
SNIFFER_THREADS = 4

QUERY_FOLDERS = ("results/", "exchange/")
GUESSED_TYPES = {"csv": "VARCHAR", "json": "JSON"}
"""Types in text files are guesses: where guesses clash, the values stay as they are written."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class TableDetails:
    """A table as a person wants to see it. ``error`` says why there are no columns; ``rows`` is None where no footer tells."""

    name: str
    connection: str
    columns: tuple[Column, ...] = ()
    rows: int | None = None
    files: int = 0
    bytes: int = 0
    error: str | None = None


class FileCatalog:
    """Implements :class:`planner.catalog.Catalog` over files. Thread-safe. Lists afresh on every call; footers are cached by version.

    ``roots`` are what ``Storage.add_root`` returned. In each, ``NAME.parquet`` (or CSV, JSON) and the folder ``NAME/`` are table NAME;
    where both exist the folder wins, and a table of an earlier root hides one of a later root. ``tables`` (name → pattern) come
    first of all.
    """

    def __init__(self, storage: Storage, kernel: Kernel, roots: Sequence[str], tables: Mapping[str, str] | None = None) -> None:
        self._storage = storage
        self._kernel = kernel
        self._roots = tuple(roots)
        self._tables = dict(tables or {})
        self._lock = threading.Lock()
        self._columns: dict[str, tuple[Column, ...]] = {}
        self._text_columns: dict[tuple[str, str], tuple[Column, ...]] = {}
        self._row_groups = lru_cache(maxsize=MAX_CACHED_FILES)(self._read_row_groups)

    def session(self) -> FileCatalog:
        """The same catalog for one query: it lists each root and folder once, so that the query sees one state of the tables."""
        return _Session(self)

    def table_names(self) -> Sequence[str]:
        names = set(self._tables)
        for root in self._roots:
            names |= set(self._entries(root))
        return sorted(names)

    def table(self, name: str, *, quoted: bool) -> Table | None:
        # A quoted name is looked for everywhere as it is written before another spelling will do.
        for exact in (True, False) if quoted else (False,):
            table = self._table(name, exact=exact)
            if table is not None:
                return table
        return None

    def files(self, pattern: str) -> Table:
        return self._pattern_table(pattern, pattern) or _no_files(pattern)

    def columns(self, table: Table) -> tuple[Column, ...]:
        assert table.files, "a table has files"
        if table.files[0].format == "parquet":
            footers = self._storage.footers([_stored(file) for file in table.files])
            found = self._merge(table, _distinct(table.files, footers, lambda footer: footer.fingerprint), self._parquet_columns)
        else:
            with ThreadPoolExecutor(SNIFFER_THREADS, thread_name_prefix="sniffers") as pool:
                sniffed = list(pool.map(self._sniffed_columns, table.files))
            found = self._merge(table, _distinct(table.files, sniffed, lambda columns: columns), lambda columns: columns)
        # As for the kernel: a column that is in the path and in the file too has the path's value.
        partitions = {column.name.lower() for column in table.partition_columns}
        return (*(column for column in found if column.name.lower() not in partitions), *table.partition_columns)

    def row_groups(self, file: DataFile) -> tuple[RowGroup, ...] | None:
        return self._row_groups(_stored(file)) if file.format == "parquet" else None

    def result_schema(self, sql: str, inputs: Mapping[str, tuple[Column, ...]]) -> pa.Schema:
        return self._kernel.result_schema(sql, inputs)

    def describe(self, name: str) -> TableDetails | None:
        """What is known about a table, its columns included; errors are told in it. None if there is none of that (exact) name."""
        try:
            table = self.table(name, quoted=True)
        except VolleyError as error:
            return TableDetails(name, "", error=str(error))
        if table is None:
            return None
        connection = table.files[0].path.partition(":")[0]
        size = sum(file.size_bytes for file in table.files)
        try:
            columns = self.columns(table)
            rows = self._rows(table)
        except VolleyError as error:
            return TableDetails(table.name, connection, files=len(table.files), bytes=size, error=str(error))
        return TableDetails(table.name, connection, columns, rows, len(table.files), size)

    def _table(self, name: str, *, exact: bool) -> Table | None:
        spelled = _match(name, self._tables, exact=exact)
        if spelled is not None:
            pattern = self._tables[spelled]
            return self._pattern_table(spelled, pattern) or _no_files(pattern)
        for root in self._roots:
            entries = self._entries(root)
            spelled = _match(name, entries, exact=exact)
            entry = None if spelled is None else entries[spelled]
            if spelled is None or entry is None:
                continue
            files = self._data_below(entry) if isinstance(entry, str) else [entry]
            table = make_table(spelled, files, entry if isinstance(entry, str) else root)
            if table is not None:
                return table
        return None

    def _rows(self, table: Table) -> int | None:
        if table.files[0].format != "parquet":
            return None
        return sum(int(footer.metadata.num_rows) for footer in self._storage.footers([_stored(file) for file in table.files]))

    def _data_below(self, folder: str) -> list[StoredFile]:
        connection = folder.partition(":")[0]
        return [file for file in self._list_tree(folder) if not self._storage.reserved(connection, file.key)]

    def _list_folder(self, path: str) -> Listing:
        return self._storage.list_folder(path)

    def _list_tree(self, path: str) -> list[StoredFile]:
        return self._storage.list_tree(path)

    def _entries(self, root: str) -> dict[str, StoredFile | str]:
        """Names of a root's tables, each with its file or (as ``connection:folder/``) its folder."""
        listing = self._list_folder(root)
        connection = root.partition(":")[0]
        entries: dict[str, StoredFile | str] = {}
        for file in listing.files:
            name = file.key.rpartition("/")[2]
            if extension(name) is not None and not hidden(name):
                entries.setdefault(table_name(name), file)
        for folder in listing.folders:
            name = folder.rstrip("/").rpartition("/")[2]
            if not hidden(name) and not self._belongs_to_queries(connection, folder):
                entries[name] = f"{connection}:{folder}"
        return entries

    def _belongs_to_queries(self, connection: str, folder: str) -> bool:
        """Whether all that a folder holds are results and spill of queries."""
        if folder not in QUERY_FOLDERS:
            return False
        listing = self._list_folder(f"{connection}:{folder}")
        return not listing.files and all(self._storage.reserved(connection, below) for below in listing.folders)

    def _pattern_table(self, name: str, pattern: str) -> Table | None:
        found = self._storage.resolve(pattern)
        if not found:
            return None
        connection = found[0].path.partition(":")[0]
        return make_table(name, found, f"{connection}:{_common_folder(pattern, found)}")

    def _read_row_groups(self, file: StoredFile) -> tuple[RowGroup, ...]:
        footer = self._storage.footer(file)
        return row_group_statistics.row_groups(footer, self._parquet_columns(footer))

    def _parquet_columns(self, footer: Footer) -> tuple[Column, ...]:
        known = self._columns.get(footer.fingerprint)
        if known is None:
            with self._storage.scratch_file(".parquet") as stub:
                # The kernel learns the columns from the end of the file alone; before it there may be anything.
                with stub.open("wb") as out:
                    out.write(b"PAR1")
                    out.seek(footer.tail_offset)
                    out.write(footer.tail)
                known = self._described(footer.file, columns_sql(str(stub), "parquet"))
            self._columns[footer.fingerprint] = known
        return known

    def _sniffed_columns(self, file: DataFile) -> tuple[Column, ...]:
        key = (file.path, file.version)
        known = self._text_columns.get(key)
        if known is None:
            path = self._storage.local_path(file.path)
            if path is not None:
                known = self._described(_stored(file), columns_sql(str(path), file.format))
            else:
                with self._storage.scratch_file(extension(file.path) or "") as copy:
                    self._storage.download(_stored(file), copy)
                    known = self._described(_stored(file), columns_sql(str(copy), file.format))
            with self._lock:
                if len(self._text_columns) >= MAX_CACHED_FILES:
                    self._text_columns.clear()
                self._text_columns[key] = known
        return known

    def _described(self, file: StoredFile, sql: str) -> tuple[Column, ...]:
        try:
            return self._kernel.columns_of(sql)
        except VolleyError as error:
            raise FileUnreadable(f"the file {file.path} cannot be read: {error.message}", remedy="Replace or remove the file.") from None

    def _merge(
        self, table: Table, samples: Sequence[tuple[DataFile, Value]], columns_of: Callable[[Value], tuple[Column, ...]]
    ) -> tuple[Column, ...]:
        """The columns of all files: the first file's, then new ones as they come; types widened where nothing is lost."""
        merged: dict[str, tuple[Column, DataFile]] = {}
        for file, sample in samples:
            columns = columns_of(sample)
            if file.format == "csv":
                _same_names(table, samples[0][0], columns_of(samples[0][1]), file, columns)
            for column in columns:
                first, owner = merged.get(column.name.lower(), (column, file))
                kind = wider(first.type, column.type) or GUESSED_TYPES.get(file.format)
                if kind is None:
                    raise SchemaClash(
                        f"files of table '{table.name}' disagree on column '{first.name}': it is {first.type} in {owner.path} "
                        f"and {column.type} in {file.path}",
                        remedy="Rewrite one of the files, or keep them in different tables.",
                    )
                merged[column.name.lower()] = (Column(first.name, kind), owner)
        return tuple(column for column, _ in merged.values())


class _Session(FileCatalog):
    def __init__(self, catalog: FileCatalog) -> None:
        self.__dict__.update(catalog.__dict__)
        self._folders: dict[str, Listing] = {}
        self._trees: dict[str, list[StoredFile]] = {}

    def _data_below(self, folder: str) -> list[StoredFile]:
        connection = folder.partition(":")[0]
        return [file for file in self._list_tree(folder) if not self._storage.reserved(connection, file.key)]

    def _list_folder(self, path: str) -> Listing:
        if path not in self._folders:
            self._folders[path] = super()._list_folder(path)
        return self._folders[path]

    def _list_tree(self, path: str) -> list[StoredFile]:
        if path not in self._trees:
            self._trees[path] = super()._list_tree(path)
        return self._trees[path]


def _match(name: str, names: Mapping[str, object], *, exact: bool) -> str | None:
    """The spelling of ``name`` among ``names``; in any case, the first in order, unless ``exact``."""
    if name in names:
        return name
    folded = name.lower()
    return None if exact else next((known for known in sorted(names) if known.lower() == folded), None)


def _stored(file: DataFile) -> StoredFile:
    return StoredFile(file.path, file.size_bytes, file.version)


def _distinct(files: Sequence[DataFile], values: Sequence[Value], fingerprint: Callable[[Value], object]) -> list[tuple[DataFile, Value]]:
    """One file for each distinct fingerprint, in the files' order."""
    seen: dict[object, tuple[DataFile, Value]] = {}
    for file, value in zip(files, values, strict=True):
        seen.setdefault(fingerprint(value), (file, value))
    return list(seen.values())


def _same_names(table: Table, first: DataFile, expected: Sequence[Column], file: DataFile, columns: Sequence[Column]) -> None:
    if {column.name.lower() for column in expected} != {column.name.lower() for column in columns}:
        raise SchemaClash(
            f"CSV files of table '{table.name}' have different columns: {first.path} has {', '.join(column.name for column in expected)}; "
            f"{file.path} has {', '.join(column.name for column in columns)}",
            remedy="Give all CSV files of a table the same columns, or keep them in different tables.",
        )


def _common_folder(pattern: str, files: Sequence[StoredFile]) -> str:
    """The folder below which hive partitions count: the literal part of the pattern, up to its first ``key=value``."""
    folder = literal_folder(pattern.partition(":")[2] if ":" in pattern else pattern)
    while folder and not all(file.key.startswith(folder) for file in files):
        folder = folder.partition("/")[2]
    parts = folder.split("/")
    first = next((index for index, part in enumerate(parts) if "=" in part), None)
    return folder if first is None else "".join(f"{part}/" for part in parts[:first])


def _no_files(pattern: str) -> Table:
    raise FileUnreadable(f"no data files match {pattern!r}", remedy="Check the path; names that start with '_' or '.' are not data.")
