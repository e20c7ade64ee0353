from __future__ import annotations

import pyarrow as pa

from flight_server.queries.planned_ahead import MAX_PLANS, REUSE_SECONDS, PlannedAhead
from planner.physical import PhysicalPlan


def plan(sql: str) -> PhysicalPlan:
    return PhysicalPlan(sql, (), (), pa.schema([]), "")


def test_a_plan_is_used_once() -> None:
    ahead, made = PlannedAhead(clock=lambda: 0.0), plan("a")
    ahead.put("a", made)
    assert ahead.take("b") is None
    assert ahead.take("a") is made
    assert ahead.take("a") is None


def test_an_old_plan_is_not_used() -> None:
    now = 0.0
    ahead = PlannedAhead(clock=lambda: now)
    ahead.put("a", plan("a"))
    now = REUSE_SECONDS * 1.01
    assert ahead.take("a") is None


def test_only_so_many_are_kept() -> None:
    ahead = PlannedAhead(clock=lambda: 0.0)
    for number in range(MAX_PLANS + 1):
        ahead.put(str(number), plan(str(number)))
    assert ahead.take("0") is None
    assert ahead.take("1") is not None
