"""Connections whose root is a folder on this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import fsspec

from operators.errors import PathRefused, StorageError
from operators.storage.backend import BackendStatistics, ByteRange, Fetched, Listing, StoredFile, changed, clean_key, hidden, vanished
from operators.storage.connections import Connection

MAX_DEPTH = 32
"""Folders below folders; symbolic links could make circles."""


class LocalBackend:
    """A folder. Symbolic links that lead out of it are refused; in listings they are left out."""

    def __init__(self, connection: Connection) -> None:
        self.name = connection.name
        self._given = root_path(connection.url)
        self._root = Path(os.path.realpath(self._given))

    def check(self) -> None:
        try:
            os.listdir(self._root)
        except OSError as error:
            raise self._failure(error) from None

    def list_folder(self, folder: str) -> Listing:
        files, folders = [], []
        for entry in self._scan(clean_key(folder, self.name)):
            key = f"{folder}{entry.name}"
            if entry.is_dir():
                folders.append(f"{key}/")
            elif (file := self._stored(key, entry)) is not None:
                files.append(file)
        return Listing(tuple(sorted(files, key=lambda file: file.path)), tuple(sorted(folders)))

    def list_tree(self, folder: str) -> list[StoredFile]:
        return sorted(self._walk(folder, MAX_DEPTH), key=lambda file: file.path)

    def stat(self, key: str) -> StoredFile | None:
        path = self._resolve(key)
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._failure(error) from None
        return StoredFile(f"{self.name}:{key}", status.st_size, _version(status)) if path.is_file() else None

    def read_ranges(self, file: StoredFile, ranges: Sequence[ByteRange]) -> list[bytes]:
        try:
            descriptor = os.open(self._resolve(file.key), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise vanished(file.path) from None
        except OSError as error:
            raise self._failure(error) from None
        try:
            if _version(os.fstat(descriptor)) != file.version:
                raise changed(file.path)
            parts = [os.pread(descriptor, stop - start, start) for start, stop in ranges]
            if _version(os.fstat(descriptor)) != file.version:
                raise changed(file.path)
        finally:
            os.close(descriptor)
        return parts

    def copy_ranges(self, file: StoredFile, ranges: Sequence[ByteRange], target: Path) -> Future[Fetched]:
        copied: Future[Fetched] = Future()
        with target.open("r+b") as out:
            for part, data in zip(ranges, self.read_ranges(file, ranges), strict=True):
                out.seek(part.start)
                out.write(data)
        copied.set_result(Fetched(sum(stop - start for start, stop in ranges), len(ranges)))
        return copied

    def abort_uploads(self, folder: str) -> int:
        return 0

    def statistics(self) -> BackendStatistics:
        return BackendStatistics()

    def local_path(self, key: str) -> Path | None:
        return self._resolve(key)

    def local_files(self, files: Sequence[StoredFile]) -> list[str] | None:
        folders: dict[str, str] = {}
        paths = []
        for file in files:
            folder, _, name = clean_key(file.key, self.name).rpartition("/")
            if folder not in folders:
                folders[folder] = str(self._resolve(folder))
            paths.append(self._listed_version(file, f"{folders[folder]}/{name}"))
        return paths

    def _listed_version(self, file: StoredFile, path: str) -> str:
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                path = str(self._resolve(file.key))
                status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            raise vanished(file.path) from None
        except OSError as error:
            raise self._failure(error) from None
        if _version(status) != file.version:
            raise changed(file.path)
        return path

    def local_root(self) -> Path | None:
        return self._root

    def filesystem(self) -> tuple[Any, str]:
        return fsspec.filesystem("file"), str(self._root)

    def failure(self, error: Exception) -> StorageError | None:
        return None

    def _resolve(self, key: str) -> Path:
        path = Path(os.path.realpath(self._root / clean_key(key, self.name)))
        if not path.is_relative_to(self._root):
            raise PathRefused(f"the path {self.name}:{key} leads out of its connection", remedy="Put the file below the connection's root.")
        return path

    def _scan(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._resolve(folder)) as entries:
                return [entry for entry in entries if not entry.is_symlink() or self._inside(entry)]
        except (FileNotFoundError, NotADirectoryError):
            if not self._root.is_dir():
                raise self._failure(FileNotFoundError("No such file or directory")) from None
            return []
        except OSError as error:
            raise self._failure(error) from None

    def _inside(self, entry: os.DirEntry[str]) -> bool:
        return Path(os.path.realpath(entry.path)).is_relative_to(self._root)

    def _walk(self, folder: str, depth: int) -> Iterator[StoredFile]:
        for entry in self._scan(folder):
            if hidden(entry.name):
                continue
            key = f"{folder}{entry.name}"
            if entry.is_dir():
                if depth:
                    yield from self._walk(f"{key}/", depth - 1)
            elif (file := self._stored(key, entry)) is not None:
                yield file

    def _stored(self, key: str, entry: os.DirEntry[str]) -> StoredFile | None:
        """None for what is gone already, for pipes and devices, and for names that are not text."""
        try:
            key.encode()
            status = entry.stat()
            return StoredFile(f"{self.name}:{key}", status.st_size, _version(status)) if entry.is_file() else None
        except (FileNotFoundError, UnicodeEncodeError):
            return None

    def _failure(self, error: OSError) -> StorageError:
        reason = (error.strerror or str(error)).lower()
        return StorageError(
            f"the connection '{self.name}' cannot be read: {reason}",
            remedy=f"Check that its folder exists and that the server may read it (option 'url' of connection '{self.name}').",
        )


def root_path(url: str) -> Path:
    """The folder that a ``file://`` URL or a bare path names. Relative ones count from the working directory."""
    if not url.startswith("file:"):
        return Path(url).absolute()
    return Path(unquote(urlsplit(url).path))


def _version(status: os.stat_result) -> str:
    # The inode tells a replaced file even where the clock is coarse.
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
