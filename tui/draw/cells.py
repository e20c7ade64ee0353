"""Values of a result as text: one line in a table's cell, many in a popup."""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from tui.draw.canvas import CONTROLS

NULL = "NULL"
MAX_CELL_CHARS = 400  # of one value in a table; popups show it whole
_NAMES: tuple[tuple[Any, str], ...] = (
    (pa.types.is_int8, "tinyint"),
    (pa.types.is_int16, "smallint"),
    (pa.types.is_int32, "integer"),
    (pa.types.is_int64, "bigint"),
    (pa.types.is_uint8, "utinyint"),
    (pa.types.is_uint16, "usmallint"),
    (pa.types.is_uint32, "uinteger"),
    (pa.types.is_uint64, "ubigint"),
    (pa.types.is_float32, "float"),
    (pa.types.is_float64, "double"),
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_string, "varchar"),
    (pa.types.is_large_string, "varchar"),
    (pa.types.is_string_view, "varchar"),
    (pa.types.is_binary, "blob"),
    (pa.types.is_large_binary, "blob"),
    (pa.types.is_binary_view, "blob"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_interval, "interval"),
    (pa.types.is_null, "null"),
)


def type_name(kind: pa.DataType) -> str:
    """The SQL name of an Arrow type, as a column's header shows it."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_dictionary(kind):
        return type_name(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return f"{type_name(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return "struct"
    if pa.types.is_map(kind):
        return "map"
    return next((name for test, name in _NAMES if test(kind)), str(kind))


def is_number(kind: pa.DataType) -> bool:
    """Whether values of this type are aligned right and can be drawn in a chart."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_whole(kind: pa.DataType) -> bool:
    """Whether a part of a value of this type would be read as another value: numbers and times, not texts."""
    return is_number(kind) or bool(pa.types.is_temporal(kind))


def values(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """The values of ``column`` as Python ones. Times that Python cannot hold (nanoseconds, year 20000) come as text."""
    if getattr(column.type, "unit", "") == "ns" and pa.types.is_temporal(column.type):
        return list(column.cast(pa.string()).to_pylist())
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):
        return list(column.cast(pa.string()).to_pylist())


def one_line(value: Any) -> str:
    """``value`` in a table's cell: one line, no control characters, at most ``MAX_CELL_CHARS``."""
    text = plain(value)
    if len(text) > MAX_CELL_CHARS:
        text = text[: MAX_CELL_CHARS - 1] + "…"
    return CONTROLS.sub(_visible, text)


def plain(value: Any) -> str:
    """``value`` whole, as it is copied."""
    match value:
        case None:
            return NULL
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value).removesuffix(".0") if abs(value) < 1e15 else repr(value)
        case int() | decimal.Decimal():
            return str(value)
        case datetime.datetime():
            return value.isoformat(" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case bytes():
            return "\\x" + value.hex()
        case list() | tuple() | dict():
            return json.dumps(value, default=_json_value, ensure_ascii=False)
        case _:
            return str(value)


def many_lines(value: Any) -> str:
    """``value`` in a popup: nested values and texts that hold JSON are indented; binary ones shown as a hex dump."""
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, default=_json_value, ensure_ascii=False, indent=2)
    if isinstance(value, bytes):
        return _hex_dump(value)
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.dumps(json.loads(value), ensure_ascii=False, indent=2)
        except ValueError:
            return value.expandtabs()
    return plain(value).expandtabs()


def _json_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return dict(value)
    return plain(value)


def _visible(match: re.Match[str]) -> str:
    return {"\n": "⏎", "\r": "␍", "\t": "→"}.get(match.group(), "·")


def _hex_dump(value: bytes) -> str:
    lines = []
    for start in range(0, len(value), 16):
        chunk = value[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in chunk)
        lines.append(f"{start:08x}  {chunk.hex(' '):<47}  {text}")
    return "\n".join(lines)
