"""Choices of columns: stars with a pattern, COLUMNS of a star with exceptions, and COLUMNS as the arguments of a function."""

from __future__ import annotations

from planner.errors import NotSupported
from planner.spellings.draft import AFTER_FROM, SET_WORDS, Draft
from planner.spellings.operators import OPERATOR_FOR_GLOB
from planner.words import words

STAR_WITHOUT = "volley_star_without"
"""A function that stands for ``* EXCLUDE`` inside of COLUMNS."""

PATTERNS = words("like not glob similar")
"""What may stand behind a star; ILIKE is known to the parser."""
_ENDS = AFTER_FROM | SET_WORDS | {"from"}


def spell_star_pattern(draft: Draft, number: int) -> None:
    """``* LIKE 'a%'`` with the star before that token. Raises ``NotSupported`` for a star behind a table's name."""
    before = draft.text(number - 2)
    if before == ".":
        remedy = "Write COLUMNS(lambda name: name LIKE 'a%'), or * LIKE 'a%' for the columns of all tables."
        raise draft.error(NotSupported, number, "a pattern behind t.* is not supported", remedy)
    if before not in ("select", "distinct", "all", ",") or (draft.text(number) == "not" and draft.text(number + 1) == "ilike"):
        return
    last = number
    while last + 1 < len(draft.tokens) and draft.kind(last + 1) not in ("comma", "close", "end") and draft.text(last + 1) not in _ENDS:
        last = draft.closes.get(last + 1, last + 1)
    draft.replacements[number - 1] = "COLUMNS(lambda name: name"
    operator = number + (draft.text(number) == "not")
    if draft.text(operator) == "glob":
        draft.replacements[operator] = OPERATOR_FOR_GLOB
    draft.add_behind(last, ")")


def spell_columns(draft: Draft, number: int) -> None:
    """COLUMNS at that token: ``COLUMNS(* EXCLUDE (a))``, and ``f(*COLUMNS(…))``. Raises ``NotSupported``."""
    close = draft.closes.get(number + 1)
    if close is None or draft.text(number + 1) != "(":
        return
    if draft.text(number - 1) == "*" and draft.text(number - 2) in ("(", ","):
        draft.replacements[number - 1] = "UNPACK("
        draft.add_behind(close, ")")
    if draft.text(number + 2) != "*":
        return
    match draft.text(number + 3):
        case "exclude":
            draft.replace(number + 2, number + 3, STAR_WITHOUT)
            if draft.text(number + 4) != "(":
                draft.insert(number + 4, "(")
                draft.add_behind(close - 1, ")")
        case "replace" | "rename" as word:
            remedy = f"Write * {word.upper()} (…) beside COLUMNS, or a subquery with it in FROM."
            raise draft.error(NotSupported, number + 3, f"{word.upper()} inside of COLUMNS is not supported", remedy)
