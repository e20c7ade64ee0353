"""SUMMARIZE, PIVOT, UNPIVOT and DESCRIBE: a SELECT whose items are told apart by marks. ``planner.reshape`` reads them off its tree."""

from __future__ import annotations

from planner.errors import SqlSyntaxError
from planner.spellings.draft import QUERY_WORDS, SET_WORDS, Draft
from planner.words import words

PIVOT, USING, UNPIVOT, NAME, VALUE = "pivot", "using", "unpivot", "name", "value"
SUMMARIZE, DESCRIBE = "summarize", "describe"
"""What follows the mark's prefix."""

_ENDS = words("using group order limit offset into") | SET_WORDS


def spell_told(draft: Draft, number: int, kind: str) -> bool:
    """SUMMARIZE or DESCRIBE at that token, whose parenthesis is left open. Tells whether a query follows."""
    draft.replacements[number] = f"SELECT {draft.mark(kind)} FROM ("
    if draft.text(number + 1) in QUERY_WORDS or draft.text(number + 1) == "(":
        return True
    draft.insert(number + 1, "SELECT * FROM ")
    return False


def spell_reshape(draft: Draft, number: int, word: str) -> None:
    """PIVOT or UNPIVOT at that token. Raises ``SqlSyntaxError``."""
    on, following = None, draft.next_of(number, _ENDS | {"on"})
    while following is not None and (draft.texts[following] == "on" or (on is None and _joins_using(draft, following))):
        on = following if draft.texts[following] == "on" else on
        following = draft.next_of(following, _ENDS | {"on"})
    if on is None:
        remedy = "Write PIVOT t ON c IN ('a', 'b') USING sum(v)." if word == PIVOT else "Write UNPIVOT t ON a, b."
        raise draft.error(SqlSyntaxError, number, f"{word.upper()} needs ON and the columns", remedy)
    draft.replacements[number] = "FROM"
    draft.replacements[on] = f"SELECT {draft.mark(word)},"
    if word == PIVOT:
        if following is not None and draft.texts[following] == "using":
            draft.replacements[following] = f", {draft.mark(USING)},"
        return
    _uncover_stars(draft, on + 1, len(draft.texts) if following is None else following)
    if following is None or draft.texts[following] != "into":
        return
    value = draft.next_of(following, words("value"))
    if draft.text(following + 1) != "name" or value is None:
        raise draft.error(SqlSyntaxError, following, "INTO needs two names", "Write INTO NAME column VALUE column.")
    draft.replacements[following] = ","
    draft.replacements[following + 1] = f"{draft.mark(NAME)},"
    draft.replacements[value] = f", {draft.mark(VALUE)},"


def _uncover_stars(draft: Draft, first: int, end: int) -> None:
    """``COLUMNS(* EXCLUDE (a))`` behind ON of UNPIVOT is ``* EXCLUDE (a)``."""
    for number in range(first, end):
        close = draft.closes.get(number + 1)
        if draft.texts[number : number + 4] == ["columns", "(", "*", "exclude"] and close is not None:
            draft.replacements |= {number: "", number + 1: "", close: ""}


def _joins_using(draft: Draft, number: int) -> bool:
    """Whether USING there has the columns of a join in the source of PIVOT."""
    following = draft.closes.get(number + 1)
    return draft.texts[number] == "using" and following is not None and draft.next_of(following, frozenset(("on",))) is not None
