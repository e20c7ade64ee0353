"""Values for a statement's ``?``, ``$1`` and ``$name``: by name or in their order, as texts that take the type announced for them."""

from __future__ import annotations

import decimal
import re
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.types as pt

from flight_server.client.box_tables import printable, type_name
from flight_server.errors import ClientError
from planner.errors import Status
from planner.tokens import tokens

NULL = "NULL"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]{0,19}\.?[0-9]{0,19}(?<=[0-9])")
_NAMED = re.compile(r"(\w+)=(.*)", re.DOTALL)


def bound(sql: str, given: Iterable[str]) -> tuple[str, list[str | None]]:
    """The statement with numbers for its names, and the values in their order; ``NULL`` is None.

    A statement with ``$name`` takes ``name=value`` for each of its names; one with ``?`` or ``$1`` takes values in their order, whatever
    signs they hold. A number takes no more room than its name, where it can, so that errors still point to the right place. Raises
    ``ClientError`` for a value that is missing, or that nothing asks for.
    """
    given = list(given)
    places = _places(sql)
    if not places:
        return sql, [None if value == NULL else value for value in given]
    names = list(dict.fromkeys(sql[start + 1 : end] for start, end in places))
    values = _by_name(given, names)
    parts, last = [], 0
    for start, end in places:
        number = f"${names.index(sql[start + 1 : end]) + 1}"
        parts += [sql[last:start], number.ljust(end - start)]
        last = end
    return "".join([*parts, sql[last:]]), [values[name] for name in names]


def typed_row(values: Sequence[object], schema: pa.Schema) -> pa.RecordBatch:
    """One row of values for the parameters of ``schema``; texts become the types there, other values what Arrow makes of them.

    Raises ``ClientError`` for a text that is no value of its type, and when there are not as many values as parameters.
    """
    if len(values) != len(schema):
        wanted = f"{len(schema)} parameter{'' if len(schema) == 1 else 's'}"
        raise _error(f"the statement has {wanted}, and {len(values)} value{' was' if len(values) == 1 else 's were'} given")
    columns = [_typed(value, field.type, number) for number, (value, field) in enumerate(zip(values, schema, strict=True), start=1)]
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


def _typed(value: object, kind: pa.DataType, number: int) -> pa.Array:
    if value is None:
        return pa.array([None], kind)
    if not isinstance(value, str):
        return pa.array([value])
    if pt.is_integer(kind) or pt.is_floating(kind):
        return pa.array([_number(value, kind, number)])
    if pt.is_timestamp(kind):
        kind = pa.timestamp("us", kind.tz)  # drivers are told milliseconds
    try:
        return pa.array([value]).cast(kind)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.array([value])  # the kernel reads more ways of writing things, and says what is wrong with the others


def _number(text: str, kind: pa.DataType, number: int) -> int | float | decimal.Decimal:
    """The number as it would be, had it been written in the statement: exact where it has no exponent."""
    text = text.strip()
    try:
        if _INTEGER.fullmatch(text) and abs(int(text)) < 1 << 63:
            return int(text)
        return decimal.Decimal(text) if _DECIMAL.fullmatch(text) else float(text)
    except ValueError:
        raise _error(f"the value {printable(text)!r} of parameter {number} is no {type_name(kind)}") from None


def _places(sql: str) -> list[tuple[int, int]]:
    """Where the names of parameters stand. Raises ``ClientError`` if there are numbers or ``?`` beside them."""
    found = [(kind, start, end) for kind, start, end in tokens(sql) if kind in ("parameter", "question")]
    places = [(start, end) for kind, start, end in found if kind == "parameter" and not sql[start + 1 : end].isdigit()]
    if places and len(places) < len(found):
        raise _error("the statement has parameters with names and others without", remedy="give all of them names, or none")
    return places


def _by_name(given: Iterable[str], names: Sequence[str]) -> dict[str, str | None]:
    """The value of each name. Raises ``ClientError`` unless there is exactly one for each."""
    values: dict[str, str | None] = {}
    asked = ", ".join(f"${name}" for name in names)
    for text in given:
        found = _NAMED.fullmatch(text)
        if found is None:
            raise _error(f"the value {printable(text)!r} has no name", remedy=f"the statement asks for {asked}: give {names[0]}=value")
        name, value = found.groups()
        if name not in names:
            raise _error(f"the statement has no parameter ${printable(name)}", remedy=f"it asks for {asked}")
        if name in values:
            raise _error(f"the parameter ${name} was given twice")
        values[name] = None if value == NULL else value
    missing = [name for name in names if name not in values]
    if missing:
        raise _error(f"the parameter ${missing[0]} has no value", remedy=f"give {missing[0]}=value")
    return values


def _error(message: str, *, remedy: str | None = None) -> ClientError:
    return ClientError(message, status=Status.INVALID_ARGUMENT, remedy=remedy)
