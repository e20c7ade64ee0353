"""All connections of a server, by name."""

from __future__ import annotations

import posixpath
import re
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from operators.claimed_directory import ClaimedDirectory
from operators.errors import FileUnreadable, OutOfMemory, PathRefused, StorageError
from operators.storage.backend import (
    Backend,
    BackendStatistics,
    ByteRange,
    Fetched,
    Listing,
    StoredFile,
    clean_key,
    hidden,
)
from operators.storage.connections import Connection, root_path, with_root
from operators.storage.footer_cache import FooterCache
from operators.storage.footers import Footer
from operators.storage.globs import has_magic, literal_folder, matcher, names_hidden
from operators.storage.kinds import open_backend
from operators.storage.outlines import FileOutline

SCRATCH_SHARE = 0.8
DOWNLOAD_BYTES = 8 << 20
DEFAULT_CONNECTION = "default"
RESERVED = re.compile(r"(?:results|exchange)/[0-9a-f]{32}(?:/|\Z)")
"""Keys of the default connection that belong to queries and their owners (by the query's id): not to be read as data."""


class Storage:
    """Lists and reads files of named connections; knows no others. Thread-safe. Caches footers by file and version, nothing else.

    ``scratch_directory`` (else the system's) gets a folder for copies of what the kernel must read from disk, at most
    ``scratch_bytes`` at a time (else most of what is free there now).
    """

    def __init__(
        self,
        connections: Sequence[Connection],
        *,
        scratch_directory: str | Path | None = None,
        scratch_bytes: int | None = None,
        footer_cache_bytes: int = 256 << 20,
    ) -> None:
        self._scratch = ClaimedDirectory(scratch_directory or tempfile.gettempdir(), "volley-scratch")
        free = shutil.disk_usage(self._scratch.path).free
        self._scratch_bytes = int(free * SCRATCH_SHARE) if scratch_bytes is None else scratch_bytes
        self._scratch_taken = 0
        self._connections: dict[str, Connection] = {}
        self._backends: dict[str, Backend] = {}
        self._lock = threading.Lock()
        for connection in connections:
            self._add(connection)
        self._footers = FooterCache(self.read_ranges, footer_cache_bytes, lambda file: self.is_elsewhere(file.path))

    @property
    def connections(self) -> tuple[Connection, ...]:
        """All connections, those that :meth:`add_root` made included."""
        return tuple(self._connections.values())

    def add_root(self, root: str, *, may_be_file: bool = False) -> str:
        """Makes a data root (a folder, URL or file) readable; returns it as ``connection:folder/``, a file as ``connection:key``.

        A root inside a connection belongs to that one. Another S3 root takes endpoint and keys from the default connection
        where that is S3 too, and else from the environment. ``may_be_file``: an object of an object store is looked for under that name.
        Raises ``StorageError`` if there is none, and nothing below it.
        """
        found = self._inside(root)
        if found is None:
            name = self._free_name(root)
            given = with_root(Connection(name, root), root)
            default = self._connections.get(DEFAULT_CONNECTION)
            if default is not None and default.scheme == given.scheme != "file":
                given = replace(default, name=name, url=root, only=None)
            self._add(given)
            found = name, given.only or ""
        name, key = found
        if self._connections[name].scheme == "file":
            may_be_file, is_file = False, root_path(root).is_file()
        elif may_be_file and not key:
            key = self._narrow(name)
            is_file = bool(key)
        else:
            is_file = may_be_file and self._backend(name).stat(key) is not None
        if may_be_file and not is_file:
            below = self.list_folder(f"{name}:{key}/")
            if not below.files and not below.folders:
                raise StorageError(f"there is nothing at the data root {root}", remedy="Check its name; that of a folder may end with /.")
        return f"{name}:{key}" if is_file or not key else f"{name}:{key}/"

    def check(self) -> None:
        """Raises ``StorageError`` for the first connection whose root cannot be listed."""
        for backend in list(self._backends.values()):
            backend.check()

    def local_roots(self) -> Mapping[str, str]:
        """The folders on this machine that connections read, each with the prefix (``name:``) that stands for it in messages."""
        roots = {backend.local_root(): f"{name}:" for name, backend in self._backends.items()}
        named = {str(path): name for path, name in roots.items() if path is not None}
        return {**named, str(self._scratch.path): "temporary storage"}

    def filesystem(self, connection: str = DEFAULT_CONNECTION) -> tuple[Any, str]:
        """The fsspec filesystem of a connection and its root in it, for what the server writes itself."""
        return self._backend(connection).filesystem()

    def failure(self, error: Exception, connection: str = DEFAULT_CONNECTION) -> StorageError | None:
        """What an error means that :meth:`filesystem` raised and that is no ``OSError``; None for one that no storage would raise."""
        return self._backend(connection).failure(error)

    def list_folder(self, path: str) -> Listing:
        """What is directly in the folder ``connection:folder/``."""
        backend, key = self._split(path)
        return backend.list_folder(f"{key}/" if key else "")

    def list_tree(self, path: str) -> list[StoredFile]:
        """All files below ``connection:folder/`` that do not hide, by key."""
        backend, key = self._split(path)
        return backend.list_tree(f"{key}/" if key else "")

    def stat(self, path: str) -> StoredFile | None:
        """The file now, or None."""
        backend, key = self._split(path)
        return backend.stat(key)

    def local_files(self, files: Sequence[StoredFile]) -> list[str] | None:
        """The paths on this machine's disk of files of one connection, None for kinds of storage that are elsewhere.

        Raises ``FileUnreadable`` unless each still is what was listed.
        """
        return self._split(files[0].path)[0].local_files(files)

    def is_elsewhere(self, path: str) -> bool:
        """Whether the file is not on this machine's disk, so that reading it means fetching it."""
        return self._split(path)[0].local_root() is None

    def read_ranges(self, file: StoredFile, ranges: Sequence[ByteRange]) -> list[bytes]:
        """Bytes of the listed version. Raises ``FileUnreadable`` if it changed, vanished, or is shorter than a range."""
        backend, _ = self._split(file.path)
        parts = backend.read_ranges(file, ranges)
        for part, wanted in zip(parts, ranges, strict=True):
            if len(part) != wanted.stop - wanted.start:
                raise FileUnreadable(f"the file {file.path} is shorter than it says", remedy="Replace or remove the file.")
        return parts

    def local_path(self, path: str) -> Path | None:
        """The file on this machine's disk; None for kinds of storage that are elsewhere. Raises ``PathRefused``."""
        backend, key = self._split(path)
        return backend.local_path(key)

    def copy_ranges(self, file: StoredFile, ranges: Sequence[ByteRange], target: Path) -> Future[Fetched]:
        """Starts to write bytes of the listed version at their own offsets into ``target``, which exists; see :class:`Backend`."""
        backend, _ = self._split(file.path)
        return backend.copy_ranges(file, ranges, target)

    def abort_uploads(self, path: str) -> int:
        """Discards unfinished uploads below ``connection:folder/``, whoever began them; returns how many there were."""
        backend, key = self._split(path)
        return backend.abort_uploads(f"{key}/" if key else "")

    def statistics(self) -> Mapping[str, BackendStatistics]:
        """What was asked of each connection so far."""
        return {name: backend.statistics() for name, backend in self._backends.items()}

    @contextmanager
    def scratch_room(self, size: int) -> Iterator[None]:
        """Takes ``size`` bytes of the scratch folder for the block. Raises ``OutOfMemory`` if so much is not left."""
        with self._lock:
            left = self._scratch_bytes - self._scratch_taken
            if size > left:
                raise OutOfMemory(
                    f"the scan needs {size >> 20} MiB of temporary storage, and {left >> 20} MiB are left",
                    remedy="Read fewer columns or files at a time, or give the server more room in its state folder.",
                )
            self._scratch_taken += size
        try:
            yield
        finally:
            with self._lock:
                self._scratch_taken -= size

    def download(self, file: StoredFile, target: Path) -> None:
        """Copies the listed version of a whole file, a few MiB at a time."""
        with target.open("wb") as out:
            for start in range(0, file.size_bytes, DOWNLOAD_BYTES):
                stop = min(start + DOWNLOAD_BYTES, file.size_bytes)
                out.writelines(self.read_ranges(file, [ByteRange(start, stop)]))

    @contextmanager
    def scratch_file(self, suffix: str) -> Iterator[Path]:
        """A path for a new file that the kernel may read; whatever is there at the end is removed."""
        path = self._scratch.path / f"{uuid.uuid4().hex}{suffix}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def reserved(self, connection: str, key: str) -> bool:
        """Whether a key belongs to queries and their owners, and is nobody's data."""
        return connection == DEFAULT_CONNECTION and RESERVED.match(key) is not None

    def close(self) -> None:
        """Removes the scratch folder."""
        self._scratch.close()

    def footer(self, file: StoredFile) -> Footer:
        """The footer of a Parquet file. Raises ``FileUnreadable`` naming the file."""
        return self._footers.get(file)

    def outline(self, file: StoredFile) -> FileOutline:
        """What planning needs of the footer of a Parquet file. Raises ``FileUnreadable`` naming the file."""
        return self._footers.outline(file)

    def outlines(self, files: Sequence[StoredFile]) -> list[FileOutline]:
        """What planning needs of the footers of ``files``, read several at a time where the cache has none."""
        return self._footers.outlines(files)

    def resolve(self, pattern: str) -> list[StoredFile]:
        """The files that a pattern names: below the default connection, ``name:path``, or a URL inside a connection.

        A folder stands for all files below it. Raises ``PathRefused`` if it leaves the connections.
        """
        name, key = self._locate(pattern)
        backend = self._backend(name)
        if not has_magic(key):
            found = backend.stat(key) if key else None
            files = [found] if found is not None else backend.list_tree(f"{key}/" if key else "")
        else:
            files = self._glob(backend, key)
        return [file for file in files if not self.reserved(name, file.key)]

    def _glob(self, backend: Backend, pattern: str) -> list[StoredFile]:
        folder = literal_folder(pattern)
        match = matcher(pattern).match
        if "/" not in pattern[len(folder) :] and "**" not in pattern:
            files = list(backend.list_folder(folder).files)
        else:
            files = backend.list_tree(folder)
        show_hidden = names_hidden(pattern)
        return [file for file in files if match(file.key) and (show_hidden or not hidden(file.key[len(folder) :]))]

    def _locate(self, pattern: str) -> tuple[str, str]:
        """``connection``, ``key`` of a pattern as users write it."""
        if "://" in pattern or pattern.startswith("/"):
            found = self._inside(pattern)
            if found is None:
                root = f"--data {posixpath.dirname(literal_folder(pattern)) or '/'} where the server starts, or "
                added = root if pattern.startswith(("/", "s3://", "file://")) else ""
                remedy = f"{self._known()} Add {added}[connections.NAME] to its configuration."
                raise PathRefused(f"{pattern!r} is outside the connections", remedy=remedy)
            return found
        name, separator, key = pattern.partition(":")
        if not separator:
            name, key = DEFAULT_CONNECTION, pattern
        self._backend(name)
        return name, clean_key(key, name)

    def _inside(self, url: str) -> tuple[str, str] | None:
        """The connection with the longest root that ``url`` lies in, and the key there."""
        target = _canonical(url)
        best: tuple[int, str, str] | None = None
        for name, connection in self._connections.items():
            root = _canonical(connection.url).rstrip("/")
            if connection.only is not None and target != f"{root}/{connection.only}":
                continue
            if (target == root or target.startswith(f"{root}/")) and (best is None or len(root) > best[0]):
                best = (len(root), name, clean_key(target[len(root) :], name))
        return None if best is None else best[1:]

    def _split(self, path: str) -> tuple[Backend, str]:
        name, _, key = path.partition(":")
        return self._backend(name), clean_key(key, name)

    def _backend(self, name: str) -> Backend:
        backend = self._backends.get(name)
        if backend is None:
            if name == DEFAULT_CONNECTION:
                remedy = "Add --data FOLDER where the server starts, or [connections.default] to its configuration."
            else:
                remedy = f"Add [connections.{name}] to the configuration of the server, or write a path below another one."
            raise PathRefused(f"there is no connection '{name}'", remedy=f"{self._known()} {remedy}")
        return backend

    def _known(self) -> str:
        return f"Connections: {', '.join(sorted(self._connections)) or 'none'}."

    def _add(self, connection: Connection) -> None:
        with self._lock:
            assert connection.name not in self._connections, connection.name
            self._backends[connection.name] = open_backend(connection)
            self._connections[connection.name] = connection

    def _narrow(self, name: str) -> str:
        """Has a connection to an object store reach the one file that its URL names, if it does; returns the key, or nothing."""
        folder, _, file = self._connections[name].url.rpartition("/")
        if not file or folder.endswith("/"):  # a folder, a bucket
            return ""
        narrow = replace(self._connections[name], url=folder, only=file)
        backend = open_backend(narrow)
        if backend.stat(file) is None:
            return ""
        with self._lock:
            self._connections[name], self._backends[name] = narrow, backend
        return file

    def _free_name(self, root: str) -> str:
        stem = "".join(char if char.isalnum() else "_" for char in posixpath.basename(root.rstrip("/"))) or "data"
        names = [stem, *(f"{stem}_{number}" for number in range(2, len(self._connections) + 3))]
        return next(name for name in names if name not in self._connections)


def _canonical(url: str) -> str:
    if "://" in url and not url.startswith("file:"):
        scheme, _, rest = url.partition("://")
        return f"{scheme.lower()}://{rest}"
    return str(root_path(url))
