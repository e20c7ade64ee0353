"""What a client asks about a statement before it has its values."""

from __future__ import annotations

from planner.options import PlanOptions
from planner.parse import parse
from planner.survey import placeholder_count


def parameter_count(sql: str, options: PlanOptions = PlanOptions()) -> int:  # noqa: B008
    """How many values the statement takes for ``?`` or ``$1``, ``$2`` …. Raises as ``plan`` does where it does not parse."""
    parsed = parse(sql, options.limits)
    return placeholder_count(parsed.ast, parsed)
