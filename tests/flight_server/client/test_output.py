"""What is written can be read back by others, batch by batch, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_server.client.output import (
    FORMATS,
    ROWS_PER_ROW_GROUP,
    FileExists,
    Format,
    OutputError,
    distinct_names,
    format_of,
    write_file,
    write_stream,
)

TABLE = pa.table(
    {
        "number": pa.array([1, None, 3], pa.int32()),
        "text": ['plain, with "quotes"', "", None],
        "nested": [[1, 2], [], None],
        "time": pa.array([0, 1, None], pa.timestamp("us")),
    }
)


def written(table: pa.Table, format: Format) -> bytes:
    sink = io.BytesIO()
    assert write_stream(table.to_batches(), table.schema, format, sink) == table.num_rows
    assert not sink.closed
    return sink.getvalue()


def test_csv_quotes_what_must_be_and_tells_null_from_empty() -> None:
    assert written(TABLE, "csv").decode() == (
        'number,text,nested,time\n1,"plain, with ""quotes""","[1,2]",1970-01-01 00:00:00\n,"",[],1970-01-01 00:00:00.000001\n3,,,\n'
    )


def test_csv_is_read_back_by_others() -> None:
    text = pa.table({"a,b": ["line\nbreak", "tab\t", "'", "\r"]})
    assert list(csv.reader(io.StringIO(written(text, "csv").decode(), newline="")))[1:] == [["line\nbreak"], ["tab\t"], ["'"], ["\r"]]


def test_json_is_an_array_of_objects() -> None:
    rows = json.loads(written(TABLE, "json"))
    assert rows[0] == {"number": 1, "text": 'plain, with "quotes"', "nested": [1, 2], "time": "1970-01-01 00:00:00"}
    assert rows[2] == {"number": 3, "text": None, "nested": None, "time": None}


def test_json_lines_are_objects() -> None:
    assert [json.loads(line)["number"] for line in written(TABLE, "jsonl").splitlines()] == [1, None, 3]


def test_nothing_is_still_well_formed() -> None:
    nothing = TABLE.schema.empty_table()
    assert json.loads(written(nothing, "json")) == []
    assert written(nothing, "jsonl") == b""
    assert written(nothing, "csv") == b"number,text,nested,time\n"
    assert pq.read_table(io.BytesIO(written(nothing, "parquet"))).num_rows == 0


def test_names_that_stand_twice_are_told_apart_in_json() -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"])
    assert json.loads(written(twice, "json")) == [{"a": 1, "a_1": 2}]
    assert distinct_names(["a", "a_1", "a", "a"]) == ["a", "a_1", "a_2", "a_3"]


def test_arrow_files_and_streams_hold_the_same() -> None:
    assert pa.ipc.open_file(written(TABLE, "arrow")).read_all().equals(TABLE)
    assert pa.ipc.open_stream(written(TABLE, "arrows")).read_all().equals(TABLE)


def test_parquet_gathers_small_batches_into_row_groups() -> None:
    many = pa.table({"n": range(ROWS_PER_ROW_GROUP + 10)})
    sink = io.BytesIO()
    write_stream(many.to_batches(max_chunksize=1_000), many.schema, "parquet", sink)
    file = pq.ParquetFile(io.BytesIO(sink.getvalue()))
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [ROWS_PER_ROW_GROUP, 10]
    assert file.read().equals(many)


def test_parquet_has_intervals_as_text() -> None:
    table = pa.table({"span": pa.array([pa.MonthDayNano([1, 0, 0])])})
    assert pq.read_table(io.BytesIO(written(table, "parquet")))["span"].to_pylist() == ["1 month"]


@pytest.mark.parametrize("format", ["csv", "tsv", "markdown", "html", "line", "json", "jsonl", "arrow", "arrows"])
def test_each_batch_is_written_before_the_next_is_asked_for(format: Format) -> None:
    sink = io.BytesIO()
    written_before: list[int] = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(4):
            written_before.append(sink.tell())
            yield pa.record_batch({"n": [number]})

    assert write_stream(batches(), pa.schema([("n", pa.int64())]), format, sink) == 4
    assert sorted(set(written_before)) == written_before


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "result.csv"

    def failing() -> Iterator[pa.RecordBatch]:
        yield TABLE.to_batches()[0]
        raise RuntimeError("the query failed")

    with pytest.raises(RuntimeError):
        write_file(failing(), TABLE.schema, "csv", target)
    assert list(tmp_path.iterdir()) == []
    assert write_file(TABLE.to_batches(), TABLE.schema, "csv", target) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["result.csv"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o007])
def test_a_file_has_the_mode_that_the_umask_leaves_and_the_umask_stays_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: int
) -> None:
    before = os.umask(mask)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(os, "umask", lambda _mask: pytest.fail("another thread would make its files with this umask"))
            write_file(TABLE.to_batches(), TABLE.schema, "csv", tmp_path / "result.csv")
    finally:
        assert os.umask(before) == mask
    assert (tmp_path / "result.csv").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file or directory"):
        write_file(TABLE.to_batches(), TABLE.schema, "csv", tmp_path / "nowhere" / "result.csv")


def test_formats_by_suffix() -> None:
    suffixes = {
        "csv": "csv", "PARQUET": "parquet", "arrow": "arrow", "arrows": "arrows", "ndjson": "jsonl", "json": "json", "txt": "table",
        "md": "markdown", "tsv": "tsv", "html": "html", "csv.gz": "csv", "md.zst": "markdown",
    }  # fmt: skip
    assert {suffix: format_of(f"a.{suffix}") for suffix in suffixes} == suffixes
    assert [format_of(name) for name in ("a", "a.xlsx", "a.gz", "a.parquet.gz")] == [None] * 4


def test_every_format_but_one_has_a_suffix() -> None:
    by_suffix = {format_of(f"a.{suffix}") for suffix in ("txt", "md", "html", "csv", "tsv", "json", "jsonl", "arrow", "arrows", "parquet")}
    assert set(FORMATS) - by_suffix == {"line"}


@pytest.mark.parametrize(("suffix", "codec"), [("gz", "gzip"), ("zst", "zstd")])
def test_texts_are_compressed_as_the_suffix_says(tmp_path: Path, suffix: str, codec: str) -> None:
    target = tmp_path / f"result.csv.{suffix}"
    many = pa.table({"n": range(100_000)})
    assert write_file(many.to_batches(max_chunksize=10_000), many.schema, "csv", target) == 100_000
    assert target.stat().st_size < 300_000
    assert duckdb.connect().sql(f"SELECT count(*), sum(n) FROM read_csv('{target}', compression = '{codec}')").fetchall() == [
        (100_000, 4_999_950_000)
    ]


def test_what_compresses_itself_is_not_compressed_once_more(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"leave out \.gz"):
        write_file(TABLE.to_batches(), TABLE.schema, "parquet", tmp_path / "result.parquet.gz")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_unless_it_may_go(tmp_path: Path) -> None:
    target = tmp_path / "result.csv"
    target.write_text("mine")
    with pytest.raises(FileExists, match="--force writes over it"):
        write_file(iter([]), TABLE.schema, "csv", target, replace=False)
    assert target.read_text() == "mine"
    write_file(iter([]), TABLE.schema, "csv", target)
    assert target.read_text() == "number,text,nested,time\n"


def test_a_file_that_comes_while_a_result_is_written_stays(tmp_path: Path) -> None:
    target = tmp_path / "result.csv"

    def batches() -> Iterator[pa.RecordBatch]:
        yield TABLE.to_batches()[0]
        target.write_text("somebody else's")

    with pytest.raises(FileExists):
        write_file(batches(), TABLE.schema, "csv", target, replace=False)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("result.csv", "somebody else's")]


def test_a_device_is_written_to_and_stays_what_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert write_file(TABLE.to_batches(), TABLE.schema, "csv", pipe, replace=False) == 3
        assert os.read(reader, 1_000).startswith(b"number,text")
    finally:
        os.close(reader)
    assert pipe.is_fifo()
