"""With runtime filters wherever they may stand, answers are the kernel's own; and with a rule that is too weak they are not."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from planner import PlanOptions, plan
from planner.physical import ExchangeInput
from tests.planner.distribute.random_joins import JoinMaker, write_tables
from tests.planner.memory_catalog import plan_rows, run_plan
from tests.planner.mutants import Mutant, applied
from tests.planner.random_queries.compared_catalog import ComparedCatalog

QUERIES = int(os.environ.get("VOLLEY_TEST_QUERIES", "100"))
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


MUTANTS = (
    Mutant(
        "LEFT keeps its left side",
        "key_sources",
        '"left": right',
        '"left": left | right',
        "SELECT count(*), count(s.k) FROM f LEFT JOIN s ON f.k = s.k AND s.y = 1",
    ),
    Mutant(
        "RIGHT keeps its right side",
        "key_sources",
        '"right": left}',
        '"right": left | right}',
        "SELECT count(*), count(s.k) FROM s RIGHT JOIN f ON f.k = s.k AND s.y = 1",
    ),
    Mutant(
        "FULL keeps both",
        "key_sources",
        '"right": left}',
        '"right": left, "full": left | right}',
        "SELECT count(*), count(q.k) FROM f FULL JOIN (SELECT k FROM s WHERE y = 1) AS q ON f.k = q.k",
    ),
    Mutant(
        "NOT IN looks for others",
        "key_sources",
        'and not inside["negated"]',
        "",
        "SELECT count(*) FROM f WHERE k NOT IN (SELECT k FROM s WHERE y = 1)",
    ),
    Mutant(
        "NOT EXISTS looks for others",
        "key_sources",
        'and not exists["negated"]',
        "",
        "SELECT count(*) FROM f WHERE NOT EXISTS (SELECT 1 FROM s WHERE s.k = f.k AND s.y = 1)",
    ),
    Mutant(
        "a count is there without rows",
        "key_sources",
        "and not makes_groups(query, query.body)",
        "",
        "SELECT count(*) FROM f WHERE EXISTS (SELECT count(*) FROM s WHERE s.k = f.k AND s.y = 1)",
    ),
    Mutant(
        "LIMIT takes other rows",
        "prunable",
        "or sorts_and_limits(query.ast, limits_only=True)",
        "",
        "SELECT count(*), sum(q.v) FROM (SELECT k, v FROM f ORDER BY v, k, j LIMIT 7) AS q JOIN s ON q.k = s.k WHERE s.y = 1",
    ),
    Mutant(
        "a window sees all rows",
        "prunable",
        "or (is_call(node) and",
        "or (False and",
        "SELECT count(*), sum(q.v) FROM (SELECT k, rank() OVER (ORDER BY k) AS v FROM f) AS q JOIN s ON q.k = s.k WHERE s.y = 1",
    ),
    Mutant(
        "QUALIFY sees all rows",
        "prunable",
        "or (is_call(node) and",
        "or (False and",
        "SELECT count(*) FROM (SELECT k, v FROM f QUALIFY rank() OVER (ORDER BY k) < 20) AS q JOIN s ON q.k = s.k WHERE s.y < 2",
    ),
    Mutant(
        "DISTINCT ON takes other rows",
        "prunable",
        'if ast["distinct"] not in (None, "Distinct"):',
        "if False:",
        "SELECT count(*) FROM (SELECT DISTINCT ON (j) j, k, v FROM f ORDER BY j, v, k) AS q JOIN s ON q.k = s.k WHERE s.y = 1",
    ),
    Mutant(
        "ASOF looks for neighbours",
        "prunable",
        'if any(join.kind == "other" for join in item.joins):',
        "if False:",
        "SELECT count(*), sum(q.v) FROM g AS q ASOF JOIN f ON q.k >= f.k, s WHERE f.k = s.k AND s.y = 2",
    ),
)
"""Of rules by which keys prune; each has a query that is answered wrongly then."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_rule_that_is_too_weak_answers_wrongly(mutant: Mutant, lake: ComparedCatalog) -> None:
    assert mutant.witness is not None
    truth = lake.direct.sql(mutant.witness).fetchall()
    assert plan_rows(run_plan(plan(mutant.witness, lake, ONE))) == truth
    with applied(mutant):
        made = plan(mutant.witness, lake, ONE)
    assert plan_rows(run_plan(made)) != truth
