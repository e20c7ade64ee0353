#!/usr/bin/env python
"""Weakens each rule by which tables are divided, one after the other, and says which tests tell.

    python scripts/mutate_divisibility.py --queries 400 --both

A mutant (``tests/planner/mutants``) is put in the place of the planner's own code, and asked for by its witness (as in the test suite,
``tests/planner/test_mutants.py``), by the rules' own tests, and then, if none of these fails or with ``--both``, by random queries of fixed
seeds, until one ends as it should not. One that nothing tells is a test that is missing; then the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.planner.mutants import MUTANTS, Mutant, applied
from tests.planner.random_queries.run import run_queries

DECIDING = ("tests/planner/distribute/test_divide.py", "tests/planner/distribute")
WITNESS = "tests/planner/test_mutants.py::test_a_weakened_rule_is_told"
QUIETLY = ("-x", "-q", "-p", "no:cacheprovider")
SLOW = ("--deselect", "tests/planner/distribute/test_scopes.py::test_random_statements")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who tells a mutant: its witness, the first test that fails, the seed of the first random query that ends badly, and how it ends."""

    mutant: Mutant
    witness: bool
    test: str | None
    seed: int | None
    outcome: str | None

    @property
    def killed(self) -> bool:
        return self.witness or self.test is not None or self.seed is not None

    def __str__(self) -> str:
        by_query = f"query {self.seed} ({self.outcome})" if self.seed is not None else "-"
        by_witness = "no witness" if not self.witness else "plan" if self.mutant.by_plan else "answer"
        return f"{'killed  ' if self.killed else 'SURVIVES'} {self.mutant.name:68} {by_witness:11}{by_query:28} {self.test or '-'}"


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
    parser.add_argument("--only", default="", help="mutants with this in their name")
    parser.add_argument("--both", action="store_true", help="ask random queries about mutants that tests tell, too")
    arguments = parser.parse_args()
    verdicts = []
    for mutant in MUTANTS:
        if arguments.only in mutant.name:
            verdicts.append(judged(mutant, arguments.first, arguments.queries, both=arguments.both))
            print(verdicts[-1], flush=True)
    alive = [verdict for verdict in verdicts if not verdict.killed]
    witnesses, tests = sum(verdict.witness for verdict in verdicts), sum(verdict.test is not None for verdict in verdicts)
    queries = sum(verdict.seed is not None for verdict in verdicts)
    print(f"{len(verdicts)} mutants: {witnesses} told by witnesses, {tests} by tests, {queries} by random queries; {len(alive)} by nobody")
    return 1 if alive else 0


def judged(mutant: Mutant, first: int, queries: int, *, both: bool) -> Verdict:
    """Who tells the mutant."""
    failure, seed, outcome, witness = FirstFailure(), None, None, False
    if mutant.witness is not None:
        with contextlib.redirect_stdout(io.StringIO()):
            witness = pytest.main([*QUIETLY, f"{WITNESS}[{mutant.name}]"]) == pytest.ExitCode.OK
    with applied(mutant):
        with contextlib.redirect_stdout(io.StringIO()):
            pytest.main([*QUIETLY, *SLOW, *DECIDING], plugins=[failure])
        with tempfile.TemporaryDirectory() as folder:
            try:
                run_queries(first, queries if both or not (witness or failure.test) else 0, Path(folder), shrink=False, told=_raise)
            except Told as told:
                words = str(told).split()
                seed, outcome = int(words[1].rstrip(":")), words[2].rstrip(",")
    return Verdict(mutant, witness, failure.test, seed, outcome)


def _raise(line: str) -> None:
    if line.startswith("seed "):
        raise Told(line.partition("\n")[0])


if __name__ == "__main__":
    raise SystemExit(main())
