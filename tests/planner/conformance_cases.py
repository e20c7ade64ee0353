"""The shared conformance cases in this process, through plans for several workers, counted by how they end and how they are divided.

``python -m tests.planner.conformance_cases --workers 3`` runs all of them; cases that do not end well are listed with the reason.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from planner import PlanOptions
from tests.planner.random_queries.compared_catalog import ComparedCatalog
from tests.planner.random_queries.run import BAD
from tests.planner.random_queries.statements import RandomQuery
from tests.planner.random_queries.trial import SEVERAL, Trial, tried

SHARED = Path(__file__).parents[2].parent / "shared" / "conformance"
SUITES = ("sqlite", "datafusion", "duckdb")
REASON_CHARS = 70


def cases(step: int) -> Iterator[tuple[str, str]]:
    """Suite and statement of each ``step``-th case."""
    for suite in SUITES:
        for line in (SHARED / f"cases.{suite}.jsonl").read_text().splitlines()[::step]:
            yield suite, json.loads(line)["sql"].rstrip().rstrip(";")


def trials(step: int, catalog: ComparedCatalog, options: PlanOptions) -> Iterator[tuple[str, str, Trial]]:
    """Suite, statement and end of each; rows are compared as bags, and not what a column without a name is called."""
    for suite, sql in cases(step):
        yield suite, sql, tried(RandomQuery(sql, False, frozenset(), named=False), catalog, options)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--step", type=int, default=1, help="only each so many-th case")
    arguments = parser.parse_args()
    options = replace(SEVERAL[0], workers=arguments.workers)
    ends: Counter[tuple[str, str]] = Counter()
    divisions: Counter[tuple[str, str]] = Counter()
    reasons: Counter[str] = Counter()
    started = time.monotonic()
    for suite, sql, trial in trials(arguments.step, ComparedCatalog(SHARED / "data"), options):
        ends[suite, trial.outcome] += 1
        if trial.plan is not None:
            divisions[suite, trial.division] += 1
        if trial.outcome != "same":
            reasons[f"{trial.outcome}: {trial.why[:REASON_CHARS]}".replace("\n", " ")] += 1
            print(f"{trial.outcome}: {trial.why}\n{sql}\n", flush=True)
    for suite in SUITES:
        listed = [f"{count} {name}" for counter in (ends, divisions) for (of, name), count in counter.most_common() if of == suite]
        print(f"{suite:12}{', '.join(listed)}")
    for reason, count in reasons.most_common():
        print(f"{count:6} {reason}")
    print(f"{sum(ends.values())} cases in {time.monotonic() - started:.0f} s")
    return 1 if any(name in (*BAD, "refused") for _, name in ends) else 0


if __name__ == "__main__":
    raise SystemExit(main())
