"""Recursive CTEs with a key: the key's columns stand behind the CTE's own, and a name between them tells where they begin."""

from __future__ import annotations

from planner.spellings.draft import Draft

KEY = "volley_using_key"
"""That name."""


def spell_key(draft: Draft, number: int) -> None:
    """``t(a, b) USING KEY (a)`` and ``t USING KEY (a)`` in a list of CTEs, with the USING at that token."""
    if draft.text(number + 1) != "key" or draft.text(number + 2) != "(":
        return
    if draft.text(number - 1) == ")":
        draft.replace(number - 1, number + 2, f", {KEY},")
    else:
        draft.replace(number, number + 1, "")
        draft.insert(number + 3, f"{KEY}, ")
