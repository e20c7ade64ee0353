"""Connections whose root is a folder on this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import fsspec

from operators.errors import PathRefused, StorageError
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
from operators.storage.connections import Connection, root_path

MAX_DEPTH = 100
"""Folders below folders that a listing goes through."""


class LocalBackend:
    """A folder, or one file of it.

    Symbolic links that lead out of it are listed by their names, since rows would be missing without a word, and refused.
    """

    def __init__(self, connection: Connection) -> None:
        self.name = connection.name
        self._given = root_path(connection.url)
        self._root = Path(os.path.realpath(self._given))
        self._only = connection.only

    def check(self) -> None:
        try:
            if self._only is not None:
                os.stat(self._root / self._only)
                return
            with os.scandir(self._root) as entries:
                next(entries, None)
        except OSError as error:
            raise self._failure(error) from None

    def list_folder(self, folder: str) -> Listing:
        files, folders = [], []
        for entry in self._scan(self._resolve(folder)):
            key = f"{folder}{entry.name}"
            if _is_folder(entry):
                folders.append(f"{key}/")
            elif (file := self._stored(key, entry)) is not None:
                files.append(file)
        return Listing(tuple(sorted(files, key=lambda file: file.path)), tuple(sorted(folders)))

    def list_tree(self, folder: str) -> list[StoredFile]:
        return sorted(self._walk(folder, ()), key=lambda file: file.path)

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
            descriptor = os.open(self._real_path(file.key), os.O_RDONLY | os.O_CLOEXEC)
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
        return Path(self._real_path(key))

    def _real_path(self, key: str) -> str:
        cleaned = clean_key(key, self.name)
        if self._only is not None and cleaned not in ("", self._only):
            raise beside(key, self.name, self._only)
        # As text: of a hundred thousand files, paths as objects cost more than opening them.
        root = str(self._root)
        path = os.path.realpath(os.path.join(root, cleaned))
        if path != root and not path.startswith(root if root.endswith("/") else f"{root}/"):
            raise PathRefused(f"the path {self.name}:{key} leads out of its connection", remedy="Put the file below the connection's root.")
        return path

    def _scan(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return [entry for entry in entries if self._only is None or entry.name == self._only]
        except (FileNotFoundError, NotADirectoryError):
            if not self._root.is_dir():
                raise self._failure(FileNotFoundError("No such file or directory")) from None
            return []
        except OSError as error:
            raise self._failure(error) from None

    def _walk(self, folder: str, above: tuple[Path, ...]) -> Iterator[StoredFile]:
        """The files below ``folder``, which stands in the folders ``above`` (with no symbolic links in their paths)."""
        path = self._resolve(folder)
        if path in above:  # by a link in a circle: its files are listed already
            return
        if len(above) == MAX_DEPTH:
            raise StorageError(
                f"the connection '{self.name}' has more than {MAX_DEPTH} folders in each other at {self.name}:{folder}",
                remedy="Move the data to a folder that is less deep.",
            )
        for entry in self._scan(path):
            if hidden(entry.name):
                continue
            key = f"{folder}{entry.name}"
            if _is_folder(entry):
                yield from self._walk(f"{key}/", (*above, path))
            elif (file := self._stored(key, entry)) is not None:
                yield file

    def _stored(self, key: str, entry: os.DirEntry[str]) -> StoredFile | None:
        """None for what is gone already, for pipes and devices, and for names that are not text.

        Of a link that leads out of the root, or nowhere, the link itself: whoever opens it is told.
        """
        try:
            key.encode()
            outside = entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(self._root)
            status = entry.stat(follow_symlinks=not outside)
        except UnicodeEncodeError:
            return None
        except OSError as error:
            if entry.is_symlink():
                status = entry.stat(follow_symlinks=False)
            elif isinstance(error, FileNotFoundError):
                return None
            else:
                raise self._failure(error) from None
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISLNK(status.st_mode):
            return None
        return StoredFile(f"{self.name}:{key}", status.st_size, _version(status))

    def _failure(self, error: OSError) -> StorageError:
        reason = (error.strerror or str(error)).lower()
        return StorageError(
            f"the connection '{self.name}' cannot be read: {reason}",
            remedy=f"Check that its folder exists and that the server may read it (option 'url' of connection '{self.name}').",
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder that may not be entered
        return False


def _version(status: os.stat_result) -> str:
    # The inode tells a replaced file even where the clock is coarse.
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"
