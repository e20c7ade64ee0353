"""A folder of tables as the planner sees it, and as the kernel does without one."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import duckdb

from planner.catalog import DataFile, RowGroup
from planner.quoting import quote_name
from tests.planner.memory_catalog import FolderCatalog, connect_to_volley, direct_kernel, read


class ComparedCatalog(FolderCatalog):
    """The catalog over a folder whose files do not change, with the kernel over the same files beside it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._groups: dict[str, tuple[RowGroup, ...] | None] = {}

    @cached_property
    def direct(self) -> duckdb.DuckDBPyConnection:
        """The kernel over the files, without a planner."""
        return direct_kernel(self)

    @cached_property
    def shuffled(self) -> tuple[duckdb.DuckDBPyConnection, ...]:
        """The kernel over the same rows in other orders."""
        return tuple(self._in_order(order) for order in ("hash(r)", "hash(r) DESC", "hash(r, 1)"))

    def _in_order(self, order: str) -> duckdb.DuckDBPyConnection:
        connection = connect_to_volley()
        for name, table in self.tables.items():
            connection.execute(f"CREATE TABLE {quote_name(name)} AS SELECT * FROM {read(table.files)} AS r ORDER BY {order}")
        return connection

    def row_groups(self, file: DataFile) -> tuple[RowGroup, ...] | None:
        """Those of a file, whose footer is read once."""
        if file.path not in self._groups:
            self._groups[file.path] = super().row_groups(file)
        return self._groups[file.path]
