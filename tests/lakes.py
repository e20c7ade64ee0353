"""Data for tests, on local disk or in a bucket: written as files below ``root``, read through a connection."""

from __future__ import annotations

import uuid
from functools import cache
from pathlib import Path

import fsspec
import pyarrow as pa
import s3fs

from operators.kernel.kernel import Kernel
from operators.kernel.relations import Relation
from operators.scan.catalog import CatalogSession, FileCatalog
from operators.scan.scans import prepare_scan
from operators.storage import Connection, Secret, Storage
from planner.catalog import Column, Table
from planner.physical import ScanInput, Split
from tests.s3_server import S3Place


class Lake:
    """A folder of data, opened: storage, kernel and catalog around it."""

    def __init__(self, root: Path, scratch: Path, connection: Connection | None = None) -> None:
        self.root = root
        self.url = str(root) if connection is None else connection.url
        self._storage = Storage([connection or Connection("default", str(root))], scratch_directory=scratch)
        self.kernel = Kernel(2, 256 << 20, scratch, self._storage.local_roots())
        self.file_catalog = FileCatalog(self._storage, self.kernel, ["default:"])

    @property
    def storage(self) -> Storage:
        self.sync()
        return self._storage

    @property
    def catalog(self) -> CatalogSession:
        """As the next query would see it."""
        self.sync()
        return self.file_catalog.session()

    def sync(self) -> None:
        """Makes the connection hold what is below ``root``."""

    def table(self, name: str) -> Table:
        table = self.catalog.table(name, quoted=False)
        assert table is not None, name
        return table

    def scan(self, name: str, columns: tuple[str, ...] | None = None, splits: tuple[Split, ...] | None = None) -> ScanInput:
        """A scan of a table; of all its columns and files where nothing else is said."""
        table = self.table(name)
        known = self.catalog.columns(table)
        wanted = known if columns is None else tuple(column for column in known if column.name in columns)
        whole = tuple(Split(file) for file in table.files)
        return ScanInput("in_0", name, wanted, known, splits or whole, table.files[0].format, partition_columns=table.partition_columns)

    def rows(self, name: str, sql: str = "SELECT * FROM in_0", splits: tuple[Split, ...] | None = None) -> list[tuple[object, ...]]:
        scan = self.scan(name, splits=splits)
        with prepare_scan(scan, scan.splits, self._storage) as prepared:
            return self.run(sql, in_0=prepared.relation)

    def run(self, sql: str, **relations: Relation) -> list[tuple[object, ...]]:
        with self.kernel.run(sql, relations) as run:
            table = pa.Table.from_batches(list(run), schema=run.schema)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def columns(self, name: str) -> tuple[Column, ...]:
        return self.catalog.columns(self.table(name))

    def close(self) -> None:
        self.kernel.close()
        self._storage.close()


class S3Lake(Lake):
    """The same in a bucket of its own: what changed below ``root`` is uploaded before the connection is used."""

    def __init__(self, root: Path, scratch: Path, place: S3Place, endpoint_url: str | None = None) -> None:
        self.bucket = f"lake-{uuid.uuid4().hex[:12]}"
        self.files = open_s3(place)
        self.files.mkdir(self.bucket)
        self._uploaded: dict[str, tuple[int, int, int]] = {}
        super().__init__(root, scratch, s3_connection("default", f"s3://{self.bucket}/lake", place, endpoint_url))

    def sync(self) -> None:
        present = {path.relative_to(self.root).as_posix(): path for path in self.root.rglob("*") if path.is_file()}
        for key in self._uploaded.keys() - present.keys():
            self.files.rm_file(f"{self.bucket}/lake/{key}")
            del self._uploaded[key]
        stale = {}
        for key, path in present.items():
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size, status.st_ino)
            if self._uploaded.get(key) != version:
                stale[f"{self.bucket}/lake/{key}"] = path.read_bytes()
                self._uploaded[key] = version
        if stale:
            self.files.pipe(stale)


class MemoryLake(Lake):
    """The same in fsspec's memory file system: a kind of storage that Volley has nothing special for."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self.files = fsspec.filesystem("memory")
        self._folder = f"/{uuid.uuid4().hex}/lake"
        self.files.makedirs(self._folder)
        self._written: dict[str, tuple[int, int, int]] = {}
        super().__init__(root, scratch, Connection("default", f"memory:/{self._folder}"))

    def sync(self) -> None:
        present = {path.relative_to(self.root).as_posix(): path for path in self.root.rglob("*") if path.is_file()}
        for key in self._written.keys() - present.keys():
            self.files.rm_file(f"{self._folder}/{key}")
            del self._written[key]
        for key, path in present.items():
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size, status.st_ino)
            if self._written.get(key) != version:
                self.files.pipe_file(f"{self._folder}/{key}", path.read_bytes())
                self._written[key] = version


@cache
def open_s3(place: S3Place) -> s3fs.S3FileSystem:
    """A file system for writing to the tests' server, beside the code under test."""
    return s3fs.S3FileSystem(
        key=place.key,
        secret=place.secret,
        endpoint_url=place.endpoint_url,
        client_kwargs={"region_name": place.region},
        config_kwargs={
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            "s3": {"addressing_style": "path"},
        },
        use_listings_cache=False,
        skip_instance_cache=True,
    )


def s3_connection(name: str, url: str, place: S3Place, endpoint_url: str | None = None) -> Connection:
    return Connection(name, url, endpoint_url or place.endpoint_url, place.region, Secret(place.key), Secret(place.secret))
