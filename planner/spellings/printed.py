"""Printed trees with the kernel's words where the parser's stand for them."""

from __future__ import annotations

from collections.abc import Sequence

from planner.spellings.columns import STAR_WITHOUT
from planner.spellings.ctes import KEY
from planner.spellings.draft import STAND_IN, Token
from planner.spellings.frames import EXCLUDED, EXCLUSION
from planner.spellings.joins import JOINS
from planner.spellings.lists import COMPREHENSIONS
from planner.spellings.operators import GLOB, NOTHING, OPERATOR_FOR_GLOB, SHARE
from planner.spellings.samples import RESERVOIR
from planner.tokens import tokens
from planner.words import words

STAND_INS = frozenset((SHARE, NOTHING, STAR_WITHOUT, KEY, *COMPREHENSIONS, *(EXCLUSION + word for word in EXCLUDED)))
"""Names that a statement must not have, for they would be put back into what they stand for."""
_TELLING = (*JOINS, f"TABLESAMPLE {RESERVOIR}", OPERATOR_FOR_GLOB, "IN UNNEST(", STAND_IN)
_FIRST_WORDS = STAND_INS.union(words("COLLATE IN NULL TABLESAMPLE"), (OPERATOR_FOR_GLOB,), (join.split()[0] for join in JOINS))

Edit = tuple[int, int, str]
"""Start, end and what is to stand there."""


def kernel_spelling(sql: str) -> str:
    """Printed SQL with the kernel's words where the parser's stand for them."""
    if not any(word in sql for word in _TELLING):
        return sql
    found = list(tokens(sql))
    texts = [sql[start:stop] if kind in ("word", "comma", "open") else "" for kind, start, stop in found]
    edits: list[Edit] = []
    for number, text in enumerate(texts):
        if text not in _FIRST_WORDS:
            continue
        first, last, new = number, number, ""
        match texts[number : number + 3]:
            case [side, word, "JOIN"] if f"{side} {word}" in JOINS:
                last, new = number + 1, JOINS[f"{side} {word}"]
            case ["TABLESAMPLE", word, *_] if word == RESERVOIR:
                last, new = number + 1, "TABLESAMPLE RESERVOIR"
            case [word, *_] if word == OPERATOR_FOR_GLOB:
                new = GLOB
            case ["COLLATE", word, *_] if word == SHARE:
                last, new = number + 1, "%"
            case ["NULL", "COLLATE", word] if word.startswith(EXCLUSION):
                first, last = number - (1 if texts[number - 1] == "," else 2), number + 2
                _, start, _ = found[_closing(found, number)]
                edits.append((start, start, f" EXCLUDE {EXCLUDED[word.removeprefix(EXCLUSION)].upper()}"))
            case ["IN", "UNNEST", "("]:
                _, start, stop = found[_closing(found, number + 2)]
                edits.append((start, stop, ""))
                first, last, new = number + 1, number + 2, ""
            case [word, *_] if word == NOTHING:
                new = ""
            case [word, "(", *_] if word == STAR_WITHOUT:
                new = "* EXCLUDE "
            case [word, "(", *_] if word in COMPREHENSIONS:
                edits += _comprehension(found, number + 1, COMPREHENSIONS[word])
                last = number + 1
            case [word, ",", *_] if word == KEY:
                first, last = number - 1, number + 1
                new = ") USING KEY (" if texts[first] == "," else " USING KEY ("
            case _:
                continue
        edits.append((found[first][1], found[last][2], new))
    return _edited(sql, sorted(edits))


def _comprehension(found: Sequence[Token], opened: int, between: Sequence[str]) -> list[Edit]:
    """What is to stand in place of the commas between a function's arguments, and of its closing parenthesis."""
    edits: list[Edit] = []
    close = _closing(found, opened)
    number = opened + 1
    while number < close:
        kind, start, stop = found[number]
        if kind == "comma" and len(edits) < len(between):
            edits.append((start, stop, f" {between[len(edits)]}"))
        number = (_closing(found, number) if kind == "open" else number) + 1
    return [*edits, (*found[close][1:], "")]


def _closing(found: Sequence[Token], number: int) -> int:
    """The token that closes the level of that token, or what opens with it."""
    depth = 1
    while depth:
        number += 1
        depth += {"open": 1, "close": -1}.get(found[number][0], 0)
    return number


def _edited(sql: str, edits: Sequence[Edit]) -> str:
    parts: list[str] = []
    copied = 0
    for start, end, new in edits:
        parts += (sql[copied:start], new)
        copied = end
    return "".join((*parts, sql[copied:]))
