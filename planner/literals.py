"""The planner's own values as SQL literals. Those that clients bind to parameters: ``typed_literals``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.quoting import quote_text


def quote_literal(value: object) -> str:
    """``value`` (None, a boolean, an integer, a text, a list or mapping of them) as a SQL expression. Raises ``TypeError`` for others."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value) if value >= 0 else f"({value})"
        case str():
            return quote_string(value)
        case Mapping():
            fields = ", ".join(f"{quote_string(str(key))}: {quote_literal(item)}" for key, item in value.items())
            return "{" + fields + "}"
        case Sequence() if not isinstance(value, bytes | bytearray):
            return "[" + ", ".join(quote_literal(item) for item in value) + "]"
        case _:
            raise TypeError(f"no literal for {type(value).__name__}")


def quote_string(value: str) -> str:
    """``value`` as a string literal. A NUL would end the kernel's text, so it is put together by ``chr(0)``."""
    pieces = [quote_text(piece) for piece in value.split("\0")]
    return pieces[0] if len(pieces) == 1 else "(" + " || chr(0) || ".join(pieces) + ")"
