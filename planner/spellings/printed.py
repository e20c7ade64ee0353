"""Printed trees with the kernel's words where the parser's stand for them."""

from __future__ import annotations

from collections.abc import Sequence

from planner.spellings.draft import Token
from planner.spellings.joins import ASOF_JOINS
from planner.spellings.samples import RESERVOIR
from planner.spellings.stand_ins import EXCLUDED, EXCLUSION, GLOB, OPERATOR_FOR_GLOB, SHARE
from planner.tokens import tokens

_JOINS = {ours: theirs for theirs, ours in ASOF_JOINS.items()}
_TELLING = (*_JOINS, f"TABLESAMPLE {RESERVOIR}", OPERATOR_FOR_GLOB, SHARE, EXCLUSION)


def kernel_spelling(sql: str) -> str:
    """Printed SQL with the kernel's words where the parser's stand for them."""
    if not any(word in sql for word in _TELLING):
        return sql
    found = list(tokens(sql))
    texts = [sql[start:stop] if kind in ("word", "comma") else "" for kind, start, stop in found]
    edits: list[tuple[int, int, str]] = []
    """Start, end and what is to stand there, in any order."""
    for number in range(len(found)):
        first, last, new = number, number, ""
        match texts[number : number + 3]:
            case [side, word, "JOIN"] if f"{side} {word}" in _JOINS:
                last, new = number + 1, _JOINS[f"{side} {word}"]
            case ["TABLESAMPLE", word, *_] if word == RESERVOIR:
                last, new = number + 1, "TABLESAMPLE RESERVOIR"
            case [word, *_] if word == OPERATOR_FOR_GLOB:
                new = GLOB
            case ["COLLATE", word, *_] if word == SHARE:
                last, new = number + 1, "%"
            case ["NULL", "COLLATE", word] if word.startswith(EXCLUSION):
                first, last = number - (1 if texts[number - 1] == "," else 2), number + 2
                end = found[_closing(found, number)][1]
                edits.append((end, end, f" EXCLUDE {EXCLUDED[word.removeprefix(EXCLUSION)].upper()}"))
            case _:
                continue
        edits.append((found[first][1], found[last][2], new))
    return _edited(sql, sorted(edits))


def _closing(found: Sequence[Token], number: int) -> int:
    """The token that closes the level of that token."""
    depth = 1
    while depth:
        number += 1
        depth += {"open": 1, "close": -1}.get(found[number][0], 0)
    return number


def _edited(sql: str, edits: Sequence[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    copied = 0
    for start, end, new in edits:
        parts += (sql[copied:start], new)
        copied = end
    return "".join((*parts, sql[copied:]))
