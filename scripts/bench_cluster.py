#!/usr/bin/env python
"""What a cluster costs by itself: processes, threads, connections, memory and CPU of N workers on this machine, idle and while queries run.

``calls/s`` are those that beats make: each worker tells each other one once a second. CPU is that of all workers together.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from bench_setup import percentile, seconds, server

from flight_server.client import Client

ESTABLISHED = "01"
QUERY = "SELECT key % 100 AS k, count(*) AS n, sum(value) AS total FROM numbers GROUP BY ALL ORDER BY ALL"


@dataclass(frozen=True)
class Seen:
    """What all processes of a server have at one moment."""

    threads: int
    connections: int
    resident_mb: float
    cpu_seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 3, 5, 8])
    parser.add_argument("--threads", type=int, help="of all workers together; one each, unless told otherwise")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long an idle cluster is watched")
    parser.add_argument("--queries", type=int, default=20)
    arguments = parser.parse_args()
    print("workers      state  threads/worker  connections  MB/worker   calls/s  CPU ms/s  query p50 ms  CPU ms/query")
    with tempfile.TemporaryDirectory() as folder:
        rows = 400_000
        table = pa.table({"key": range(rows), "value": [row % 1000 for row in range(rows)]})
        (Path(folder) / "data").mkdir()
        pq.write_table(table, Path(folder) / "data" / "numbers.parquet", row_group_size=rows // 16)
        for workers in arguments.workers:
            measured(Path(folder), workers, arguments)
    return 0


def measured(folder: Path, workers: int, arguments: argparse.Namespace) -> None:
    """Prints two lines for a server of so many workers."""
    options = ["--workers", str(workers), "--threads", str(arguments.threads or workers), "--distribute", "always"]
    with server(folder / "data", *options, "--state", str(folder / f"state-{workers}")) as (uri, pid), Client(uri) as client:
        pids = [pid, *children(pid)]
        client.query(QUERY)
        time.sleep(2)
        before, began = look(pids), time.perf_counter()
        time.sleep(arguments.seconds)
        after, took = look(pids), time.perf_counter() - began
        beats = workers * (workers - 1)
        idle = (after.cpu_seconds - before.cpu_seconds) / took * 1000
        print(line(workers, "idle", after, f"{beats:10}{idle:10.1f}"), flush=True)
        times = [seconds(lambda: client.query(QUERY)) for _ in range(arguments.queries)]
        busy = look(pids)
        each = (busy.cpu_seconds - after.cpu_seconds) / max(1, arguments.queries) * 1000
        print(line(workers, "busy", busy, f"{'':20}{percentile(times, 0.5) * 1000:14.1f}{each:14.1f}"), flush=True)


def line(workers: int, state: str, seen: Seen, rest: str) -> str:
    """One row of the table."""
    return f"{workers:7}{state:>11}{seen.threads / workers:16.1f}{seen.connections:13}{seen.resident_mb / workers:11.0f}{rest}"


def look(pids: Sequence[int]) -> Seen:
    """Adds up what the processes have (Linux)."""
    threads, resident, ticks = 0, 0, 0
    inodes: set[str] = set()
    for pid in pids:
        threads += len(os.listdir(f"/proc/{pid}/task"))
        resident += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(descriptor) if descriptor.is_symlink() else ""
            if target.startswith("socket:["):
                inodes.add(target[len("socket:[") : -1])
    ends = sum(1 for fields in sockets() if fields[3] == ESTABLISHED and fields[9] in inodes)
    return Seen(threads, ends, resident / 1e6, ticks / os.sysconf("SC_CLK_TCK"))


def sockets() -> list[list[str]]:
    """The lines of this machine's TCP sockets, an end of a connection each."""
    files = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    return [row.split() for file in files if file.exists() for row in file.read_text().splitlines()[1:]]


def children(pid: int) -> list[int]:
    """The processes that a process has begun, and theirs."""
    own = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return [found for child in own for found in (child, *children(child))]


if __name__ == "__main__":
    sys.exit(main())
