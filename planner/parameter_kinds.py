"""The types that are announced for parameters, one for each of the kernel's: those into which drivers can put what their users have.

An integer of any width is 64 bits, since Java's driver would cut a longer value off silently; a decimal that doubles hold exactly is a
double, since the driver takes no decimal of another scale; times are in milliseconds, since the driver sends these whatever unit is
asked for.
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

EXACT_DOUBLE_DIGITS = 15

_DECIMAL = re.compile(r"(?:decimal|numeric|dec)\((\d+)(?:,\s*(\d+))?\)")
_KINDS: tuple[tuple[str, pa.DataType], ...] = (
    (r"u?(tiny|small|big|huge)?int(eger)?\d*|int\d+|(big|tiny|small)int ?unsigned", pa.int64()),
    (r"float\d*|double( precision)?|doubleprecision|real|decimal|numeric|dec", pa.float64()),
    (r"bool(ean)?", pa.bool_()),
    (r"date(32)?", pa.date32()),
    (r"time", pa.time32("ms")),
    (r"timestamptz|timestamp with time zone", pa.timestamp("ms", "UTC")),
    (r"timestamp(_s|_ms|_ns)?|datetime|timestampntz", pa.timestamp("ms")),
    (r"blob|bytea|bytes|binary|varbinary", pa.binary()),
    (r"varchar|text|string|char|character|charactervarying|uuid|json|enum", pa.string()),
)
_PATTERNS = tuple((re.compile(pattern), kind) for pattern, kind in _KINDS)


def arrow_type(kernel_type: str) -> pa.DataType | None:
    """The type to announce for one of the kernel's, or None for lists, structs and the like."""
    name = kernel_type.lower().removesuffix("_literal")
    decimal = _DECIMAL.fullmatch(name)
    if decimal is not None and int(decimal[1]) > EXACT_DOUBLE_DIGITS:
        return pa.decimal128(min(38, int(decimal[1])), int(decimal[2] or 0))
    name = name.partition("(")[0].strip()
    return next((kind for pattern, kind in _PATTERNS if pattern.fullmatch(name)), None)


def cast_type(kind: Any) -> pa.DataType | None:
    """The type of a cast's target, a node like ``"Date"``, ``{"Varchar": None}`` or ``{"Decimal": {"PrecisionAndScale": [9, 2]}}``."""
    match kind:
        case {"Timestamp": [_, zone]} if zone in ("Tz", "WithTimeZone"):
            return pa.timestamp("ms", "UTC")
        case {"Decimal": {"PrecisionAndScale": [digits, scale]}} | {"Numeric": {"PrecisionAndScale": [digits, scale]}}:
            return arrow_type(f"decimal({digits},{scale})")
        case {"Custom": [[{"Identifier": name}], *_]}:
            return arrow_type(str(name["value"]))
        case dict():
            return arrow_type(next(iter(kind)))
        case _:
            return arrow_type(str(kind))
