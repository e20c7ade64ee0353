"""A name that means two tables: refused with both named, and no other table suffers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.errors import OperatorError
from operators.scan.catalog import FileCatalog
from planner.errors import VolleyError
from tests.lakes import Lake

ONE = pa.table({"a": [1, 2], "b": ["x", "y"]})


def write(root: Path, name: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".parquet"):
        pq.write_table(ONE, path)
    else:
        path.write_text('{"a": 3}\n' if "json" in name else "a,b\n3,z\n")


def refusal(lake: Lake, name: str, *, quoted: bool = False) -> VolleyError:
    with pytest.raises(OperatorError) as caught:
        lake.catalog.table(name, quoted=quoted)
    return caught.value


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        ("sales.csv", "sales.parquet", "default:sales.csv and default:sales.parquet"),
        ("sales.csv", "sales.tsv", "default:sales.csv and default:sales.tsv"),
        ("sales.jsonl", "sales.parq", "default:sales.jsonl and default:sales.parq"),
        ("sales.parquet", "sales/1.parquet", "default:sales.parquet and default:sales/"),
        ("sales.csv", "sales/deep/1.parquet", "default:sales.csv and default:sales/"),
    ],
)
def test_two_of_one_name_are_refused_and_both_named(lake: Lake, one: str, other: str, named: str) -> None:
    write(lake.root, one)
    write(lake.root, other)
    write(lake.root, "other.parquet")
    error = refusal(lake, "sales")
    assert f"'sales' means both {named}" in error.message
    assert error.remedy is not None
    assert f"read_files('{one}')" in error.remedy
    assert "rename" in error.remedy
    assert "[tables]" in error.remedy
    assert lake.rows("other") == [(1, "x"), (2, "y")]


def test_each_of_two_can_be_read_as_the_remedy_says(lake: Lake) -> None:
    write(lake.root, "sales.csv")
    write(lake.root, "sales/1.parquet")
    assert [file.path for file in lake.catalog.files("sales.csv").files] == ["default:sales.csv"]
    assert [file.path for file in lake.catalog.files("sales/").files] == ["default:sales/1.parquet"]


def test_what_holds_no_data_takes_no_name(lake: Lake) -> None:
    write(lake.root, "sales.parquet")
    write(lake.root, "sales.md")
    write(lake.root, "sales/readme.md")
    (lake.root / "sales/_SUCCESS").touch()
    assert [file.path for file in lake.table("sales").files] == ["default:sales.parquet"]


def test_a_name_that_means_two_is_listed_once_with_the_error(lake: Lake) -> None:
    write(lake.root, "sales.csv")
    write(lake.root, "sales.parquet")
    write(lake.root, "t.parquet")
    assert lake.catalog.table_names() == ["sales", "t"]
    details = lake.catalog.describe("sales")
    assert details is not None
    assert details.error is not None
    assert "default:sales.csv and default:sales.parquet" in details.error
    other = lake.catalog.describe("t")
    assert other is not None
    assert other.error is None


def test_names_that_differ_in_case_alone_are_told_apart_by_quotes(lake: Lake) -> None:
    write(lake.root, "Sales.parquet")
    write(lake.root, "sales.csv")
    for name in ("sales", "Sales", "SALES"):
        error = refusal(lake, name)
        assert "default:Sales.parquet and default:sales.csv" in error.message
        assert error.remedy is not None
        assert '"Sales" or "sales"' in error.remedy
    assert "default:Sales.parquet and default:sales.csv" in refusal(lake, "SALES", quoted=True).message
    for name, path in [("Sales", "default:Sales.parquet"), ("sales", "default:sales.csv")]:
        table = lake.catalog.table(name, quoted=True)
        assert table is not None
        assert [file.path for file in table.files] == [path]


def test_a_name_in_two_roots_is_refused_and_the_configuration_decides(lake: Lake, tmp_path: Path) -> None:
    write(lake.root, "t.parquet")
    write(tmp_path / "second", "t.parquet")
    write(tmp_path / "second", "u.parquet")
    roots = [lake.storage.add_root(lake.url), lake.storage.add_root(str(tmp_path / "second"))]
    catalog = FileCatalog(lake.storage, lake.kernel, roots).session()
    assert catalog.table_names() == ["t", "u"]
    with pytest.raises(OperatorError, match=r"'t' means both default:t\.parquet and second:t\.parquet") as caught:
        catalog.table("t", quoted=False)
    assert caught.value.remedy is not None
    assert "read_files('second:t.parquet')" in caught.value.remedy
    assert catalog.table("u", quoted=False) is not None
    for configured in ("t", "T"):
        named = FileCatalog(lake.storage, lake.kernel, roots, {configured: "second:t.parquet"}).session().table("t", quoted=False)
        assert named is not None
        assert [file.path for file in named.files] == ["second:t.parquet"]


def test_a_root_that_is_given_twice_is_one(lake: Lake) -> None:
    write(lake.root, "t.parquet")
    catalog = FileCatalog(lake.storage, lake.kernel, ["default:", "default:"]).session()
    assert catalog.table("t", quoted=False) is not None


def test_configured_names_that_differ_in_case_alone(lake: Lake) -> None:
    write(lake.root, "1.parquet")
    write(lake.root, "2.parquet")
    catalog = FileCatalog(lake.storage, lake.kernel, ["default:"], {"Sales": "1.parquet", "sales": "2.parquet"}).session()
    with pytest.raises(OperatorError, match=r"'sales' means both 1\.parquet and 2\.parquet"):
        catalog.table("sales", quoted=False)
    found = catalog.table("Sales", quoted=True)
    assert found is not None
    assert [file.path for file in found.files] == ["default:1.parquet"]


@pytest.mark.parametrize(
    ("files", "named", "remedy"),
    [
        (["t/a.parquet", "t/b.csv"], "default:t/a.parquet is Parquet and default:t/b.csv is CSV", "read_files('t/**/*.parquet')"),
        (["t/a.csv", "t/deep/b.jsonl.gz"], "default:t/a.csv is CSV and default:t/deep/b.jsonl.gz is JSON", "read_files('t/**/*.csv')"),
        (["t/year=1/a.parquet", "t/year=2/b.csv"], "default:t/year=1/a.parquet is Parquet", "read_files('t/**/*.parquet')"),
    ],
)
def test_a_folder_of_several_formats_is_refused_with_a_file_of_each(lake: Lake, files: list[str], named: str, remedy: str) -> None:
    for name in files:
        write(lake.root, name)
    for error in (refusal(lake, "t"), _refused_pattern(lake, "t/**"), _refused_pattern(lake, "t")):
        assert named in error.message
        assert error.remedy is not None
        assert remedy in error.remedy
    assert lake.catalog.table_names() == ["t"]
    chosen = lake.catalog.files(remedy.removeprefix("read_files('").removesuffix("')"))
    assert {file.format for file in chosen.files} == {"parquet" if "parquet" in remedy else "csv"}


def test_a_pattern_below_another_connection_is_told_with_it(lake: Lake, tmp_path: Path) -> None:
    write(tmp_path / "second", "t/a.parquet")
    write(tmp_path / "second", "t/b.csv")
    root = lake.storage.add_root(str(tmp_path / "second"))
    with pytest.raises(OperatorError) as caught:
        FileCatalog(lake.storage, lake.kernel, [root]).session().table("t", quoted=False)
    assert caught.value.remedy is not None
    assert "read_files('second:t/**/*.parquet')" in caught.value.remedy


def test_what_is_no_data_mixes_with_data(lake: Lake) -> None:
    write(lake.root, "t/a.parquet")
    for name in ("t/README.md", "t/_SUCCESS", "t/a.parquet.crc", "t/.a.csv", "t/notes.txt"):
        (lake.root / name).write_text("no data")
    assert [file.path for file in lake.table("t").files] == ["default:t/a.parquet"]


@pytest.mark.parametrize("name", ["b.parquet.gz", "b.csv.zip", "b.JSONL.bz2", "b.csv.xz"])
def test_data_that_is_packed_in_a_way_that_cannot_be_read_is_refused_not_left_out(lake: Lake, name: str) -> None:
    write(lake.root, "t/a.parquet")
    write(lake.root, f"t/{name}")
    error = refusal(lake, "t")
    assert f"default:t/{name}" in error.message
    assert error.remedy is not None
    assert "read_files('t/**/*.parquet')" in error.remedy
    assert _refused_pattern(lake, f"t/{name}").message == error.message


def _refused_pattern(lake: Lake, pattern: str) -> VolleyError:
    with pytest.raises(OperatorError) as caught:
        lake.catalog.files(pattern)
    return caught.value
