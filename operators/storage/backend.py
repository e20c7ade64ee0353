"""What every kind of storage can do, and the values that it answers with."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from operators.errors import FileUnreadable, PathRefused, StorageError


class ByteRange(NamedTuple):
    """Bytes ``start`` … ``stop`` (exclusive) of a file."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as listed. ``path`` is ``connection:key``; ``version`` changes whenever the contents do."""

    path: str
    size_bytes: int
    version: str

    @property
    def key(self) -> str:
        """The path below the connection's root."""
        return self.path.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Listing:
    """Files and folders (names end with ``/``) directly below a folder, each in the order of its code points."""

    files: tuple[StoredFile, ...]
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a copy has cost."""

    bytes: int
    requests: int


@dataclass(frozen=True, slots=True)
class BackendStatistics:
    """Requests that were sent (repeated ones included), those that failed, and bytes of files that came. Local disks count nothing."""

    requests: int = 0
    failures: int = 0
    bytes: int = 0


class Backend(Protocol):
    """One connection, opened. Thread-safe. Keys are relative to its root, with ``/``, never starting with it.

    Every method raises ``StorageError`` that names the connection and the remedy when the storage cannot be used.
    """

    name: str

    def check(self) -> None:
        """Raises if the root cannot be listed; returns within five seconds either way."""

    def list_folder(self, folder: str) -> Listing:
        """What is directly in ``folder`` (``""`` or ending with ``/``); empty where there is none. Never from a cache."""

    def list_tree(self, folder: str) -> list[StoredFile]:
        """All files below ``folder``, sorted by key, without those that hide (a part of the path below starts with ``.`` or ``_``)."""

    def stat(self, key: str) -> StoredFile | None:
        """The file of that key now, or None."""

    def read_ranges(self, file: StoredFile, ranges: Sequence[ByteRange]) -> list[bytes]:
        """The bytes of each range, all of the listed version. Raises ``FileUnreadable`` if it has changed or gone."""

    def copy_ranges(self, file: StoredFile, ranges: Sequence[ByteRange], target: Path) -> Future[Fetched]:
        """Starts to write ``ranges`` of the listed version at their own offsets into ``target``, which exists.

        Cancelling the future stops it. It fails as :meth:`read_ranges` does, and with ``OutOfMemory`` where the disk is full.
        """

    def abort_uploads(self, folder: str) -> int:
        """Discards unfinished uploads below ``folder``, whoever began them; returns how many there were."""

    def statistics(self) -> BackendStatistics:
        """What was asked of the storage so far."""

    def local_path(self, key: str) -> Path | None:
        """The file on this machine's disk, for kinds that have it there."""

    def local_files(self, files: Sequence[StoredFile]) -> list[str] | None:
        """The paths of the listed versions on this machine's disk, for kinds that have them there, else None.

        Raises ``FileUnreadable`` for a file that changed or vanished since it was listed.
        """

    def local_root(self) -> Path | None:
        """The root on this machine's disk, for kinds that have it there."""

    def filesystem(self) -> tuple[Any, str]:
        """The fsspec filesystem and the path of the root in it, for writing. It has errors of its own: see :meth:`failure`."""

    def failure(self, error: Exception) -> StorageError | None:
        """What an error of :meth:`filesystem` means that is no ``OSError``; None for one that no storage would raise."""


def clean_key(key: str, connection: str) -> str:
    """``key`` without empty or ``.`` parts. Raises ``PathRefused`` if it would leave the connection's root."""
    if "\0" in key or ".." in key.split("/"):
        raise PathRefused(f"the path {key!r} leaves the connection '{connection}'", remedy="Use paths below the connection's root.")
    return "/".join(part for part in key.split("/") if part not in ("", "."))


def beside(key: str, connection: str, only: str) -> PathRefused:
    """The error for a path in a connection that is one file alone."""
    return PathRefused(
        f"the path {connection}:{key} is outside the connections: '{connection}' is the file {only} alone",
        remedy="To read others too, give their folder to --data.",
    )


def hidden(key: str) -> bool:
    """Whether a part of ``key`` starts with ``.`` or ``_``: such files are nobody's data (``_SUCCESS``, ``.crc``, ``_delta_log/``)."""
    # A hive partition may well be named _year=2024.
    return any(part.startswith((".", "_")) and "=" not in part for part in key.split("/"))


def changed(path: str) -> FileUnreadable:
    """The error for a file that is not what it was when it was listed."""
    return FileUnreadable(f"the file {path} changed while the query ran", remedy="Run the query again.")


def vanished(path: str) -> FileUnreadable:
    """The error for a file that was listed and is gone."""
    return FileUnreadable(f"the file {path} vanished", remedy="Run the query again; it will see the files that are there now.")


def parent(key: str) -> str:
    """The folder of ``key``: ``""`` or ending with ``/``."""
    folder = posixpath.dirname(key)
    return f"{folder}/" if folder else ""
