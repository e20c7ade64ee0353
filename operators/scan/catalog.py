"""The tables of a server: files of its data roots, and globs that the configuration names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import pyarrow as pa

from operators.errors import FileUnreadable
from operators.kernel.kernel import Kernel
from operators.scan.data_roots import DataRoots, ambiguous
from operators.scan.file_columns import FileColumns
from operators.scan.listings import Listings
from operators.scan.table_files import extension, joined, make_table, read_files
from operators.storage import Storage, StoredFile
from operators.storage.globs import has_magic, literal_folder
from operators.storage.storage import DEFAULT_CONNECTION
from planner.catalog import AS_NAMED, Column, DataFile, FileFormat, ReadOptions, Table
from planner.errors import VolleyError
from planner.quoting import quote_name, quote_text
from planner.row_groups import RowGroups
from planner.time_zones import UTC

NEAR_NAMES = 3
ALIKE = 0.75
"""How like each other names of files are that may be mistaken for one another: most share a suffix, which says nothing."""
MAX_COMPARED_NAMES = 5_000
"""So many names of a folder are compared with one that is not there: each takes some 20 µs."""


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
    """The tables of a server, of which each query gets a view of its own. Thread-safe. What is in files is kept by their versions.

    ``roots`` are what ``Storage.add_root`` returned. In each, ``NAME.parquet`` (or CSV, JSON) and the folder ``NAME/`` are table NAME.
    ``tables`` (name → pattern) come before them. ``shallow``: see :class:`~operators.scan.data_roots.DataRoots`.
    """

    def __init__(
        self, storage: Storage, kernel: Kernel, roots: Sequence[str], tables: Mapping[str, str] | None = None, *, shallow: bool = False
    ) -> None:
        self._storage = storage
        self._kernel = kernel
        self._roots = tuple(dict.fromkeys(roots))
        self._shallow = shallow
        self._tables = dict(tables or {})
        self._columns = FileColumns(storage, kernel)

    def session(self, time_zone: str = UTC) -> CatalogSession:
        """The tables as they are from now on, for one query whose session is in that time zone."""
        listings = Listings(self._storage)
        roots = DataRoots(listings, self._roots, shallow=self._shallow)
        return CatalogSession(self._kernel, self._columns, listings, roots, self._tables, time_zone)

    def time_zones(self) -> Collection[str]:
        """The names of all time zones that there are."""
        return self._kernel.time_zones()


class CatalogSession:
    """Implements :class:`planner.catalog.Catalog` over files, for one query: it lists each folder and pattern once, at first use, so that
    the query sees one state of the tables. Not thread-safe.
    """

    def __init__(
        self,
        kernel: Kernel,
        columns: FileColumns,
        listings: Listings,
        roots: DataRoots,
        tables: Mapping[str, str],
        time_zone: str = UTC,
    ) -> None:
        self._kernel = kernel
        self._columns = columns
        self._listings = listings
        self._roots = roots
        self._tables = tables
        self.time_zone = time_zone

    def time_zones(self) -> Collection[str]:
        return self._kernel.time_zones()

    def table_names(self) -> Sequence[str]:
        return sorted(self._roots.names | set(self._tables))

    def table(self, name: str, *, quoted: bool) -> Table | None:
        """See :class:`planner.catalog.Catalog`. Raises ``AmbiguousTable`` where the name means several tables."""
        # A quoted name is looked for everywhere as it is written before another spelling will do.
        found = self._table(name, exact=True) if quoted else None
        return found or self._table(name, exact=False)

    def files(self, *patterns: str, options: ReadOptions = AS_NAMED) -> Table:
        found = [self._pattern_table(pattern, pattern, options.format) for pattern in patterns]
        table = found[0] if len(found) == 1 else joined(f"{patterns[0]} and {len(patterns) - 1} more", found)
        return replace(table, options=options.values)

    def files_without_format(self, name: str) -> Sequence[str]:
        return [path.removeprefix(f"{DEFAULT_CONNECTION}:") for path in self._roots.files_without_format(name)]

    def columns(self, table: Table) -> tuple[Column, ...]:
        return self._columns.columns(table)

    def row_groups(self, file: DataFile) -> RowGroups | None:
        return self._columns.row_groups(file)

    def is_elsewhere(self, file: DataFile) -> bool:
        return self._columns.is_elsewhere(file)

    def read_ahead(self, files: Sequence[DataFile], columns: Sequence[str]) -> None:
        self._columns.read_ahead(files, columns)

    def result_schema(self, sql: str, inputs: Mapping[str, tuple[Column, ...]], same_as: str | None = None) -> pa.Schema:
        return self._kernel.told_schema(sql, inputs, same_as, time_zone=self.time_zone)

    def bound_columns(self, sql: str, inputs: Mapping[str, tuple[Column, ...]]) -> tuple[Column, ...]:
        """See :class:`planner.catalog.Catalog`."""
        return self._kernel.bound_columns(sql, inputs, time_zone=self.time_zone)

    def column_name(self, expression: str) -> str | None:
        return self._kernel.column_name(expression)

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
            rows = self._columns.rows(table)
        except VolleyError as error:
            return TableDetails(table.name, connection, files=len(table.files), bytes=size, error=str(error))
        return TableDetails(table.name, connection, columns, rows, len(table.files), size)

    def _table(self, name: str, *, exact: bool) -> Table | None:
        folded = name.lower()
        spelled = [known for known in self._tables if known == name or (not exact and known.lower() == folded)]
        if len(spelled) > 1:
            remedy = f"Write {' or '.join(map(quote_name, spelled))}, in double quotes as it is spelled."
            raise ambiguous(name, [self._tables[known] for known in spelled], remedy)
        if spelled:
            return self._pattern_table(spelled[0], self._tables[spelled[0]])
        return self._roots.table(name, exact=exact)

    def _pattern_table(self, name: str, pattern: str, file_format: FileFormat | None = None) -> Table:
        found = self._listings.matching(pattern)
        connection = found[0].path.partition(":")[0] if found else ""
        table = make_table(name, found, f"{connection}:{_common_folder(pattern, found)}", file_format)
        if table is None:
            raise FileUnreadable(f"no data files match {pattern!r}", remedy=self._remedy(pattern, found))
        return table

    def _remedy(self, pattern: str, found: Sequence[StoredFile]) -> str:
        """What to write instead of a pattern that matches no data."""
        if found:
            call = read_files(pattern, "format = 'csv'")
            return f"The name of {found[0].path} says no format: write {call}, or 'json' or 'parquet'."
        if pattern.lower() in (name.lower() for name in self.table_names()):
            return f"Single quotes are for paths. For the table, write FROM {pattern}."
        stem = max(pattern.rfind("/"), pattern.rfind(":")) + 1
        names = {} if has_magic(pattern) else {name.lower(): name for name in self._names_in(pattern[:stem])}
        near = [pattern[:stem] + names[name] for name in get_close_matches(pattern[stem:].lower(), names, NEAR_NAMES, ALIKE)]
        if near:
            return f"Did you mean {' or '.join(map(quote_text, near))}?"
        return "Check the path; names that start with '_' or '.' are not data."

    def _names_in(self, folder: str) -> list[str]:
        """Names of data files in ``folder`` (as the beginning of a pattern); not of all where there are very many."""
        names = sorted(file.key.rpartition("/")[2] for file in self._listings.matching(f"{folder}*"))
        return [name for name in names if extension(name) is not None][:MAX_COMPARED_NAMES]


def _common_folder(pattern: str, files: Sequence[StoredFile]) -> str:
    """The folder below which hive partitions count: the literal part of the pattern, up to its first ``key=value``."""
    key = pattern.partition(":")[2] if ":" in pattern else pattern
    folder = literal_folder(key if has_magic(key) else f"{key.rstrip('/')}/")
    while folder and not all(file.key.startswith(folder) for file in files):
        folder = folder.partition("/")[2]
    parts = folder.split("/")
    first = next((index for index, part in enumerate(parts) if "=" in part), None)
    return folder if first is None else "".join(f"{part}/" for part in parts[:first])
