#!/usr/bin/env python
"""Export: five columns of lineitem, all rows, to a pyarrow client and to ADBC, beside DuckDB streaming the same query in process.

Prints the median seconds and their ratio to DuckDB's, the time to the first batch, and the peak memory of server and client. Each client
is a process of its own that reads batch by batch and keeps none.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from bench_setup import embedded_duckdb, peak_memory_mb, server, tpch_data, tpch_parser

SQL = "SELECT l_orderkey, l_partkey, l_quantity, l_extendedprice, l_comment FROM lineitem"

CLIENTS = {
    "pyarrow": """
import json, resource, sys, time
import pyarrow.flight as flight
uri, sql = sys.argv[1:]
client = flight.FlightClient(uri)
started = time.perf_counter()
info = client.get_flight_info(flight.FlightDescriptor.for_command(sql))
reader, rows, first = client.do_get(info.endpoints[0].ticket), 0, None
for chunk in reader:
    first = first or time.perf_counter() - started
    rows += chunk.data.num_rows
total = time.perf_counter() - started
print(json.dumps([rows, first, total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000]))
""",
    "ADBC": """
import json, resource, sys, time
import adbc_driver_flightsql.dbapi as flight_sql
uri, sql = sys.argv[1:]
connection = flight_sql.connect(uri, autocommit=True)
started = time.perf_counter()
cursor = connection.cursor()
cursor.execute(sql)
rows, first = 0, None
for batch in cursor.fetch_record_batch():
    first = first or time.perf_counter() - started
    rows += batch.num_rows
total = time.perf_counter() - started
print(json.dumps([rows, first, total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000]))
cursor.close()
connection.close()
""",
}


def main() -> int:
    arguments = tpch_parser(__doc__, runs=5).parse_args()
    data = tpch_data(arguments)
    embedded = embedded_duckdb(data, arguments.threads)
    figures: dict[str, list[list[float]]] = {"DuckDB": [], **{name: [] for name in CLIENTS}}
    with server(data, "--threads", str(arguments.threads)) as (uri, pid):
        for _ in range(arguments.runs):
            figures["DuckDB"].append(_stream(embedded))
            for name, program in CLIENTS.items():
                figures[name].append(json.loads(subprocess.check_output([sys.executable, "-c", program, uri, SQL])))
        server_mb = peak_memory_mb(pid)
    reference = statistics.median(run[2] for run in figures["DuckDB"])
    print(f"{'client':8} {'rows':>10} {'first batch s':>14} {'all s':>7} {'ratio':>6} {'client MB':>10}")
    for name, runs in figures.items():
        rows, first, total, memory = (statistics.median(values) for values in zip(*runs, strict=True))
        shown = f"{memory:10.0f}" if name != "DuckDB" else f"{'':10}"
        print(f"{name:8} {rows:10.0f} {first:14.3f} {total:7.3f} {total / reference:6.2f} {shown}")
    print(f"peak memory of the server: {server_mb:.0f} MB")
    counts = {run[0] for runs in figures.values() for run in runs}
    return 0 if len(counts) == 1 else 1


def _stream(embedded) -> list[float]:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    rows, first = 0, None
    for batch in embedded.sql(SQL).to_arrow_reader(65_536):
        first = first or time.perf_counter() - started
        rows += batch.num_rows
    return [rows, first or 0.0, time.perf_counter() - started, 0.0]


if __name__ == "__main__":
    raise SystemExit(main())
