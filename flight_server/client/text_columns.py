"""Arrow columns as text for people and CSV: one function from a column of any type to a column of strings.

Whole columns are cast at once where Arrow can; nested and exotic types go through Python, value by value, as JSON.
"""

from __future__ import annotations

import datetime
import decimal
import uuid

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

JSON = msgspec.json.Encoder(decimal_format="number")
"""The one encoder, so that decimals are exact numbers everywhere."""

_ZEROS = (r"\.0+([Z+-].*)?$", r"\1")
_TRAILING_ZEROS = (r"(\.\d*[1-9])0+([Z+-].*)?$", r"\1\2")
_ZONE = ((r"Z$", "+00"), (r"([+-]\d\d)00$", r"\1"), (r"([+-]\d\d)(\d\d)$", r"\1:\2"))
_OUT_OF_RANGE = "<value out of range"  # what Arrow writes for years that have no four digits
_UNITS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def as_text(column: pa.Array) -> pa.StringArray:
    """``column`` as strings, NULLs kept. Times lose the zeros behind their last digit, whole floats keep ``.0``."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _by_value(column)
    if pt.is_dictionary(kind):
        return as_text(column.cast(kind.value_type))
    if pt.is_string(kind):
        return column
    if pt.is_floating(kind):
        text = column.cast(pa.string())
        return pc.if_else(pc.match_substring_regex(text, r"^-?\d+$"), pc.binary_join_element_wise(text, ".0", ""), text)
    if pt.is_time(kind):
        return _trimmed(column)
    if pt.is_timestamp(kind) or pt.is_date(kind):
        text = _trimmed(column)
        far = pc.any(pc.starts_with(text, _OUT_OF_RANGE)).as_py()
        return _far_times(column, text) if far else text
    if any(fits(kind) for fits in _CASTS):
        return column.cast(pa.string())
    return _by_value(column)


def is_number(kind: pa.DataType) -> bool:
    """Whether values of the type stand to the right."""
    return bool(pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind))


_CASTS = (pt.is_large_string, pt.is_string_view, pt.is_integer, pt.is_boolean, pt.is_decimal)


def _trimmed(column: pa.Array) -> pa.StringArray:
    text = column.cast(pa.string())
    if pt.is_date(column.type) or column.type == pa.timestamp("s"):
        return text
    zone = _ZONE if pt.is_timestamp(column.type) and column.type.tz is not None else ()
    for pattern, replacement in (_ZEROS, _TRAILING_ZEROS, *zone):
        text = pc.replace_substring_regex(text, pattern, replacement)
    return text


def _far_times(column: pa.Array, text: pa.StringArray) -> pa.StringArray:
    """``text`` with the years beyond Arrow's reach written as PostgreSQL writes them."""
    units = 0 if pt.is_date(column.type) else _UNITS_PER_SECOND[column.type.unit]
    numbers = column.cast(pa.int32() if pt.is_date32(column.type) else pa.int64()).to_pylist()
    return pa.array(
        [
            _far_time(number, units) if shown is not None and shown.startswith(_OUT_OF_RANGE) else shown
            for number, shown in zip(numbers, text.to_pylist(), strict=True)
        ],
        pa.string(),
    )


def _far_time(number: int, units_per_second: int) -> str:
    """A time so far off that Python has no date for it: days since 1970 (``units_per_second`` 0), or units."""
    if abs(number) in ((1 << 63) - 1, (1 << 31) - 1):
        return "infinity" if number > 0 else "-infinity"
    days, rest = (number, 0) if units_per_second == 0 else divmod(number, 86_400 * units_per_second)
    # 400 Gregorian years are a whole number of days: move into a range that Python knows, and count the years back.
    eras, days = divmod(days, 146_097)
    date = datetime.date(1970, 1, 1) + datetime.timedelta(days=days)
    year = date.year + 400 * eras
    shown = f"{year if year > 0 else 1 - year:04d}-{date.month:02d}-{date.day:02d}"
    if units_per_second:
        seconds = rest // units_per_second
        shown += f" {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return shown if year > 0 else f"{shown} (BC)"


def _by_value(column: pa.Array) -> pa.StringArray:
    return pa.array([None if value is None else text_of(value) for value in column.to_pylist()], pa.string())


def text_of(value: object) -> str:
    """One value as text: bytes in hexadecimal, intervals in words, nested values as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        return JSON.encode(plain(value)).decode()
    return str(plain(value))


def plain(value: object) -> object:
    """``value`` as what JSON has: numbers, text, lists and objects, all the way down. Maps become lists of pairs."""
    match value:
        case None | bool() | int() | float() | str() | decimal.Decimal():
            return value
        case bytes():
            return "\\x" + value.hex()
        case list():
            return [plain(part) for part in value]
        case dict():
            return {str(name): plain(part) for name, part in value.items()}
        case pa.MonthDayNano():
            return interval_text(value.months, value.days, value.nanoseconds)
        case datetime.timedelta():
            return interval_text(0, value.days, (value.seconds * 1_000_000 + value.microseconds) * 1_000)
        case tuple():
            return [plain(part) for part in value]
        case datetime.datetime():
            return value.isoformat(sep=" ")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
        case _:
            return str(value)


def interval_text(months: int, days: int, nanoseconds: int) -> str:
    """An interval as PostgreSQL and DuckDB write it: ``1 year 2 months 3 days 04:05:06.5``."""
    years, months = int(months / 12), months - 12 * int(months / 12)
    parts = [f"{n} {unit}{'' if abs(n) == 1 else 's'}" for n, unit in ((years, "year"), (months, "month"), (days, "day")) if n]
    if nanoseconds or not parts:
        seconds, fraction = divmod(abs(nanoseconds), 1_000_000_000)
        tail = f".{fraction:09d}".rstrip("0").rstrip(".")
        sign = "-" if nanoseconds < 0 else ""
        parts.append(f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{tail}")
    return " ".join(parts)
