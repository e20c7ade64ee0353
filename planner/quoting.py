"""Names and texts as SQL writes them: the one place that quotes, and that says which names are one. Values: ``planner.literals``."""

from __future__ import annotations

import string

_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def quote_name(name: str) -> str:
    """``name`` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """``text`` as a string literal. A NUL in it would end the kernel's text: that is for ``literals.quote_string``."""
    return "'" + text.replace("'", "''") + "'"


def folded(name: str) -> str:
    """``name`` as it is compared: the kernel takes A to Z for a to z, and no other letter for another."""
    return name.lower() if name.isascii() else name.translate(_SMALL)
