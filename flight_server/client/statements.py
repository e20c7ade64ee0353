"""Splits a text into SQL statements at its semicolons.

A semicolon inside a string, a quoted identifier, a comment or a dollar quote ends nothing. The server takes one statement a request and
looks for its end with the same scanner. It never refuses a text: what is left open at the end runs to the end, and the planner says what is
wrong with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain

from planner.tokens import tokens

_POSITION = re.compile(r" \(line (\d+), column (\d+)\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a text.

    ``text`` is ``source[start:end]``: from its first word (comments before it are left out) to its last, without the semicolon.
    ``line`` and ``column`` are those of ``start``, from 1.
    """

    text: str
    start: int
    end: int
    line: int
    column: int = 1

    def placed(self, error: str) -> tuple[int, int | None, str]:
        """Where in the whole text an error of this statement is, and its message without a place: line and column, or the statement's
        own line and None where the server told no place.
        """
        found = _POSITION.search(error)
        if found is None:
            return self.line, None, error
        line, column = int(found[1]), int(found[2])
        message = error[: found.start()] + error[found.end() :]
        return self.line + line - 1, column + (self.column - 1 if line == 1 else 0), message


def split_statements(text: str) -> list[Statement]:
    """The statements of ``text`` in order; comments alone, and nothing between two semicolons, are none."""
    statements: list[Statement] = []
    start = end = -1
    line = 1
    counted = 0
    for kind, token_start, token_end in chain(tokens(text), [("end", len(text), len(text))]):
        if kind != "end":
            start, end = (token_start if start < 0 else start), token_end
        elif start >= 0:
            line += text.count("\n", counted, start)
            counted = start
            statements.append(Statement(text[start:end], start, end, line, start - text.rfind("\n", 0, start)))
            start = -1
    return statements


def one_line_up(error: str) -> str:
    """An error of a text with a line before the statement, told with the statement's own place."""
    return _POSITION.sub(lambda found: f" (line {int(found[1]) - 1}, column {found[2]})", error, count=1)


def statement_at(text: str, offset: int) -> Statement | None:
    """The statement that ``offset`` is in or just behind, else the next one, else the last; None if the text has none.

    A cursor behind a semicolon on the same line still means the statement before it.
    """
    found: Statement | None = None
    for statement in split_statements(text):
        if statement.start > offset:
            between = text[found.end : offset] if found is not None else "\n"
            return statement if "\n" in between else found
        found = statement
    return found


def is_complete(text: str) -> bool:
    """Whether ``text`` ends with a semicolon that ends a statement: nothing but space and comments behind it."""
    complete = False
    for kind, _, _ in tokens(text):
        complete = kind == "end"
    return complete
