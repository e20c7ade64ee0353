#!/usr/bin/env python
"""A look at lineitem in the terminal UI: from F5 to the first rows on the screen, and what is made and stored for them."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import duckdb
from bench_keys import Keyboard
from bench_setup import server, tpch_data, tpch_parser

from flight_server.client import Client
from flight_server.protocol.messages import ENDED, QueryLine

STATEMENTS = {"all": "SELECT * FROM lineitem", "sorted": "SELECT * FROM lineitem ORDER BY l_extendedprice DESC, l_orderkey"}
POLL_SECONDS = 0.02
HELD_SECONDS = 0.5
F5 = b"\x1b[15~"
EVERYTHING = b"\x01\x7f"  # select all, backspace


def main() -> int:
    arguments = tpch_parser(__doc__, runs=3).parse_args()
    data = tpch_data(arguments)
    print("lineitem   first rows   settled   rows made  bytes made  bytes stored")
    for name, sql in STATEMENTS.items():
        looks = [_look(data, sql, arguments.threads) for _ in range(arguments.runs)]
        first, settled = statistics.median(look.first for look in looks), statistics.median(look.settled for look in looks)
        last = looks[-1]
        figures = f"{last.rows:11,} {last.bytes / 1e6:8.0f} MB {last.stored_bytes / 1e6:10.0f} MB"
        print(f"{name:9} {first:9.3f} s {settled:7.2f} s {figures}", flush=True)
    return 0


class Look(NamedTuple):
    """Seconds from F5 until the first rows are drawn, and until the query waits or has ended; what was made and stored by then."""

    first: float
    settled: float
    rows: int
    bytes: int
    stored_bytes: int


def _look(data: Path, sql: str, threads: int) -> Look:
    """One look, with a server and a program of its own."""
    files = f"read_parquet('{data}/lineitem.parquet')"
    first_row = str(duckdb.sql(f"{sql.replace('lineitem', files)} LIMIT 1").fetchall()[0][1])  # its second column
    with (
        tempfile.TemporaryDirectory() as home,
        server(data, "--threads", str(threads), "--state", f"{home}/server") as (uri, _),
        Client(uri) as client,
    ):
        client.query("SELECT count(*) FROM lineitem")  # footers are read once, by whoever comes first
        for line in client.queries():
            client.drop(line.query_id)
        keyboard = Keyboard(Path(home), uri)
        try:
            keyboard.until("●")
            keyboard.press(EVERYTHING + sql.encode())
            keyboard.until(sql[-8:])
            started = time.perf_counter()
            keyboard.press(F5)
            first = keyboard.until(first_row)
            line = _settled(client, keyboard)
            settled = time.perf_counter() - started
            stored = sum(file.stat().st_size for file in Path(home).glob(f"**/results/{line.query_id}/*.parquet"))
        finally:
            keyboard.close()
    return Look(first, settled, line.result.rows, line.result.bytes, stored)


def _settled(client: Client, keyboard: Keyboard) -> QueryLine:
    """The user's query, once it has ended, or has waited for its reader for a while."""
    made, since = -1, time.perf_counter()
    while True:
        (line,) = client.queries(limit=1)
        if not line.result.held or line.result.rows != made:
            made, since = line.result.rows, time.perf_counter()
        if line.state in ENDED or time.perf_counter() - since > HELD_SECONDS:
            return line
        keyboard.read()
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
