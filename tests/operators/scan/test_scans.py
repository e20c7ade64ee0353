from __future__ import annotations

import dataclasses
import gzip
import os
import re
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.errors import FileUnreadable
from operators.scan.scans import escape_glob, prepare_scan
from planner.catalog import Column
from planner.physical import ScanInput, Split
from tests.lakes import Lake, MemoryLake, S3Lake

ROWS = 10_000


def numbers(root: Path, name: str = "t/1.parquet", start: int = 0, group: int = 1000) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"n": range(start, start + ROWS), "s": [f"s{n}" for n in range(ROWS)]})
    pq.write_table(table, root / name, row_group_size=group)


def test_whole_files_in_their_order(lake: Lake) -> None:
    numbers(lake.root)
    numbers(lake.root, "t/2.parquet", ROWS)
    assert [row[0] for row in lake.rows("t", "SELECT n FROM in_0")] == list(range(2 * ROWS))


def test_row_groups_of_several_splits_in_their_order(lake: Lake) -> None:
    numbers(lake.root)
    numbers(lake.root, "t/2.parquet", ROWS)
    first, second = lake.table("t").files
    splits = (Split(second, (3,)), Split(first, (7, 8, 1)), Split(second), Split(first, (0,)))
    found = [row[0] for row in lake.rows("t", "SELECT n FROM in_0", splits)]
    assert found == [
        *range(ROWS + 3000, ROWS + 4000),
        *range(1000, 2000),
        *range(7000, 9000),
        *range(ROWS, 2 * ROWS),
        *range(1000),
    ]


def test_no_row_group_at_all(lake: Lake) -> None:
    numbers(lake.root)
    assert lake.rows("t", splits=(Split(lake.table("t").files[0], ()),)) == []


def test_every_split_alone_makes_the_whole(lake: Lake) -> None:
    numbers(lake.root, group=777)
    file = lake.table("t").files[0]
    groups = lake.catalog.row_groups(file)
    assert groups is not None
    parts = [lake.rows("t", splits=(Split(file, (group.index,), group.first_row, group.rows),)) for group in groups]
    assert [len(part) for part in parts] == [group.rows for group in groups]
    assert [row for part in parts for row in part] == lake.rows("t")


def test_a_scan_of_no_columns_counts_rows(lake: Lake) -> None:
    numbers(lake.root)
    scan = lake.scan("t", ())
    assert scan.columns == ()
    with prepare_scan(scan, scan.splits, lake.storage) as prepared:
        assert lake.run("SELECT count(*) FROM in_0", in_0=prepared.relation) == [(ROWS,)]


def test_exactly_the_columns_that_are_asked_for(lake: Lake) -> None:
    numbers(lake.root)
    scan = lake.scan("t", ("s",))
    with prepare_scan(scan, scan.splits, lake.storage) as prepared:
        assert lake.kernel.columns_of(prepared.sql) == (Column("s", "VARCHAR"),)


def test_filters_reach_the_files(lake: Lake) -> None:
    numbers(lake.root)
    scan = lake.scan("t")
    with prepare_scan(scan, scan.splits, lake.storage) as prepared:
        ((_, plan),) = duckdb.connect().sql(f"EXPLAIN SELECT s FROM ({prepared.sql}) WHERE n = 5").fetchall()
    reader = str(plan).partition("Read Parquet")[2]
    assert "n = 5" in reader


def test_each_share_is_planned_with_the_rows_that_all_have_together(lake: Lake) -> None:
    numbers(lake.root)
    file = lake.table("t").files[0]
    scan = dataclasses.replace(lake.scan("t"), expected_rows=600_000)
    with prepare_scan(scan, (Split(file, (2,)), Split(file, (7, 8))), lake.storage) as prepared:
        expected = [int(found) for found in re.findall(r"explicit_cardinality = (\d+)", prepared.sql)]
        assert lake.run("SELECT count(*), min(n), max(n) FROM in_0", in_0=prepared.relation) == [(3000, 2000, 8999)]
    assert expected == [200_000, 400_000]
    with prepare_scan(scan, (Split(file),), lake.storage) as prepared:
        assert "explicit_cardinality" not in prepared.sql


def test_a_range_of_a_key_is_read_once_however_its_row_groups_lie(lake: Lake) -> None:
    numbers(lake.root)
    file = lake.table("t").files[0]
    scan = lake.scan("t", ("n",))
    for groups in ((2, 3), (2, 3, 5)):
        with prepare_scan(scan, (Split(file, groups),), lake.storage, predicate="n >= 2500 AND n < 4000") as prepared:
            assert lake.run("SELECT count(*), min(n), max(n) FROM in_0", in_0=prepared.relation) == [(1500, 2500, 3999)]


def test_a_range_of_a_key_needs_no_numbers_of_rows_beside_it(lake: Lake) -> None:
    numbers(lake.root)
    scan = lake.scan("t", ("n",))
    with prepare_scan(scan, (Split(scan.splits[0].file, (2, 3)),), lake.storage, predicate="n >= 2500 AND n < 4000") as prepared:
        # Of files elsewhere, nothing but these row groups is here.
        assert ("file_row_number" in prepared.sql) == (type(lake) is not Lake)


def test_files_without_a_column_and_with_narrower_types(lake: Lake) -> None:
    (lake.root / "t").mkdir()
    pq.write_table(pa.table({"a": pa.array([1], pa.int8())}), lake.root / "t/1.parquet")
    pq.write_table(pa.table({"b": ["x"], "a": pa.array([2], pa.int64())}), lake.root / "t/2.parquet")
    first, second = lake.table("t").files
    scan = lake.scan("t")
    for splits, expected in [((first, second), [(1, None), (2, "x")]), ((first,), [(1, None)]), ((second, first), [(2, "x"), (1, None)])]:
        with prepare_scan(scan, [Split(file) for file in splits], lake.storage) as prepared:
            assert lake.kernel.columns_of(prepared.sql) == (Column("a", "BIGINT"), Column("b", "VARCHAR"))
            assert lake.run("SELECT * FROM in_0", in_0=prepared.relation) == expected


def test_partition_values_of_many_files(lake: Lake) -> None:
    for number in range(300):
        folder = lake.root / f"t/part={number}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"n": [number] * 3}), folder / "f.parquet")
    assert lake.rows("t", "SELECT count(*), count(*) FILTER (n = part), count(DISTINCT part) FROM in_0") == [(900, 900, 300)]


def test_a_partition_column_wins_over_one_of_the_same_name_in_the_file(lake: Lake) -> None:
    (lake.root / "t/n=7").mkdir(parents=True)
    pq.write_table(pa.table({"n": [1], "a": [2]}), lake.root / "t/n=7/f.parquet")
    assert lake.columns("t") == (Column("a", "BIGINT"), Column("n", "BIGINT"))
    assert lake.rows("t") == [(2, 7)]


def test_the_path_of_the_root_makes_no_partitions(lake: Lake, tmp_path: Path) -> None:
    numbers(tmp_path / "k=v", "u.parquet")
    root = lake.storage.add_root(str(tmp_path / "k=v"))
    found = [file for file in lake.storage.list_folder(root).files if file.path.endswith("u.parquet")]
    assert len(found) == 1
    pattern = found[0].path.rpartition("/")[0] + "*.parquet" if "/" in found[0].path else root + "*.parquet"
    assert lake.catalog.columns(lake.catalog.files(pattern)) == (Column("n", "BIGINT"), Column("s", "VARCHAR"))


def test_csv_and_json(lake: Lake) -> None:
    (lake.root / "c").mkdir()
    (lake.root / "c/1.csv").write_text('a,b\n1,"x, y"\n')
    (lake.root / "c/2.csv.gz").write_bytes(gzip.compress(b"a,b\n2,z\n"))
    assert lake.rows("c") == [(1, "x, y"), (2, "z")]
    (lake.root / "t.tsv").write_text("a\tb\n1\tx\n")
    assert lake.rows("t") == [(1, "x")]
    (lake.root / "j").mkdir()
    (lake.root / "j/1.jsonl").write_text('{"a": 1, "c": {"d": [1, 2]}}\n')
    (lake.root / "j/2.json").write_text('[{"a": 2, "b": "x"}]')
    assert lake.rows("j") == [(1, {"d": [1, 2]}, None), (2, None, "x")]
    scan = lake.scan("j", ("b",))
    with prepare_scan(scan, scan.splits[:1], lake.storage) as prepared:
        assert lake.run("SELECT * FROM in_0", in_0=prepared.relation) == [(None,)]


def test_csv_in_partitions(lake: Lake) -> None:
    for year in (2023, 2024):
        (lake.root / f"c/year={year}").mkdir(parents=True)
        (lake.root / f"c/year={year}/x.csv").write_text(f"a\n{year % 10}\n")
    assert lake.rows("c") == [(3, 2023), (4, 2024)]


def test_a_file_that_changed_since_it_was_listed_is_an_error(lake: Lake) -> None:
    numbers(lake.root)
    scan = lake.scan("t")
    numbers(lake.root, start=5)
    with pytest.raises(FileUnreadable, match=r"default:t/1\.parquet changed"), prepare_scan(scan, scan.splits, lake.storage):
        pytest.fail("a file that changed since it was listed was accepted")


def test_a_file_that_changes_while_it_is_read_is_an_error_or_read_as_it_was(lake: Lake) -> None:
    numbers(lake.root)
    scan = lake.scan("t")
    found: list[tuple[object, ...]] = []

    def read_while_it_changes() -> None:
        with prepare_scan(scan, scan.splits, lake.storage) as prepared:
            numbers(lake.root, start=5)
            lake.sync()
            found.extend(lake.run("SELECT min(n), max(n) FROM in_0", in_0=prepared.relation))

    if isinstance(lake, S3Lake | MemoryLake):
        read_while_it_changes()
        assert found == [(0, ROWS - 1)]
    else:
        with pytest.raises(FileUnreadable, match=r"default:t/1\.parquet changed"):
            read_while_it_changes()


def test_a_file_that_vanished_is_an_error(lake: Lake) -> None:
    numbers(lake.root)
    scan = lake.scan("t")
    (lake.root / "t/1.parquet").unlink()
    with pytest.raises(FileUnreadable, match=r"default:t/1\.parquet vanished"), prepare_scan(scan, scan.splits, lake.storage):
        pytest.fail("a file that is gone was accepted")


def test_corrupt_pages_are_an_error_that_names_the_file(lake: Lake) -> None:
    numbers(lake.root, "t/0.parquet")
    numbers(lake.root)
    path = lake.root / "t/1.parquet"
    content = bytearray(path.read_bytes())
    content[4:20000] = os.urandom(19996)
    path.write_bytes(content)
    with pytest.raises(FileUnreadable) as caught:
        lake.rows("t", "SELECT sum(n), max(s) FROM in_0")
    assert "default:t/1.parquet" in str(caught.value)
    assert str(lake.root) not in str(caught.value)


def test_what_a_scan_costs_is_reported(lake: Lake) -> None:
    numbers(lake.root)
    scan = lake.scan("t")
    with prepare_scan(scan, scan.splits * 2, lake.storage) as prepared:
        report = prepared.report
    assert report.files == 1
    assert report.files_bytes == (lake.root / "t/1.parquet").stat().st_size
    if isinstance(lake, S3Lake | MemoryLake):
        assert 0 < report.fetched_bytes <= report.files_bytes
        assert report.requests > 0
    else:
        assert (report.fetched_bytes, report.requests) == (0, 0)


def test_globs_in_paths_are_literal() -> None:
    assert escape_glob("/a/b[1]*?.parquet") == "/a/b[[]1][*][?].parquet"


def test_scan_inputs_name_the_columns_of_the_table(lake: Lake) -> None:
    numbers(lake.root)
    scan = lake.scan("t")
    assert isinstance(scan, ScanInput)
    assert [column.name for column in scan.table_columns] == ["n", "s"]


EVERY_TYPE = """
    SELECT true AS b, 1::tinyint AS i8, 2::usmallint AS u16, 3::ubigint AS u64, 4::hugeint AS h, 1.5::float AS f, 'NaN'::double AS d,
        1.25::decimal(4, 2) AS d4, 1.25::decimal(38, 2) AS d38, 'x' AS s, 'y'::blob AS bl, uuid() AS u, date '2024-01-02' AS da,
        time '10:11:12' AS t, timetz '10:11:12+02' AS ttz, timestamp '2024-01-02 03:04:05.678901' AS ts,
        timestamp_ns '2024-01-02 03:04:05.678901234' AS ns, timestamptz '2024-01-02 03:04:05+02' AS tz,
        timestamp_s '2024-01-02 03:04:05' AS tss, interval '1 month 2 days' AS iv, [1, NULL] AS l,
        {'a b': 1, 'c': {'d"e': [2]}} AS st, map {'k': 1} AS m, [{'x': 1}] AS ls, 'e'::enum('d', 'e') AS en,
        '{"j": 1}'::json AS j, NULL::integer AS n
"""


def test_every_type_arrives_as_the_kernel_reads_it(lake: Lake) -> None:
    unusual = {
        "nulls": pa.nulls(2),
        "dictionary": pa.array(["x", "y"]).dictionary_encode(),
        "large": pa.array(["x", "y"], pa.large_string()),
        "view": pa.array(["x", "y"], pa.string_view()),
        "fixed": pa.array([b"ab", b"cd"], pa.binary(2)),
        "half": pa.array([1.5, 2.5], pa.float16()),
        "days": pa.array([1, 2], pa.time64("us")),
    }
    pq.write_table(pa.table(unusual), lake.root / "arrow.parquet")
    plain = duckdb.connect()
    plain.execute("SET TimeZone = 'UTC'")
    plain.execute(f"COPY ({EVERY_TYPE}) TO '{lake.root}/kernel.parquet'")
    for name, columns in (("kernel", "* REPLACE (ttz::VARCHAR AS ttz)"), ("arrow", "*")):
        direct = plain.sql(f"SELECT {columns} FROM read_parquet('{lake.root}/{name}.parquet')").to_arrow_table()
        scan = lake.scan(name)
        with ExitStack() as stack:
            prepared = stack.enter_context(prepare_scan(scan, scan.splits, lake.storage))
            run = stack.enter_context(lake.kernel.run("SELECT * FROM in_0", {"in_0": prepared.relation}))
            found = pa.Table.from_batches(list(run), run.schema)
        assert found.schema.equals(direct.schema, check_metadata=True)
        assert str(found.to_pylist()) == str(direct.to_pylist())
