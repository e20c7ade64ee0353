"""Pieces of expressions and clauses that the parser has no words for: words that the kernel does not have stand in for them.

``LIMIT 10%`` is ``LIMIT 10 COLLATE volley_percent``, ``a GLOB b`` is ``a RLIKE b``, and what a window's frame excludes is a collation of
a last item of its ORDER BY.
"""

from __future__ import annotations

from planner.errors import NotSupported, SqlSyntaxError
from planner.spellings.draft import SET_WORDS, Draft
from planner.words import words

SHARE = "volley_percent"
"""A collation that stands for the percent sign of a share of rows."""
GLOB, OPERATOR_FOR_GLOB = "GLOB", "RLIKE"
EXCLUSION = "volley_exclude_"
"""How a collation begins that stands for what a frame excludes."""
EXCLUDED = {"current": "current row", "group": "group", "ties": "ties", "no": "no others"}
"""What a frame may exclude, by its first word."""

_OPERANDS = ("string", "number", "hex", "dollar", "parameter", "question", "close")
_BEHIND_LIMIT = words("offset limit using fetch for") | SET_WORDS
_BEFORE_EXPRESSION = words(
    """
    select distinct all where and or not when then else case on having qualify by from join in like ilike between is as using limit
    offset values returning similar to escape
    """
)
"""Words behind which an expression begins, so that GLOB there is a function's name."""


def spell_share(draft: Draft, limit: int) -> None:
    """``LIMIT 10%`` and ``LIMIT 10 PERCENT``, with the LIMIT at that token."""
    number = limit + 1
    while number < len(draft.tokens) and draft.kind(number) not in ("close", "end") and draft.text(number) not in _BEHIND_LIMIT:
        number = draft.closes.get(number, number) + 1
    last = number - 1
    if last > limit + 1 and (draft.text(last) == "%" or (draft.text(last) == "percent" and draft.kind(last - 1) == "number")):
        draft.replacements[last] = f" COLLATE {SHARE}"


def spell_glob(draft: Draft, number: int) -> None:
    """GLOB and NOT GLOB behind an operand; a function, a table function or a column of that name stays as it is."""
    before = number - 2 if draft.text(number - 1) == "not" else number - 1
    kind = draft.kind(before)
    if kind in _OPERANDS or (kind == "word" and draft.text(before) not in _BEFORE_EXPRESSION):
        draft.replacements[number] = OPERATOR_FOR_GLOB


def refuse_rlike(draft: Draft, number: int) -> None:
    """Raises ``NotSupported``: the kernel has no RLIKE, and GLOB would be made of it."""
    remedy = "Write regexp_matches(a, 'pattern'); a name of that spelling in double quotes."
    raise draft.error(NotSupported, number, "there is no RLIKE", remedy)


def spell_exclusion(draft: Draft, number: int, frame: int | None, ordered: bool) -> None:
    """EXCLUDE behind a window's frame: ``frame`` is the token with which that began, ``ordered`` whether ORDER BY stands before it."""
    excluded = EXCLUDED.get(draft.text(number + 1))
    if frame is None or excluded is None or draft.text(number - 1) not in ("row", "preceding", "following"):
        return
    last = number + len(excluded.split())
    if " ".join(draft.texts[number + 1 : last + 1]) != excluded:
        remedy = "Write EXCLUDE CURRENT ROW, EXCLUDE GROUP, EXCLUDE TIES or EXCLUDE NO OTHERS."
        raise draft.error(SqlSyntaxError, number, "a window's frame cannot exclude that", remedy)
    draft.replace(number, last, "")
    draft.insert(frame, f"{',' if ordered else 'ORDER BY'} NULL COLLATE {EXCLUSION}{draft.text(number + 1)} ")
