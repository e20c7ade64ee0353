"""Printed trees with the kernel's words where the parser's stand for them."""

from __future__ import annotations

from planner.spellings.joins import ASOF_JOINS
from planner.spellings.samples import RESERVOIR
from planner.tokens import tokens


def kernel_spelling(sql: str) -> str:
    """Printed SQL with the kernel's words where the parser's stand for them."""
    if not any(word in sql for word in (*ASOF_JOINS.values(), f"TABLESAMPLE {RESERVOIR}")):
        return sql
    found = list(tokens(sql))
    joins = {ours: theirs for theirs, ours in ASOF_JOINS.items()}
    texts = [sql[start:stop] if kind == "word" else "" for kind, start, stop in found]
    parts: list[str] = []
    copied = 0
    for number, (_, start, _) in enumerate(found[:-1]):
        match texts[number : number + 3]:
            case [side, word, "JOIN"] if f"{side} {word}" in joins:
                new = joins[f"{side} {word}"]
            case ["TABLESAMPLE", "BLOCK", *_]:
                new = "TABLESAMPLE RESERVOIR"
            case _:
                continue
        parts += (sql[copied:start], new)
        copied = found[number + 1][2]
    return "".join((*parts, sql[copied:]))
