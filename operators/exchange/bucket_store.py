"""What fragments on this worker have put out into hash exchanges, sorted by bucket, until those who read it have done so.

An output is kept in memory while the worker's part for that lasts. What is more goes to files, and is read through the system's page cache.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from operators.batch_sizes import referenced_bytes
from operators.claimed_directory import ClaimedDirectory
from operators.errors import Interrupted, OperatorError, StaleLease, TooMuchKept
from operators.exchange.bucket_places import BucketSizes

PIECE_BYTES = 32 << 20
"""What is sorted at a time: it is copied twice meanwhile, and stays far below what 32-bit offsets can say."""


@dataclass(frozen=True, slots=True)
class _SortedPiece:
    """Rows of an output, those of a bucket together: bucket ``b`` has the rows from ``offsets[b]`` to ``offsets[b + 1]``."""

    batch: pa.RecordBatch
    offsets: tuple[int, ...]
    bytes: int
    in_memory: bool


@dataclass(frozen=True, slots=True)
class _KeptOutput:
    pieces: tuple[_SortedPiece, ...]
    sizes: BucketSizes


class BucketSpace:
    """The room that one worker has for outputs of hash exchanges: ``memory_bytes``, and then ``file_bytes`` in ``directory``. Thread-safe.

    Files are removed as soon as they are open: what they take is free again when nobody reads it any more, however the process ends.
    """

    def __init__(self, memory_bytes: int, file_bytes: int, directory: Path) -> None:
        self._memory_bytes = self._free_memory = memory_bytes
        self._file_bytes = self._free_files = file_bytes
        self._parent = directory
        self._directory: ClaimedDirectory | None = None
        self._written = 0
        self._lock = threading.Lock()

    def keep(self, batch: pa.RecordBatch, offsets: tuple[int, ...]) -> _SortedPiece:
        """Finds room for rows that are sorted by bucket. Raises ``TooMuchKept``."""
        size = referenced_bytes(batch)
        with self._lock:
            in_memory = size <= self._free_memory
            if in_memory:
                self._free_memory -= size
            elif size <= self._free_files:
                self._free_files -= size
            else:
                raise TooMuchKept(
                    f"the query sends more from worker to worker than the {self._file_bytes:,} bytes that this one may keep in files",
                    remedy="Raise limits.spill_bytes, use more workers, or filter the query more.",
                )
        if in_memory:
            return _SortedPiece(batch, offsets, size, True)
        try:
            return _SortedPiece(self._filed(batch), offsets, size, False)
        except OSError as error:
            self._give_back(size, in_memory=False)
            raise TooMuchKept(
                f"what goes from worker to worker could not be written to a file: {error.strerror or error}",
                remedy="See that the server's state folder has room.",
            ) from error

    def free(self, piece: _SortedPiece) -> None:
        """Nobody asks for it any more."""
        self._give_back(piece.bytes, in_memory=piece.in_memory)

    def used_bytes(self) -> int:
        """What is kept, in memory and in files."""
        with self._lock:
            return self._memory_bytes - self._free_memory + self._file_bytes - self._free_files

    def close(self) -> None:
        """Removes the directory."""
        if self._directory is not None:
            self._directory.close()

    def _give_back(self, size: int, *, in_memory: bool) -> None:
        with self._lock:
            if in_memory:
                self._free_memory += size
            else:
                self._free_files += size

    def _filed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        with self._lock:
            if self._directory is None:
                self._directory = ClaimedDirectory(self._parent, "buckets")
            self._written += 1
            path = self._directory.path / f"{self._written}.arrow"
        try:
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
                writer.write_batch(batch)
            return pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
        finally:
            path.unlink(missing_ok=True)


class BucketStore:
    """The outputs of one query's fragments on this worker, by exchange and share. Thread-safe.

    Of each share the first output that was put here stays: who runs the share again here gets the same sizes, and reads the same rows.
    """

    def __init__(self, space: BucketSpace) -> None:
        self._space = space
        self._outputs: dict[str, dict[int, _KeptOutput]] = {}
        self._dropped: set[str] = set()
        self._closed = False
        self._lock = threading.Lock()

    def put(self, exchange: str, share: int, batches: Iterable[pa.RecordBatch], buckets: int) -> BucketSizes:
        """Keeps the rows of an output, whose last column is the number of their bucket, below ``buckets``; returns how many are where.

        Raises ``TooMuchKept``, ``StaleLease`` where nobody needs them any more, and ``OperatorError`` for a row that is in no bucket.
        """
        known = self._output(exchange, share)
        if known is not None:
            return known.sizes
        pieces: list[_SortedPiece] = []
        try:
            for rows in _pieces(batches):
                batch, offsets = _sorted(rows, buckets)
                pieces.append(self._space.keep(batch, offsets))
        except BaseException:
            self._free(pieces)
            raise
        output = _KeptOutput(tuple(pieces), _sizes(pieces, buckets))
        with self._lock:
            gone = self._closed or exchange in self._dropped
            kept = output if gone else self._outputs.setdefault(exchange, {}).setdefault(share, output)
        if kept is not output or gone:
            self._free(pieces)
        if gone:
            raise StaleLease(f"nobody needs what share {share} of {exchange} puts out any more")
        return kept.sizes

    def read(self, exchange: str, share: int, first: int, behind_last: int) -> list[pa.RecordBatch] | None:
        """The rows of a share's output in the buckets from ``first`` to the one before ``behind_last``; None where there is none here."""
        output = self._output(exchange, share)
        if output is None:
            return None
        ranges = [(piece.batch, piece.offsets[first], piece.offsets[behind_last]) for piece in output.pieces]
        return [batch.slice(start, end - start) for batch, start, end in ranges if end > start]

    def peek(self, exchange: str, count: int) -> list[pa.RecordBatch]:
        """Up to ``count`` batches of what is here."""
        with self._lock:
            outputs = list(self._outputs.get(exchange, {}).values())
        return [piece.batch for output in outputs for piece in output.pieces][:count]

    def drop(self, exchange: str) -> None:
        """Those who read the exchange have done so: it keeps nothing from now on."""
        with self._lock:
            self._dropped.add(exchange)
            outputs = self._outputs.pop(exchange, {})
        for output in outputs.values():
            self._free(output.pieces)

    def close(self) -> None:
        """The query has ended. May be called again."""
        with self._lock:
            self._closed = True
            exchanges = list(self._outputs)
        for exchange in exchanges:
            self.drop(exchange)

    def _output(self, exchange: str, share: int) -> _KeptOutput | None:
        with self._lock:
            if self._closed:
                raise Interrupted("the query has ended")
            return self._outputs.get(exchange, {}).get(share)

    def _free(self, pieces: Iterable[_SortedPiece]) -> None:
        for piece in pieces:
            self._space.free(piece)


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows of ``batches`` in fewer, larger ones."""
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        more = referenced_bytes(batch)
        if waiting and size + more > PIECE_BYTES:
            yield pa.concat_batches(waiting)
            waiting, size = [], 0
        waiting.append(batch)
        size += more
    if waiting:
        yield waiting[0] if len(waiting) == 1 else pa.concat_batches(waiting)


def _sorted(batch: pa.RecordBatch, buckets: int) -> tuple[pa.RecordBatch, tuple[int, ...]]:
    """The rows by their buckets, in one bucket in their old order, without the last column; and where each bucket begins."""
    column = batch.column(batch.num_columns - 1)
    if column.null_count:
        raise OperatorError("a row that goes through a hash exchange has no bucket")
    counts = [0] * buckets
    for found in pc.value_counts(column).to_pylist():
        bucket = found["values"]
        if not 0 <= bucket < buckets:
            raise OperatorError(f"a row that goes through a hash exchange is in bucket {bucket} of {buckets}")
        counts[bucket] = found["counts"]
    offsets = (0, *accumulate(counts))
    kept = batch.select(range(batch.num_columns - 1))
    return kept.take(pc.array_sort_indices(column)), offsets  # which is stable


def _sizes(pieces: Iterable[_SortedPiece], buckets: int) -> BucketSizes:
    rows, size = [0] * buckets, [0] * buckets
    for piece in pieces:
        for bucket in range(buckets):
            start, end = piece.offsets[bucket], piece.offsets[bucket + 1]
            if end > start:
                rows[bucket] += end - start
                size[bucket] += referenced_bytes(piece.batch.slice(start, end - start))
    return BucketSizes(tuple(rows), tuple(size))
