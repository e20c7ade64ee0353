#!/usr/bin/env python
"""Tables of many files, or of many row groups: how long listing, footers and planning take, and what memory they need.

The table is made in a temporary folder: files of few bytes, hard links to one another, in hive folders. Two parts: the steps of planning
by themselves, in this process; and statements at a server of its own, with the time to the first row, to the last, and the server's memory.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from bench_setup import peak_memory_mb, server

from flight_server.client import Client
from operators.kernel.kernel import Kernel
from operators.scan.catalog import FileCatalog
from operators.storage import Storage
from planner import PlanOptions, plan

LINKS = 10_000
"""So many names of a file: file systems allow some ten thousand."""
ROWS_PER_GROUP = 10

STATEMENTS = {
    "one folder of many": "SELECT count(*) AS n, sum(value) AS total FROM many WHERE day = 7",
    "few row groups": "SELECT count(*) AS n FROM many WHERE id BETWEEN 25 AND 34",
    "ten rows": "SELECT id, value FROM many LIMIT 10",
    "all counted": "SELECT count(*) AS n, sum(value) AS total FROM many",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--row-groups", type=int, default=1, help="in each file")
    parser.add_argument("--folders", type=int, default=100)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 3])
    parser.add_argument("--only-planning", action="store_true", help="start no server")
    parser.add_argument("--statements", nargs="*", choices=list(STATEMENTS), default=list(STATEMENTS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        make_table(Path(folder) / "data" / "many", arguments.files, arguments.row_groups, arguments.folders)
        groups = arguments.files * arguments.row_groups
        print(f"{arguments.files:,} files, {groups:,} row groups, made in {time.perf_counter() - began:.0f} s")
        steps_of_planning(Path(folder), arguments)
        for workers in () if arguments.only_planning else arguments.workers:
            statements_at_a_server(Path(folder), workers, arguments.statements)
    return 0


def make_table(folder: Path, files: int, row_groups: int, folders: int) -> None:
    """A table of ``files`` files with equal content, spread over folders ``day=0`` and so on."""
    rows = row_groups * ROWS_PER_GROUP
    table = pa.table({"id": range(rows), "value": [row % 7 for row in range(rows)], "name": [f"name {row}" for row in range(rows)]})
    first = folder
    for number in range(files):
        place = folder / f"day={number % folders}"
        if number < folders:
            place.mkdir(parents=True, exist_ok=True)
        path = place / f"part-{number:07}.parquet"
        if number % LINKS == 0:
            first = path
            pq.write_table(table, path, row_group_size=ROWS_PER_GROUP)
        else:
            os.link(first, path)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Prints how long the block takes, and by how much this process is larger behind it."""
    gc.collect()
    before, began, spent = resident_mb(), time.perf_counter(), time.process_time()
    yield
    took, spent = time.perf_counter() - began, time.process_time() - spent
    print(f"  {what:<44} {took:8.3f} s  {spent:8.3f} s CPU  {resident_mb() - before:+8.0f} MB", flush=True)


def resident_mb() -> float:
    """The memory that this process has resident, in MB (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def steps_of_planning(folder: Path, arguments: argparse.Namespace) -> None:
    """The parts of planning, one by one, then whole statements: the first time, and again with what is kept."""
    storage = Storage([], scratch_directory=folder)
    root = storage.add_root(str(folder / "data"))
    with closing(Kernel(2, 1 << 30, folder, storage.local_roots())) as kernel:
        catalog = FileCatalog(storage, kernel, [root])
        print("planning, in this process:")
        session = catalog.session()
        with timed("listing"):
            table = session.table("many", quoted=False)
        assert table is not None
        with timed("columns, footers read"):
            session.columns(table)
        with timed("columns again"):
            session.columns(table)
        with timed("row groups, first 1,000 files"):
            for file in table.files[:1000]:
                session.row_groups(file)
        del table, session
        for workers in arguments.workers:
            options = PlanOptions(workers=workers)
            for name in arguments.statements:
                for again in ("", ", again"):
                    with timed(f"{name}, {workers} workers{again}"):
                        planned = plan(STATEMENTS[name], catalog.session(), options)
                    del planned
    storage.close()


def statements_at_a_server(folder: Path, workers: int, names: list[str]) -> None:
    """Statements as a client sees them."""
    print(f"at a server of {workers} workers:            ticket    first row     last row   peak memory")
    with (
        server(folder / "data", "--workers", str(workers), "--state", str(folder / f"state-{workers}")) as (uri, pid),
        Client(uri) as client,
    ):
        for name in names:
            for again in ("", ", again"):
                began = time.perf_counter()
                submitted = client.submit(STATEMENTS[name])
                ticket = time.perf_counter() - began
                batches = client.read(submitted.ticket)
                next(batches, None)
                first = time.perf_counter() - began
                for _ in batches:
                    pass
                last = time.perf_counter() - began
                print(f"  {name + again:<32} {ticket:9.3f} s  {first:9.3f} s  {last:9.3f} s  {peak_memory_mb(pid):8.0f} MB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
