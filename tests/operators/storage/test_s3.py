"""What is special about connections to S3. The storage, catalog and scan tests run on S3 besides."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from operators.cancellation import Cancellation
from operators.errors import FileUnreadable, Interrupted, OutOfMemory, StorageError
from operators.scan.scans import StartedScan, prepare_scan
from operators.storage import ByteRange, Connection, Secret, Storage
from operators.storage import s3 as s3_storage
from planner.physical import ScanInput, Split
from tests.lakes import Lake, S3Lake, open_s3, s3_connection
from tests.s3_server import S3Place

SOON_SECONDS = 5.0


@pytest.fixture(name="lake")
def _lake(s3: S3Place, tmp_path: Path) -> Iterator[S3Lake]:
    (tmp_path / "data").mkdir()
    lake = S3Lake(tmp_path / "data", tmp_path / "scratch", s3)
    yield lake
    lake.close()


def open_storage(tmp_path: Path, *connections: Connection) -> Storage:
    return Storage(connections, scratch_directory=tmp_path / "other-scratch")


def wide(root: Path, rows: int = 20_000, group: int = 5_000) -> None:
    columns = {f"c{number}": [row * number for row in range(rows)] for number in range(10)}
    pq.write_table(pa.table(columns), root / "wide.parquet", row_group_size=group, use_dictionary=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"endpoint_url": "http://127.0.0.1:1"}, "cannot be reached: http://127.0.0.1:1 does not answer"),
        ({"endpoint_url": "https://{netloc}"}, "no TLS"),
        ({"endpoint_url": "http://no-such-host.invalid:9000"}, "cannot be reached"),
        ({"endpoint_url": "127.0.0.1:9000"}, "endpoint"),
        ({"key": Secret("nobody:x")}, "the key or the secret is wrong"),
        ({"secret": Secret("hush-hush")}, "the key or the secret is wrong"),
        ({"url": "s3://no-such-bucket/x"}, "'no-such-bucket' does not exist"),
        ({"url": "s3://No_Bucket!/x"}, "Invalid bucket name"),
    ],
)
def test_what_is_wrong_with_a_connection_is_told_soon(
    lake: S3Lake, s3: S3Place, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    settings = {
        "url": f"s3://{lake.bucket}",
        "endpoint_url": s3.endpoint_url,
        "region": s3.region,
        "key": Secret(s3.key),
        "secret": Secret(s3.secret),
    }
    netloc = s3.endpoint_url.partition("://")[2]
    changed = {name: value.format(netloc=netloc) if name == "endpoint_url" else value for name, value in change.items()}
    storage = open_storage(tmp_path, Connection("broken", **{**settings, **changed}))  # type: ignore[arg-type]
    started = time.monotonic()
    with pytest.raises(StorageError, match=message) as caught:
        storage.check()
    assert time.monotonic() - started < SOON_SECONDS
    text = str(caught.value)
    assert "'broken'" in text
    assert caught.value.remedy
    assert "hush-hush" not in text
    assert s3.secret not in text


def test_a_server_that_never_answers_is_told_soon(s3: S3Place, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        connection = s3_connection("silent", "s3://bucket", s3, f"http://127.0.0.1:{silent.getsockname()[1]}")
        storage = open_storage(tmp_path, connection)
        started = time.monotonic()
        with pytest.raises(StorageError, match="'silent' cannot be reached"):
            storage.list_folder("silent:")
        assert time.monotonic() - started < SOON_SECONDS


def test_no_keys_anywhere(s3: S3Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    storage = open_storage(tmp_path, Connection("bare", "s3://bucket", s3.endpoint_url, s3.region))
    with pytest.raises(StorageError, match="'bare' has no keys"):
        storage.check()


def test_keys_and_endpoint_from_the_environment(lake: S3Lake, s3: S3Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide(lake.root)
    lake.sync()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", s3.region)
    storage = open_storage(tmp_path, Connection("env", f"s3://{lake.bucket}/lake", path_style=True))
    assert [file.path for file in storage.list_folder("env:").files] == ["env:wide.parquet"]


def test_roots_in_other_buckets_take_the_default_connections_keys(lake: S3Lake, s3: S3Place) -> None:
    files = open_s3(s3)
    other = f"{lake.bucket}-other"
    files.mkdir(other)
    files.pipe_file(f"{other}/deep/x.csv", b"a\n1\n")
    root = lake.storage.add_root(f"s3://{other}/deep")
    assert root == "deep:"
    assert [file.path for file in lake.storage.list_folder(root).files] == ["deep:x.csv"]


def test_listings_of_more_than_a_page(lake: S3Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_storage, "PAGE_KEYS", 7)
    lake.files.pipe({f"{lake.bucket}/lake/many/{number:02}.csv": b"a\n1\n" for number in range(30)})
    assert [file.key for file in lake.storage.list_tree("default:many/")] == [f"many/{number:02}.csv" for number in range(30)]
    assert lake.storage.statistics()["default"].requests == 5


def test_folder_markers_and_keys_that_no_path_names_are_left_out(lake: S3Lake) -> None:
    for key in ("t/", "t/a.csv", "t//b.csv", "t/../c.csv"):
        lake.files.call_s3("put_object", Bucket=lake.bucket, Key=f"lake/{key}", Body=b"a\n1\n")
    assert [file.path for file in lake.storage.list_tree("default:t/")] == ["default:t/a.csv"]


def test_only_needed_chunks_are_fetched(lake: S3Lake) -> None:
    wide(lake.root)
    scan = lake.scan("wide", ("c3", "c7"))
    groups = lake.catalog.row_groups(scan.splits[0].file)
    assert groups is not None
    for chosen in ((0, 1, 2, 3), (2,), (0, 3)):
        needed = sum(groups[index].column_bytes[name] for index in chosen for name in ("c3", "c7"))
        with prepare_scan(scan, [Split(scan.splits[0].file, chosen)], lake.storage) as prepared:
            found = lake.run("SELECT sum(c3), sum(c7), count(*) FROM in_0", in_0=prepared.relation)
        assert needed <= prepared.report.fetched_bytes <= needed * 1.1
        rows = [row for index in chosen for row in range(index * 5000, index * 5000 + 5000)]
        assert found == [(3 * sum(rows), 7 * sum(rows), len(rows))]


def test_counting_rows_fetches_no_chunks(lake: S3Lake) -> None:
    wide(lake.root)
    scan = lake.scan("wide", ())
    with prepare_scan(scan, [Split(scan.splits[0].file, (1, 2))], lake.storage) as prepared:
        assert lake.run("SELECT count(*) FROM in_0", in_0=prepared.relation) == [(10_000,)]
    assert prepared.report.fetched_bytes == 0


def test_copies_are_removed(lake: S3Lake, tmp_path: Path) -> None:
    wide(lake.root)
    scan = lake.scan("wide")
    with prepare_scan(scan, scan.splits, lake.storage):
        assert list(tmp_path.rglob("volley-scratch-*/*.parquet"))
    assert not list(tmp_path.rglob("volley-scratch-*/*.parquet"))
    StartedScan(scan, scan.splits, lake.storage).close()
    assert not list(tmp_path.rglob("volley-scratch-*/*.parquet"))


def test_a_scan_can_be_started_before_it_is_needed(lake: S3Lake) -> None:
    wide(lake.root)
    scan = lake.scan("wide", ("c1",))
    started = [StartedScan(scan, [Split(scan.splits[0].file, (index,))], lake.storage) for index in range(4)]
    counts = []
    for each in started:
        with closing(each), each.prepared() as prepared:
            counts += lake.run("SELECT count(*) FROM in_0", in_0=prepared.relation)
    assert counts == [(5000,)] * 4


def test_a_cancelled_query_stops_fetching(lake: S3Lake, s3: S3Place, tmp_path: Path) -> None:
    wide(lake.root)
    scan = lake.scan("wide")
    cancellation = Cancellation()
    cancellation.cancel(Interrupted("the query was killed"))
    with pytest.raises(Interrupted, match="killed"), prepare_scan(scan, scan.splits, lake.storage, cancellation):
        pytest.fail("a cancelled scan was prepared")
    assert not list(tmp_path.rglob("volley-scratch-*/*.parquet"))


def test_temporary_storage_has_a_limit(lake: S3Lake, s3: S3Place, tmp_path: Path) -> None:
    wide(lake.root)
    scan = lake.scan("wide")
    small = Storage(lake.storage.connections, scratch_directory=tmp_path / "small", scratch_bytes=1000)
    with pytest.raises(OutOfMemory, match="temporary storage"), prepare_scan(scan, scan.splits, small):
        pytest.fail("more was fetched than may be")


def test_a_file_that_vanishes_between_its_footer_and_its_chunks(lake: S3Lake) -> None:
    wide(lake.root)
    scan = lake.scan("wide")
    (lake.root / "wide.parquet").unlink()
    with pytest.raises(FileUnreadable, match=r"default:wide\.parquet vanished"), prepare_scan(scan, scan.splits, lake.storage):
        pytest.fail("a file that is gone was accepted")


def test_writing_is_whole_or_not_at_all_and_unfinished_uploads_are_discarded(lake: S3Lake) -> None:
    filesystem, root = lake.storage.filesystem()
    with filesystem.open(f"{root}/results/q/0.parquet", "wb") as out:
        out.write(b"x" * (9 << 20))
        assert not filesystem.exists(f"{root}/results/q/0.parquet")
    assert filesystem.size(f"{root}/results/q/0.parquet") == 9 << 20
    lake.files.call_s3("create_multipart_upload", Bucket=lake.bucket, Key="lake/results/q/1.parquet")
    lake.files.call_s3("create_multipart_upload", Bucket=lake.bucket, Key="lake/elsewhere/1.parquet")
    assert lake.storage.abort_uploads("default:results/") == 1
    assert lake.storage.abort_uploads("default:results/") == 0
    left = lake.files.call_s3("list_multipart_uploads", Bucket=lake.bucket).get("Uploads", [])
    assert [upload["Key"] for upload in left] == ["lake/elsewhere/1.parquet"]


def test_files_that_were_uploaded_in_parts_are_read(lake: S3Lake) -> None:
    wide(lake.root)
    filesystem, root = lake.storage.filesystem()
    content = (lake.root / "wide.parquet").read_bytes()
    with filesystem.open(f"{root}/parts.parquet", "wb", block_size=5 << 20) as out:
        out.write(content)
        out.write(b"")
    upload = lake.files.call_s3("create_multipart_upload", Bucket=lake.bucket, Key="lake/two.parquet")
    parts = []
    for number, body in enumerate((content[:500_000], content[500_000:]), 1):
        answer = lake.files.call_s3(
            "upload_part", Bucket=lake.bucket, Key="lake/two.parquet", UploadId=upload["UploadId"], PartNumber=number, Body=body
        )
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    lake.files.call_s3(
        "complete_multipart_upload",
        Bucket=lake.bucket,
        Key="lake/two.parquet",
        UploadId=upload["UploadId"],
        MultipartUpload={"Parts": parts},
    )
    for name in ("parts", "two"):
        assert lake.rows(name, "SELECT count(*), sum(c1) FROM in_0") == [(20_000, sum(range(20_000)))]


def test_a_query_on_one_partition_opens_the_files_of_that_partition_alone(lake: S3Lake) -> None:
    for number in range(60):
        folder = lake.root / f"t/part={number % 30:02}"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"n": [number]}), folder / f"{number}.parquet")
    catalog = lake.catalog
    before = lake.storage.statistics()["default"].requests
    table = catalog.table("t", quoted=False)
    assert table is not None
    chosen = tuple(file for file in table.files if dict(file.partitions)["part"] == "07")
    columns = catalog.columns(replace(table, files=chosen))
    scan = ScanInput("in_0", "t", columns, columns, tuple(Split(file) for file in chosen), partition_columns=table.partition_columns)
    with prepare_scan(scan, scan.splits, lake.storage) as prepared:
        assert lake.run("SELECT n, part FROM in_0 ORDER BY n", in_0=prepared.relation) == [(7, 7), (37, 7)]
    listings, footers = 2, 2
    assert lake.storage.statistics()["default"].requests - before == listings + footers + prepared.report.requests
    assert len(table.files) == 60


def test_answers_that_are_not_the_range_that_was_asked_for_are_refused(lake: S3Lake) -> None:
    (lake.root / "t.bin").write_bytes(bytes(range(200)))
    (file,) = lake.storage.list_folder("default:").files
    backend = lake.storage._backends["default"]
    assert isinstance(backend, s3_storage.S3Backend)
    assert lake.storage.read_ranges(file, [ByteRange(100, 103), ByteRange(0, 200)]) == [b"def", bytes(range(200))]
    backend.require_range({"ContentRange": "bytes 100-102/200"}, 100, 200)
    for answer in ({}, {"ContentRange": "bytes 0-2/200"}, {"ContentRange": "bytes 100-102/300"}):
        with pytest.raises(StorageError, match="does not understand"):
            backend.require_range(answer, 100, 200)


def test_statistics_count_requests(lake: Lake) -> None:
    before = lake.storage.statistics()["default"]
    lake.storage.list_folder("default:")
    after = lake.storage.statistics()["default"]
    assert after.requests == before.requests + 1
