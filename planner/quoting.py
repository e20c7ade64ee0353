"""Names and texts as SQL writes them: the one place that quotes. Values of all types: ``planner.literals``."""

from __future__ import annotations


def quote_name(name: str) -> str:
    """``name`` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """``text`` as a string literal. A NUL in it would end the kernel's text: that is for ``literals.quote_string``."""
    return "'" + text.replace("'", "''") + "'"
