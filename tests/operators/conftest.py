from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from operators.catalog import FileCatalog
from operators.kernel import Kernel, Relation
from operators.scans import prepare_scan
from operators.storage import Connection, Storage
from planner.catalog import Column, Table
from planner.physical import ScanInput, Split


class Lake:
    """A folder of data, opened: storage, kernel and catalog around it."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self.root = root
        self.storage = Storage([Connection("default", str(root))], scratch_directory=scratch)
        self.kernel = Kernel(2, 256 << 20, scratch, self.storage.local_roots())
        self.catalog = FileCatalog(self.storage, self.kernel, [self.storage.add_root(str(root))])

    def table(self, name: str) -> Table:
        table = self.catalog.table(name, quoted=False)
        assert table is not None, name
        return table

    def scan(self, name: str, columns: tuple[str, ...] | None = None, splits: tuple[Split, ...] | None = None) -> ScanInput:
        """A scan of a table; of all its columns and files where nothing else is said."""
        table = self.table(name) if "*" not in name else self.catalog.files(name)
        known = self.catalog.columns(table)
        wanted = known if columns is None else tuple(column for column in known if column.name in columns)
        return ScanInput(
            "in_0",
            name,
            wanted,
            known,
            splits or tuple(Split(file) for file in table.files),
            table.files[0].format,
            partition_columns=table.partition_columns,
        )

    def rows(self, name: str, sql: str = "SELECT * FROM in_0", splits: tuple[Split, ...] | None = None) -> list[tuple[object, ...]]:
        scan = self.scan(name, splits=splits)
        with prepare_scan(scan, scan.splits, self.storage) as prepared:
            return self.run(sql, in_0=prepared.relation)

    def run(self, sql: str, **relations: Relation) -> list[tuple[object, ...]]:
        with self.kernel.run(sql, relations) as run:
            table = pa.Table.from_batches(list(run), schema=run.schema)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def columns(self, name: str) -> tuple[Column, ...]:
        return self.catalog.columns(self.table(name))

    def close(self) -> None:
        self.kernel.close()
        self.storage.close()


@pytest.fixture(name="open_lake")
def _open_lake(tmp_path: Path) -> Iterator[Callable[[], Lake]]:
    lakes: list[Lake] = []

    def open_lake() -> Lake:
        root = tmp_path / "data"
        root.mkdir(exist_ok=True)
        lakes.append(Lake(root, tmp_path / "scratch"))
        return lakes[-1]

    yield open_lake
    for lake in lakes:
        lake.close()


@pytest.fixture(name="lake")
def _lake(open_lake: Callable[[], Lake]) -> Lake:
    return open_lake()
