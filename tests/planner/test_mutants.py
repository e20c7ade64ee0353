"""Each rule of the table of divisibility decides something: weakened, it has a statement answered otherwise than by the kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import duckdb
import pyarrow as pa
import pytest

from planner import PlanOptions
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, PlannedExchange, Share, ShareInput
from tests.planner.memory_catalog import FolderCatalog, direct_kernel, plan_rows, run_plan
from tests.planner.mutants import MUTANTS, Mutant, applied
from tests.planner.mutants.small_lake import write_small_lake
from tests.planner.preferred import all_plans

SEVERAL = PlanOptions(workers=2, splits_per_worker=2, distribute_rows=0, split_rows=1)
IN_SHARES_TO_THE_END = replace(SEVERAL, final_bytes=0, sort_bytes=0)
SHARES = 8


@pytest.fixture(autouse=True)
def _harsh_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many shares of buckets, in each of which another of the inputs that may be cut is."""

    def shares_of_buckets(fragment: Fragment, exchanges: Mapping[int, PlannedExchange]) -> Iterator[Share]:
        arms = [arm for arm in fragment.inputs if isinstance(arm, ExchangeInput) and arm.bucketed]
        (buckets,) = {exchanges[arm.exchange].buckets for arm in arms}
        cuttable = [arm.name for arm in arms if arm.may_be_cut]
        for number in range(SHARES):
            whole = (number * buckets // SHARES, (number + 1) * buckets // SHARES)
            cut = cuttable[number % len(cuttable)] if cuttable else None
            for part in range(1 if cut is None else 2):
                yield Share(tuple(ShareInput(arm.name, buckets=whole, part=(part, 2) if arm.name == cut else None) for arm in arms))

    monkeypatch.setattr("tests.planner.memory_catalog.shares_of_buckets", shares_of_buckets)


@pytest.fixture(name="lake", scope="module")
def _lake(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    root = tmp_path_factory.mktemp("small-lake")
    write_small_lake(root)
    return FolderCatalog(root)


@pytest.fixture(name="kernel", scope="module")
def _kernel(lake: FolderCatalog) -> duckdb.DuckDBPyConnection:
    return direct_kernel(lake)


def rows_of(answer: pa.Table, mutant: Mutant) -> list[str]:
    """The rows of an answer; their order counts where mutants sort."""
    rows = list(map(repr, plan_rows(answer)))
    return rows if mutant.module == "sort_ranges" else sorted(rows)


def is_answered(made: PhysicalPlan, wanted: list[str], mutant: Mutant) -> bool:
    """Whether a plan gives those rows; a mutant's plan may fail."""
    try:
        return rows_of(run_plan(made), mutant) == wanted
    except (duckdb.Error, AssertionError):
        return False


def test_mutants_have_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 90


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_weakened_rule_is_told(mutant: Mutant, lake: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    if mutant.witness is None:
        with applied(mutant):
            return
    options = IN_SHARES_TO_THE_END if mutant.module in ("final_shares", "sort_ranges") else SEVERAL
    wanted = rows_of(kernel.sql(mutant.witness).to_arrow_table(), mutant)
    plans = all_plans(mutant.witness, lake, options)
    if not mutant.by_plan:
        assert all(is_answered(made, wanted, mutant) for made in plans), "the rule itself lets through what it must not"
    with applied(mutant):
        weakened = all_plans(mutant.witness, lake, options)
    if mutant.by_plan:
        assert [made.text for made in weakened] != [made.text for made in plans]
    else:
        assert not all(is_answered(made, wanted, mutant) for made in weakened)


def test_what_a_mutant_changed_is_as_it_was(lake: FolderCatalog) -> None:
    mutant = MUTANTS[0]
    assert mutant.witness is not None
    before = [made.text for made in all_plans(mutant.witness, lake, SEVERAL)]
    with applied(mutant):
        assert [made.text for made in all_plans(mutant.witness, lake, SEVERAL)] != before
    assert [made.text for made in all_plans(mutant.witness, lake, SEVERAL)] == before
