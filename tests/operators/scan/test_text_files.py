"""CSV and JSON files: no value is changed and no column left out because the first rows did not show it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from operators.errors import FileUnreadable, SchemaClash
from planner.catalog import Column
from tests.lakes import Lake

MANY = 30_000
"""More rows than the kernel looks at of its own accord."""


def write(root: Path, name: str, content: str | bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)


def test_a_fraction_far_down_in_a_column_of_integers_is_not_rounded(lake: Lake) -> None:
    write(lake.root, "c.csv", "\n".join(["a", *map(str, range(MANY)), "1.5"]))
    write(lake.root, "j.jsonl", "\n".join([*(f'{{"a": {number}}}' for number in range(MANY)), '{"a": 1.5}']))
    for name in ("c", "j"):
        assert lake.columns(name) == (Column("a", "DOUBLE"),)
        assert lake.rows(name, f"SELECT a FROM in_0 OFFSET {MANY}") == [(1.5,)]


def test_a_key_that_only_late_lines_have_is_a_column(lake: Lake) -> None:
    write(lake.root, "t.jsonl", "\n".join([*(f'{{"a": {number}}}' for number in range(MANY)), '{"a": 0, "late": 7}']))
    assert lake.columns("t") == (Column("a", "BIGINT"), Column("late", "BIGINT"))
    assert lake.rows("t", "SELECT late FROM in_0 WHERE late IS NOT NULL") == [(7,)]


def test_keys_that_files_spell_in_another_case_are_refused_with_both_files(lake: Lake) -> None:
    write(lake.root, "t/1.json", '{"a": 1}')
    write(lake.root, "t/2.json", '{"A": 2}')
    with pytest.raises(SchemaClash, match=r"'a' in default:t/1\.json and 'A' in default:t/2\.json"):
        lake.columns("t")


def test_keys_of_one_file_that_differ_in_case_alone_are_refused(lake: Lake) -> None:
    write(lake.root, "t.jsonl", '{"a": 1, "A": 2}\n{"a": 3}\n')
    with pytest.raises(FileUnreadable, match=r"default:t\.jsonl.*'A' and 'a'"):
        lake.columns("t")


@pytest.mark.parametrize("content", ['{"a": 1, "a_1": 2}\n', json.dumps([{"a": 1, "A_1": 2}]), '{"a": 1, "a_1": null}\n'])
def test_a_key_that_only_looks_as_if_the_kernel_had_made_it(lake: Lake, content: str) -> None:
    write(lake.root, "t.json", content)
    assert lake.rows("t") in ([(1, 2)], [(1, None)])


def test_headers_of_csv_files_go_together_in_any_case_and_order(lake: Lake) -> None:
    write(lake.root, "t/1.csv", "a,B\n1,2\n")
    write(lake.root, "t/2.csv", "b,A\n3,4\n")
    assert lake.rows("t") == [(1, 2), (4, 3)]


@pytest.mark.parametrize(("name", "content"), [("csv", "a,b\n1,2\n"), ("json", '{"a": 1, "b": 2}')])
def test_an_empty_file_beside_others_has_no_columns_and_no_rows(lake: Lake, name: str, content: str) -> None:
    write(lake.root, f"t/0.{name}", "")
    write(lake.root, f"t/1.{name}", content)
    assert [column.name for column in lake.columns("t")] == ["a", "b"]
    assert lake.rows("t") == [(1, 2)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("T.CSV", b"a,b\n1,2\n"),
        ("T.CSV.GZ", gzip.compress(b"a,b\n1,2\n")),
        ("t.csv.zst", pa.compress(b"a,b\n1,2\n", "zstd", asbytes=True)),
        ("t.jsonl.zst", pa.compress(b'{"a": 1, "b": 2}\n', "zstd", asbytes=True)),
    ],
    ids=["T.CSV", "T.CSV.GZ", "t.csv.zst", "t.jsonl.zst"],  # what gzip writes has the time in it
)
def test_suffixes_in_any_case_and_both_kinds_of_compression(lake: Lake, name: str, content: bytes) -> None:
    write(lake.root, name, content)
    assert lake.rows("t") == [(1, 2)]
