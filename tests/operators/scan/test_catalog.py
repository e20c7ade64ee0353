from __future__ import annotations

import datetime
import decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.errors import FileUnreadable, PathRefused, SchemaClash, TooManyFiles
from operators.scan import listings
from operators.scan.catalog import FileCatalog
from operators.storage import Listing, StoredFile
from planner.catalog import Column, ColumnRange
from tests.lakes import Lake


def write(root: Path, name: str, table: pa.Table, **options: object) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **options)


QUERY = "0123456789abcdef" * 2
ONE = pa.table({"a": [1, 2], "b": ["x", "y"]})


def test_files_and_folders_are_tables(lake: Lake) -> None:
    write(lake.root, "one.parquet", ONE)
    write(lake.root, "many/1.parquet", ONE)
    write(lake.root, "many/deep/er/2.parquet", ONE)
    (lake.root / "text.csv").write_text("a,b\n1,x\n")
    (lake.root / "lines.jsonl").write_text('{"a": 1}\n')
    (lake.root / "readme.md").write_text("no table")
    (lake.root / "empty").mkdir()
    assert [name for name in lake.catalog.table_names() if name != "empty"] == ["lines", "many", "one", "text"]
    assert [file.path for file in lake.table("many").files] == ["default:many/1.parquet", "default:many/deep/er/2.parquet"]
    assert lake.catalog.table("empty", quoted=False) is None
    assert lake.catalog.table("readme", quoted=False) is None
    assert lake.columns("one") == (Column("a", "BIGINT"), Column("b", "VARCHAR"))
    assert lake.columns("text") == (Column("a", "BIGINT"), Column("b", "VARCHAR"))
    assert lake.columns("lines") == (Column("a", "BIGINT"),)


def test_new_files_appear_at_once(lake: Lake) -> None:
    write(lake.root, "t/1.parquet", ONE)
    assert len(lake.table("t").files) == 1
    write(lake.root, "t/2.parquet", ONE)
    write(lake.root, "u.parquet", ONE)
    assert len(lake.table("t").files) == 2
    assert "u" in lake.catalog.table_names()


def test_a_session_sees_one_state(lake: Lake) -> None:
    write(lake.root, "t/1.parquet", ONE)
    session = lake.catalog
    first = session.table("t", quoted=False)
    pattern = session.files("t/*.parquet")
    write(lake.root, "t/2.parquet", ONE)
    assert session.table("t", quoted=False) == first
    assert session.files("t/*.parquet") == pattern
    assert len(lake.table("t").files) == 2


@pytest.mark.parametrize(("name", "quoted"), [("big", False), ("Big", False), ("BIG", True), ("Big", True)])
def test_names_match_in_any_case(lake: Lake, name: str, quoted: bool) -> None:
    write(lake.root, "Big.parquet", ONE)
    table = lake.catalog.table(name, quoted=quoted)
    assert table is not None
    assert table.files[0].path == "default:Big.parquet"


def test_configured_tables_and_those_of_all_roots(lake: Lake, tmp_path: Path) -> None:
    write(lake.root, "t/1.parquet", ONE)
    write(tmp_path / "second", "u.parquet", ONE)
    roots = [lake.storage.add_root(lake.url), lake.storage.add_root(str(tmp_path / "second"))]
    catalog = FileCatalog(lake.storage, lake.kernel, roots, {"named": "t/*.parquet"}).session()
    found = {name: catalog.table(name, quoted=False) for name in catalog.table_names()}
    assert {name: table and table.files[0].path for name, table in found.items()} == {
        "named": "default:t/1.parquet",
        "t": "default:t/1.parquet",
        "u": "second:u.parquet",
    }


def test_names_that_hide_are_no_data(lake: Lake) -> None:
    for name in ["t/_temporary/0.parquet", "t/.crc.parquet", "t/_SUCCESS", "_hidden/1.parquet", ".x.parquet", f"results/{QUERY}/0.parquet"]:
        write(lake.root, name, ONE)
    write(lake.root, "t/1.parquet", ONE)
    write(lake.root, "u/_year=2024/1.parquet", ONE)
    assert lake.catalog.table_names() == ["t", "u"]
    assert [file.path for file in lake.catalog.files("t/**").files] == ["default:t/1.parquet"]
    assert [file.path for file in lake.catalog.files("u/**").files] == ["default:u/_year=2024/1.parquet"]
    assert [file.path for file in lake.catalog.files("t/.crc*").files] == ["default:t/.crc.parquet"]


@pytest.mark.parametrize("name", ["sp ace", "pl+us", "per%20cent", "ünï", "quote'd", 'dou"ble', "a[1]", "semi;colon", "100%"])
def test_odd_names(lake: Lake, name: str) -> None:
    write(lake.root, f"{name}.parquet", ONE)
    write(lake.root, f"folder/{name}/{name}.parquet", ONE)
    assert lake.rows(name) == [(1, "x"), (2, "y")]
    assert lake.rows("folder") == [(1, "x"), (2, "y")]


def test_hive_partitions(lake: Lake) -> None:
    for year, country in [("2023", "a%2Fb"), ("2024", "d e"), ("2024", "__HIVE_DEFAULT_PARTITION__")]:
        write(lake.root, f"t/year={year}/country={country}/day=2024-01-0{len(country) % 9 + 1}/f.parquet", ONE)
    table = lake.table("t")
    assert table.partition_columns == (Column("year", "BIGINT"), Column("country", "VARCHAR"), Column("day", "DATE"))
    assert [dict(file.partitions)["country"] for file in table.files] == ["a/b", None, "d e"]
    assert lake.columns("t")[2:] == table.partition_columns
    assert {row[2:4] for row in lake.rows("t")} == {(2023, "a/b"), (2024, "d e"), (2024, None)}


def test_hive_partitions_of_a_pattern_count_from_its_first_one(lake: Lake) -> None:
    write(lake.root, "t/year=2024/f.parquet", ONE)
    assert lake.catalog.files("t/year=2024/*.parquet").partition_columns == (Column("year", "BIGINT"),)
    assert lake.catalog.files(f"{lake.url}/t/year=2024/*.parquet").partition_columns == (Column("year", "BIGINT"),)


def test_partitions_must_agree(lake: Lake) -> None:
    write(lake.root, "t/year=2024/f.parquet", ONE)
    write(lake.root, "t/f.parquet", ONE)
    with pytest.raises(SchemaClash, match="different partitions"):
        lake.table("t")


@pytest.mark.parametrize("path", ["t/year=1/year=2/f.parquet", "t/year=1/Year=2/f.parquet"])
def test_a_partition_key_is_in_a_path_once(lake: Lake, path: str) -> None:
    write(lake.root, path, ONE)
    with pytest.raises(SchemaClash, match=f"partition key twice: default:{path}"):
        lake.table("t")


def test_columns_of_files_that_differ(lake: Lake) -> None:
    write(lake.root, "t/1.parquet", pa.table({"a": pa.array([1], pa.int32()), "b": ["x"], "d": pa.array([1.5], pa.float32())}))
    write(lake.root, "t/2.parquet", pa.table({"B": ["y"], "a": pa.array([2], pa.int64()), "c": [True], "d": [2.25]}))
    assert lake.columns("t") == (Column("a", "BIGINT"), Column("b", "VARCHAR"), Column("d", "DOUBLE"), Column("c", "BOOLEAN"))
    assert lake.rows("t") == [(1, "x", 1.5, None), (2, "y", 2.25, True)]


def test_types_that_clash_name_the_files(lake: Lake) -> None:
    write(lake.root, "t/1.parquet", pa.table({"a": [1]}))
    write(lake.root, "t/2.parquet", pa.table({"a": ["x"]}))
    with pytest.raises(SchemaClash, match=r"'a'.*BIGINT in default:t/1\.parquet and VARCHAR in default:t/2\.parquet"):
        lake.columns("t")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"PAR1", "too short"),
        (b"x" * 100, "not a whole Parquet file"),
        (b"PAR1" + b"\0" * 100 + b"\xff\xff\xff\x7fPAR1", "footer does not fit"),
        (b"PAR1" + b"\7" * 100 + b"\x60\0\0\0PAR1", "corrupt footer"),
    ],
)
def test_files_that_are_not_parquet_are_named(lake: Lake, content: bytes, message: str) -> None:
    write(lake.root, "t/1.parquet", ONE)
    (lake.root / "t/2.parquet").write_bytes(content)
    with pytest.raises(FileUnreadable, match=message) as caught:
        lake.columns("t")
    assert "default:t/2.parquet" in str(caught.value)
    assert str(lake.root) not in str(caught.value)
    assert caught.value.remedy


def test_a_file_that_vanished_since_it_was_listed(lake: Lake) -> None:
    write(lake.root, "t/1.parquet", ONE)
    table = lake.table("t")
    (lake.root / "t/1.parquet").unlink()
    with pytest.raises(FileUnreadable, match=r"default:t/1\.parquet vanished"):
        lake.catalog.columns(table)


def test_a_table_called_results_is_a_table_without_the_queries_results(lake: Lake) -> None:
    write(lake.root, f"results/{QUERY}/0.parquet", ONE)
    assert lake.catalog.table_names() == []
    write(lake.root, "results/mine.parquet", ONE)
    assert lake.catalog.table_names() == ["results"]
    assert [file.path for file in lake.table("results").files] == ["default:results/mine.parquet"]
    assert [file.path for file in lake.catalog.files("results/**").files] == ["default:results/mine.parquet"]


def test_no_files_for_a_pattern_and_patterns_outside(lake: Lake) -> None:
    with pytest.raises(FileUnreadable, match="no data files match"):
        lake.catalog.files("nothing/*.parquet")
    with pytest.raises(PathRefused):
        lake.catalog.files("/etc/*")


def test_a_table_of_too_many_files_is_refused(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        write(lake.root, f"t/{number}.parquet", ONE)
    monkeypatch.setattr(listings, "MOST_FILES", 2)
    for pattern in ("t", "t/*.parquet"):
        with pytest.raises(TooManyFiles, match=r"the 3 files of '.*' are more than a table may have"):
            lake.catalog.files(pattern)
    with pytest.raises(TooManyFiles, match="the 3 files below default:t/ are more"):
        lake.table("t")
    assert len(lake.catalog.files("t/[01].parquet").files) == 2


def test_row_groups(lake: Lake) -> None:
    table = pa.table(
        {
            "n": [5, 1, 9, None],
            "s": ["b", "a", "c", "d"],
            "f": [1.0, float("nan"), 2.0, 3.0],
            "u": pa.array([1, 2**64 - 1, 3, 4], pa.uint64()),
            "d": [decimal.Decimal("1.50"), decimal.Decimal("-2.25"), None, None],
            "t": [datetime.datetime(2024, 1, day) for day in (1, 2, 3, 4)],
            "nested": [{"x": 1, "y": 2}] * 4,
            "flag": [True, False, True, True],
        }
    )
    write(lake.root, "t.parquet", table, row_group_size=2)
    groups = lake.catalog.row_groups(lake.table("t").files[0])
    assert groups is not None
    assert [(group.index, group.first_row, group.rows) for group in groups] == [(0, 0, 2), (1, 2, 2)]
    first = groups[0].ranges
    assert first["n"] == ColumnRange(1, 5, 0)
    assert first["s"] == ColumnRange("a", "b", 0)
    assert first["f"] == ColumnRange(1.0, None, 0)  # NaN is above every number and in no statistics
    assert first["u"] == ColumnRange(1, 2**64 - 1, 0)
    assert first["d"] == ColumnRange(decimal.Decimal("-2.25"), decimal.Decimal("1.50"), 0)
    assert first["t"] == ColumnRange(datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 2), 0)
    assert first["flag"] == ColumnRange(False, True, 0)
    assert "nested" not in first
    assert groups[1].ranges["d"] == ColumnRange(None, None, 2)
    metadata = pq.read_metadata(lake.root / "t.parquet")
    chunks = [metadata.row_group(0).column(index) for index in range(metadata.num_columns)]
    nested = sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema.startswith("nested."))
    assert groups[0].column_bytes["nested"] == nested
    assert sum(groups[0].column_bytes.values()) == sum(chunk.total_compressed_size for chunk in chunks)


def test_row_groups_of_columns_that_the_kernel_renames(lake: Lake) -> None:
    write(lake.root, "t.parquet", pa.table([[1, 2], [7, 8]], names=["x", "X"]))
    groups = lake.catalog.row_groups(lake.table("t").files[0])
    assert groups is not None
    names = [column.name for column in lake.columns("t")]
    assert [(groups[0].ranges[name].minimum, groups[0].ranges[name].maximum) for name in names] == [(1, 2), (7, 8)]


def test_text_files_have_no_row_groups(lake: Lake) -> None:
    (lake.root / "t.csv").write_text("a\n1\n")
    assert lake.catalog.row_groups(lake.table("t").files[0]) is None


def test_describe(lake: Lake) -> None:
    write(lake.root, "t/1.parquet", ONE)
    write(lake.root, "t/2.parquet", ONE)
    (lake.root / "bad.parquet").write_bytes(b"")
    details = lake.catalog.describe("t")
    assert details is not None
    assert (details.connection, details.rows, details.files, details.error) == ("default", 4, 2, None)
    assert details.bytes == sum(file.size_bytes for file in lake.table("t").files)
    bad = lake.catalog.describe("bad")
    assert bad is not None
    assert bad.error is not None
    assert "empty" in bad.error
    assert lake.catalog.describe("nope") is None


def test_text_files_whose_guessed_types_differ(lake: Lake) -> None:
    (lake.root / "t").mkdir()
    (lake.root / "t/1.csv").write_text("a,b\n1,2\n")
    (lake.root / "t/2.csv").write_text("b,a\nx,2.5\n")
    assert lake.columns("t") == (Column("a", "DOUBLE"), Column("b", "VARCHAR"))
    assert lake.rows("t") == [(1.0, "2"), (2.5, "x")]
    (lake.root / "t/3.csv").write_text("b,c\nx,2.5\n")
    with pytest.raises(SchemaClash, match=r"default:t/3\.csv has b, c"):
        lake.columns("t")


def test_a_root_that_nobody_named_is_not_looked_through(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("a.csv", "t/a.csv", "deep/deeper/a.csv"):
        (lake.root / path).parent.mkdir(parents=True, exist_ok=True)
        (lake.root / path).write_text("n\n1\n")
    storage = lake.storage
    folders: list[str] = []
    trees: list[str] = []
    listed, walked = storage.list_folder, storage.list_tree

    def list_folder(path: str) -> Listing:
        folders.append(path)
        return listed(path)

    def list_tree(path: str) -> list[StoredFile]:
        trees.append(path)
        return walked(path)

    monkeypatch.setattr(storage, "list_folder", list_folder)
    monkeypatch.setattr(storage, "list_tree", list_tree)
    catalog = FileCatalog(storage, lake.kernel, ["default:"], shallow=True).session()
    assert catalog.files("a.csv").files
    assert folders == []
    assert catalog.table_names() == ["a", "t"]
    assert (sorted(folders), trees) == (["default:", "default:deep/", "default:t/"], [])
    assert catalog.table("deep", quoted=False) is not None
    assert trees == ["default:deep/"]
