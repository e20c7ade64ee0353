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


def shared(statements: Iterable[str], given: Sequence[str]) -> list[list[str]]:
    """Which of the values each of several statements takes: its own names, or, where none has names, all of them; none without parameters.

    Raises ``ClientError`` for a value that no statement takes.
    """
    found = [_parameters(sql) for sql in statements]
    names = list(dict.fromkeys(name for own, _ in found for name in own))
    places = sum(unnamed for _, unnamed in found)
    if names and places:
        raise _error("some parameters of the statements have names, and others have none", remedy="give all of them names, or none")
    if given and not names and not places:
        raise _error(f"no statement has a parameter, and {len(given)} value{' was' if len(given) == 1 else 's were'} given")
    if places:
        return [list(given) if unnamed else [] for _, unnamed in found]
    values = [(_name(text, names), text) for text in given]
    return [[text for name, text in values if name in own] for own, _ in found]


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


def _parameters(sql: str) -> tuple[list[str], int]:
    """The names of a statement's parameters, and how many places for values have none."""
    found = [(kind, sql[start + 1 : end]) for kind, start, end in tokens(sql) if kind in ("parameter", "question")]
    names = [name for kind, name in found if kind == "parameter" and not name.isdigit()]
    return names, len(found) - len(names)


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
    for text in given:
        name = _name(text, names)
        if name in values:
            raise _error(f"the parameter ${name} was given twice")
        value = text[len(name) + 1 :]
        values[name] = None if value == NULL else value
    missing = [name for name in names if name not in values]
    if missing:
        raise _error(f"the parameter ${missing[0]} has no value", remedy=f"give {missing[0]}=value")
    return values


def _name(text: str, names: Sequence[str]) -> str:
    """The name in ``name=value``. Raises ``ClientError`` if there is none, or none that is asked for."""
    there = f"there {'is' if len(names) == 1 else 'are'} {', '.join(f'${name}' for name in names)}"
    found = _NAMED.fullmatch(text)
    if found is None:
        raise _error(f"the value {printable(text)!r} has no name", remedy=f"{there}: give {names[0]}=value")
    if found[1] not in names:
        raise _error(f"there is no parameter ${printable(found[1])}", remedy=there)
    return found[1]


def _error(message: str, *, remedy: str | None = None) -> ClientError:
    return ClientError(message, status=Status.INVALID_ARGUMENT, remedy=remedy)
