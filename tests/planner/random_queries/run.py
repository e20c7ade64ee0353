"""Many random queries, from a seed, with counts of how they ended and of how they were planned."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from planner import PlanOptions
from tests.planner.random_queries.lake import Lake
from tests.planner.random_queries.shrinking import shrunk
from tests.planner.random_queries.statements import QueryMaker, RandomQuery
from tests.planner.random_queries.trial import Trial, options_of, tried

QUERIES_PER_LAKE = 40
BAD = ("different", "failed", "crashed", "accepted")
"""The outcomes that are mistakes of ours."""


@dataclass(frozen=True, slots=True)
class Found:
    """A query that ended as it should not: of which seed it is, as small as it could be made."""

    seed: int
    outcome: str
    why: str
    query: RandomQuery
    plan: str

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.outcome}, {self.why}\n{self.query.sql}\n{self.plan}"


@dataclass(slots=True)
class Counts:
    """What a run saw. ``divisions`` and ``constructs`` count plans for several workers, the latter as (construct, division).

    ``empty``: queries whose right answer is no rows, which say little.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    divisions: Counter[str] = field(default_factory=Counter)
    constructs: Counter[tuple[str, str]] = field(default_factory=Counter)
    partial: int = 0
    empty: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)
    refusals: list[Found] = field(default_factory=list)

    def add(self, query: RandomQuery, trial: Trial) -> None:
        self.outcomes[trial.outcome] += 1
        self.empty += trial.outcome == "same" and trial.rows == 0
        if trial.plan is None:
            return
        self.divisions[trial.division] += 1
        self.partial += trial.partial
        self.kinds.update(exchange.kind for exchange in trial.plan.exchanges)
        self.constructs.update((construct, trial.division) for construct in query.constructs)

    def report(self) -> str:
        """Counts as lines of text."""
        lines = [
            f"outcomes: {_listed(self.outcomes)}; {self.empty} answers without rows",
            f"plans: {_listed(self.divisions)}, {self.partial} with partial aggregates",
        ]
        lines.append(f"exchanges: {_listed(self.kinds)}")
        lines.append(f"{'construct':36}{'whole':>8}{'scans':>8}{'divided':>8}")
        for construct in sorted({name for name, _ in self.constructs}):
            lines.append(f"{construct:36}" + "".join(f"{self.constructs[construct, to]:8}" for to in ("whole", "scans", "divided")))
        return "\n".join(lines)


def _listed(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common())


def run_queries(
    first: int,
    queries: int,
    folder: Path,
    *,
    options: Callable[[int], PlanOptions] = options_of,
    shrink: bool = True,
    told: Callable[[str], None] = lambda line: None,
) -> Counts:
    """Queries of the seeds from ``first`` on; new tables for every ``QUERIES_PER_LAKE`` of them. A seed always gives the same query."""
    counts = Counts()
    lake: Lake | None = None
    started = time.monotonic()
    for seed in range(first, first + queries):
        if lake is None or seed % QUERIES_PER_LAKE == 0:
            lake = lake_of(seed, folder)
        query = query_of(seed, lake)
        trial = tried(query, lake, options(seed))
        counts.add(query, trial)
        if trial.outcome in (*BAD, "refused"):
            small, ended = shrunk(query, trial, lake, options(seed)) if shrink else (query, trial)
            found = Found(seed, ended.outcome, ended.why, small, ended.plan.text if ended.plan else "")
            (counts.refusals if trial.outcome == "refused" else counts.found).append(found)
            told(str(found))
        if (seed + 1 - first) % 500 == 0:
            told(f"{seed + 1 - first} queries in {time.monotonic() - started:.0f} s: {_listed(counts.outcomes)}")
    return counts


def lake_of(seed: int, folder: Path) -> Lake:
    """The tables that the query of a seed reads."""
    number = seed // QUERIES_PER_LAKE
    return Lake(folder / str(number), number)


def query_of(seed: int, lake: Lake) -> RandomQuery:
    """The query of a seed."""
    return QueryMaker(seed, lake.made).query()
