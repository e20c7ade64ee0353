#!/usr/bin/env python
"""Latency of each client: `SELECT 1`, asked and read, beside ADBC's in Python. Prints p50 and p99 in milliseconds.

The clients take turns, in rounds, so that the machine's moods meet all of them. Those in other languages are the tests' own programs; what
is missing is named with its reason. Rust's is built without optimization, as the tests want it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import adbc_driver_flightsql.dbapi as flight_sql
import pyarrow.flight as flight
import pytest
from bench_setup import percentile, seconds, server

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.clients import native_programs
from tests.clients.jdbc_driver import java_command

ADBC = "ADBC, Python"
SQL = "SELECT 1"
WARM_UP = 10
RUN_SECONDS = 300
Round = Callable[[int], list[float]]
"""Asks so many times, and tells the milliseconds of each."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=100, help="statements of each client in each round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as (uri, _), ExitStack() as stack:
        clients = {name: stack.enter_context(client(uri)) for name, client in PYTHON.items() if _is_here(name)}
        clients |= {name: measure for name, find in NATIVE.items() if (measure := _found(name, find, uri)) is not None}
        told: dict[str, list[float]] = {name: [] for name in clients}
        for _ in range(arguments.rounds):
            for name, measure in clients.items():
                told[name] += measure(arguments.runs)
    ours = percentile(told[ADBC], 0.5)
    print(f"{'client':28} {'p50':>7} {'p99':>7}  beside ADBC   (ms, {arguments.rounds * arguments.runs} statements)")
    for name, values in told.items():
        print(f"{name:28} {percentile(values, 0.5):7.2f} {percentile(values, 0.99):7.2f}  {percentile(values, 0.5) / ours:.2f}")
    return 0


def _is_here(name: str) -> bool:
    missing = [module for module in NEEDS.get(name, ()) if find_spec(module) is None]
    if missing:
        print(f"{name}: left out, {missing[0]} is not installed", file=sys.stderr)
    return not missing


def _found(name: str, find: Callable[[str], Round], uri: str) -> Round | None:
    try:
        return find(uri)
    except pytest.skip.Exception as reason:
        print(f"{name}: left out, {reason}", file=sys.stderr)
        return None


def _calls(ask: Callable[[], object]) -> Round:
    def measure(runs: int) -> list[float]:
        return [seconds(ask) * 1000 for _ in range(runs + WARM_UP)][WARM_UP:]

    return measure


@contextmanager
def _adbc(uri: str) -> Iterator[Round]:
    with flight_sql.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        yield _calls(lambda: cursor.execute(SQL).fetchall())


@contextmanager
def _pyarrow(uri: str) -> Iterator[Round]:
    with flight.connect(uri) as client:
        descriptor = flight.FlightDescriptor.for_command(SQL)
        yield _calls(lambda: client.do_get(client.get_flight_info(descriptor).endpoints[0].ticket).read_all())


@contextmanager
def _pandas(uri: str) -> Iterator[Round]:
    import pandas

    with flight_sql.connect(uri, autocommit=True) as connection:
        yield _calls(lambda: pandas.read_sql(SQL, connection))


@contextmanager
def _polars(uri: str) -> Iterator[Round]:
    import polars

    with flight_sql.connect(uri, autocommit=True) as connection:
        yield _calls(lambda: polars.read_database(SQL, connection))


@contextmanager
def _sqlalchemy(uri: str) -> Iterator[Round]:
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri.replace("grpc:", "adbc+flightsql:") + "?tls=false")
    with engine.connect() as connection:
        yield _calls(lambda: connection.execute(sqlalchemy.text(SQL)).all())
    engine.dispose()


def _printed(*command: str) -> list[float]:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=True)
    return [float(line) for line in ended.stdout.split() if line != "end"]


def _go(by: str, uri: str) -> Round:
    program = str(native_programs.go_program())
    return lambda runs: _printed(program, uri.removeprefix("grpc://"), "latency", by, str(runs))


def _rust(uri: str) -> Round:
    program = str(native_programs.rust_program())
    return lambda runs: _printed(program, uri.removeprefix("grpc://"), "latency", str(runs))


def _node(uri: str) -> Round:
    packages = native_programs.node_packages()

    def measure(runs: int) -> list[float]:
        told = native_programs.run_node(packages, uri, "latency", str(runs), seconds=RUN_SECONDS)
        return [float(line) for line in told.split()]

    return measure


def _jdbc(uri: str) -> Round:
    command = java_command(native_programs.HERE / "JdbcLatency.java", uri)
    return lambda runs: _printed(*command, str(runs))


PYTHON = {ADBC: _adbc, "pyarrow, plain Flight": _pyarrow, "pandas": _pandas, "polars": _polars, "SQLAlchemy": _sqlalchemy}
NEEDS = {"pandas": ("pandas",), "polars": ("polars",), "SQLAlchemy": ("sqlalchemy", "sqlalchemy_adbc")}
NATIVE: dict[str, Callable[[str], Round]] = {
    "Go, Flight SQL": partial(_go, "Flight SQL"),
    "Go, database/sql": partial(_go, "database/sql"),
    "Rust": _rust,
    "Node": _node,
    "JDBC": _jdbc,
}

if __name__ == "__main__":
    raise SystemExit(main())
