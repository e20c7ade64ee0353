"""Text files read with options: the kernel's answer with the same options, wherever the files are."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import msgspec
import pytest

from operators.errors import FileUnreadable, PathRefused, SchemaClash
from operators.scan.scans import prepare_scan
from planner import PlanOptions, plan
from planner.errors import InvalidQuery
from planner.physical import ScanInput
from tests.lakes import Lake

LATIN = "name;ort;betrag\nJosé;Köln;1,5\nMüller;Düsseldorf;-\n".encode("latin-1")


def write(root: Path, name: str, content: str | bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)


def answer(lake: Lake, sql: str) -> list[tuple[object, ...]]:
    """What a whole plan gives, of one fragment over one scan."""
    (fragment,) = plan(sql, lake.catalog, PlanOptions()).fragments
    (scan,) = fragment.inputs
    assert isinstance(scan, ScanInput)
    with prepare_scan(scan, scan.splits, lake.storage) as prepared:
        return lake.run(fragment.sql, **{scan.name: prepared.relation})


@pytest.fixture(name="files")
def _files(lake: Lake) -> Lake:
    write(lake.root, "latin.csv", LATIN)
    write(lake.root, "odd.log", "# made by hand\na|b\n1|x\n2|'y|z'\n")
    write(lake.root, "packed.log.gz", gzip.compress(b"a,b\n1,2\n"))
    write(lake.root, "noname", gzip.compress(b"a,b\n1,2\n"))
    write(lake.root, "bad.csv", "a,b\n1,2\n3,4,5\n6,7\n")
    write(lake.root, "short.csv", "a,b,c\n1,2\n3,4,5\n")
    write(lake.root, "dates.csv", "d,t\n03/02/2024,03.02.2024 10:00\n")
    write(lake.root, "bare.csv", "1,2\n3,4\n")
    write(lake.root, "big.json", '[{"a": 1, "b": {"c": 1}}, {"a": 2}]')
    write(lake.root, "lines.jsonl", '{"a": "1", "d": "03/02/2024"}\n{"a": 2\n{"a": "3"}\n')
    return lake


@pytest.mark.parametrize(
    ("call", "reader"),
    [
        ("'latin.csv', encoding = 'latin-1'", "read_csv"),
        ("'latin.csv', encoding = 'latin-1', decimal_separator = ',', nullstr = '-'", "read_csv"),
        ("'latin.csv', encoding = 'latin-1', delim = ';', all_varchar = true", "read_csv"),
        ("'latin.csv', encoding = 'latin-1', header = false, skip = 1", "read_csv"),
        ("'latin.csv', encoding = 'latin-1', names = ['x', 'y'], types = {'x': 'VARCHAR'}", "read_csv"),
        ("'odd.log', format = 'csv', sep = '|', quote = '''', comment = '#'", "read_csv"),
        ("'odd.log', format = 'csv', delim = '|', skip = 1, header = true, columns = {'p': 'DOUBLE', 'q': 'VARCHAR'}", "read_csv"),
        ("'packed.log.gz', format = 'csv'", "read_csv"),
        ("'noname', format = 'csv', compression = 'gzip'", "read_csv"),
        ("'bad.csv', ignore_errors = true", "read_csv"),
        ("'short.csv', null_padding = true", "read_csv"),
        ("'dates.csv', dateformat = '%d/%m/%Y', timestampformat = '%d.%m.%Y %H:%M'", "read_csv"),
        ("'bare.csv', header = false", "read_csv"),
        ("'bare.csv', header = true", "read_csv"),
        ("'bare.csv', header = false, names = ['a', 'b'], dtypes = ['VARCHAR', 'DOUBLE']", "read_csv"),
        ("'big.json', maximum_object_size = 1000, format = 'array'", "read_json"),
        ("'big.json', columns = {'a': 'VARCHAR', 'b': 'JSON'}", "read_json"),
        ("'big.json', maximum_depth = 1", "read_json"),
        ("'big.json', records = false", "read_json"),
        ("'lines.jsonl', ignore_errors = true, dateformat = '%d/%m/%Y'", "read_json"),
        ("'lines.jsonl', ignore_errors = true, convert_strings_to_integers = true", "read_json"),
    ],
)
def test_the_answer_is_the_kernels(call: str, reader: str, files: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files.root)
    theirs = call.replace(", format = 'csv'", "")
    expected = duckdb.connect().execute(f"SELECT * FROM {reader}({theirs})").fetchall()
    assert answer(files, f"SELECT * FROM read_files({call})") == expected
    assert answer(files, f"SELECT count(*) FROM read_files({call})") == [(len(expected),)]


def test_one_file_with_several_options_in_turn(files: Lake) -> None:
    """What is known of a file's columns is known for the options with which it was read."""
    for call, kinds in (("header = true", ["1", "2"]), ("header = false", ["column0", "column1"]), ("header = true", ["1", "2"])):
        planned = plan(f"SELECT * FROM read_files('bare.csv', {call})", files.catalog, PlanOptions())
        assert planned.schema.names == kinds


def test_a_list_of_patterns_reads_each_file_once(files: Lake) -> None:
    for number in (1, 2):
        write(files.root, f"t/{number}.csv", f"n\n{number}\n")
    assert answer(files, "SELECT n FROM read_files(['t/2.csv', 't/*.csv']) ORDER BY n") == [(1,), (2,)]


def test_files_that_their_partition_leaves_are_read_with_the_options_too(files: Lake) -> None:
    for year in (1, 2):
        write(files.root, f"t/year={year}/a.txt", f"n|m\n{year}|1,5\n")
    sql = "SELECT n, m FROM read_files('t/**/*.txt', format = 'csv', delim = '|', decimal_separator = ',') WHERE year = 2"
    assert answer(files, sql) == [(2, 1.5)]


def test_a_list_of_patterns_that_cannot_go_together(files: Lake) -> None:
    write(files.root, "t/year=1/a.csv", "n\n1\n")
    with pytest.raises(SchemaClash, match=r"default:bare\.csv is CSV and default:big\.json is JSON"):
        files.catalog.files("bare.csv", "big.json")
    with pytest.raises(SchemaClash, match="different partitions"):
        files.catalog.files("bare.csv", "t")
    with pytest.raises(FileUnreadable, match=r"no data files match 'nowhere\.csv'"):
        files.catalog.files("bare.csv", "nowhere.csv")
    with pytest.raises(PathRefused):
        files.catalog.files("bare.csv", "../x.csv")


@pytest.mark.parametrize(
    ("sql", "remedy"),
    [
        ("SELECT * FROM 'latin.csv'", "read_files('latin.csv', encoding = 'latin-1')"),
        ("SELECT * FROM 'odd.log'", "read_files('odd.log', format = 'csv')"),
        ("SELECT * FROM 'Latim.csv'", "Did you mean 'latin.csv'?"),
        ("SELECT * FROM 'default:latim.csv'", "Did you mean 'default:latin.csv'?"),
        ("SELECT * FROM 'nothing/like/it.csv'", "Check the path"),
        ("SELECT * FROM 'bare'", "For the table, write FROM bare."),
        ("SELECT * FROM 'lake:x.csv'", "[connections.lake]"),
        ("SELECT * FROM '/elsewhere/x.csv'", "--data /elsewhere"),
        ("SELECT * FROM read_files('bare.csv', types = {'zz': 'DATE'})", "Check the options"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_would_work(sql: str, remedy: str, files: Lake) -> None:
    with pytest.raises((FileUnreadable, InvalidQuery)) as caught:
        plan(sql, files.catalog, PlanOptions())
    assert remedy in (caught.value.remedy or "")
    assert "Auto-Detected" not in caught.value.message


def test_every_worker_is_told_the_options(files: Lake) -> None:
    for number in range(3):
        write(files.root, f"t/{number}.csv", f"n|ort\n{number}|Köln\n".encode("latin-1"))
    sql = "SELECT n, ort FROM read_files('t', encoding = 'latin-1', delim = '|') WHERE n > 0"
    fragment = plan(sql, files.catalog, PlanOptions(workers=3, distribute_rows=0)).fragments[0]
    (scan,) = fragment.inputs
    assert fragment.parallel
    assert isinstance(scan, ScanInput)
    there = msgspec.json.Decoder(ScanInput).decode(msgspec.json.encode(scan))
    found = []
    for split in there.splits:
        with prepare_scan(there, [split], files.storage) as prepared:
            found += files.run(fragment.sql, **{scan.name: prepared.relation})
    assert sorted(found) == [(1, "Köln"), (2, "Köln")]
