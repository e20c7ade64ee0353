"""Colours for SQL, one line at a time, so that a key press costs the same in a file of any length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from pygments.lexers._postgres_builtins import KEYWORDS as _POSTGRES_KEYWORDS

from flight_server.client.sql_words import FUNCTIONS, KEYWORDS

Run = tuple[str, int]  # attribute, characters
MAX_COLOURED_CHARS = 20_000  # of one line; a longer one is shown plain, so that typing in it stays quick
_WORDS = frozenset(KEYWORDS) | frozenset(word.upper() for word in _POSTGRES_KEYWORDS if len(word) > 3)
_FUNCTIONS = frozenset(FUNCTIONS)
_TOKEN = re.compile(
    r"""
    (?P<comment>--.*)
  | (?P<open_comment>/\*)
  | (?P<open_escape>[eE]')
  | (?P<open_string>')
  | (?P<open_identifier>")
  | (?P<open_dollar>\$(?:[A-Za-z_]\w*)?\$)
  | (?P<parameter>\$\w+)
  | (?P<number>(?<![\w.])(?:0[xX][0-9a-fA-F]+|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?))
  | (?P<word>[^\W\d][\w$]*)
  | (?P<operator>[-+*/%<>=!|&^~:,;.()\[\]{}?@#]+?)
  | (?P<space>\s+)
  | (?P<other>.)
    """,
    re.VERBOSE,
)
_ESCAPED = re.compile(r"(?:[^'\\]|\\.?|'')*('?)")
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Inside:
    """What a line starts in: nothing, a comment of some depth, a string (with ``escapes`` or without), an identifier, or a dollar quote."""

    kind: str = ""
    depth: int = 0
    tag: str = ""
    escapes: bool = False


PLAIN = Inside()


def highlight(lines: list[str], first: int, count: int) -> list[list[Run]]:
    """The runs of ``count`` lines from ``first`` on. Lines before them are looked at (from a cache) for what is open there."""
    inside = PLAIN
    result: list[list[Run]] = []
    for number, line in enumerate(lines[: first + count]):
        runs, inside = _line(line, inside)
        if number >= first:
            result.append(list(runs))
    return result


@lru_cache(maxsize=20_000)
def _line(line: str, inside: Inside) -> tuple[tuple[Run, ...], Inside]:
    if len(line) > MAX_COLOURED_CHARS:
        return (("text", len(line)),), inside
    runs: list[Run] = []
    position = 0
    while position < len(line) or (inside.kind and not runs):
        if inside.kind:
            end, inside_after = _close(line, position, inside)
            runs.append((f"sql.{inside.kind}", end - position))
            inside, position = inside_after, end
            if position >= len(line):
                break
            continue
        match = _TOKEN.match(line, position)
        assert match is not None
        kind = match.lastgroup or "other"
        if kind.startswith("open_"):
            inside, start = _open(kind.removeprefix("open_"), match.group()), position
            position, inside_after = _close(line, match.end(), inside)
            runs.append((f"sql.{inside.kind}", position - start))
            inside = inside_after
            continue
        runs.append((_attribute(kind, match.group(), line, match.end()), match.end() - position))
        position = match.end()
    return tuple(runs), inside


def _open(kind: str, token: str) -> Inside:
    match kind:
        case "comment":
            return Inside("comment", depth=1)
        case "dollar":
            return Inside("string", tag=token)
        case "escape":
            return Inside("string", tag="'", escapes=True)
        case _:
            return Inside(kind, tag="'" if kind == "string" else '"')


def _close(line: str, position: int, inside: Inside) -> tuple[int, Inside]:
    """Where what is open ends in this line, and what is open behind that."""
    if inside.kind == "comment":
        depth = inside.depth
        for edge in _COMMENT_EDGE.finditer(line, position):
            depth += 1 if edge.group() == "/*" else -1
            if depth == 0:
                return edge.end(), PLAIN
        return len(line), Inside("comment", depth=depth)
    if inside.escapes:
        match = _ESCAPED.match(line, position)
        assert match is not None
        return match.end(), PLAIN if match.group(1) else inside
    found = line.find(inside.tag, position)
    if found < 0:
        return len(line), inside
    return found + len(inside.tag), PLAIN


def _attribute(kind: str, token: str, line: str, end: int) -> str:
    if kind == "word":
        upper = token.upper()
        if line[end:].lstrip().startswith("(") and (token.lower() in _FUNCTIONS or upper not in _WORDS):
            return "sql.function"
        return "sql.keyword" if upper in _WORDS else "text"
    return {"comment": "sql.comment", "number": "sql.number", "operator": "sql.operator"}.get(kind, "text")
