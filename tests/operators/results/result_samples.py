"""What the tests of results share: a store in a folder or in memory, and rows to put in it."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import fsspec
import pyarrow as pa

from operators.results.materialize import ResultWriter
from operators.results.results import BEGINNING, ReadBatch, Result, ResultStore

PATIENCE = 20.0
"""Seconds after which a test gives up on a thread; none waits for it when all is well."""
SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False), pa.field("t", pa.string())])

Found = TypeVar("Found")


class Clock:
    """Unix time that passes only when told."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class SmallStore:
    """A store whose row groups have ten rows and whose files three groups, and the means to open it again."""

    def __init__(self, protocol: str, root: str) -> None:
        self.fs = fsspec.filesystem(protocol)
        self.root = root
        self.clock = Clock()
        self.store = self.another()

    def another(self, *, cache_bytes: int = 1 << 20, total_bytes: int = 1 << 30, ttl_seconds: float = 100) -> ResultStore:
        """As another process, or this one after a restart, has it."""
        return ResultStore(
            self.fs,
            self.root,
            rows_per_group=10,
            groups_per_file=3,
            ttl_seconds=ttl_seconds,
            cache_bytes=cache_bytes,
            total_bytes=total_bytes,
            clock=self.clock,
        )

    def files(self) -> list[str]:
        """Names of all files of all results, below the results' folder."""
        folder = f"{self.root}/results/"
        return sorted(path.split("/results/", 1)[1] for path in self.fs.find(folder))


def new_id() -> str:
    return uuid.uuid4().hex


def rows(start: int, stop: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array(range(start, stop), pa.int64()), pa.array([f"row {n}" for n in range(start, stop)])], schema=SCHEMA
    )


def begun(store: ResultStore, schema: pa.Schema = SCHEMA, query_id: str | None = None) -> ResultWriter:
    return store.create(query_id or new_id(), schema, "SELECT n, t FROM numbers", "ada")


def finished(store: ResultStore, count: int, batch_rows: int = 7) -> Result:
    """A result of rows 0 … count."""
    writer = begun(store)
    for start in range(0, count, batch_rows):
        writer.append(rows(start, min(count, start + batch_rows)))
    writer.finish(lambda: '{"state":"completed"}')
    return writer.result


def numbers(reads: Iterator[ReadBatch] | list[ReadBatch]) -> list[int]:
    """The numbers in what was read, having checked that each slice goes on where the one before it ended."""
    listed = list(reads)
    for before, after in itertools.pairwise(listed):
        assert before.next == after.cursor
    return [number for read in listed for number in read.batch.column(0).to_pylist()]


def all_numbers(result: Result) -> list[int]:
    return numbers(result.follow(BEGINNING))


def in_thread(work: Callable[[], Found]) -> Future[Found]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future
