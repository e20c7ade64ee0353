"""Joins of the kernel that the parser does not know, and joins of the parser that stand for them."""

from __future__ import annotations

from planner.errors import NotSupported
from planner.spellings.draft import Draft

ASOF_JOINS = {"ASOF": "RIGHT ANTI", "ASOF LEFT": "RIGHT SEMI"}
POSITIONAL = "LEFT SEMI"
JOINS = {**{theirs: ours for ours, theirs in ASOF_JOINS.items()}, POSITIONAL: "POSITIONAL"}
"""Joins of the parser, and those of the kernel that they stand for: the kernel has none of these."""


def spell_asof(draft: Draft, number: int) -> None:
    """ASOF JOIN, with the ASOF at that token. Raises ``NotSupported`` for those that the kernel cannot be trusted with."""
    join, following = "ASOF", number + 1
    if draft.text(following) in ("inner", "left", "right", "full"):
        join += "" if draft.text(following) == "inner" else f" {draft.text(following).upper()}"
        following += 1 + (draft.text(following + 1) == "outer")
    if draft.text(following) != "join":
        return
    if join not in ASOF_JOINS:  # the kernel's, run by several threads, now and then lose rows or never end
        remedy = "Write ASOF JOIN or ASOF LEFT JOIN; UNION ALL adds the rows of the other side that met none."
        raise draft.error(NotSupported, number, f"there is no {join} JOIN", remedy)
    draft.replace(number, following - 1, ASOF_JOINS[join])


def spell_positional(draft: Draft, number: int) -> None:
    """POSITIONAL JOIN, with the POSITIONAL at that token."""
    if draft.text(number + 1) == "join":
        draft.replacements[number] = POSITIONAL


def refuse_sided(draft: Draft, number: int) -> None:
    """Raises ``NotSupported`` where LEFT or RIGHT at that token stands before SEMI or ANTI JOIN."""
    if draft.text(number + 1) in ("semi", "anti") and draft.text(number + 2) == "join":
        side, join = draft.text(number), draft.text(number + 1).upper()
        remedy = f"Write {join} JOIN." if side == "left" else f"Write {join} JOIN, with the two sides swapped."
        raise draft.error(NotSupported, number, f"there is no {side.upper()} {join} JOIN", remedy)
