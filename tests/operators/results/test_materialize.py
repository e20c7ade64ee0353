from __future__ import annotations

import datetime
import decimal
import errno
import shutil
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.errors import OperatorError, ResultTooLarge, StorageError
from operators.results.materialize import MAX_FILES_UNDER_WAY, MIN_BATCH_ROWS, conformed, merged
from operators.results.result_files import ResultFiles, fits_parquet
from operators.results.results import BEGINNING, ResultStore
from planner.errors import Status
from tests.operators.results.result_samples import PATIENCE, SCHEMA, SmallStore, all_numbers, begun, finished, in_thread, new_id, rows

DAY = datetime.date(2024, 2, 29)


def values_of(kind: pa.DataType, values: list[Any]) -> pa.Array:
    return pa.array([*values, None], kind)


EXACT = [
    values_of(pa.bool_(), [True, False]),
    *(values_of(kind, [0, 1, 127]) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.uint32())),
    values_of(pa.int64(), [-(1 << 63), (1 << 63) - 1]),
    values_of(pa.uint64(), [(1 << 64) - 1]),
    values_of(pa.float32(), [1.5, float("inf"), -0.0]),
    values_of(pa.float64(), [1e300, float("-inf"), 0.1]),
    values_of(pa.decimal128(4, 2), [decimal.Decimal("12.34")]),
    values_of(pa.decimal128(15, 0), [decimal.Decimal(-1)]),
    values_of(pa.decimal128(38, 10), [decimal.Decimal("1234567890123456789012345678.0123456789")]),
    values_of(pa.string(), ["", "ü\0"]),
    values_of(pa.binary(), [b"", b"\xff\0"]),
    values_of(pa.date32(), [DAY, datetime.date(1, 1, 1)]),
    values_of(pa.time64("us"), [datetime.time(23, 59, 59, 999_999)]),
    values_of(pa.time64("ns"), [86_399_999_999_999]),
    values_of(pa.time32("ms"), [86_399_999]),
    *(
        values_of(pa.timestamp(unit, zone), [-1, 1_700_000_000_123])
        for unit in ("ms", "us", "ns")
        for zone in (None, "UTC", "Europe/Berlin")
    ),
]
OTHER = [
    values_of(pa.timestamp("s"), [1 << 40]),
    values_of(pa.time32("s"), [86_399]),
    values_of(pa.duration("us"), [5]),
    values_of(pa.month_day_nano_interval(), [(1, 2, 3)]),
    values_of(pa.float16(), [1.5]),
    values_of(pa.large_string(), ["x"]),
    values_of(pa.string_view(), ["a text that is too long to lie within"]),
    values_of(pa.binary_view(), [b"x"]),
    values_of(pa.decimal256(60, 3), [decimal.Decimal("1.234")]),
    values_of(pa.uuid(), [b"0123456789abcdef"]),
    values_of(pa.binary(3), [b"abc"]),
    values_of(pa.list_(pa.int32()), [[1, None], []]),
    values_of(pa.list_(pa.int32(), 2), [[1, 2]]),
    values_of(pa.struct([pa.field("a", pa.int8(), nullable=False), pa.field("a.b", pa.list_(pa.string()))]), [{"a": 1, "a.b": ["x"]}]),
    values_of(pa.map_(pa.string(), pa.int64()), [[("k", 1)]]),
    pa.nulls(3),
    pa.array(["x", "y", None]).dictionary_encode(),
    pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["x", "y"])]),
]


@pytest.mark.parametrize("column", EXACT + OTHER, ids=lambda column: str(column.type))
@pytest.mark.parametrize("protocol", ["file", "memory"])
def test_every_type_comes_back_from_storage_as_it_was(column: pa.Array, protocol: str, tmp_path: Path) -> None:
    small = SmallStore(protocol, str(tmp_path) if protocol == "file" else f"/{new_id()}")
    schema = pa.schema([pa.field("x", column.type), pa.field("n", pa.int64(), nullable=False)], metadata={"made": "here"})
    batch = pa.RecordBatch.from_arrays([column, pa.array(range(len(column)))], schema=schema)
    writer = begun(small.store, schema)
    writer.append(batch)
    writer.finish(lambda: "{}")
    suffix = "parquet" if fits_parquet(schema) else "arrow"
    assert small.files() == [f"{writer.result.query_id}/0.{suffix}", f"{writer.result.query_id}/result.json"]
    stored = small.another().get(writer.result.query_id)
    assert stored is not None
    (read,) = stored.follow(BEGINNING)
    assert stored.schema.equals(schema, check_metadata=True)
    assert read.batch.schema.equals(schema, check_metadata=True)
    read.batch.validate(full=True)
    assert read.batch.equals(batch)
    small.store.close()


def test_common_types_are_stored_as_parquet() -> None:
    assert all(fits_parquet(pa.schema([("x", column.type)])) for column in EXACT)
    assert not any(fits_parquet(pa.schema([("x", column.type)])) for column in OTHER)


def test_names_may_be_anything_even_the_same(small: SmallStore) -> None:
    names = ["a", "a", "", "a.b", 'say "x"', "c0", "ü"]
    schema = pa.schema([pa.field(name, pa.int64(), nullable=index % 2 == 0) for index, name in enumerate(names)])
    writer = begun(small.store, schema)
    writer.append(pa.RecordBatch.from_arrays([pa.array([index]) for index in range(len(names))], schema=schema))
    writer.finish(lambda: "{}")
    stored = small.another().get(writer.result.query_id)
    assert stored is not None
    (read,) = stored.follow(BEGINNING)
    assert read.batch.schema.equals(schema, check_metadata=True)
    assert [column.to_pylist() for column in read.batch.columns] == [[index] for index in range(len(names))]


def test_files_hold_the_row_groups_that_cursors_count(tmp_path: Path) -> None:
    small = SmallStore("file", str(tmp_path))
    result = finished(small.store, 65)
    folder = tmp_path / "results" / result.query_id
    counts = []
    for number in range(3):
        metadata = pq.read_metadata(folder / f"{number}.parquet")
        counts.append([metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)])
    assert counts == result.row_groups == [[10, 10, 10], [10, 10, 10], [5]]
    small.store.close()


def test_wide_rows_close_groups_and_files_early(tmp_path: Path) -> None:
    small = SmallStore("file", str(tmp_path))
    store = ResultStore(small.fs, small.root)
    writer = begun(store, pa.schema([("t", pa.binary())]))
    row = b"x" * (1 << 20)
    for _ in range(2):
        writer.append(pa.record_batch({"t": [row] * 40}))
    writer.append(pa.record_batch({"t": [row * 40, b"", row]}))
    writer.finish(lambda: "{}")
    # 32 MiB with what Arrow adds are 31 rows; the row that is larger by itself stands alone.
    assert writer.result.row_groups == [[31, 31, 18], [1, 2]]
    small.store.close()
    store.close()


def test_a_slice_of_a_large_batch_counts_for_what_it_is(tmp_path: Path) -> None:
    small = SmallStore("file", str(tmp_path))
    store = ResultStore(small.fs, small.root)
    writer = begun(store, pa.schema([("t", pa.string())]))
    large = pa.record_batch({"t": ["x" * 1_000] * 100_000})
    for start in range(0, 100_000, 1_000):
        writer.append(large.slice(start, 1_000))
    writer.finish(lambda: "{}")
    assert len(writer.result.row_groups[0]) == 3
    assert writer.result.rows == 100_000
    store.close()


def test_batches_are_merged_only_when_small() -> None:
    large = pa.record_batch({"n": pa.array(range(MIN_BATCH_ROWS))})
    tiny = pa.record_batch({"n": [1]})
    assert merged([large, large]) == [large, large]
    assert [batch.num_rows for batch in merged([tiny] * 5)] == [5]
    assert [batch.num_rows for batch in merged([tiny, large, tiny, tiny])] == [MIN_BATCH_ROWS + 1, 2]


def test_batches_get_the_planned_schema_or_are_refused() -> None:
    planned = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("a", pa.string())])
    other = pa.RecordBatch.from_arrays([pa.array([1], pa.int32()), pa.array(["x"])], names=["x", "y"])
    assert conformed(other, planned).schema.equals(planned, check_metadata=True)
    assert conformed(other, planned).to_pydict() != {}
    with pytest.raises(OperatorError, match="column a was planned as int64 and is string"):
        conformed(
            pa.RecordBatch.from_arrays(
                [pa.array(["no number"]), pa.array(["x"])], schema=pa.schema([("a", pa.string()), ("b", pa.string())])
            ),
            planned,
        )
    with pytest.raises(OperatorError, match="planned with 2 columns and has 1"):
        conformed(pa.record_batch({"a": [1]}), planned)


def test_nothing_is_there_before_the_end_and_nothing_after_an_abort(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 100))
    assert small.another().get(writer.result.query_id) is None
    assert small.another().list() == []
    writer.abort(OperatorError("killed"))
    small.store.close()
    assert small.files() == []
    with pytest.raises(OperatorError, match="killed"):
        writer.append(rows(0, 1))
    with pytest.raises(OperatorError, match="killed"):
        writer.finish(lambda: "{}")
    assert small.another().get(writer.result.query_id) is None


def test_an_abort_after_the_end_changes_nothing(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 12))
    writer.finish(lambda: "{}")
    writer.abort(OperatorError("too late"))
    assert all_numbers(writer.result) == list(range(12))


def test_an_empty_result_needs_no_file_but_its_manifest(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 0))
    writer.finish(lambda: "{}")
    assert small.files() == [f"{writer.result.query_id}/result.json"]


def test_the_status_is_asked_for_when_all_row_groups_are_known(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(rows(0, 33))
    seen: list[Any] = []

    def status() -> str:
        seen.append(writer.result.row_groups)
        return '{"state":"completed"}'

    writer.finish(status)
    assert seen == [[[10, 10, 10], [3]]]
    assert writer.result.manifest is not None
    assert writer.result.manifest.status == '{"state":"completed"}'


def test_a_result_has_a_greatest_size(tmp_path: Path) -> None:
    small = SmallStore("file", str(tmp_path))
    store = ResultStore(small.fs, small.root, rows_per_group=10, max_result_bytes=1_000)
    writer = begun(store)
    with pytest.raises(ResultTooLarge, match=r"larger than the server stores for one query \(1,000 bytes\)") as raised:
        writer.append(rows(0, 1_000))
    assert raised.value.status is Status.RESOURCE_EXHAUSTED
    writer.abort(raised.value)
    store.close()


class Trouble:
    """Lets ``passes`` files through, then fails; or holds the writing until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None, passes: int = 0) -> None:
        self.go_on = threading.Event()
        self.begun = threading.Semaphore(0)
        self.written = 0
        original = ResultFiles.write_groups

        def write_groups(files: ResultFiles, *arguments: Any) -> Any:
            self.begun.release()
            if error is None:
                assert self.go_on.wait(PATIENCE)
            elif self.written >= passes:
                raise error
            self.written += 1
            return original(files, *arguments)

        monkeypatch.setattr(ResultFiles, "write_groups", write_groups)


def test_a_full_disk_is_said_as_such_to_writer_and_readers(small: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    Trouble(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "/srv/secret/0.parquet"), passes=1)
    writer = begun(small.store)
    with pytest.raises(StorageError, match="no space is left") as raised:
        writer.append(rows(0, 10_000))
    assert "secret" not in str(raised.value)
    writer.abort(raised.value)
    with pytest.raises(StorageError, match="no space is left"):
        all_numbers(writer.result)
    small.store.close()
    assert small.files() == []


def test_a_surprise_while_writing_is_not_swallowed(small: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    Trouble(monkeypatch, RuntimeError("of /srv/secret"))
    writer = begun(small.store)
    writer.append(rows(0, 5))
    with pytest.raises(StorageError, match="the result cannot be stored") as raised:
        writer.finish(lambda: "{}")
    assert "secret" not in str(raised.value)
    assert not writer.result.closed


def test_a_manifest_that_cannot_be_written_fails_the_result(small: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/srv/secret")

    monkeypatch.setattr(ResultFiles, "write_manifest", refuse)
    writer = begun(small.store)
    writer.append(rows(0, 5))
    with pytest.raises(StorageError, match="cannot be stored: permission denied") as raised:
        writer.finish(lambda: "{}")
    writer.abort(raised.value)
    assert small.files() == []
    with pytest.raises(StorageError):
        all_numbers(writer.result)


def test_a_result_whose_files_are_gone_is_not_made_whole(tmp_path: Path) -> None:
    small = SmallStore("file", str(tmp_path))
    writer = begun(small.store)
    writer.append(rows(0, 5))

    def remove_files() -> str:
        shutil.rmtree(tmp_path / "results" / writer.result.query_id)
        return "{}"

    with pytest.raises(StorageError, match="cannot be stored: no such file or directory"):
        writer.finish(remove_files)
    assert small.files() == []
    small.store.close()


def test_a_writer_waits_for_a_slow_storage_and_an_abort_ends_the_wait(small: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = Trouble(monkeypatch)
    writer = begun(small.store)
    ahead = 30 * MAX_FILES_UNDER_WAY
    writer.append(rows(0, ahead))
    waiting = in_thread(lambda: writer.append(rows(ahead, ahead + 40)))
    for _ in range(MAX_FILES_UNDER_WAY):
        assert trouble.begun.acquire(timeout=PATIENCE)
    assert not trouble.begun.acquire(blocking=False)
    writer.abort(OperatorError("killed"))
    with pytest.raises(OperatorError, match="killed"):
        waiting.result(PATIENCE)
    trouble.go_on.set()
    small.store.close()
    assert small.files() == []


def test_a_writer_goes_on_when_the_storage_has_caught_up(small: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = Trouble(monkeypatch)
    writer = begun(small.store)

    def write() -> None:
        for start in range(0, 500, 50):
            writer.append(rows(start, start + 50))
        writer.finish(lambda: "{}")

    writing = in_thread(write)
    assert trouble.begun.acquire(timeout=PATIENCE)
    trouble.go_on.set()
    writing.result(PATIENCE)
    assert all_numbers(writer.result) == list(range(500))


def test_an_abort_while_it_is_being_finished_leaves_nothing(small: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = Trouble(monkeypatch)
    writer = begun(small.store)
    writer.append(rows(0, 5))
    finishing = in_thread(lambda: writer.finish(lambda: "{}"))
    assert trouble.begun.acquire(timeout=PATIENCE)
    writer.abort(OperatorError("killed"))
    trouble.go_on.set()
    with pytest.raises(OperatorError, match="killed"):
        finishing.result(PATIENCE)
    assert small.files() == []
    with pytest.raises(OperatorError, match="killed"):
        all_numbers(writer.result)


def test_the_schema_is_that_of_the_plan(small: SmallStore) -> None:
    writer = begun(small.store)
    writer.append(pa.RecordBatch.from_arrays([pa.array([1], pa.int32()), pa.array(["x"])], names=["other", "names"]))
    writer.finish(lambda: "{}")
    (read,) = writer.result.follow(BEGINNING)
    assert read.batch.schema.equals(SCHEMA, check_metadata=True)
