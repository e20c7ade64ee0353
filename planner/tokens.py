"""SQL text as tokens, in one linear pass that refuses nothing.

Clients split files at the semicolons found here, and the planner counts what is found here before it parses: the two agree on where a
statement ends, and both with the kernel, because there is only this one scanner.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# What a name may begin with, and go on with: as the kernel has it, letters and all that is neither ASCII nor space; then digits, too.
_FIRST = r"[^\x00-@\[-^`{-\x7f\s]"
_NEXT = r"[^\x00-/:-@\[-^`{-\x7f\s]"
_NEXT_OR_DOLLAR = r"[^\x00-\#%-/:-@\[-^`{-\x7f\s]"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+|--[^\n\r]*)
  | (?P<comment>/\*)
  | (?P<string>[eE]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'?|'[^']*(?:''[^']*)*'?|"[^"]*(?:""[^"]*)*"?|`[^`]*(?:``[^`]*)*`?)
  | (?P<dollar>\$(?:{_FIRST}{_NEXT}*)?\$)
  | (?P<parameter>\${_NEXT}+)
  | (?P<radix>(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+)(?![0-9]))
  | (?P<number>[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?)
  | (?P<word>{_FIRST}{_NEXT_OR_DOLLAR}*)
  | (?P<open>[(\[{{])
  | (?P<close>[)\]}}])
  | (?P<comma>,)
  | (?P<end>;)
  | (?P<question>\?[0-9]*)
  | (?P<power>\*\*)
  | (?P<operator>::|->>?|\|\||[<>=!]+|[-+*/%^|&~@\#.:!])
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def tokens(sql: str) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of each token but space and comments. What is left open at the end runs to the end."""
    offset, match = 0, _TOKEN.match
    while (found := match(sql, offset)) is not None:
        kind, offset = found.lastgroup, found.end()
        if kind == "space":
            continue
        if kind == "comment":
            offset = _comment_end(sql, offset)
            continue
        if kind == "dollar":
            close = sql.find(found.group(), offset)
            offset = len(sql) if close < 0 else close + len(found.group())
        yield str(kind), found.start(), offset


def _comment_end(sql: str, offset: int) -> int:
    """Where a block comment whose opening ends at ``offset`` ends; they nest."""
    depth = 1
    for edge in _COMMENT_EDGE.finditer(sql, offset):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(sql)
