"""What Arrow has no word for leaves the kernel as the text that its SQL shows; an interval that Arrow cannot count is an error."""

from __future__ import annotations

from collections.abc import Sequence

from planner.arrow_types import sent_type
from planner.quoting import quote_name

MAX_INTERVAL_HOURS = (1 << 63) // (3600 * 10**9) - 1
"""Of an interval's time, which Arrow counts in 64 bits of nanoseconds."""


def as_sendable(names: Sequence[str], kinds: Sequence[str]) -> str | None:
    """The select list that makes columns of such ``kinds`` (the kernel's names of types) into what can be sent; None if they can be."""
    items = [_item(place, kind) for place, kind in enumerate(kinds, 1)]
    if all(item == f"#{place}" for place, item in enumerate(items, 1)):
        return None
    return ", ".join(f"{item} AS {quote_name(name)}" for name, item in zip(names, items, strict=True))


def _item(place: int, kind: str) -> str:
    if kind == "INTERVAL":
        told = f"an interval of more than {MAX_INTERVAL_HOURS:,} hours has no Arrow value: CAST it AS VARCHAR"
        return f"CASE WHEN abs(extract(hour FROM #{place})) > {MAX_INTERVAL_HOURS} THEN CAST(error('{told}') AS INTERVAL) ELSE #{place} END"
    sent = sent_type(kind)
    return f"#{place}" if sent == kind else f"CAST(#{place} AS {sent})"
