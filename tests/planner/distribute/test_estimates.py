"""How many values a column has, told from footers: within a factor of two of what there are."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner.catalog import Column, DataFile, RowGroup
from planner.distribute.estimates import ColumnValues, column_values
from planner.splits import FileGroups, ScanExtent
from tests.planner.memory_catalog import FolderCatalog

ROWS = 20_000


@pytest.fixture(scope="module")
def table() -> pa.Table:
    pick = random.Random(7)
    rows = range(ROWS)
    first = datetime.date(1992, 1, 1)
    return pa.table(
        {
            "id": pa.array(rows, pa.int64()),
            "order": pa.array([row // 4 for row in rows], pa.int64()),
            "few": pa.array([pick.choice(("AIR", "MAIL", "RAIL", "SHIP")) for _ in rows]),
            "one": pa.array(["same"] * ROWS),
            "supplier": pa.array([pick.randrange(700) for _ in rows], pa.int32()),
            "customer": pa.array([pick.randrange(15_000) for _ in rows], pa.int64()),
            "day": pa.array([first + datetime.timedelta(pick.randrange(900)) for _ in rows]),
            "price": pa.array([Decimal(pick.randrange(10_000_000)) / 100 for _ in rows], pa.decimal128(15, 2)),
            "note": pa.array([f"note {pick.random()}" for _ in rows]),
            "clerk": pa.array([f"Clerk#{pick.randrange(300):09}" for _ in rows]),
            "flag": pa.array([pick.random() < 0.5 for _ in rows]),
        }
    )


@pytest.fixture(scope="module")
def known(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ColumnValues | None]:
    root = tmp_path_factory.mktemp("values")
    pq.write_table(table, root / "t.parquet", row_group_size=4000)
    catalog = FolderCatalog(root)
    listed = catalog.tables["t"]
    groups = catalog.row_groups(listed.files[0])
    extent = ScanExtent((FileGroups(listed.files[0], groups, 5),))
    return {column.name: column_values(extent, column) for column in catalog.columns(listed)}


NAMES = ("id", "order", "few", "one", "supplier", "customer", "day", "price", "note", "clerk", "flag")


@pytest.mark.parametrize("name", NAMES)
def test_values_are_about_as_many_as_there_are(name: str, table: pa.Table, known: dict[str, ColumnValues | None]) -> None:
    values = known[name]
    real = len(table.column(name).unique())
    assert values is not None
    assert real / 2 <= values.count <= 2 * real


def test_a_value_of_a_table_in_the_columns_order_lies_in_one_row_group(known: dict[str, ColumnValues | None]) -> None:
    layers = {name: values.layers for name, values in known.items() if values is not None}
    assert layers["id"] == layers["order"] == 1 / 5
    assert layers["few"] == 1
    assert layers["day"] > 0.98


def test_texts_are_as_long_as_statistics_show(known: dict[str, ColumnValues | None]) -> None:
    widths = {name: values.width for name, values in known.items() if values is not None}
    assert (widths["clerk"], widths["price"], widths["day"]) == (4 + len("Clerk#000000001"), 16, 4)


def test_without_footers_nothing_is_known() -> None:
    extent = ScanExtent((FileGroups(DataFile("a:b.csv", 10, "1", "csv"), None, 0),))
    assert column_values(extent, Column("a", "BIGINT")) is None


def test_partitions_are_counted() -> None:
    files = [DataFile(f"a:year={year}/{part}.parquet", 10, "1", partitions=(("year", year),)) for year in ("1", "2") for part in "ab"]
    extent = ScanExtent(tuple(FileGroups(file, (RowGroup(0, 0, 100),), 1) for file in files))
    values = column_values(extent, Column("year", "BIGINT"))
    assert values is not None
    assert values.count == 2


def test_without_sizes_or_ranges_every_row_may_have_a_value_of_its_own() -> None:
    extent = ScanExtent((FileGroups(DataFile("a:b.parquet", 10, "1"), (RowGroup(0, 0, 100), RowGroup(1, 100, 100)), 2),))
    values = column_values(extent, Column("a", "BIGINT"))
    assert values is not None
    assert values.count == 200


def test_a_table_without_rows_has_no_values(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "t.parquet")
    catalog = FolderCatalog(tmp_path)
    file = catalog.tables["t"].files[0]
    values = column_values(ScanExtent((FileGroups(file, catalog.row_groups(file), 1),)), Column("a", "BIGINT"))
    assert values is not None
    assert values.count == 0
