"""Patterns for the names of tables, as Flight SQL's catalog commands and ``table.list`` take them."""

from __future__ import annotations

import re


def like(pattern: str) -> re.Pattern[str]:
    """A SQL LIKE pattern, with backslash as its escape, as a regular expression for ``fullmatch``."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return re.compile("".join({"%": ".*", "_": "."}.get(part) or re.escape(part.removeprefix("\\") or part) for part in parts), re.DOTALL)
