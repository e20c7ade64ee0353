"""Python values as SQL literals."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid
from collections.abc import Mapping, Sequence

from planner.ast import NO_SPAN, Ast, verbatim
from planner.errors import InvalidQuery
from planner.quoting import quote_text

_DAY_MICROSECONDS = 86_400_000_000


def quote_literal(value: object) -> str:
    """``value`` as a SQL expression of the same value and the nearest type. Raises ``InvalidQuery`` for types that SQL has no word for."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value) if value >= 0 else f"({value})"
        case float():
            return f"CAST('{_float_text(value)}' AS DOUBLE)"
        case decimal.Decimal():
            return _decimal(value)
        case str():
            return _string(value)
        case bytes() | bytearray() | memoryview():
            return "CAST('" + "".join(f"\\x{byte:02X}" for byte in bytes(value)) + "' AS BLOB)"
        case uuid.UUID():
            return f"CAST('{value}' AS UUID)"
        case datetime.datetime() if value.tzinfo is not None:
            return f"CAST('{value.astimezone(datetime.UTC).isoformat(sep=' ')}' AS TIMESTAMPTZ)"
        case datetime.datetime():
            return f"CAST('{value.isoformat(sep=' ')}' AS TIMESTAMP)"
        case datetime.date():
            return f"CAST('{value.isoformat()}' AS DATE)"
        case datetime.time():
            return f"CAST('{value.isoformat()}' AS {'TIME' if value.tzinfo is None else 'TIMETZ'})"
        case datetime.timedelta():
            microseconds = value.days * _DAY_MICROSECONDS + value.seconds * 1_000_000 + value.microseconds
            return f"to_microseconds({microseconds})"
        case Mapping():
            fields = ", ".join(f"{_string(str(key))}: {quote_literal(item)}" for key, item in value.items())
            return "{" + fields + "}"
        case Sequence():
            return "[" + ", ".join(quote_literal(item) for item in value) + "]"
        case _:
            raise InvalidQuery(
                f"a parameter of type {type(value).__name__} has no SQL literal", remedy="Pass a number, string, date or list."
            )


def literal_ast(value: object) -> Ast:
    """``value`` as an expression; plain numbers and strings in the parser's own form, so that they prune like written ones."""
    if isinstance(value, str) and "\0" not in value:
        return _value({"SingleQuotedString": value})
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return _value({"Number": [str(value), False]})
    return {"Nested": verbatim(quote_literal(value))}


def _value(value: Ast) -> Ast:
    return {"Value": {"value": value, "span": NO_SPAN}}


def _string(value: str) -> str:
    """A NUL would end the kernel's text, so it is put together by ``chr(0)``."""
    pieces = [quote_text(piece) for piece in value.split("\0")]
    return pieces[0] if len(pieces) == 1 else "(" + " || chr(0) || ".join(pieces) + ")"


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "nan"
    return repr(value) if math.isfinite(value) else ("inf" if value > 0 else "-inf")


def _decimal(value: decimal.Decimal) -> str:
    if not value.is_finite():
        return f"CAST('{_float_text(float(value))}' AS DOUBLE)"
    text = format(value, "f")
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    scale = len(text.partition(".")[2])
    precision = max(len(digits), scale, 1)
    return f"CAST('{text}' AS DECIMAL({precision}, {scale}))" if precision <= 38 else f"CAST('{text}' AS DOUBLE)"
