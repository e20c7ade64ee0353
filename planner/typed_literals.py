"""Arrow scalars as SQL: an expression of exactly that value and type, for each of Arrow's types that the kernel has one for.

A value never goes through a Python type that holds less than it does (nanoseconds, far dates, unsigned integers). Numbers, booleans,
texts and moments are in the parser's own form, so that they prune like written ones; everything else is printed as it stands. What the
kernel has no exact value for is refused: a decimal of more than 38 digits, an interval with nanoseconds.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from planner.arrow_types import kernel_type
from planner.ast import NO_SPAN, Ast, verbatim, verbatim_identifier
from planner.errors import InvalidQuery
from planner.literals import quote_string
from planner.quoting import quote_name

MAX_DIGITS = 38
MAX_NESTING = 32
"""How deep the type of a value may nest."""
LONG_TEXT_CHARS = 16 << 10
"""Longer texts with letters beyond ASCII are written as bytes."""
MAX_LISTED_TEXTS = 256
"""Lists of so many texts stay in the parser's form, for ``read_files``; of longer ones a node for each item would cost too much."""

_EPOCH = datetime.datetime(1970, 1, 1)
_FIRST_SECOND = int((datetime.datetime.min - _EPOCH).total_seconds())
_LAST_SECOND = int((datetime.datetime.max - _EPOCH).total_seconds())
_DAY_SECONDS = 86_400
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_EXTENSIONS = ("UUID", "JSON", "BOOLEAN")
"""What Arrow's own extensions are to the kernel; of others it sees what they are stored as."""
_INFINITY = {32: (1 << 31) - 1, 64: (1 << 63) - 1}
"""How the kernel keeps dates and timestamps that are infinite, in Arrow too."""


def literal_ast(value: pa.Scalar) -> Ast:
    """``value`` as an expression. Raises ``InvalidQuery`` where the kernel has no such value."""
    value = _stored(value)
    kind = value.type
    if pt.is_null(kind):
        return _node("Null")
    if _nests_deeper(kind, MAX_NESTING):
        raise InvalidQuery(f"a parameter has values that nest deeper than {MAX_NESTING}", remedy="Send their parts.")
    if value.is_valid:
        if pt.is_boolean(kind):
            return _node({"Boolean": value.as_py()})
        if is_text(kind):
            text = value.as_py()
            return {"Nested": verbatim(_text_literal(text))} if "\0" in text or _is_long(text) else _node({"SingleQuotedString": text})
        if pt.is_integer(kind):
            return _cast(_node({"Number": [str(value.as_py()), False]}), kind)
        if _is_list(kind) and is_text(kind.value_type) and len(value.values) <= MAX_LISTED_TEXTS:
            items = [literal_ast(item) for item in value.values]
            return _cast({"Array": {"elem": items, "named": False}}, kind)
        plain = _text(value)
        if plain is not None:
            return _cast(_node({"SingleQuotedString": plain}), kind)
    return {"Nested": verbatim(_expression(value))}


def constant_ast(value: pa.Scalar) -> Ast:
    """As :func:`literal_ast`, but never a literal of the parser's own: for places where those mean something else."""
    value = _stored(value)
    if is_text(value.type) and value.is_valid:
        return {"Nested": verbatim(f"CAST({_text_literal(value.as_py())} AS VARCHAR)")}
    return literal_ast(value)


def adaptable_ast(value: pa.Scalar) -> Ast | None:
    """``value`` as SQL's own literals have it, whose type gives way to its place: an integer of any width, a NULL of no type.

    Drivers have one width for all integers, where some of the kernel's operators take another one only. None for other values.
    """
    value = _stored(value)
    if not value.is_valid:
        return _node("Null")
    return {"Nested": _node({"Number": [str(value.as_py()), False]})} if pt.is_integer(value.type) else None


def is_adaptable(value: pa.Scalar) -> bool:
    """Whether :func:`adaptable_ast` has something for ``value``."""
    return adaptable_ast(value) is not None


def binding_key(value: pa.Scalar) -> str | None:
    """What the kernel's binder sees of ``value``, the same for all values that it treats alike; None where it may look further."""
    kind = value.type
    if value.is_valid and is_text(kind):
        return str(kind) if type(literal_ast(value).get("Value")) is dict else None
    return None if "union" in str(kind) else f"{kind}{'' if value.is_valid else ' NULL'}"


def is_text(kind: pa.DataType) -> bool:
    """Whether values of ``kind`` are strings."""
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def _stored(value: pa.Scalar) -> Any:
    """The value itself, where Arrow keeps it indirectly."""
    while pt.is_dictionary(value.type) or pt.is_run_end_encoded(value.type) or pt.is_union(value.type):
        if not value.is_valid:
            return pa.scalar(None, pa.null() if pt.is_union(value.type) else value.type.value_type)
        value = value.value
    return value


def _expression(value: pa.Scalar) -> str:
    value = _stored(value)
    kind = value.type
    if not value.is_valid:
        return f"CAST(NULL AS {_type_name(kind)})"
    if pt.is_map(kind):
        entries = value.values
        keys, items = (_list(entries.field(place), f"{_type_name(entries.field(place).type)}[]") for place in (0, 1))
        return f"MAP({keys}, {items})"
    if _is_list(kind):
        return _list(value.values, _type_name(kind))
    if pt.is_struct(kind):
        fields = (f"{_field_name(field)} := {_expression(value[place])}" for place, field in enumerate(kind))
        return f"struct_pack({', '.join(fields)})"
    if isinstance(kind, pa.BaseExtensionType):
        return _extension(value)
    if pt.is_boolean(kind):
        return "TRUE" if value.as_py() else "FALSE"
    if is_text(kind):
        return _text_literal(value.as_py())
    if pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_binary_view(kind) or pt.is_fixed_size_binary(kind):
        return f"CAST(X'{value.as_py().hex()}' AS BLOB)"
    text = str(value.as_py()) if pt.is_integer(kind) else _text(value)
    if text is not None:
        return f"CAST('{text}' AS {_type_name(kind)})"
    if pt.is_date(kind):
        return f"(DATE '1970-01-01' + ({_days(value)}))"
    if pt.is_timestamp(kind):
        return _far_timestamp(value)
    raise InvalidQuery(f"a parameter of Arrow's type {kind} has no value in SQL", remedy="Convert it to a plain type in the client.")


def _text_literal(text: str) -> str:
    return f"decode(X'{text.encode().hex()}')" if _is_long(text) else quote_string(text)


def _is_long(text: str) -> bool:
    """Whether the kernel's client, which counts the bytes of statements letter by letter, would take long over the text."""
    return len(text) > LONG_TEXT_CHARS and not text.isascii()


def _extension(value: Any) -> str:
    name = kernel_type(value.type)
    if name not in _EXTENSIONS:
        return _expression(value.value)
    return f"CAST({_text_literal(value.value.as_py() if name == 'JSON' else str(value.as_py()))} AS {name})"


def _list(values: pa.Array, type_name: str) -> str:
    return f"CAST([{', '.join(_items(values))}] AS {type_name})"


def _items(values: pa.Array) -> Iterable[str]:
    """The items of a list that is cast as a whole: most need no cast of their own."""
    kind = values.type
    if pt.is_integer(kind):
        return ("NULL" if item is None else str(item) for item in values.to_pylist())
    if is_text(kind):
        return ("NULL" if item is None else _text_literal(item) for item in values.to_pylist())
    if pt.is_floating(kind) or pt.is_decimal(kind):
        return (f"'{_text(item)}'" if item.is_valid else "NULL" for item in values)
    return ("NULL" if not item.is_valid else _expression(item) for item in values)


def _text(value: Any) -> str | None:
    """What a cast to the value's type reads as exactly this value; None where that is no plain text."""
    kind = value.type
    if pt.is_floating(kind):
        return repr(float(value.as_py()))
    if pt.is_decimal(kind):
        return _decimal_text(value)
    if pt.is_date(kind):
        return _date_text(_days(value), value.value, kind)
    if pt.is_time(kind):
        return _time_text(value)
    if pt.is_timestamp(kind):
        return _timestamp_text(value)
    if pt.is_duration(kind):
        return f"{_microseconds(value.value, kind.unit)} microseconds"
    if pt.is_interval(kind):
        interval = value.as_py()
        return f"{interval.months} months {interval.days} days {_microseconds(interval.nanoseconds, 'ns')} microseconds"
    return None


def _decimal_text(value: Any) -> str:
    text = format(value.as_py(), "f")
    digits, scale = _shape(value.type)
    if digits < MAX_DIGITS or value.type.precision <= MAX_DIGITS:
        return text
    if len(text.lstrip("-").replace(".", "").lstrip("0")) > MAX_DIGITS or scale > MAX_DIGITS:
        raise InvalidQuery(f"a parameter has a decimal of more than {MAX_DIGITS} digits", remedy="Pass it as a double or as text.")
    return text


def _shape(kind: Any) -> tuple[int, int]:
    """Digits and scale of the kernel's decimal for one of Arrow's, which may have zeros behind its digits or before them."""
    scale = max(0, kind.scale)
    return min(MAX_DIGITS, max(kind.precision - min(0, kind.scale), scale)), scale


def _days(value: Any) -> int:
    days: int = value.value if pt.is_date32(value.type) else value.value // (_DAY_SECONDS * 1_000)
    return days


def _date_text(days: int, raw: int, kind: pa.DataType) -> str | None:
    if abs(raw) == _INFINITY[kind.bit_width]:
        return "infinity" if raw > 0 else "-infinity"
    if not _FIRST_SECOND <= days * _DAY_SECONDS <= _LAST_SECOND:
        return None
    return (_EPOCH + datetime.timedelta(days=days)).date().isoformat()


def _time_text(value: Any) -> str:
    unit = value.type.unit
    seconds, fraction = divmod(value.value, _PER_SECOND[unit])
    if not 0 <= value.value <= _DAY_SECONDS * _PER_SECOND[unit]:
        raise InvalidQuery("a parameter has a time that is outside of a day", remedy="Pass a time from 00:00 to 24:00.")
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{_fraction(fraction, unit)}"


def _timestamp_text(value: Any) -> str | None:
    kind, number = value.type, value.value
    if abs(number) == _INFINITY[64]:
        return "infinity" if number > 0 else "-infinity"
    seconds, fraction = divmod(number, _PER_SECOND[kind.unit])
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
        return None
    moment = (_EPOCH + datetime.timedelta(seconds=seconds)).isoformat(sep=" ")
    return f"{moment}{_fraction(fraction, kind.unit)}{'' if kind.tz is None else '+00'}"


def _far_timestamp(value: Any) -> str:
    """A timestamp before the year 1 or after 9999, which the kernel has in microseconds: those in nanoseconds do not reach as far."""
    microseconds = value.value * (1_000_000 // _PER_SECOND[value.type.unit])
    if abs(microseconds) > _INFINITY[64]:
        raise InvalidQuery("a parameter has a timestamp that is too far away", remedy="Pass one within 290,000 years of now.")
    maker = "make_timestamp" if value.type.tz is None else "make_timestamptz"
    return f"CAST({maker}({microseconds}) AS {_type_name(value.type)})"


def _fraction(number: int, unit: str) -> str:
    return f".{number:0{_DIGITS[unit]}}" if number else ""


def _microseconds(number: int, unit: str) -> int:
    microseconds, rest = divmod(number * 1_000_000, _PER_SECOND[unit])
    if rest or abs(microseconds) > _INFINITY[64]:
        raise InvalidQuery(
            "a parameter has an interval that is no number of microseconds",
            remedy="Intervals have microseconds, up to 292,000 years of them: round it in the client.",
        )
    return microseconds


def _type_name(kind: Any) -> str:
    """The type as SQL names it, the names of fields in quotes."""
    if pt.is_dictionary(kind) or pt.is_run_end_encoded(kind):
        return _type_name(kind.value_type)
    if pt.is_union(kind):
        raise InvalidQuery("a parameter has unions inside of a list or a map", remedy="Pass them as values of one type, or as text.")
    if pt.is_map(kind):
        return f"MAP({_type_name(kind.key_type)}, {_type_name(kind.item_type)})"
    if pt.is_fixed_size_list(kind):
        return f"{_type_name(kind.value_type)}[{kind.list_size}]"
    if _is_list(kind):
        return f"{_type_name(kind.value_type)}[]"
    if pt.is_struct(kind):
        return f"STRUCT({', '.join(f'{_field_name(field)} {_type_name(field.type)}' for field in kind)})"
    if pt.is_decimal(kind):
        return "DECIMAL({}, {})".format(*_shape(kind))
    if isinstance(kind, pa.BaseExtensionType) and kernel_type(kind) not in _EXTENSIONS:
        return _type_name(kind.storage_type)
    return kernel_type(kind)


def _field_name(field: pa.Field) -> str:
    if "\0" in field.name:
        raise InvalidQuery("a parameter has a struct with a NUL character in a field's name", remedy="Call the field otherwise.")
    return quote_name(field.name)


def _is_list(kind: pa.DataType) -> bool:
    tests = (pt.is_list, pt.is_large_list, pt.is_fixed_size_list, pt.is_list_view, pt.is_large_list_view)
    return any(test(kind) for test in tests) and not pt.is_map(kind)


def _nests_deeper(kind: Any, depth: int) -> bool:
    if not kind.num_fields:
        return False
    return not depth or any(_nests_deeper(kind.field(place).type, depth - 1) for place in range(kind.num_fields))


def _cast(expression: Ast, kind: pa.DataType) -> Ast:
    target = {"Custom": [[{"Identifier": verbatim_identifier(_type_name(kind))}], []]}
    return {"Nested": {"Cast": {"kind": "Cast", "expr": expression, "data_type": target, "array": False, "format": None}}}


def _node(value: Any) -> Ast:
    return {"Value": {"value": value, "span": NO_SPAN}}
