#!/usr/bin/env python
"""Latency: small statements through ADBC with a reused cursor, beside DuckDB in this process. Prints p50 and p99 in milliseconds."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import adbc_driver_flightsql.dbapi as flight_sql
import duckdb
from bench_setup import embedded_duckdb, percentile, seconds, server

SMALL = "SELECT range AS id, range % 7 AS kind, 'name ' || range AS name FROM range(10000)"
CASES = {
    "SELECT 1": lambda number: "SELECT 1",
    "filter on a small table": lambda number: f"SELECT id, name FROM small WHERE id = {number * 37 % 10_000}",
    "aggregate of a small table": lambda number: "SELECT kind, count(*) AS n FROM small GROUP BY kind ORDER BY kind",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        duckdb.sql(SMALL).write_parquet(str(data / "small.parquet"))
        embedded = embedded_duckdb(data, arguments.threads)
        print(f"{'statement':28} {'Volley p50':>10} {'p99':>7} {'DuckDB p50':>11} {'p99':>7}   (ms)")
        with server(data, "--threads", str(arguments.threads)) as (uri, _), flight_sql.connect(uri, autocommit=True) as connection:
            with connection.cursor() as cursor:
                for name, statement in CASES.items():
                    ours, theirs = _measure(arguments.runs, statement, cursor, embedded)
                    print(f"{name:28} {_ms(ours, 0.5):>10} {_ms(ours, 0.99):>7} {_ms(theirs, 0.5):>11} {_ms(theirs, 0.99):>7}", flush=True)
            fresh = [seconds(lambda: _once(connection)) for _ in range(arguments.runs // 3)]
            print(f"{'SELECT 1, a new cursor':28} {_ms(fresh, 0.5):>10} {_ms(fresh, 0.99):>7}")
    return 0


def _measure(
    runs: int, statement: Callable[[int], str], cursor: flight_sql.Cursor, embedded: duckdb.DuckDBPyConnection
) -> tuple[list[float], list[float]]:
    def volley(sql: str) -> None:
        cursor.execute(sql)
        cursor.fetchall()

    def duckdb_alone(sql: str) -> None:
        embedded.execute(sql).fetchall()

    ours, theirs = [], []
    for number in range(runs + 10):
        sql = statement(number)
        ours.append(seconds(partial(volley, sql)))
        theirs.append(seconds(partial(duckdb_alone, sql)))
    return ours[10:], theirs[10:]


def _once(connection: flight_sql.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()


def _ms(values: list[float], part: float) -> str:
    return f"{percentile(values, part) * 1000:.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
