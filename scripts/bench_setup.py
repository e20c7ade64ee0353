"""What the benchmarks share: data, a server of their own, clients, and medians."""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")


def tpch_parser(description: str | None, *, runs: int) -> argparse.ArgumentParser:
    """The options of a benchmark over TPC-H's tables, which :func:`tpch_data` finds or makes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, help="folder with TPC-H's tables as NAME.parquet (made if they are not there)")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=runs)
    return parser


def tpch_data(arguments: argparse.Namespace) -> Path:
    """TPC-H's tables as Parquet files in the folder that the options name, made with ``tpchgen-cli`` (PyPI) unless they are there."""
    folder: Path = arguments.data or default_folder(f"tpch-{arguments.scale:g}")
    if not all((folder / f"{table}.parquet").exists() for table in TABLES):
        folder.mkdir(parents=True, exist_ok=True)
        program = Path(sys.executable).parent / "tpchgen-cli"
        subprocess.run(
            [str(program), "parquet", "-s", str(arguments.scale), "--output-dir", str(folder)], check=True, stdout=subprocess.DEVNULL
        )
    return folder


def tpch_queries(folder: Path | None) -> dict[str, str]:
    """The 22 queries by name, from ``folder`` (q01.sql …) or the conformance cases beside the checkout."""
    folder = folder or Path(__file__).resolve().parents[2] / "shared" / "conformance" / "tpch"
    queries = {file.stem: file.read_text() for file in sorted(folder.glob("q*.sql"))}
    if not queries:
        raise SystemExit("there are no TPC-H queries here: give their folder with --queries")
    return queries


def rows_of(table: pa.Table) -> list[tuple[object, ...]]:
    """Rows to compare: floats to ten digits (sums depend on the order of their terms), decimals by value."""
    return [tuple(float(f"{value:.10g}") if isinstance(value, float) else value for value in row.values()) for row in table.to_pylist()]


@contextmanager
def server(data: Path, *options: str) -> Iterator[tuple[str, int]]:
    """A ``flight serve`` on a free port over ``data``; yields its URI and process id."""
    command = [sys.executable, "-m", "flight_server.cli", "serve", "--port", "0", "--data", str(data), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(r"ready (\S+)\n", line)
            if match is None:
                raise SystemExit(f"the server did not start: {line!r}")
            yield match[1], process.pid
        finally:
            process.terminate()


def embedded_duckdb(data: Path, threads: int) -> duckdb.DuckDBPyConnection:
    """DuckDB in this process, with views over the same files and the same settings."""
    connection = duckdb.connect(config={"threads": threads})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET integer_division = true")
    connection.execute("SET default_null_order = 'postgres'")
    for file in sorted(data.glob("*.parquet")):
        connection.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM read_parquet('{file}')")
    return connection


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def side_by_side(runs: int, first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of two calls, taken in turn after a warm-up of each: the machine's moods meet both."""
    first()
    second()
    pairs = [(seconds(first), seconds(second)) for _ in range(runs)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which ``part`` of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def peak_memory_mb(pid: int) -> float:
    """The most memory that a process has had resident so far, in MB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1000  # type: ignore[index]


def default_folder(name: str) -> Path:
    """Where a benchmark keeps its data unless told otherwise."""
    return Path(os.environ.get("VOLLEY_BENCH_DATA", "volley-data/bench")) / name
