"""Which types a statement's parameters should have, for clients that want to know before they bind (JDBC does; ADBC does not care).

A parameter takes the type of what it stands beside: a column, a cast, a literal. Where nothing tells, it is a string, as in
PostgreSQL. The types are those into which drivers can put what their users have: an integer of any width is 64 bits, since Java's
driver would cut a longer value off silently; a decimal that doubles hold exactly is a double, since the driver takes no decimal of
another scale; times are in milliseconds, since the driver sends these whatever unit is asked for. Values of other types are as good:
what is bound counts, not what is announced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from planner.ast import Ast, walk
from planner.quoting import folded
from planner.words import words

EXACT_DOUBLE_DIGITS = 15
MAX_DEPTH = 8
"""How far down an expression is looked at: a chain of operators may be thousands of levels deep."""

_COMPARISONS = frozenset(["Eq", "NotEq", "Lt", "LtEq", "Gt", "GtEq", "Spaceship"])
_ARITHMETIC = frozenset(["Plus", "Minus", "Multiply", "Divide", "Modulo"])
_TEXT_OPERATORS = frozenset(["StringConcat", "PGRegexMatch", "PGRegexIMatch", "PGRegexNotMatch", "PGRegexNotIMatch"])
_COUNTS = words("count length char_length strlen position instr row_number rank dense_rank year month day hour minute second")
_LIKE_ARGUMENT = words("sum min max avg abs any_value first last round floor ceil coalesce nullif median mode lag lead greatest least")
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


class _Peers(NamedTuple):
    """Expressions that have one type; ``kind`` is it, where the node above them tells it. ``arithmetic``: they are added or the like."""

    expressions: list[Ast]
    kind: pa.DataType | None = None
    arithmetic: bool = False

    def type(self, columns: Mapping[str, str]) -> pa.DataType | None:
        """What a parameter among them should be."""
        if self.kind is not None:
            return self.kind
        told = next((kind for peer in self.expressions if (kind := _type_of(peer, columns)) is not None), None)
        if not self.arithmetic or told is None or not pa.types.is_temporal(told):
            return told
        return pa.int64() if pa.types.is_date(told) else None  # days are added to a date; what is added to a time may be many things


def announced_types(ast: Ast, count: int, columns: Mapping[str, str]) -> tuple[pa.DataType, ...]:
    """The types of the ``count`` parameters of a parsed statement.

    ``columns``: the kernel's types of the columns that the statement's tables have, by name in lower case.
    """
    found: dict[int, pa.DataType] = {}
    for node in walk(ast):
        for number, kind in _told_by(node, columns):
            found.setdefault(number, kind)
    return tuple(found.get(number, pa.string()) for number in range(1, count + 1))


def arrow_type(kernel_type: str) -> pa.DataType | None:
    """The type to announce for one of the kernel's, or None for lists, structs and the like."""
    name = kernel_type.lower()
    decimal = _DECIMAL.fullmatch(name)
    if decimal is not None and int(decimal[1]) > EXACT_DOUBLE_DIGITS:
        return pa.decimal128(min(38, int(decimal[1])), int(decimal[2] or 0))
    name = name.partition("(")[0].strip()
    return next((kind for pattern, kind in _PATTERNS if pattern.fullmatch(name)), None)


def _told_by(node: Ast, columns: Mapping[str, str]) -> Iterator[tuple[int, pa.DataType]]:
    """The parameters directly below ``node`` whose type it tells."""
    for peers in _peers(node):
        numbers = [number for peer in peers.expressions if (number := _parameter(peer)) is not None]
        told = peers.type(columns) if numbers else None
        if told is not None:
            yield from ((number, told) for number in numbers)


def _peers(node: Ast) -> Iterator[_Peers]:
    match node:
        case {"Cast": {"expr": inner, "data_type": kind}}:
            yield _Peers([inner], _cast_type(kind))
        case {"BinaryOp": {"left": left, "op": operator, "right": right}} if type(operator) is str:
            if operator in _COMPARISONS or operator in _ARITHMETIC:
                yield _Peers([left, right], arithmetic=operator in _ARITHMETIC)
            elif operator in _TEXT_OPERATORS:
                yield _Peers([left, right], pa.string())
        case {"Between": {"expr": inner, "low": low, "high": high}}:
            yield _Peers([inner, low, high])
        case {"InList": {"expr": inner, "list": listed}}:
            yield _Peers([inner, *listed])
        case {"InUnnest": {"expr": inner, "array_expr": {"Array": {"elem": listed}}}}:
            yield _Peers([inner, *listed])
        case {"Like": {"expr": inner, "pattern": pattern}} | {"ILike": {"expr": inner, "pattern": pattern}}:
            yield _Peers([inner, pattern], pa.string())
        case {"IsDistinctFrom": pair} | {"IsNotDistinctFrom": pair}:
            yield _Peers(list(pair))
        case {"Case": {"operand": operand, "conditions": conditions, "else_result": otherwise}}:
            yield _Peers([*(branch["result"] for branch in conditions), *_present(otherwise)])
            if operand is not None:
                yield _Peers([operand, *(branch["condition"] for branch in conditions)])
        case {"LimitOffset": {"limit": {"Collate": {"expr": share}}}}:
            yield _Peers([share], pa.float64())
        case {"LimitOffset": {"limit": limit, "offset": offset}}:
            yield _Peers([*_present(limit), *_present(None if offset is None else offset["value"])], pa.int64())
        case {"Function": {"args": {"List": {"args": arguments}}}} if _function_name(node) in _LIKE_ARGUMENT:
            yield _Peers(list(_plain_arguments(arguments)))


def _type_of(expression: Ast, columns: Mapping[str, str], depth: int = MAX_DEPTH) -> pa.DataType | None:
    """The type of an expression, where it is plain to see."""
    if not depth:
        return None
    match expression:
        case {"Nested": inner} | {"UnaryOp": {"expr": inner}}:
            return _type_of(inner, columns, depth - 1)
        case {"Identifier": name} | {"CompoundIdentifier": [*_, name]}:
            kind = columns.get(folded(str(name["value"])))
            return None if kind is None else arrow_type(kind)
        case {"Cast": {"data_type": kind}} | {"TypedString": {"data_type": kind}}:
            return _cast_type(kind)
        case {"Value": {"value": {"Number": [text, *_]}}}:
            return pa.int64() if str(text).isdigit() else pa.float64()
        case {"Value": {"value": {"SingleQuotedString": _}}}:
            return pa.string()
        case {"Value": {"value": {"Boolean": _}}}:
            return pa.bool_()
        case {"Extract": _}:
            return pa.int64()
        case {"Function": {"args": {"List": {"args": arguments}}}}:
            if _function_name(expression) in _COUNTS:
                return pa.int64()
            first = next(_plain_arguments(arguments), None)
            return None if first is None or _function_name(expression) not in _LIKE_ARGUMENT else _type_of(first, columns, depth - 1)
        case {"BinaryOp": {"left": left, "op": operator, "right": right}} if type(operator) is str and operator in _ARITHMETIC:
            kinds = [kind for side in (left, right) if (kind := _type_of(side, columns, depth - 1)) is not None]
            return max(kinds, key=pa.types.is_floating, default=None)
        case _:
            return None


def _cast_type(kind: Any) -> pa.DataType | None:
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


def _parameter(expression: Ast) -> int | None:
    """The number of a parameter that stands there alone, in parentheses or behind a sign."""
    for _ in range(MAX_DEPTH):
        match expression:
            case {"Nested": inner} | {"UnaryOp": {"expr": inner}}:
                expression = inner
            case {"Value": {"value": {"Placeholder": str(text)}}} if text[1:].isdigit():
                return int(text[1:])
            case _:
                return None
    return None


def _present(expression: Ast | None) -> list[Ast]:
    return [] if expression is None else [expression]


def _plain_arguments(arguments: Iterable[Ast]) -> Iterator[Ast]:
    for argument in arguments:
        inner = argument.get("Unnamed", {})
        if type(inner) is dict and "Expr" in inner:
            yield inner["Expr"]


def _function_name(expression: Ast) -> str:
    parts = expression["Function"]["name"]
    last = parts[-1].get("Identifier") if parts else None
    return "" if last is None else folded(str(last["value"]))
