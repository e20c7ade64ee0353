"""Connections to S3 and what speaks its protocol (MinIO, Ceph, Swift), through s3fs.

Reads are our own: ranged requests, many in flight, each response checked against the version that was listed, with time-outs
and retries that tell a server which is slow now and then from one that is gone. Writes go through the fsspec file system.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import s3fs

from operators.errors import OutOfMemory, PathRefused, StorageAway, StorageError
from operators.storage.backend import (
    BackendStatistics,
    ByteRange,
    Fetched,
    Listing,
    StoredFile,
    beside,
    changed,
    clean_key,
    hidden,
    vanished,
)
from operators.storage.connections import Connection
from operators.storage.s3_errors import ListedVersionGone, ShortBody, meaning, not_s3

BACK_OFF_SECONDS = 0.1
MAX_BACK_OFF_SECONDS = 2.0
CONNECT_SECONDS = 1.5
REQUESTS_IN_FLIGHT = 32
READ_BYTES = 1 << 20
WRITE_BLOCK_BYTES = 8 << 20
PAGE_KEYS = 1000

Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)
Sink = Callable[[int, bytes], object]


class Attempt(Protocol[Answer_co]):
    """One try of a request; ``seconds`` is how long the server may be silent."""

    async def __call__(self, client: Any, seconds: float, /) -> Answer_co: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each attempt may stay without a byte of an answer, and when a server that was never heard of counts as gone.

    One that has answered before is waited for as long as its connection's ``patience_seconds`` say, if that is longer.
    """

    attempt_seconds: tuple[float, ...]
    give_up_seconds: float


ASKING = Patience((1.5, 2.5, 4.0, 6.0, 8.0, 10.0), 4.4)
"""For small questions. Every server begins with one: an address at which nothing answers is told within five seconds."""
READING = Patience((2.5, 5.0, 8.0, 10.0, 10.0), 30.0)
"""For bytes of files, asked for just after a small question was answered: a server that is busy with them is not gone."""


class S3Backend:
    """One bucket, a prefix in it, or one file."""

    def __init__(self, connection: Connection) -> None:
        self.name = connection.name
        self._only = connection.only
        self._connection = connection
        self._bucket, _, prefix = connection.url.partition("://")[2].partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        if not self._bucket:
            raise StorageError(
                f"the connection '{self.name}' names no bucket", remedy="Write its url as s3://bucket or s3://bucket/prefix."
            )
        self._fs: Any = None
        self._writing_fs: Any = None
        self._slots: asyncio.Semaphore | None = None
        self._heard = 0.0
        self._lock = threading.Lock()
        self._statistics = BackendStatistics()

    def statistics(self) -> BackendStatistics:
        return self._statistics

    def check(self) -> None:
        if self._only is None:
            self._run(self._page(self._prefix, "/", None, 1))
        else:
            self.stat(self._only)

    def list_folder(self, folder: str) -> Listing:
        if self._only is not None:
            return Listing(tuple(self._only_file(folder)), ())
        return self._run(self._list(folder, "/"))

    def list_tree(self, folder: str) -> list[StoredFile]:
        if self._only is not None:
            return self._only_file(folder)
        files = self._run(self._list(folder, "")).files
        return [file for file in files if not hidden(file.key[len(folder) :])]

    def stat(self, key: str) -> StoredFile | None:
        if not key:
            return None
        if self._only is not None and key != self._only:
            raise beside(key, self.name, self._only)
        try:
            head = self._run(self._attempts(_within(lambda client: client.head_object(Bucket=self._bucket, Key=self._prefix + key))))
        except ListedVersionGone:
            return None
        return StoredFile(f"{self.name}:{key}", int(head["ContentLength"]), _etag(head))

    def _only_file(self, folder: str) -> list[StoredFile]:
        """The file, as what there is in the folder ``""``. Raises ``PathRefused`` for others."""
        file = self.stat(folder or self._only or "")
        return [] if file is None else [file]

    def read_ranges(self, file: StoredFile, ranges: Sequence[ByteRange]) -> list[bytes]:
        buffers = [bytearray(stop - start) for start, stop in ranges]

        def sink(index: int) -> Sink:
            def write(offset: int, data: bytes) -> None:
                place = offset - ranges[index].start
                buffers[index][place : place + len(data)] = data

            return write

        self._run(self._gather([self._get(file, part, sink(index)) for index, part in enumerate(ranges)]))
        return [bytes(buffer) for buffer in buffers]

    def copy_ranges(self, file: StoredFile, ranges: Sequence[ByteRange], target: Path) -> Future[Fetched]:
        return asyncio.run_coroutine_threadsafe(self._copy(file, ranges, target), self._reader().loop)

    def local_path(self, key: str) -> Path | None:
        return None

    def local_files(self, files: Sequence[StoredFile]) -> list[str] | None:
        return None

    def local_root(self) -> Path | None:
        return None

    def filesystem(self) -> tuple[Any, str]:
        with self._lock:
            if self._writing_fs is None:
                self._writing_fs = _open(self._connection, attempts=3, read_seconds=10.0)
        return self._writing_fs, f"{self._bucket}/{self._prefix}".rstrip("/")

    def failure(self, error: Exception) -> StorageError | None:
        meant = meaning(error, self._connection, self._bucket)
        return meant if isinstance(meant, StorageError) else None

    def abort_uploads(self, folder: str) -> int:
        return self._run(self._abort_uploads(self._prefix + folder))

    def _reader(self) -> Any:
        with self._lock:
            if self._fs is None:
                self._fs = _open(self._connection, attempts=1, read_seconds=max(READING.attempt_seconds))
            return self._fs

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._reader().loop).result()

    async def _attempts(self, work: Attempt[Answer], patience: Patience | None = None) -> Answer:
        """``work(client, seconds)`` until it succeeds, fails for good, or the server has been silent for too long.

        A server that answers others meanwhile gets as many attempts as ``patience`` lists.
        """
        if self._slots is None:
            self._slots = asyncio.Semaphore(REQUESTS_IN_FLIGHT)
        loop = asyncio.get_running_loop()
        started: float | None = None
        limits = patience or ASKING
        attempts, seconds = 0, limits.attempt_seconds[0]
        while True:
            async with self._slots:
                began = loop.time()
                started = began if started is None else started
                self._count(requests=1)
                try:
                    client = await asyncio.wait_for(self._reader().set_session(), limits.give_up_seconds)
                    answer = await work(client, seconds)
                except Exception as error:
                    failure = self._failure(error)
                else:
                    self.heard()
                    return answer
            pause = min(BACK_OFF_SECONDS * 2 ** min(attempts, 10), MAX_BACK_OFF_SECONDS) * (0.5 + random.random() / 2)
            attempts += 1
            since = max(started, self._heard)
            following = self._following(limits, attempts, loop.time() + pause - since, answering=self._heard >= began)
            if following is None:
                raise failure
            seconds = following
            await asyncio.sleep(pause)

    def _following(self, limits: Patience, attempts: int, silence: float, *, answering: bool) -> float | None:
        """For how long the next attempt may be silent, after so many and so many seconds of silence; None: there should be none.

        ``answering``: others got answers during the last attempt.
        """
        known = limits.attempt_seconds
        last = attempts >= len(known)
        seconds = known[min(attempts, len(known) - 1)]
        if not self._heard:
            return None if last or silence + seconds > limits.give_up_seconds else seconds
        left = max(limits.give_up_seconds, self._connection.patience_seconds) - silence
        return None if (last and answering) or left < known[0] else min(seconds, left)

    def _failure(self, error: Exception) -> StorageAway:
        """The error to tell if no other attempt succeeds; raised at once where none can."""
        meant = meaning(error, self._connection, self._bucket)
        if meant is None:
            raise error
        if not isinstance(meant, StorageAway):
            raise meant from None
        self._count(failures=1)
        return meant

    def heard(self, size: int = 0) -> None:
        """The server has answered just now, with ``size`` bytes of a file. For the loop's thread."""
        self._heard = asyncio.get_running_loop().time()
        self._count(size=size)

    def get_request(self, key: str, wanted: ByteRange) -> dict[str, str]:
        """The parameters of a ranged GET."""
        return {"Bucket": self._bucket, "Key": self._prefix + key, "Range": f"bytes={wanted.start}-{wanted.stop - 1}"}

    def require_range(self, answer: Mapping[str, Any], start: int, size: int) -> None:
        """Raises unless ``answer`` begins at ``start``: a server that ignores ranges would pass for right with wrong bytes."""
        place = str(answer.get("ContentRange") or "bytes 0-")
        if not place.startswith(f"bytes {start}-") or not place.endswith(("-", "/*", f"/{size}")):
            raise not_s3(self._connection, f"{place!r} for a range that starts at {start}")

    def _count(self, requests: int = 0, failures: int = 0, size: int = 0) -> None:
        # Only the loop's thread counts.
        now = self._statistics
        self._statistics = replace(now, requests=now.requests + requests, failures=now.failures + failures, bytes=now.bytes + size)

    async def _list(self, folder: str, delimiter: str) -> Listing:
        files: list[StoredFile] = []
        folders: list[str] = []
        async for page in self._pages(self._prefix + folder, delimiter):
            for entry in page.get("Contents", ()):
                key = entry["Key"][len(self._prefix) :]
                # Markers of folders, and keys that no path can name.
                if not key.endswith("/") and _nameable(key, self.name):
                    files.append(StoredFile(f"{self.name}:{key}", int(entry["Size"]), _etag(entry)))
            found = (entry["Prefix"][len(self._prefix) :] for entry in page.get("CommonPrefixes", ()))
            folders += [key for key in found if _nameable(key.rstrip("/"), self.name)]
        return Listing(tuple(sorted(files, key=lambda file: file.path)), tuple(sorted(folders)))

    async def _pages(self, prefix: str, delimiter: str) -> AsyncIterator[dict[str, Any]]:
        token: str | None = None
        while True:
            page = await self._page(prefix, delimiter, token, PAGE_KEYS)
            yield page
            token = page.get("NextContinuationToken")
            if not page.get("IsTruncated") or token is None:
                return

    async def _page(self, prefix: str, delimiter: str, token: str | None, keys: int) -> dict[str, Any]:
        options = {"ContinuationToken": token} if token is not None else {}
        request = {"Bucket": self._bucket, "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": keys, **options}
        try:
            return await self._attempts(_within(lambda client: client.list_objects_v2(**request)))
        except ListedVersionGone:
            raise not_s3(self._connection, "404") from None

    async def _copy(self, file: StoredFile, ranges: Sequence[ByteRange], target: Path) -> Fetched:
        descriptor = os.open(target, os.O_WRONLY | os.O_CLOEXEC)

        def write(offset: int, data: bytes) -> None:
            try:
                os.pwrite(descriptor, data, offset)
            except OSError as error:
                raise OutOfMemory(
                    f"temporary storage cannot take more: {error.strerror}", remedy="Free some of the server's disk."
                ) from None

        try:
            counts = await self._gather([self._get(file, part, write) for part in ranges])
        finally:
            os.close(descriptor)
        return Fetched(sum(stop - start for start, stop in ranges), sum(counts))

    async def _gather(self, work: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
        """All of ``work``, side by side. The first failure stops the rest."""
        tasks = [asyncio.ensure_future(item) for item in work]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _get(self, file: StoredFile, wanted: ByteRange, sink: Sink) -> int:
        """Writes a range of the listed version to ``sink``; a broken answer is continued where it broke. Returns the requests."""
        read = _RangeRead(self, file, wanted, sink)
        try:
            await self._attempts(read.attempt, READING)
        except ListedVersionGone as gone:
            raise (vanished(file.path) if gone.missing else changed(file.path)) from None
        return read.requests

    async def _abort_uploads(self, prefix: str) -> int:
        found = await self._attempts(_within(lambda client: client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix)))
        uploads = found.get("Uploads", ())
        for upload in uploads:
            await self._abort(upload["Key"], upload["UploadId"])
        return len(uploads)

    async def _abort(self, key: str, upload: str) -> None:
        # One that has gone meanwhile was finished or discarded by its owner.
        with suppress(ListedVersionGone):
            await self._attempts(_within(lambda client: client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)))


class _RangeRead:
    """A ranged read in progress: each attempt goes on where the last one broke off."""

    def __init__(self, backend: S3Backend, file: StoredFile, wanted: ByteRange, sink: Sink) -> None:
        self._backend = backend
        self._file = file
        self._position, self._stop = wanted
        self._sink = sink
        self.requests = 0

    async def attempt(self, client: Any, seconds: float) -> None:
        """Reads to the end. ``seconds`` is how long the server may be silent."""
        self.requests += 1
        request = self._backend.get_request(self._file.key, ByteRange(self._position, self._stop))
        answer = await asyncio.wait_for(client.get_object(**request), seconds)
        body = answer["Body"]
        try:
            if _etag(answer) != self._file.version:
                raise ListedVersionGone(missing=False)
            self._backend.require_range(answer, self._position, self._file.size_bytes)
            while self._position < self._stop:
                data = await asyncio.wait_for(body.read(min(READ_BYTES, self._stop - self._position)), seconds)
                if not data:
                    raise ShortBody("the answer ended early")
                self._sink(self._position, data)
                self._position += len(data)
                self._backend.heard(len(data))
        finally:
            body.close()


def _within(work: Callable[[Any], Awaitable[Answer]]) -> Attempt[Answer]:
    async def attempt(client: Any, seconds: float) -> Answer:
        return await asyncio.wait_for(work(client), seconds)

    return attempt


def _etag(answer: Mapping[str, Any]) -> str:
    return str(answer["ETag"]).strip('"')


def _nameable(key: str, connection: str) -> bool:
    """Whether a path can name ``key``: keys with empty, ``.`` or ``..`` parts are left out of listings."""
    try:
        return clean_key(key, connection) == key
    except PathRefused:
        return False


def _open(connection: Connection, *, attempts: int, read_seconds: float) -> Any:
    # A server of one's own seldom has a host name for each bucket.
    path_style = connection.path_style if connection.path_style is not None else connection.endpoint_url is not None
    filesystem = s3fs.S3FileSystem(
        key=connection.key and str(connection.key),
        secret=connection.secret and str(connection.secret),
        endpoint_url=connection.endpoint_url,
        client_kwargs={"region_name": connection.region} if connection.region else {},
        config_kwargs={
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": read_seconds,
            "retries": {"total_max_attempts": attempts, "mode": "standard"},
            "max_pool_connections": 2 * REQUESTS_IN_FLIGHT,
            # The newer checksums are not known to all servers that speak S3.
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            "s3": {"addressing_style": "path" if path_style else "auto"},
        },
        default_block_size=WRITE_BLOCK_BYTES,
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    filesystem.retries = attempts
    return filesystem
