"""Each rule of the table of divisibility decides something: weakened, it has a statement answered otherwise than by the kernel."""

from __future__ import annotations

import duckdb
import pytest

from planner import PlanOptions
from planner.physical import PhysicalPlan
from tests.planner.memory_catalog import FolderCatalog, direct_kernel, plan_rows, run_plan
from tests.planner.mutants import MUTANTS, Mutant, applied
from tests.planner.mutants.small_lake import write_small_lake
from tests.planner.preferred import all_plans

SEVERAL = PlanOptions(workers=2, splits_per_worker=2, distribute_rows=0, split_rows=1)


@pytest.fixture(name="lake", scope="module")
def _lake(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    root = tmp_path_factory.mktemp("small-lake")
    write_small_lake(root)
    return FolderCatalog(root)


@pytest.fixture(name="kernel", scope="module")
def _kernel(lake: FolderCatalog) -> duckdb.DuckDBPyConnection:
    return direct_kernel(lake)


def is_answered(made: PhysicalPlan, wanted: list[str]) -> bool:
    """Whether a plan's rows are those, in any order; a mutant's plan may fail."""
    try:
        return sorted(map(repr, plan_rows(run_plan(made)))) == wanted
    except (duckdb.Error, AssertionError):
        return False


def test_mutants_have_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 60


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_weakened_rule_is_told(mutant: Mutant, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    if mutant.witness is None:
        with applied(mutant):
            return
    wanted = sorted(map(repr, plan_rows(kernel.sql(mutant.witness).to_arrow_table())))
    plans = all_plans(mutant.witness, lake, SEVERAL)
    if not mutant.by_plan:
        assert all(is_answered(made, wanted) for made in plans), "the rule itself lets through what it must not"
    with applied(mutant):
        weakened = all_plans(mutant.witness, lake, SEVERAL)
    if mutant.by_plan:
        assert [made.text for made in weakened] != [made.text for made in plans]
    else:
        assert not all(is_answered(made, wanted) for made in weakened)


def test_what_a_mutant_changed_is_as_it_was(lake: FolderCatalog) -> None:
    mutant = MUTANTS[0]
    assert mutant.witness is not None
    before = [made.text for made in all_plans(mutant.witness, lake, SEVERAL)]
    with applied(mutant):
        assert [made.text for made in all_plans(mutant.witness, lake, SEVERAL)] != before
    assert [made.text for made in all_plans(mutant.witness, lake, SEVERAL)] == before
