#!/usr/bin/env python
"""A look at the first page of lineitem (all columns, half of the rows and all of them): what it costs with ``ahead`` and without.

Prints the time to the first rows, and what was made and stored for them once the query waits or has ended.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench_setup import server, tpch_data, tpch_parser

from flight_server.client import Client
from flight_server.protocol.messages import ENDED, START

POLL_SECONDS = 0.02


def main() -> int:
    arguments = tpch_parser(__doc__, runs=3).parse_args()
    data = tpch_data(arguments)
    half = int(arguments.scale * 3_000_000)
    statements = {"half": f"SELECT * FROM lineitem WHERE l_orderkey <= {half}", "all": "SELECT * FROM lineitem"}
    sorted_too = {f"{name}, sorted": f"{sql} ORDER BY l_extendedprice DESC" for name, sql in statements.items()}
    print("of lineitem      ahead  first rows   settled  rows made  bytes made  bytes stored")
    with (
        tempfile.TemporaryDirectory() as state,
        server(data, "--threads", str(arguments.threads), "--state", state) as (uri, _),
        Client(uri) as client,
    ):
        for name, sql in (statements | sorted_too).items():
            for ahead in (None, 1):
                runs = [_look(client, Path(state), sql, ahead) for _ in range(arguments.runs)]
                first, settled = statistics.median(run.first for run in runs), statistics.median(run.settled for run in runs)
                last = runs[-1]
                print(
                    f"{name:16} {'-' if ahead is None else ahead:>5} {first:8.3f} s {settled:7.2f} s {last.rows:10,}"
                    f" {last.bytes / 1e6:8.0f} MB {last.stored_bytes / 1e6:10.0f} MB",
                    flush=True,
                )
    return 0


class Look(NamedTuple):
    """Seconds until the first rows, and until the query waits or has ended; what was made and stored by then."""

    first: float
    settled: float
    rows: int
    bytes: int
    stored_bytes: int


def _look(client: Client, state: Path, sql: str, ahead: int | None) -> Look:
    started = time.perf_counter()
    query_id = client.submit(sql, ahead=ahead).query_id
    assert next(client.read(query_id, START, follow=False))[0].num_rows > 0
    first = time.perf_counter() - started
    while not ((status := client.status(query_id)) is not None and (status.state in ENDED or status.result.held)):
        time.sleep(POLL_SECONDS)
    settled = time.perf_counter() - started
    stored = sum(file.stat().st_size for file in state.glob(f"**/results/{query_id}/*"))
    client.drop(query_id)
    return Look(first, settled, status.result.rows, status.result.bytes, stored)


if __name__ == "__main__":
    raise SystemExit(main())
