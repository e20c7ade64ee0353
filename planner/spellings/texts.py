"""Texts in quotes: one that goes on in the next line, and one behind the name of its type."""

from __future__ import annotations

from planner.errors import SqlSyntaxError
from planner.spellings.draft import Draft
from planner.words import words

TYPES = words("timestamp_s timestamp_ms timestamp_us timestamp_ns")
"""Types whose literals the parser does not know."""


def join_texts(draft: Draft, number: int) -> int:
    """A text, and those in the lines below that go on with it. Returns the last of them. Raises ``SqlSyntaxError``."""
    last, whole = number, draft.source(number)
    if whole[0] in '"`' or not draft.is_text(number + 1):
        return number
    while draft.is_text(last + 1):
        between = draft.sql[draft.tokens[last][2] : draft.tokens[last + 1][1]]
        if "\n" not in between or "/*" in between:
            remedy = "Write 'a' || 'b', or each in a line of its own; a name behind AS, in double quotes."
            raise draft.error(SqlSyntaxError, last + 1, "two texts side by side", remedy)
        last += 1
        whole = whole[:-1] + draft.source(last)[1:]
    draft.replace(number, last, whole)
    return last


def spell_typed(draft: Draft, number: int) -> None:
    """``TIMESTAMP_NS '2024-01-01'``, with the type at that token."""
    if draft.is_text(number + 1) and draft.text(number - 1) != ".":
        draft.replacements[number] = ""
        draft.add_behind(number + 1, f"::{draft.source(number)} ")
