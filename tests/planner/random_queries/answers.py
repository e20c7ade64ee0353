"""Whether two answers are the same: as bags of rows or in order, doubles up to their last digits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tests.planner.memory_catalog import plan_rows

RELATIVE = 1e-9
ABSOLUTE = 1e-9

Row = tuple[object, ...]


def difference(got: pa.Table, wanted: pa.Table, *, ordered: bool, named: bool = True) -> str | None:
    """What is wrong with ``got``, or None. ``named``: columns are to be called as in ``wanted``."""
    if named and got.schema.names != wanted.schema.names:
        return f"columns {got.schema.names}, wanted {wanted.schema.names}"
    if got.schema.types != wanted.schema.types:
        return f"types {got.schema.types}, wanted {wanted.schema.types}"
    if len(got) != len(wanted):
        return f"{len(got)} rows, wanted {len(wanted)}"
    ours, theirs = plan_rows(got), plan_rows(wanted)
    if same_rows(ours, theirs, ordered=ordered):
        return None
    ours_only, theirs_only = Counter(map(repr, ours)), Counter(map(repr, theirs))
    more, less = list((ours_only - theirs_only).elements()), list((theirs_only - ours_only).elements())
    return f"rows {more[:3]}, wanted {less[:3]}" if more else "another order of rows"


def same_rows(ours: Sequence[Row], theirs: Sequence[Row], *, ordered: bool) -> bool:
    """Exactly equal, or equal up to the last digits of doubles."""
    if not ordered:
        ours, theirs = sorted(ours, key=repr), sorted(theirs, key=repr)
    if list(map(repr, ours)) == list(map(repr, theirs)):
        return True
    if not ordered:
        ours, theirs = sorted(ours, key=_exact_first), sorted(theirs, key=_exact_first)
    return all(_close(one, other) for one, other in zip(ours, theirs, strict=True))


def _exact_first(row: Row) -> tuple[str, list[float]]:
    """Rows that differ in the last digits only stand at the same place."""
    doubles = [math.inf if math.isnan(value) else value for value in row if isinstance(value, float)]
    return repr([value for value in row if not isinstance(value, float)]), doubles


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_close, one, other))
    return repr(one) == repr(other)
