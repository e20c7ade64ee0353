"""Connections to any other kind of storage that fsspec knows: plain, correct, without the care that S3 gets."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import fsspec

from operators.errors import OperatorError, PathRefused, StorageError
from operators.storage.backend import BackendStatistics, ByteRange, Fetched, Listing, StoredFile, changed, clean_key, hidden, vanished
from operators.storage.connections import Connection

FETCHERS = 16
VERSION_KEYS = ("etag", "ETag", "generation", "content_hash", "version_id", "mtime", "LastModified", "last_modified", "updated", "created")
"""Where the file systems of fsspec say which contents a file has, the surest first."""

Answer = TypeVar("Answer")


class FsspecBackend:
    """A folder of an fsspec file system. A file's version is looked up before and after each read of it."""

    def __init__(self, connection: Connection) -> None:
        self.name = connection.name
        self._connection = connection
        self._fs, self._root = fsspec.core.url_to_fs(connection.url, use_listings_cache=False)
        self._pool = ThreadPoolExecutor(FETCHERS, thread_name_prefix=f"fetch-{connection.name}")
        self._lock = threading.Lock()
        self._statistics = BackendStatistics()

    def check(self) -> None:
        self._asked(lambda: self._fs.ls(self._root, detail=False) if self._fs.exists(self._root) else [])

    def list_folder(self, folder: str) -> Listing:
        entries = self._asked(lambda: self._listed(f"{self._root}/{folder}".rstrip("/")))
        files = [file for entry in entries if entry["type"] == "file" and (file := self._stored(entry)) is not None]
        folders = [f"{self._key(entry['name'])}/" for entry in entries if entry["type"] == "directory"]
        return Listing(tuple(sorted(files, key=lambda file: file.path)), tuple(sorted(folders)))

    def list_tree(self, folder: str) -> list[StoredFile]:
        found = self._asked(lambda: self._fs.find(f"{self._root}/{folder}".rstrip("/"), detail=True))
        files = [file for entry in found.values() if (file := self._stored(entry)) is not None]
        return sorted((file for file in files if not hidden(file.key[len(folder) :])), key=lambda file: file.path)

    def stat(self, key: str) -> StoredFile | None:
        try:
            entry = self._asked(lambda: self._fs.info(self._path(key)))
        except FileNotFoundError:
            return None
        return self._stored(entry) if entry["type"] == "file" else None

    def read_ranges(self, file: StoredFile, ranges: Sequence[ByteRange]) -> list[bytes]:
        self._require(file)
        path = self._path(file.key)
        starts, stops = [start for start, _ in ranges], [stop for _, stop in ranges]
        try:
            parts = self._asked(lambda: self._fs.cat_ranges([path] * len(ranges), starts, stops, on_error="raise"))
        except FileNotFoundError:
            raise vanished(file.path) from None
        self._require(file)
        self._count(requests=len(ranges), size=sum(map(len, parts)))
        return [bytes(part) for part in parts]

    def copy_ranges(self, file: StoredFile, ranges: Sequence[ByteRange], target: Path) -> Future[Fetched]:
        return self._pool.submit(self._copy, file, ranges, target)

    def abort_uploads(self, folder: str) -> int:
        return 0

    def statistics(self) -> BackendStatistics:
        return self._statistics

    def local_path(self, key: str) -> Path | None:
        return None

    def local_files(self, files: Sequence[StoredFile]) -> list[str] | None:
        return None

    def local_root(self) -> Path | None:
        return None

    def filesystem(self) -> tuple[Any, str]:
        return self._fs, self._root

    def failure(self, error: Exception) -> StorageError:
        # Each file system has its own errors, and their texts may hold anything: only their kind is told.
        return StorageError(
            f"the connection '{self.name}' cannot be used ({type(error).__name__})",
            remedy=f"Check the options of connection '{self.name}', and that the storage server is up.",
        )

    def _copy(self, file: StoredFile, ranges: Sequence[ByteRange], target: Path) -> Fetched:
        with target.open("r+b") as out:
            for part in ranges:
                (data,) = self.read_ranges(file, [part])
                out.seek(part.start)
                out.write(data)
        return Fetched(sum(stop - start for start, stop in ranges), len(ranges))

    def _listed(self, path: str) -> list[dict[str, Any]]:
        try:
            return [entry for entry in self._fs.ls(path, detail=True) if entry["name"].rstrip("/") != path]
        except FileNotFoundError:
            return []

    def _stored(self, entry: dict[str, Any]) -> StoredFile | None:
        """None for keys that no path can name."""
        key = self._key(entry["name"])
        try:
            if not key or clean_key(key, self.name) != key:
                return None
        except PathRefused:
            return None
        marks = [_mark(entry[name]) for name in VERSION_KEYS if entry.get(name) is not None]
        return StoredFile(f"{self.name}:{key}", int(entry["size"]), f"{marks[0] if marks else ''}-{entry['size']}")

    def _require(self, file: StoredFile) -> None:
        now = self.stat(file.key)
        if now is None:
            raise vanished(file.path)
        if now.version != file.version:
            raise changed(file.path)

    def _path(self, key: str) -> str:
        return f"{self._root}/{clean_key(key, self.name)}".rstrip("/")

    def _key(self, path: str) -> str:
        return path.strip("/").removeprefix(self._root.strip("/")).strip("/")

    def _count(self, requests: int, size: int) -> None:
        with self._lock:
            now = self._statistics
            self._statistics = BackendStatistics(now.requests + requests, now.failures, now.bytes + size)

    def _asked(self, work: Callable[[], Answer]) -> Answer:
        try:
            return work()
        except (FileNotFoundError, OperatorError):
            raise
        except Exception as error:
            raise self.failure(error) from error


def _mark(value: object) -> str:
    """A version's mark as text. The same file system may tell a time as a number in listings, and as a date otherwise."""
    return str(value.timestamp() if isinstance(value, datetime.datetime) else value)
