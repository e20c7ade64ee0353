"""The one interface through which the planner knows tables, statistics and result types.

The planner does no I/O of its own: whoever calls it passes in a :class:`Catalog`. A table is opened in two steps, so that
hive partitions prune files before any file is touched: :meth:`Catalog.table` only lists, :meth:`Catalog.columns` opens.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pyarrow as pa

CATALOG_NAME = "volley"
SCHEMA_NAME = "main"
"""Where all tables are."""
SCHEMA_PREFIXES = ((CATALOG_NAME, SCHEMA_NAME), (CATALOG_NAME,), (SCHEMA_NAME,))
"""What may stand before a table's name, in the order in which the kernel tries it."""
INFORMATION_SCHEMA = "information_schema"
"""Where the tables about tables are."""

FileFormat = Literal["parquet", "csv", "json"]
StatisticsValue = bool | int | float | str | bytes | decimal.Decimal | datetime.date | datetime.datetime


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its type, as the kernel spells it in SQL (``DECIMAL(15,2)``, ``STRUCT(a INTEGER)``)."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a table.

    ``path`` is ``connection:key`` with the key as the storage spells it; ``version`` changes when the contents do (an etag, or
    modification time and size). ``partitions`` are the hive keys and values of its path (None for the default partition).
    """

    path: str
    size_bytes: int
    version: str
    format: FileFormat = "parquet"
    partitions: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnRange:
    """What a row group's statistics say about one column; None where they say nothing."""

    minimum: StatisticsValue | None
    maximum: StatisticsValue | None
    null_count: int | None


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group of a Parquet file. ``first_row`` counts within the file.

    ``column_bytes`` are compressed sizes, ``encoded_bytes`` those before compression: of dictionaries and places in them, mostly.
    """

    index: int
    first_row: int
    rows: int
    column_bytes: Mapping[str, int] = field(default_factory=dict)
    ranges: Mapping[str, ColumnRange] = field(default_factory=dict)
    encoded_bytes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read files: as ``format`` whatever their names say, if it is not None, and with ``values``, options of the kernel's reader.

    Options are in the order of their names, each with its value as SQL.
    """

    format: FileFormat | None = None
    values: tuple[tuple[str, str], ...] = ()


AS_NAMED = ReadOptions()
"""By the names of the files alone."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as listed: its files, none of them opened yet. ``options`` are those of the kernel's reader (:class:`ReadOptions`)."""

    name: str
    files: tuple[DataFile, ...]
    partition_columns: tuple[Column, ...] = ()
    options: tuple[tuple[str, str], ...] = ()


class Catalog(Protocol):
    """What the planner may ask. Implementations raise ``VolleyError`` subclasses; each call may do I/O."""

    time_zone: str
    """The session's: the kernel's binder sees each statement in it."""

    def time_zones(self) -> Collection[str]:
        """The names of all time zones that the kernel knows."""

    def table_names(self) -> Sequence[str]:
        """All table names, sorted."""

    def table(self, name: str, *, quoted: bool) -> Table | None:
        """The table of that name, listed afresh, or None. Unquoted names match in any case; quoted ones as written first."""

    def files(self, *patterns: str, options: ReadOptions = AS_NAMED) -> Table:
        """The files that ``read_files`` names, each once. Raises if a pattern leaves the connections or matches nothing."""

    def files_without_format(self, name: str) -> Sequence[str]:
        """Paths, for ``read_files``, of files called ``name`` up to their first dot that would be a table if their suffix said a format."""

    def columns(self, table: Table) -> tuple[Column, ...]:
        """The columns of ``table.files`` taken together (partition columns last). Opens the files that it must.

        Raises an error that names the file when one is unreadable or its types clash with the others'.
        """

    def row_groups(self, file: DataFile) -> Sequence[RowGroup] | None:
        """The row groups of a Parquet file, from its footer; None for other formats.

        Where there may be many they are :class:`planner.row_groups.RowGroups`.
        """

    def read_ahead(self, files: Sequence[DataFile], columns: Sequence[str]) -> None:
        """Reads at once what :meth:`row_groups` of these files will be asked about these columns: where there are many, that is faster."""

    def is_elsewhere(self, file: DataFile) -> bool:
        """Whether what is read of the file has to be fetched first: it is on no disk of this machine."""

    def result_schema(self, sql: str, inputs: Mapping[str, tuple[Column, ...]], same_as: str | None = None) -> pa.Schema:
        """The schema of ``sql`` over empty relations called as in ``inputs``, by the kernel's binder; nothing is run.

        Fields tell the kernel's own types (see ``arrow_types.told_field``).

        ``same_as``: a name for all statements that have this one's schema over the same inputs, so that it need not be bound again.
        Raises ``operators.errors.KernelError`` with the kernel's own message where the kernel's binder refuses.
        """

    def bound_columns(self, sql: str, inputs: Mapping[str, tuple[Column, ...]]) -> tuple[Column, ...]:
        """The columns of ``sql`` over empty relations called as in ``inputs``, with the kernel's own types; nothing is run.

        A state that an aggregate hands out has the type as which it comes back from Arrow. Raises as :meth:`result_schema`.
        """

    def column_name(self, expression: str) -> str | None:
        """What the kernel calls a column of ``expression`` that has no alias. Parameters in it stay ``$1``, and nothing is bound.

        None where it does not parse: then the kernel refuses the statement too, and says why.
        """
