#!/usr/bin/env python
"""Weakens each rule by which tables are divided, one after the other, and says which tests tell.

    python scripts/mutate_divisibility.py --queries 400 --jobs 2

A mutant (``tests/planner/mutants``) is run in a process of its own: first against the rules' own tests, then against random queries of
fixed seeds, until one ends as it should not. One that nothing tells is a test that is missing; then the exit code is 1. That each mutant
is told by its own witness is in the test suite (``tests/planner/test_mutants.py``).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.planner.mutants import MUTANTS, Mutant, applied
from tests.planner.random_queries.run import run_queries

ROOT = Path(__file__).parents[1]
DECIDING = ("tests/planner/distribute", "tests/planner/test_same_answers.py")
SLOW = ("--deselect", "tests/planner/distribute/test_scopes.py::test_random_statements")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who tells a mutant: the first test that fails, and the seed of the first random query that ends badly, with its outcome."""

    mutant: str
    test: str | None
    seed: int | None
    outcome: str | None
    seconds: float

    @property
    def killed(self) -> bool:
        return self.test is not None or self.seed is not None

    def __str__(self) -> str:
        by_query = f"query {self.seed} ({self.outcome})" if self.seed is not None else "no query"
        return f"{'killed  ' if self.killed else 'SURVIVES'} {self.mutant:66} {by_query:28} {self.test or 'no test'}"


class Told(Exception):
    """A random query ended badly; the first line of what is told of it."""


class FirstFailure:
    """A plugin of pytest's that keeps the name of the first test that fails."""

    def __init__(self) -> None:
        self.test: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest for each step of each test."""
        if report.failed and self.test is None:
            self.test = report.nodeid.removeprefix("tests/planner/")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=400, help="random queries for each mutant, at most")
    parser.add_argument("--first", type=int, default=0, help="their first seed")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument("--only", default="", help="mutants with this in their name")
    parser.add_argument("--one", type=int, help="this one, in this process, told as JSON")
    arguments = parser.parse_args()
    if arguments.one is not None:
        told = judged(MUTANTS[arguments.one], arguments.first, arguments.queries)
        print(json.dumps([told.mutant, told.test, told.seed, told.outcome, told.seconds]))
        return 0
    places = [place for place, mutant in enumerate(MUTANTS) if arguments.only in mutant.name]
    command = (sys.executable, __file__, "--queries", str(arguments.queries), "--first", str(arguments.first), "--one")
    verdicts = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for verdict in pool.map(lambda place: in_a_process(*command, str(place)), places):
            verdicts.append(verdict)
            print(verdict, flush=True)
    alive = [verdict for verdict in verdicts if not verdict.killed]
    by_tests, by_queries = (sum(each) for each in ([v.test is not None for v in verdicts], [v.seed is not None for v in verdicts]))
    print(f"{len(verdicts)} mutants: {by_tests} told by tests, {by_queries} by random queries, {len(alive)} by nobody")
    return 1 if alive else 0


def in_a_process(*command: str) -> Verdict:
    """What a process says of one mutant. Raises ``CalledProcessError`` where it fails itself."""
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    return Verdict(*json.loads(ended.stdout.splitlines()[-1]))


def judged(mutant: Mutant, first: int, queries: int) -> Verdict:
    """Who tells the mutant."""
    started = time.monotonic()
    failure, seed, outcome = FirstFailure(), None, None
    with applied(mutant):
        with contextlib.redirect_stdout(io.StringIO()):
            pytest.main(["-x", "-q", "-p", "no:cacheprovider", *SLOW, *DECIDING], plugins=[failure])
        with tempfile.TemporaryDirectory() as folder:
            try:
                run_queries(first, queries, Path(folder), shrink=False, told=_raise)
            except Told as told:
                words = str(told).split()
                seed, outcome = int(words[1].rstrip(":")), words[2].rstrip(",")
    return Verdict(mutant.name, failure.test, seed, outcome, time.monotonic() - started)


def _raise(line: str) -> None:
    if line.startswith("seed "):
        raise Told(line.partition("\n")[0])


if __name__ == "__main__":
    raise SystemExit(main())
