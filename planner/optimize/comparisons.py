"""``column op literal``: the only shape that prunes, read from a conjunct, and what its literal is as a Python value."""

from __future__ import annotations

import datetime
import decimal
import re
from dataclasses import dataclass
from typing import Any, Literal

from planner.ast import Ast
from planner.quoting import folded

Operator = Literal["=", "<", "<=", ">", ">=", "in", "null"]
LiteralKind = Literal["number", "double", "string", "date", "timestamp"]
Comparable = int | float | str | decimal.Decimal | datetime.date | datetime.datetime

_OPERATORS: dict[str, Operator] = {"Eq": "=", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">="}
_MIRRORED: dict[Operator, Operator] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INTEGERS = frozenset(["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"])

_WHOLE = r"-?\d+"
_SECOND = r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2})?"
_MOMENT = _SECOND[:-2] + r"(\.\d{3}(\d{3})?)?)?"
_BOUND_KINDS: dict[str, tuple[LiteralKind, str]] = {
    **dict.fromkeys(_INTEGERS, ("number", _WHOLE)),
    "DOUBLE": ("double", r"[-+.e\d]+|-?inf"),
    "DATE": ("date", r".*"),
    "TIMESTAMP_S": ("timestamp", _SECOND),
    "TIMESTAMP_MS": ("timestamp", _SECOND[:-2] + r"(\.\d{3})?)?"),
    "TIMESTAMP": ("timestamp", _SECOND[:-2] + r"(\.\d{6})?)?"),
}
"""Casts as ``typed_literals`` writes them for parameters, with the texts whose value is theirs to the last digit."""


@dataclass(frozen=True, slots=True)
class WrittenLiteral:
    """A literal as written, or as bound: a number's text, or a string's with the type that it is cast to, if any."""

    text: str
    kind: LiteralKind


@dataclass(frozen=True, slots=True)
class Comparison:
    """``qualifiers.column op literals``; names in lower case; ``in`` has any number of literals, ``null`` none, others one."""

    qualifiers: tuple[str, ...]
    column: str
    operator: Operator
    literals: tuple[WrittenLiteral, ...]


def comparisons(conjunct: Ast) -> tuple[Comparison, ...]:
    """The comparisons that ``conjunct`` is the AND of; none if it has any other shape."""
    while "Nested" in conjunct:
        conjunct = conjunct["Nested"]
    if (binary := conjunct.get("BinaryOp")) is not None:
        return _binary(binary)
    if (listed := conjunct.get("InList")) is not None and not listed["negated"]:
        found = [_literal(item) for item in listed["list"]]
        literals = tuple(literal for literal in found if literal is not None)
        column = _column(listed["expr"])
        return () if column is None or len(literals) != len(found) else (Comparison(*column, "in", literals),)
    if (between := conjunct.get("Between")) is not None and not between["negated"]:
        column, low, high = _column(between["expr"]), _literal(between["low"]), _literal(between["high"])
        if column is None or low is None or high is None:
            return ()
        return (Comparison(*column, ">=", (low,)), Comparison(*column, "<=", (high,)))
    if (tested := conjunct.get("IsNull")) is not None:
        column = _column(tested)
        return () if column is None else (Comparison(*column, "null", ()),)
    return ()


def _binary(binary: Ast) -> tuple[Comparison, ...]:
    operator = _OPERATORS.get(binary["op"]) if type(binary["op"]) is str else None
    if operator is None:
        return ()
    column, literal = _column(binary["left"]), _literal(binary["right"])
    if column is None:
        column, literal, operator = _column(binary["right"]), _literal(binary["left"]), _MIRRORED[operator]
    return () if column is None or literal is None else (Comparison(*column, operator, (literal,)),)


def _column(node: Ast) -> tuple[tuple[str, ...], str] | None:
    if (name := node.get("Identifier")) is not None:
        return (), folded(str(name["value"]))
    if (parts := node.get("CompoundIdentifier")) is not None:
        *qualifiers, column = (folded(str(part["value"])) for part in parts)
        return tuple(qualifiers), column
    return None


def _literal(node: Ast) -> WrittenLiteral | None:
    sign = ""
    unary = node.get("UnaryOp")
    if unary is not None and unary["op"] == "Minus":
        sign, node = "-", unary["expr"]
    while "Nested" in node:
        node = node["Nested"]
    value: Any = node.get("Value", {}).get("value")
    if type(value) is dict:
        if "Number" in value:
            return WrittenLiteral(sign + value["Number"][0], "number")
        if "SingleQuotedString" in value and not sign:
            return WrittenLiteral(value["SingleQuotedString"], "string")
    return None if sign else _typed(node)


def _typed(node: Ast) -> WrittenLiteral | None:
    typed = node.get("TypedString")
    if typed is not None:
        inner, target = typed["value"]["value"], typed["data_type"]
    else:
        cast = node.get("Cast")
        if cast is None or cast["kind"] not in ("Cast", "DoubleColon"):
            return None
        inner, target = cast["expr"].get("Value", {}).get("value"), cast["data_type"]
    if type(inner) is not dict:
        return None
    text = inner["Number"][0] if "Number" in inner else inner.get("SingleQuotedString")
    if type(text) is not str:
        return None
    kind = _cast_kind(target, text)
    return None if kind is None or ("Number" in inner and kind != "number") else WrittenLiteral(text, kind)


def _cast_kind(target: Any, text: str) -> LiteralKind | None:
    """What a cast of ``text`` makes, where that is the value of the text."""
    match target:
        case "Date":
            return "date"
        case {"Timestamp": [None, "None"]}:
            return "timestamp"
        case {"Custom": [[{"Identifier": {"value": str(name)}}], []]}:
            if name.startswith("DECIMAL("):
                return "number"
            kind, pattern = _BOUND_KINDS.get(name, (None, ""))
            return kind if re.fullmatch(pattern, text) else None
        case _:
            return None


def literal_value(literal: WrittenLiteral, column_type: str) -> Comparable | None:
    """The literal as a value that compares with a column of that type as the kernel would; None where that is not certain."""
    kind, text = column_type.upper(), literal.text
    if kind in _INTEGERS or kind.startswith("DECIMAL"):
        if literal.kind == "number" and re.fullmatch(r"-?\d+(\.\d*)?", text):
            return decimal.Decimal(text)
        return int(text) if literal.kind == "string" and kind in _INTEGERS and re.fullmatch(r"-?\d{1,18}", text) else None
    if kind == "DOUBLE":
        return float(text) if literal.kind in ("number", "double") else None
    if kind == "VARCHAR":
        return text if literal.kind == "string" else None
    if kind == "DATE" and literal.kind in ("string", "date"):
        return _date(text)
    if kind == "TIMESTAMP":
        return _timestamp(literal)
    return None


def _date(text: str) -> datetime.date | None:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is None:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _timestamp(literal: WrittenLiteral) -> datetime.datetime | None:
    if literal.kind in ("number", "double") or re.fullmatch(_MOMENT, literal.text) is None:
        return None
    try:
        return datetime.datetime.fromisoformat(literal.text)
    except ValueError:
        return None
