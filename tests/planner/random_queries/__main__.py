"""``python -m tests.planner.random_queries --queries 10000``: prints each query that ends badly, made small, and counts at the end."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.planner.random_queries.run import lake_of, query_of, run_queries
from tests.planner.random_queries.trial import options_of, tried


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one: prints its tables, its query, its plan and how it ends")
    parser.add_argument("--as-it-is", action="store_true", help="do not make failing queries smaller")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.seed is not None:
            return _one(arguments.seed, Path(folder))
        counts = run_queries(arguments.first, arguments.queries, Path(folder), shrink=not arguments.as_it_is, told=_print)
        print(counts.report())
        return 1 if counts.found else 0


def _one(seed: int, folder: Path) -> int:
    lake = lake_of(seed, folder)
    for table in lake.made:
        print(
            f"{table.name} ({table.layout}, about {table.rows} rows): {', '.join(f'{field.name} {field.type}' for field in table.fields)}"
        )
    query = query_of(seed, lake)
    trial = tried(query, lake, options_of(seed))
    print(query.sql, trial.plan.text if trial.plan else "", f"{trial.outcome} {trial.why}", sep="\n\n")
    return 0 if trial.outcome == "same" else 1


def _print(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
