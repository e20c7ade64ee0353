"""Patterns of keys: ``*`` and ``?`` within a name, ``**`` across folders, ``[abc]``, ``[a-z]``, ``[!x]``. Pure text."""

from __future__ import annotations

import re
from functools import lru_cache

_MAGIC = re.compile(r"[*?\[]")


def has_magic(pattern: str) -> bool:
    """Whether ``pattern`` is more than the name of one file."""
    return _MAGIC.search(pattern) is not None


def literal_folder(pattern: str) -> str:
    """The folder (``""`` or ending with ``/``) that holds all that ``pattern`` can match."""
    found = _MAGIC.search(pattern)
    return pattern[: pattern.rfind("/", 0, len(pattern) if found is None else found.start()) + 1]


def names_hidden(pattern: str) -> bool:
    """Whether a part of ``pattern`` itself asks for names that start with ``.`` or ``_``."""
    return any(part.startswith((".", "_")) for part in pattern.split("/"))


@lru_cache(maxsize=256)
def matcher(pattern: str) -> re.Pattern[str]:
    """A regular expression for whole keys that ``pattern`` matches."""
    out = []
    position = 0
    while position < len(pattern):
        piece, position = _translate(pattern, position)
        out.append(piece)
    return re.compile("".join(out) + r"\Z", re.DOTALL)


def _translate(pattern: str, position: int) -> tuple[str, int]:
    if pattern.startswith("**/", position):
        return "(?:[^/]+/)*", position + 3
    if pattern.startswith("**", position):
        return ".*", position + 2
    character = pattern[position]
    if character == "*":
        return "[^/]*", position + 1
    if character == "?":
        return "[^/]", position + 1
    if character == "[":
        end = pattern.find("]", position + 2)
        if end > 0:
            inside = pattern[position + 1 : end].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            negated = "^" if inside.startswith("!") else ""
            return f"(?!/)[{negated}{inside.removeprefix('!')}]", end + 1
    return re.escape(character), position + 1
