"""Types of columns across files of one table: what widens without loss, and what clashes. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = {"UTINYINT": "SMALLINT", "USMALLINT": "INTEGER", "UINTEGER": "BIGINT", "UBIGINT": "HUGEINT"}
_UNSIGNED_ORDER = tuple(_UNSIGNED)
_DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "HUGEINT": 38}
_TIMESTAMPS = ("DATE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS")
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
MAX_DECIMAL_DIGITS = 38
NULL_TYPES = ('"NULL"', "NULL")


def wider(left: str, right: str) -> str | None:
    """The type that holds all values of both, or None where they clash. Names are the kernel's."""
    if left == right:
        return left
    if left in NULL_TYPES or right in NULL_TYPES:
        return right if left in NULL_TYPES else left
    for order in (_UNSIGNED_ORDER, _TIMESTAMPS, ("FLOAT", "DOUBLE")):
        if left in order and right in order:
            return max(left, right, key=order.index)
    left, right = _UNSIGNED.get(left, left), _UNSIGNED.get(right, right)
    if left in _INTEGERS and right in _INTEGERS:
        return max(left, right, key=_INTEGERS.index)
    for number, real in ((left, right), (right, left)):
        if real in ("FLOAT", "DOUBLE") and (number in _INTEGERS or _DECIMAL.fullmatch(number)):
            return "DOUBLE"
    return _wider_decimal(left, right)


def _wider_decimal(left: str, right: str) -> str | None:
    first, second = _decimal_shape(left), _decimal_shape(right)
    if first is None or second is None:
        return None
    scale = max(first[1], second[1])
    width = max(first[0] - first[1], second[0] - second[1]) + scale
    return f"DECIMAL({width},{scale})" if width <= MAX_DECIMAL_DIGITS else None


def _decimal_shape(kind: str) -> tuple[int, int] | None:
    found = _DECIMAL.fullmatch(kind)
    if found is not None:
        return int(found[1]), int(found[2])
    return (_DIGITS[kind], 0) if kind in _DIGITS else None


def partition_type(values: Iterable[str | None]) -> str:
    """The type of a hive partition column: BIGINT or DATE where all its values are such, else VARCHAR."""
    present = {value for value in values if value is not None}
    if not present:
        return "VARCHAR"
    if all(_is_bigint(value) for value in present):
        return "BIGINT"
    return "DATE" if all(_is_date(value) for value in present) else "VARCHAR"


def _is_bigint(value: str) -> bool:
    return re.fullmatch(r"[+-]?\d{1,19}", value, re.ASCII) is not None and -(2**63) <= int(value) < 2**63


def _is_date(value: str) -> bool:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII) is None:
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True
