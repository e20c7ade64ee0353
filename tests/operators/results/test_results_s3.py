"""Results in a bucket of a real S3 server: what the tests in memory cannot know."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from operators.errors import OperatorError, ResultExpired, StorageError
from operators.results.materialize import ResultWriter
from operators.results.result_files import ResultFiles
from operators.results.results import ABANDONED_SECONDS, BEGINNING, ResultStore
from operators.storage import Storage
from tests.lakes import open_s3, s3_connection
from tests.operators.results.result_samples import Clock, all_numbers, begun, finished, numbers, rows
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
    assert numbers(stored.follow((1, 0, 5))) == [[number] for number in range(35, 45)]


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
