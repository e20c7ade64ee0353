"""Copies, on this machine's disk, of what a scan needs of remote files: sparse, each byte at its own offset.

The kernel reads such a copy as if it were the whole file. Copies live as long as the scan.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from operators.cancellation import Cancellation
from operators.errors import Interrupted
from operators.scan.needed_bytes import needed_bytes
from operators.scan.pieces import Piece, parquet_piece
from operators.scan.table_files import copy_suffix
from operators.storage import ByteRange, Fetched, Storage, StoredFile
from operators.storage.footers import MAGIC
from operators.storage.outlines import FileOutline
from operators.storage.ranges import requests, total_bytes
from planner.physical import ScanInput, Split


@dataclass(frozen=True, slots=True)
class _Copy:
    file: StoredFile
    path: Path
    future: Future[Fetched] | None


class RemoteFiles:
    """The remote files of a scan; fetching begins at once, all files side by side. Several threads may wait for :meth:`pieces`."""

    def __init__(self, scan: ScanInput, splits: Sequence[Split], storage: Storage) -> None:
        self._scan = scan
        self._splits = splits
        self._storage = storage
        self._stack = ExitStack()
        self._copies: dict[str, _Copy] = {}
        self._outlines: dict[str, FileOutline] = {}
        by_file: dict[str, list[Split]] = {}
        for split in splits:
            by_file.setdefault(split.file.path, []).append(split)
        try:
            files = [StoredFile(found[0].file.path, found[0].file.size_bytes, found[0].file.version) for found in by_file.values()]
            if scan.format == "parquet":
                self._outlines = dict(zip(by_file, storage.outlines(files), strict=True))
            for file in files:
                self._copies[file.path] = self._start(file, by_file[file.path])
        except BaseException:
            self.close()
            raise

    def pieces(self, cancellation: Cancellation | None) -> tuple[list[Piece], Fetched]:
        """Waits until all is here. Raises what the storage raised, or the cancellation's error."""
        futures = [copy.future for copy in self._copies.values() if copy.future is not None]
        with ExitStack() as stack:
            if cancellation is not None:
                stack.enter_context(cancellation.on_cancel(lambda: _cancel(futures)))
            try:
                fetched = [future.result() for future in _first_failure_first(futures)]
            except concurrent.futures.CancelledError:
                if cancellation is not None:
                    cancellation.check()
                raise Interrupted("the scan was stopped") from None
        return [self._piece(split) for split in self._splits], Fetched(
            sum(one.bytes for one in fetched), sum(one.requests for one in fetched)
        )

    def close(self) -> None:
        """Stops what is under way and removes the copies."""
        futures = [copy.future for copy in self._copies.values() if copy.future is not None]
        _cancel(futures)
        # A write that is just happening must not create a file anew.
        concurrent.futures.wait(futures)
        self._stack.close()

    def _start(self, file: StoredFile, splits: Sequence[Split]) -> _Copy:
        path = self._stack.enter_context(self._storage.scratch_file(copy_suffix(file.path)))
        needed = self._needed(file, splits)
        self._stack.enter_context(self._storage.scratch_room(total_bytes(needed)))
        with path.open("wb") as out:
            out.truncate(file.size_bytes)
            if self._scan.format == "parquet":
                footer = self._storage.footer(file)
                out.write(MAGIC)
                out.seek(footer.tail_offset)
                out.write(footer.tail)
        return _Copy(file, path, self._storage.copy_ranges(file, requests(needed), path) if needed else None)

    def _needed(self, file: StoredFile, splits: Sequence[Split]) -> list[ByteRange]:
        if self._scan.format != "parquet":
            return [ByteRange(0, file.size_bytes)] if file.size_bytes else []
        groups: set[int] | None = set()
        for split in splits:
            groups = None if groups is None or split.row_groups is None else groups | set(split.row_groups)
        return needed_bytes(self._storage.footer(file), [column.name for column in self._scan.columns], groups)

    def _piece(self, split: Split) -> Piece:
        copy = self._copies[split.file.path]
        if self._scan.format != "parquet":
            return Piece(str(copy.path), split.file)
        return parquet_piece(split, str(copy.path), self._outlines[split.file.path])


def _cancel(futures: Sequence[Future[Fetched]]) -> None:
    for future in futures:
        future.cancel()


def _first_failure_first(futures: Sequence[Future[Fetched]]) -> list[Future[Fetched]]:
    """All ``futures``, done, or those that are done as soon as one has failed: the failed one first."""
    done, _ = concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_EXCEPTION)
    failed = [future for future in done if not future.cancelled() and future.exception() is not None]
    return failed or list(futures)
