#!/usr/bin/env python
"""How TPC-H scales: the same threads as one worker and as several, beside DuckDB in this process with as many.

Servers with each number of ``--workers`` share out ``--threads`` (a worker has one at least) and are asked in turn, so that the machine's
moods meet all of them; a server that is not asked does nothing. Prints for each query the median seconds of each, the ratio to the first
number of workers, and the bytes that went through exchanges, as the query's status tells. Every answer is compared with DuckDB's.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
from bench_setup import embedded_duckdb, rows_of, seconds, server, tpch_data, tpch_parser, tpch_queries

from flight_server.client.client import Client

DUCKDB = "DuckDB"


@dataclass
class Served:
    """A server with some workers, and what it took for the query that is being measured."""

    workers: int
    client: Client
    times: list[float] = field(default_factory=list)
    exchanged_bytes: int = 0

    def run(self, sql: str) -> pa.Table:
        """The answer; what went through exchanges is noted, outside of the time."""
        submitted = self.client.submit(sql)
        table = pa.Table.from_batches([batch for batch, _ in self.client.read(submitted.ticket)], submitted.schema)
        self._last = submitted.query_id
        return table

    def timed(self, sql: str) -> pa.Table:
        answers: list[pa.Table] = []
        self.times.append(seconds(lambda: answers.append(self.run(sql))))
        return answers[0]

    def note(self) -> None:
        """Asks for the status of the query that ran last."""
        status = self.client.status(self._last)
        operators = status.operators if status else []
        self.exchanged_bytes = sum(operator.bytes for operator in operators if operator.kind == "exchange")


def main() -> int:
    parser = tpch_parser(__doc__, runs=3)
    parser.set_defaults(scale=10.0)
    parser.add_argument("--queries", type=Path, help="folder with q01.sql … q22.sql, as the TPC-H specification has them")
    parser.add_argument("--only", help="some of the queries: q01,q18")
    parser.add_argument("--workers", default="1,2", help="numbers of workers; ratios are to the first")
    parser.add_argument("--memory", help="of each worker: 512MB")
    parser.add_argument("--distribute", help="how far plans are divided, where the server takes it: auto, always, never")
    parser.add_argument(
        "--keep", action="store_true", help="keep the data that was made, under volley-data/bench, rather than in a temporary folder"
    )
    arguments = parser.parse_args()
    counts = [int(count) for count in arguments.workers.split(",")]
    with ExitStack() as stack:
        if arguments.data is None and not arguments.keep:
            arguments.data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="volley-bench-")))
        data = tpch_data(arguments)
        embedded = embedded_duckdb(data, arguments.threads)
        servers = []
        for count in counts:
            options = ["--workers", str(count), "--threads", str(max(count, arguments.threads))]
            options += ["--memory", times(count, arguments.memory)] if arguments.memory else []
            options += ["--distribute", arguments.distribute] if arguments.distribute else []
            uri, _ = stack.enter_context(server(data, *options))
            servers.append(Served(count, stack.enter_context(Client(uri))))
        chosen = {name: sql for name, sql in tpch_queries(arguments.queries).items() if name in (arguments.only or name).split(",")}
        return measured(servers, embedded, chosen, arguments.runs)


def measured(servers: Sequence[Served], embedded: duckdb.DuckDBPyConnection, queries: dict[str, str], runs: int) -> int:
    """Runs all queries and prints the table; 1 if an answer was not DuckDB's."""
    names = [f"{served.workers} worker{'s' * (served.workers != 1)}" for served in servers]
    print(f"{'query':6}" + "".join(f"{name + ' s':>13}{'ratio':>7}{'exch. MB':>10}" for name in names) + f"{DUCKDB + ' s':>11}", flush=True)
    totals, worst = [0.0] * (len(servers) + 1), [(0.0, "")] * len(servers)
    exchanged, wrong = [0] * len(servers), set()
    for name, sql in queries.items():
        truth, theirs = embedded.sql(sql).to_arrow_table(), []
        for served in servers:
            served.times.clear()
            served.run(sql)
            served.note()
        for _ in range(runs):
            theirs.append(seconds(lambda sql=sql: embedded.sql(sql).to_arrow_table()))  # type: ignore[misc]
            for served in servers:
                if rows_of(served.timed(sql)) != rows_of(truth):
                    wrong.add(f"{name} with {served.workers} worker(s)")
        medians = [statistics.median(served.times) for served in servers]
        for place, (served, median) in enumerate(zip(servers, medians, strict=True)):
            totals[place] += median
            exchanged[place] += served.exchanged_bytes
            worst[place] = max(worst[place], (median / medians[0], name))
        totals[-1] += statistics.median(theirs)
        shown = [(median, median / medians[0], served.exchanged_bytes) for served, median in zip(servers, medians, strict=True)]
        print(line(name, shown, statistics.median(theirs)), flush=True)
    print(line("total", [(total, total / totals[0], moved) for total, moved in zip(totals, exchanged, strict=False)], totals[-1]))
    for name, (ratio, query) in zip(names, worst, strict=True):
        print(f"worst of {name}: {query} at {ratio:.2f}")
    print("all answers equal DuckDB's" if not wrong else f"WRONG ANSWERS: {', '.join(sorted(wrong))}")
    return 1 if wrong else 0


def line(name: str, figures: Sequence[tuple[float, float, int]], duckdb_seconds: float) -> str:
    """One row of the table."""
    return (
        f"{name:6}" + "".join(f"{took:13.3f}{ratio:7.2f}{moved / 1e6:10.1f}" for took, ratio, moved in figures) + f"{duckdb_seconds:11.3f}"
    )


def times(count: int, size: str) -> str:
    """So many times a size: 3 times 512MB is 1536MB."""
    number = size.rstrip("KMGTiB")
    return f"{count * int(number)}{size[len(number) :]}"


if __name__ == "__main__":
    raise SystemExit(main())
