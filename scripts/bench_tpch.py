#!/usr/bin/env python
"""TPC-H: all 22 queries through ADBC on a server with one worker, side by side with DuckDB in this process on the same files.

Prints, for each query, the median seconds of both and their ratio, and checks that the answers are equal.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import adbc_driver_flightsql.dbapi as flight_sql
import pyarrow as pa
from bench_setup import embedded_duckdb, rows_of, server, side_by_side, tpch_data, tpch_parser, tpch_queries


def main() -> int:
    parser = tpch_parser(__doc__, runs=5)
    parser.add_argument("--queries", type=Path, help="folder with q01.sql … q22.sql, as the TPC-H specification has them")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    data = tpch_data(arguments)
    options = ["--threads", str(arguments.threads * arguments.workers), "--workers", str(arguments.workers)]
    embedded = embedded_duckdb(data, arguments.threads)
    totals, wrong = [0.0, 0.0], []
    with server(data, *options) as (uri, _), flight_sql.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:

        def volley(sql: str) -> pa.Table:
            cursor.execute(sql)
            return cursor.fetch_arrow_table()

        def duckdb_alone(sql: str) -> pa.Table:
            return embedded.execute(sql).to_arrow_table()

        print(f"{'query':6} {'Volley s':>9} {'DuckDB s':>9} {'ratio':>6}")
        for name, sql in tpch_queries(arguments.queries).items():
            if rows_of(volley(sql)) != rows_of(duckdb_alone(sql)):
                wrong.append(name)
            ours, theirs = side_by_side(arguments.runs, partial(volley, sql), partial(duckdb_alone, sql))
            totals[0] += ours
            totals[1] += theirs
            print(f"{name:6} {ours:9.3f} {theirs:9.3f} {ours / theirs:6.2f}", flush=True)
    print(f"{'total':6} {totals[0]:9.3f} {totals[1]:9.3f} {totals[0] / totals[1]:6.2f}")
    print("all answers equal DuckDB's" if not wrong else f"WRONG ANSWERS: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
