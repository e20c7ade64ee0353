"""With runtime filters wherever they may stand, answers are the kernel's own; and with a rule that is too weak they are not."""

from __future__ import annotations

import inspect
import os
import random
from collections import Counter

import pytest

from planner import PlanOptions, plan
from planner.distribute import key_sources, runtime_filters
from tests.planner.distribute.random_joins import JoinMaker, write_tables
from tests.planner.memory_catalog import plan_rows, run_plan
from tests.planner.random_queries.compared_catalog import ComparedCatalog

QUERIES = int(os.environ.get("VOLLEY_TEST_QUERIES", "150"))
ONE = PlanOptions(filter_bytes=0)
SEVERAL = PlanOptions(workers=3, distribute_rows=0, split_rows=5, filter_bytes=0)


@pytest.fixture(name="lake", scope="module")
def _lake(tmp_path_factory: pytest.TempPathFactory) -> ComparedCatalog:
    root = tmp_path_factory.mktemp("joins")
    write_tables(root)
    return ComparedCatalog(root)


def wrong(lake: ComparedCatalog, seeds: range, options: PlanOptions, counts: Counter[str] | None = None) -> list[str]:
    """The queries with filters that are not answered as the kernel does."""
    found = []
    for seed in seeds:
        sql = JoinMaker(random.Random(seed)).query()
        made = plan(sql, lake, options)
        if not any(fragment.filters for fragment in made.fragments):
            continue
        if counts is not None:
            counts["filtered"] += 1
        if plan_rows(run_plan(made)) != lake.direct.sql(sql).fetchall():
            found.append(f"seed {seed}: {sql}\n{made.text}")
    return found


def test_answers_are_the_kernels(lake: ComparedCatalog) -> None:
    counts: Counter[str] = Counter()
    assert wrong(lake, range(QUERIES), ONE, counts) == []
    assert counts["filtered"] >= QUERIES / 3


def test_answers_of_shares_are_the_kernels(lake: ComparedCatalog) -> None:
    assert wrong(lake, range(QUERIES, QUERIES + QUERIES // 4), SEVERAL) == []


MUTANTS = {
    "LEFT keeps its left side": ('"left": right', '"left": left | right'),
    "RIGHT keeps its right side": ('"right": left}', '"right": left | right}'),
    "FULL keeps both": ('"right": left}', '"right": left, "full": left | right}'),
    "NOT IN finds somebody": ('and not inside["negated"]', ""),
    "a count is there without rows": ("and not makes_groups(query, query.body)", ""),
    "NOT EXISTS finds somebody": ('and not exists["negated"]', ""),
}


@pytest.mark.parametrize("rule", MUTANTS)
def test_a_rule_that_is_too_weak_is_found(rule: str, lake: ComparedCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    written, changed = MUTANTS[rule]
    source = inspect.getsource(key_sources)
    assert source.count(written) == 1
    weak: dict[str, object] = {**vars(key_sources)}
    exec(compile(source.replace(written, changed), key_sources.__file__, "exec"), weak)
    monkeypatch.setattr(runtime_filters, "KeySources", weak["KeySources"])
    assert any(wrong(lake, range(seed, seed + 1), ONE) for seed in range(2000)), "no query showed it"
