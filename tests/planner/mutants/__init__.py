"""Weakened rules: for each rule of ``planner.distribute`` a mutant that divides where that gives another answer.

``mutant`` says what a mutant is, and puts it in the place of the planner's own code. ``joins``, ``subqueries``, ``blocks``, ``names``,
``shares`` and ``hashes`` list them, each with a witness: a statement over the tables of ``small_lake`` that the mutant answers otherwise
than the kernel. A witness that shows nothing any more is a rule that nothing tests. ``scripts/mutate_divisibility.py`` also asks the
rules' own tests, and random queries, whether they tell a mutant.
"""

from __future__ import annotations

from tests.planner.mutants.blocks import BLOCKS
from tests.planner.mutants.hashes import HASHES
from tests.planner.mutants.joins import JOINS
from tests.planner.mutants.mutant import Mutant, applied
from tests.planner.mutants.names import NAMES
from tests.planner.mutants.shares import SHARES
from tests.planner.mutants.subqueries import SUBQUERIES

__all__ = ["MUTANTS", "Mutant", "applied"]

MUTANTS: tuple[Mutant, ...] = (*JOINS, *SUBQUERIES, *BLOCKS, *NAMES, *SHARES, *HASHES)
