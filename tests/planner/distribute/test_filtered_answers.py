"""With runtime filters wherever they may stand, answers are the kernel's own; and with a rule that is too weak they are not."""

from __future__ import annotations

import inspect
import os
import random
from collections import Counter

import pytest

from planner import PlanOptions, plan
from planner.distribute import key_sources, runtime_filters
from planner.physical import ExchangeInput
from tests.planner.distribute.random_joins import JoinMaker, write_tables
from tests.planner.memory_catalog import plan_rows, run_plan
from tests.planner.random_queries.compared_catalog import ComparedCatalog

QUERIES = int(os.environ.get("VOLLEY_TEST_QUERIES", "150"))
ONE = PlanOptions(filter_bytes=0)
SEVERAL = PlanOptions(workers=3, distribute_rows=0, split_rows=5, filter_bytes=0)

BY_HASH = PlanOptions(workers=3, distribute="always", split_rows=5, filter_bytes=0, by_hash=True)


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


def test_answers_through_hash_exchanges_are_the_kernels(lake: ComparedCatalog) -> None:
    assert wrong(lake, range(2 * QUERIES, 2 * QUERIES + QUERIES // 4), BY_HASH) == []


def test_a_scan_that_is_read_for_two_is_pruned_by_what_holds_for_both(lake: ComparedCatalog) -> None:
    """Both go through one exchange, and of ``a0`` all rows are kept."""
    sql = """SELECT count(*), count(a0.k), sum(a0.v), count(a1.k), sum(a2.v)
             FROM f AS a0 LEFT JOIN (u AS a1 JOIN f AS a2 ON a1.k = a2.k) ON a1.k = a0.k AND a1.y = 3"""
    made = plan(sql, lake, BY_HASH)
    (hashed,) = (exchange.id for exchange in made.exchanges if exchange.kind == "hash" and len(exchange.columns) == 2)
    assert [arm.name for part in made.fragments for arm in part.inputs if isinstance(arm, ExchangeInput) and arm.exchange == hashed] == [
        "in_0",
        "in_2",
    ]
    assert not any(fragment.filters for fragment in made.fragments if fragment.output == hashed)
    assert plan_rows(run_plan(made)) == lake.direct.sql(sql).fetchall()


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
