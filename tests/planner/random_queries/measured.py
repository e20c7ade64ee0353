"""What a run of random queries reached: how its plans divide, and which rules refused what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.physical import ExchangeInput, Fragment, PhysicalPlan

_FIRST_ROWS = re.compile(r" LIMIT \d+$")


def features(plan: PhysicalPlan) -> set[str]:
    """How a plan divides: a line for each means that it has."""
    parallel = [fragment for fragment in plan.fragments if fragment.parallel]
    found = {feature for fragment in parallel for feature in _of_fragment(fragment)}
    if plan.fragments[-1].parallel:
        found.add("shares are the result")
    if len(parallel) > 1:
        found.add("several blocks on shares")
    producers = {fragment.output: fragment for fragment in plan.fragments}
    for exchange in plan.exchanges:
        if exchange.kind == "broadcast":
            found.add("answers broadcast")
        if exchange.kind == "hash":
            producer = producers[exchange.id]
            found.add("answers hashed" if producer.bucketed or "EXPORT_STATE" in producer.sql else "rows hashed")
            if len(producer.inputs) > 1:
                found.add("rows hashed beside what reduces them")
    return found


def _of_fragment(fragment: Fragment) -> Iterator[str]:
    parts = [part for share in fragment.shares for part in share.inputs]
    by_range = any(part.predicate is not None for part in parts) or len({part.name for part in parts}) > 1
    if fragment.bucketed:
        yield "by hash"
        if len(fragment.bucketed) > 1:
            yield "several by hash"
        if any(isinstance(arm, ExchangeInput) and arm.may_be_cut for arm in fragment.inputs):
            yield "buckets may be cut"
    elif fragment.shares:
        yield "in ranges of a key" if by_range else "anywhere"
    if len(fragment.inputs) > len(fragment.divided):
        yield "others whole beside"
    if "EXPORT_STATE" in fragment.sql:
        yield "states of aggregates"
    if _FIRST_ROWS.search(fragment.sql):
        yield "first rows of shares"
    if "finalize(" in fragment.sql.lower():
        yield "final aggregates on shares"
