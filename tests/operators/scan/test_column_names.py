"""Names of columns that are unusual, compared with what the kernel makes of the same file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.errors import FileUnreadable, SchemaClash
from operators.scan.scans import prepare_scan
from planner.catalog import Column
from planner.options import PlanOptions
from planner.physical import ScanInput, Split
from planner.statements import plan
from tests.lakes import Lake


def write(root: Path, name: str, columns: list[str], rows: int = 3, first: int = 0, **options: object) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    values = [[first + 100 * index + row for row in range(rows)] for index in range(len(columns))]
    pq.write_table(pa.table(values, names=columns), root / name, **options)


@pytest.mark.parametrize(
    "columns",
    [
        [""],
        ["a", ""],
        ["", ""],
        ["x", "X"],
        ["x", "x", "x_1"],
        ["", "x", "", "X"],
        ['a"b', "a'b", "a\nb", "a.b", "a", " ", "a;--b"],
        ["ä", "Ä"],
        ["file_row_number", "file_index", "filename", "rowid"],
    ],
)
def test_unusual_names_read_as_the_kernel_reads_them(lake: Lake, columns: list[str]) -> None:
    write(lake.root, "t.parquet", columns)
    direct = duckdb.connect().sql(f"SELECT * FROM read_parquet('{lake.root}/t.parquet')")
    assert [column.name for column in lake.columns("t")] == direct.columns
    assert lake.rows("t") == direct.fetchall()
    for column in lake.columns("t"):
        scan = lake.scan("t", (column.name,))
        with prepare_scan(scan, scan.splits, lake.storage) as prepared:
            found = lake.run("SELECT * FROM in_0", in_0=prepared.relation)
        assert found == [(row[direct.columns.index(column.name)],) for row in direct.fetchall()]


def test_names_without_which_the_kernel_cannot_tell_columns_apart_are_refused_by_place(lake: Lake) -> None:
    write(lake.root, "t.parquet", ["", "C0"])
    with pytest.raises(FileUnreadable, match=r"default:t\.parquet.*column 1 has no name"):
        lake.columns("t")


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (["", "x"], ["x", ""], r"default:t/1\.parquet.*column 1 has no name"),
        (["x", "y"], ["x", ""], r"default:t/2\.parquet.*column 2 has no name"),
        (["x", "X"], ["x", "y"], r"default:t/1\.parquet.*columns 1 and 2 are both called 'x'"),
    ],
)
def test_columns_without_a_name_of_their_own_do_not_go_with_files_of_other_columns(
    lake: Lake, one: list[str], other: list[str], message: str
) -> None:
    write(lake.root, "t/1.parquet", one)
    write(lake.root, "t/2.parquet", other)
    with pytest.raises(SchemaClash, match=message):
        lake.columns("t")


def test_several_files_of_the_same_unusual_names(lake: Lake) -> None:
    write(lake.root, "t/1.parquet", ["", "x", "X"], 1)
    write(lake.root, "t/2.parquet", ["", "x", "X"], 1, 7)
    assert lake.columns("t") == (Column("C0", "BIGINT"), Column("x", "BIGINT"), Column("X_1", "BIGINT"))
    assert lake.rows("t") == [(0, 100, 200), (7, 107, 207)]


def test_names_are_equal_where_the_kernel_says_so(lake: Lake) -> None:
    write(lake.root, "t/1.parquet", ["ä", "A"], 1)
    write(lake.root, "t/2.parquet", ["Ä", "a"], 1, 7)
    assert [column.name for column in lake.columns("t")] == ["ä", "A", "Ä"]
    assert lake.rows("t") == [(0, 100, None), (None, 107, 7)]


def test_a_column_called_like_the_number_of_a_row_does_not_choose_rows(lake: Lake) -> None:
    write(lake.root, "t.parquet", ["File_Row_Number", "n"], 10, 5, row_group_size=2)
    file = lake.table("t").files[0]
    groups = lake.catalog.row_groups(file)
    splits = (Split(file),) if groups is None else tuple(Split(file, (group.index,), group.first_row, group.rows) for group in groups)
    parts = [lake.rows("t", "SELECT n FROM in_0", (split,)) for split in splits]
    assert sorted(row for part in parts for row in part) == [(105 + row,) for row in range(10)]


def test_a_column_called_like_the_number_of_a_file_does_not_choose_partitions(lake: Lake) -> None:
    for part in range(3):
        write(lake.root, f"t/part={part}/1.parquet", ["file_index"], 1, 2 - part)
    assert lake.rows("t") == [(2, 0), (1, 1), (0, 2)]


def test_statistics_of_a_column_rule_nothing_out_for_another_that_the_planner_takes_for_it(lake: Lake) -> None:
    write(lake.root, "t.parquet", ["ä", "Ä"], 3, row_group_size=1)
    (scan,) = plan('SELECT * FROM t WHERE "ä" = 2', lake.catalog, PlanOptions()).fragments[0].inputs
    assert isinstance(scan, ScanInput)
    with prepare_scan(scan, scan.splits, lake.storage) as prepared:
        assert (2, 102) in lake.run(f"SELECT * FROM {scan.name}", **{scan.name: prepared.relation})
