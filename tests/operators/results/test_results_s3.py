"""Results in a bucket of a real S3 server: what the tests in memory cannot know."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from operators.errors import OperatorError, ResultExpired, ResultUnreadable, StorageError
from operators.results.materialize import ResultWriter
from operators.results.reading import Result
from operators.results.result_files import ResultFiles
from operators.results.results import ABANDONED_SECONDS, BEGINNING, ResultStore
from operators.results.row_group_cache import RowGroupCache
from operators.storage import Storage
from operators.storage import s3 as s3_storage
from tests.lakes import open_s3, s3_connection
from tests.operators.results.result_samples import Clock, SmallStore, all_numbers, begun, finished, new_id, numbers, rows
from tests.s3_server import S3Place


class Bucket:
    """Stores in a bucket of their own, opened as a server opens them."""

    def __init__(self, place: S3Place, scratch: Path) -> None:
        self.name = f"results-{uuid.uuid4().hex[:12]}"
        self.raw = open_s3(place)
        self.raw.mkdir(self.name)
        self.clock = Clock()
        self._storage = Storage([s3_connection("default", f"s3://{self.name}/volley", place)], scratch_directory=scratch)
        self.fs, self.root = self._storage.filesystem()

    def store(self, **options: Any) -> ResultStore:
        return ResultStore(self.fs, self.root, rows_per_group=10, groups_per_file=3, ttl_seconds=100, clock=self.clock, **options)

    def files(self) -> list[str]:
        self.raw.invalidate_cache()
        return sorted(path.split("/results/", 1)[1] for path in self.raw.find(f"{self.name}/volley"))

    def close(self) -> None:
        self._storage.close()


@pytest.fixture(name="bucket")
def _bucket(s3: S3Place, tmp_path: Path) -> Iterator[Bucket]:
    bucket = Bucket(s3, tmp_path / "scratch")
    yield bucket
    bucket.close()


def test_a_result_in_a_bucket_outlives_its_process(bucket: Bucket) -> None:
    store = bucket.store()
    assert store.list() == []
    result = finished(store, 65)
    assert all_numbers(result) == list(range(65))
    assert bucket.files() == sorted(f"{result.query_id}/{name}" for name in ("0.parquet", "1.parquet", "2.parquet", "result.json"))
    other = bucket.store(cache_bytes=0)
    assert [manifest.query_id for manifest in other.list()] == [result.query_id]
    stored = other.get(result.query_id)
    assert stored is not None
    assert numbers(stored.follow((1, 1, 4))) == list(range(44, 65))


def test_other_types_live_in_a_bucket_too(bucket: Bucket) -> None:
    schema = pa.schema([pa.field("x", pa.list_(pa.int64()))])
    writer = begun(bucket.store(), schema)
    writer.append(pa.RecordBatch.from_arrays([pa.array([[number] for number in range(45)])], schema=schema))
    writer.finish(lambda: "{}")
    stored = bucket.store().get(writer.result.query_id)
    assert stored is not None
    rest = pa.Table.from_batches([read.batch for read in stored.follow((1, 0, 5))])
    assert rest["x"].to_pylist() == [[number] for number in range(35, 45)]


def test_nothing_is_left_of_what_was_given_up_or_has_expired(bucket: Bucket) -> None:
    store = bucket.store()
    failed = begun(store)
    failed.append(rows(0, 65))
    failed.abort(OperatorError("killed"))
    result = finished(store, 35)
    store.close()
    assert {name.split("/")[0] for name in bucket.files()} == {result.query_id}
    bucket.clock.now += 100
    sweeper = bucket.store()
    assert sweeper.sweep(bucket.clock.now) == [result.query_id]
    assert bucket.files() == []
    with pytest.raises(ResultExpired):
        store.get(result.query_id)


def test_a_file_that_fails_half_way_is_not_there(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ResultFiles(bucket.fs, bucket.root)
    with pytest.raises(pa.ArrowException):
        files.write_groups("0" * 32, 0, pa.schema([("n", pa.int64())]), [[pa.record_batch({"n": [1]})], [pa.record_batch({"n": ["x"]})]])
    assert bucket.files() == []


def test_what_a_dead_process_left_in_a_bucket_has_an_age(bucket: Bucket) -> None:
    left: ResultWriter = begun(bucket.store())
    left.append(rows(0, 35))
    dead = ResultFiles(bucket.fs, bucket.root)
    dead.keep_alive(left.result.query_id)
    touched_at = dead.touched_at(left.result.query_id)
    assert touched_at is not None
    assert touched_at > 1_600_000_000
    other = bucket.store()
    assert other.sweep(touched_at + ABANDONED_SECONDS - 60) == []
    assert other.sweep(touched_at + ABANDONED_SECONDS + 60) == [left.result.query_id]


def test_a_bucket_that_is_gone_is_said_without_addresses(bucket: Bucket) -> None:
    store = bucket.store()
    writer = begun(store)
    writer.append(rows(0, 5))
    bucket.raw.rm(bucket.name, recursive=True)
    with pytest.raises(StorageError, match="the result cannot be stored") as raised:
        writer.finish(lambda: "{}")
    assert bucket.name not in str(raised.value)
    writer.abort(raised.value)
    with pytest.raises(StorageError):
        list(writer.result.follow(BEGINNING))


@pytest.fixture(name="nowhere")
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResultStore]:
    """A store in a bucket whose server is not there; asked once, so that the test need not wait."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        place = S3Place(f"http://127.0.0.1:{taken.getsockname()[1]}")
        opened = s3_storage._open
        monkeypatch.setattr(s3_storage, "_open", lambda connection, **options: opened(connection, **{**options, "attempts": 1}))
        storage = Storage([s3_connection("default", "s3://results/volley", place)], scratch_directory=tmp_path)
        store = ResultStore(*storage.filesystem(), storage.failure, rows_per_group=10, groups_per_file=1)
        yield store
        store.close()
        storage.close()


def test_a_server_that_is_gone_is_told_with_its_connection_and_the_remedy(nowhere: ResultStore) -> None:
    for ask in (lambda: nowhere.get("0" * 32), nowhere.list, nowhere.recover, lambda: nowhere.delete("0" * 32)):
        with pytest.raises(StorageError, match=r"connection 'default' cannot be reached(?s:.*)'endpoint_url'"):
            ask()


@pytest.mark.parametrize("count", [0, 65], ids=["manifest", "row groups"])
def test_a_result_that_has_nowhere_to_go_fails_with_that_error(nowhere: ResultStore, count: int) -> None:
    writer = begun(nowhere)

    def write() -> None:
        writer.append(rows(0, count))
        writer.finish(lambda: "{}")

    with pytest.raises(StorageError, match="connection 'default' cannot be reached") as raised:
        write()
    writer.abort(raised.value)
    assert nowhere.statistics().writing == 0


def test_rows_whose_server_has_gone_can_be_asked_for_again_later(nowhere: ResultStore) -> None:
    elsewhere = SmallStore("memory", f"/{new_id()}").store
    manifest = finished(elsewhere, 15).manifest
    assert manifest is not None
    gone = Result.from_manifest(manifest, nowhere._files, RowGroupCache(0))
    with pytest.raises(ResultUnreadable, match=r"0\.parquet(?s:.*)Try again later"):
        list(gone.follow(BEGINNING))
