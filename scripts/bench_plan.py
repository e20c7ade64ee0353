#!/usr/bin/env python
"""How long planning takes: each of TPC-H's queries, and of TPC-DS's where there are any, for one worker and for several.

Prints milliseconds of CPU, the median of several runs behind one that fills what is kept from query to query; what tables say of
themselves is read from files. ``--rows`` has the planner take small tables for large ones: then it looks for divisions as for real data.
``--profile QUERY`` prints where the time of one query goes.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from bench_setup import tpch_data, tpch_parser, tpch_queries

from operators.kernel.kernel import Kernel
from operators.scan.catalog import FileCatalog
from operators.storage import Storage
from planner import PlanOptions, plan
from planner.errors import VolleyError

Planned = Callable[[str, PlanOptions], object]


def main() -> int:
    parser = tpch_parser(__doc__, runs=7)
    parser.add_argument("--queries", type=Path, help="folder with q01.sql … q22.sql")
    parser.add_argument("--tpcds", type=Path, help="folder with TPC-DS: data/TABLE.parquet and queries/q01.sql …")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 3])
    parser.add_argument("--rows", type=int, default=1, help="tables of so many rows are large (with several workers)")
    parser.add_argument("--profile", metavar="QUERY", help="of TPC-DS: ds-q64")
    arguments = parser.parse_args()
    options = [
        PlanOptions(workers=workers, distribute_rows=arguments.rows, start_bytes=0 if arguments.rows == 1 else PlanOptions().start_bytes)
        for workers in arguments.workers
    ]
    sets = [(tpch_data(arguments), tpch_queries(arguments.queries))]
    if arguments.tpcds is not None:
        found = {f"ds-{file.stem}": file.read_text() for file in sorted((arguments.tpcds / "queries").glob("q*.sql"))}
        sets.append((arguments.tpcds / "data", found))
    for data, queries in sets:
        with planning(data) as planned:
            if arguments.profile is None:
                measured(planned, queries, options, arguments.runs)
            elif arguments.profile in queries:
                profiled(planned, queries[arguments.profile], options[-1])
    return 0


@contextmanager
def planning(data: Path) -> Iterator[Planned]:
    """A planner over the tables of a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        storage = Storage([], scratch_directory=scratch)
        roots = [storage.add_root(str(data))]
        with closing(storage), closing(Kernel(1, 1 << 30, Path(scratch), storage.local_roots())) as kernel:
            catalog = FileCatalog(storage, kernel, roots)
            yield lambda sql, options: plan(sql, catalog.session(), options)


def measured(planned: Planned, queries: Mapping[str, str], options: list[PlanOptions], runs: int) -> None:
    """Prints the table for one set of queries, and its worst."""
    print(f"{'query':8}" + "".join(f"{f'{option.workers} workers, ms':>16}" for option in options))
    medians: list[list[tuple[float, str]]] = [[] for _ in options]
    for name, sql in queries.items():
        shown = ""
        for place, option in enumerate(options):
            try:
                planned(sql, option)
            except VolleyError as error:
                shown += f"{'refused':>16}"
                print(f"{name}: {error}", file=sys.stderr)
                continue
            took = statistics.median(cpu_seconds(lambda sql=sql, option=option: planned(sql, option)) for _ in range(runs))  # type: ignore[misc]
            medians[place].append((took, name))
            shown += f"{took * 1000:16.1f}"
        print(f"{name:8}{shown}", flush=True)
    for option, found in zip(options, medians, strict=True):
        times = [took * 1000 for took, _ in found]
        worst = max(found)
        print(f"{option.workers} workers: median {statistics.median(times):.1f} ms, worst {worst[0] * 1000:.1f} ms ({worst[1]})")


def cpu_seconds(work: Callable[[], object]) -> float:
    """The CPU time of one call: others on the machine do not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


def profiled(planned: Planned, sql: str, option: PlanOptions) -> None:
    """Prints where the time of a query goes."""
    planned(sql, option)
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(5):
        planned(sql, option)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(30)
    pstats.Stats(profile).sort_stats("cumtime").print_stats(60)


if __name__ == "__main__":
    sys.exit(main())
