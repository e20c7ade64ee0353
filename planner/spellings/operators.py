"""Operators of the kernel that the parser does not know, or takes for something else."""

from __future__ import annotations

from planner.errors import NotSupported, SqlSyntaxError
from planner.spellings.draft import AFTER_FROM, SET_WORDS, Draft
from planner.words import words

GLOB, OPERATOR_FOR_GLOB = "GLOB", "RLIKE"
"""An operator of the kernel, and one of the parser that stands for it: the kernel does not have that."""
NOTHING = "volley_nothing"
"""A name that stands in a list of IN which is empty."""
SHARE = "volley_percent"
"""A collation that stands for the percent sign of a share of rows."""

UNITS = words(
    """
    year years month months day days hour hours minute minutes second seconds week weeks quarter quarters decade decades century centuries
    millennium millennia millisecond milliseconds microsecond microseconds
    """
)
"""Of intervals. Where no interval is, the kernel takes none of them for a name without AS."""

_BEFORE_LISTS = words("in values using")
_OPERANDS = ("string", "number", "radix", "dollar", "parameter", "question", "close")
_LISTS = ("word", "parameter", "question")
"""What a list behind IN may be, beside one in brackets."""
_BEHIND_LIMIT = words("offset limit using fetch for") | SET_WORDS
_BEFORE_EXPRESSION = words(
    """
    select distinct all where and or not when then else case on having qualify by from join in like ilike between is as using limit
    offset values returning similar to escape
    """
)
"""Words behind which an expression begins, so that what stands there is a name and no operator."""

_AMOUNTS = ("string", "number", "radix", "dollar", "parameter", "question", "open", "word")
"""What an INTERVAL may go on with."""
_BEHIND_COLUMNS = (
    AFTER_FROM
    | SET_WORDS
    | words("from as is in not between like ilike similar glob and or asc desc nulls then else end when over collate")
)


def _is_operand(draft: Draft, number: int) -> bool:
    """Whether an expression may end with that token."""
    kind = draft.kind(number)
    return kind in _OPERANDS or (kind == "word" and draft.text(number) not in _BEFORE_EXPRESSION)


def _before_not(draft: Draft, number: int) -> int:
    """The token before an operator, or before the NOT before it."""
    return number - 2 if draft.text(number - 1) == "not" else number - 1


def spell_glob(draft: Draft, number: int) -> None:
    """GLOB and NOT GLOB behind an operand; a function, a table function or a column of that name stays as it is."""
    if _is_operand(draft, _before_not(draft, number)):
        draft.replacements[number] = OPERATOR_FOR_GLOB


def quote_column(draft: Draft, number: int) -> None:
    """Names that the kernel knows as such, and behind which the parser wants more: ``exists``, ``trim``, ``interval`` and ``top``."""
    word, following = draft.texts[number], draft.kind(number + 1)
    if word in ("exists", "trim"):
        named = draft.text(number + 1) != "("
    elif word == "top":
        named = following not in ("number", "open")
    else:
        behind = draft.text(number - 1) in ("as", "::") or _is_operand(draft, number - 1)
        named = not behind and (following not in _AMOUNTS or draft.text(number + 1) in _BEHIND_COLUMNS)
    if named:
        draft.replacements[number] = f'"{draft.source(number)}"'


def refuse_rlike(draft: Draft, number: int) -> None:
    """Raises ``NotSupported`` behind an operand: the kernel has no RLIKE, and GLOB would be made of it."""
    if not _is_operand(draft, _before_not(draft, number)):
        draft.replacements[number] = f'"{draft.source(number)}"'
        return
    remedy = "Write regexp_matches(a, 'pattern'); a name of that spelling in double quotes."
    raise draft.error(NotSupported, number, "there is no RLIKE", remedy)


def spell_isnull(draft: Draft, number: int) -> None:
    """ISNULL behind an operand, which the parser takes for an alias there."""
    if _is_operand(draft, number - 1):
        draft.replacements[number] = "IS NULL"


def spell_in(draft: Draft, number: int) -> None:
    """``a IN [1, 2]``, ``a IN tags``, ``a IN ?``, ``a IN MAP {…}`` and ``a IN ()``, with the IN at that token."""
    first = number + 1
    if number in draft.replacements or draft.text(0) == "show":
        return
    if draft.text(first) == "(":
        if draft.text(first + 1) == ")":
            draft.insert(first + 1, NOTHING)
    elif (draft.kind(first) in _LISTS or first in draft.closes) and _is_operand(draft, _before_not(draft, number)):
        draft.insert(first, "UNNEST(")
        draft.add_behind(draft.end_of_primary(first), ")")


def spell_share(draft: Draft, limit: int) -> None:
    """``LIMIT 10%`` and ``LIMIT 10 PERCENT``, with the LIMIT at that token."""
    number = limit + 1
    while number < len(draft.tokens) and draft.kind(number) not in ("close", "end") and draft.text(number) not in _BEHIND_LIMIT:
        number = draft.closes.get(number, number) + 1
    last = number - 1
    if last > limit + 1 and (draft.text(last) == "%" or (draft.text(last) == "percent" and draft.kind(last - 1) == "number")):
        draft.replacements[last] = f" COLLATE {SHARE}"


def spell_row(draft: Draft, opened: int) -> None:
    """``(a,)``, a row of one value, with its parenthesis at that token: the parser would leave the comma out."""
    close, before = draft.closes.get(opened), opened - 1
    if close is None or draft.text(close - 1) != ",":
        return
    while draft.text(before) == "," and before - 1 in draft.opens:
        before = draft.opens[before - 1] - 1
    if draft.text(before) in _BEFORE_LISTS or _is_operand(draft, opened - 1):
        return
    number = opened + 1
    while number < close - 1:
        if draft.kind(number) == "comma":
            return
        number = draft.closes.get(number, number) + 1
    draft.insert(opened, "row")
    draft.replacements[close - 1] = ""


def refuse_bare_unit(draft: Draft, number: int) -> None:
    """Raises ``SqlSyntaxError`` for ``day + 1 YEAR``, which the parser takes for a day later, called ``YEAR``."""
    if draft.kind(number - 1) in ("number", "string") and draft.text(number - 2) in ("+", "-") and draft.text(number - 3) != "interval":
        amount, unit = draft.source(number - 1), draft.source(number)
        remedy = f"Write INTERVAL {amount} {unit}; a name behind AS."
        raise draft.error(SqlSyntaxError, number, f"{unit.upper()} needs INTERVAL before its number", remedy)
