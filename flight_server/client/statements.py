"""Splits a text into SQL statements at its semicolons.

A semicolon inside a string, a quoted identifier, a comment or a dollar quote ends nothing. The scanner never refuses a text:
what is left open at the end runs to the end, and the planner says what is wrong with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<string>'(?:[^']|'')*(?:'|\Z))
  | (?P<identifier>"(?:[^"]|"")*(?:"|\Z))
  | (?P<line_comment>--[^\n]*)
  | (?P<block_comment>/\*)
  | (?P<dollar>(?<![A-Za-z0-9_$])\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$)
  | (?P<semicolon>;)
  | (?P<space>\s+)
  | (?P<other>[^'"\-/$;\s]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_BLANK = frozenset(("line_comment", "block_comment", "space", "semicolon"))


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a text.

    ``text`` is ``source[start:end]``: from its first word (comments before it are left out) to its last, without the semicolon.
    ``line`` is the line of ``start``, from 1.
    """

    text: str
    start: int
    end: int
    line: int


def split_statements(text: str) -> list[Statement]:
    """The statements of ``text`` in order; comments alone, and nothing between two semicolons, are none."""
    statements: list[Statement] = []
    start = end = -1
    position = 0
    line = 1
    counted = 0
    while position < len(text):
        kind, after = _token(text, position)
        if kind not in _BLANK:
            start, end = (position if start < 0 else start), after
        elif kind == "semicolon" and start >= 0:
            line += text.count("\n", counted, start)
            counted = start
            statements.append(Statement(text[start:end], start, end, line))
            start = -1
        position = after
    if start >= 0:
        line += text.count("\n", counted, start)
        statements.append(Statement(text[start:end], start, end, line))
    return statements


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
    position = 0
    closed = False
    while position < len(text):
        kind, after = _token(text, position)
        if kind == "semicolon":
            closed = True
        elif kind not in _BLANK:
            closed = False
        position = after
    return closed


def _token(text: str, position: int) -> tuple[str, int]:
    """The kind of the token at ``position``, and where the next one starts."""
    match = _TOKEN.match(text, position)
    assert match is not None
    assert match.lastgroup is not None
    if match.lastgroup == "block_comment":
        return match.lastgroup, _comment_end(text, match.end())
    if match.lastgroup == "dollar":
        closing = text.find(match.group(), match.end())
        return match.lastgroup, len(text) if closing < 0 else closing + len(match.group())
    return match.lastgroup, match.end()


def _comment_end(text: str, position: int) -> int:
    """Where the block comment that is open at ``position`` ends, comments nested in it included."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(text, position):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)
