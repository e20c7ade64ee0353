"""GROUPING SETS: the parser wants each set in parentheses, the kernel only those that are no single expression."""

from __future__ import annotations

from planner.spellings.draft import Draft


def spell_sets(draft: Draft, number: int) -> None:
    """GROUPING SETS, with the SETS at that token."""
    close = draft.closes.get(number + 1)
    if draft.text(number - 1) != "grouping" or close is None or draft.text(number + 1) != "(":
        return
    first = place = number + 2
    while place <= close:
        if draft.kind(place) == "comma" or place == close:
            if draft.text(first) not in ("(", "rollup", "cube", "grouping") and place > first:
                draft.insert(first, "(")
                draft.add_behind(place - 1, ")")
            first = place + 1
        place = draft.closes.get(place, place) + 1
