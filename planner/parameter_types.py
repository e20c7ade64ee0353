"""Which types a statement's parameters should have, for clients that want to know before they bind (JDBC does; ADBC does not care).

A parameter takes the type of what it stands beside: a column, a cast, a literal; ``parameter_probes`` asks the kernel where that is not
plain to see. Where nothing tells, it is a string, as in PostgreSQL. Values of other types are as good: what is bound counts, not what
is announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from planner.ast import Ast
from planner.parameter_kinds import arrow_type, cast_type
from planner.parameter_places import (
    APART,
    ARITHMETIC,
    FROM,
    LIKE_ARGUMENT,
    MAX_DEPTH,
    ParameterPlace,
    TypePeers,
    called_name,
    plain_arguments,
)
from planner.quoting import folded
from planner.words import words

INTERVAL = pa.month_day_nano_interval()
"""What is announced only where nothing else will do, since many drivers cannot send one: elsewhere they send a string."""
_BESIDE_INTERVALS = {"Plus": pa.timestamp("ms"), FROM: pa.timestamp("ms"), "Multiply": pa.float64(), "Divide": pa.float64()}
_COUNTS = words("count length char_length strlen position instr row_number rank dense_rank year month day hour minute second")


def told_types(places: Iterable[ParameterPlace], columns: Mapping[str, str]) -> dict[int, pa.DataType]:
    """The types of the parameters, by number, whose places are plain.

    ``columns``: the kernel's types of columns that have one type wherever they are named, by name in lower case.
    """
    found: dict[int, pa.DataType] = {}
    for place in places:
        if place.number not in found and place.peers is not None:
            kind = _peer_type(place.peers, columns)
            if kind is not None:
                found[place.number] = kind
    return found


def beside(kind: pa.DataType | None, peers: TypePeers) -> pa.DataType | None:
    """What a parameter among ``peers`` should be, if one of the others is ``kind``."""
    if peers.listed:
        return None if kind is None else pa.list_(kind)
    if kind == INTERVAL:
        return _BESIDE_INTERVALS.get(peers.arithmetic or "")
    if peers.arithmetic is None or kind is None or not pa.types.is_temporal(kind):
        return kind
    if peers.arithmetic == APART:
        return INTERVAL
    if peers.arithmetic == FROM:
        return kind
    if pa.types.is_date(kind):
        return pa.int64()  # days are added to a date
    return kind if peers.arithmetic == "Minus" else None  # what is added to a time may be many things


def _peer_type(peers: TypePeers, columns: Mapping[str, str]) -> pa.DataType | None:
    if peers.kind is not None:
        return peers.kind
    return beside(next((kind for peer in peers.expressions if (kind := _type_of(peer, columns)) is not None), None), peers)


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
            return cast_type(kind)
        case {"Value": {"value": {"Number": [text, *_]}}}:
            return pa.int64() if str(text).isdigit() else pa.float64()
        case {"Value": {"value": {"SingleQuotedString": _}}}:
            return pa.string()
        case {"Value": {"value": {"Boolean": _}}}:
            return pa.bool_()
        case {"Extract": _}:
            return pa.int64()
        case {"Interval": _}:
            return INTERVAL
        case {"Function": {"args": {"List": {"args": arguments}}}}:
            if called_name(expression) in _COUNTS:
                return pa.int64()
            first = next(plain_arguments(arguments), None)
            return None if first is None or called_name(expression) not in LIKE_ARGUMENT else _type_of(first, columns, depth - 1)
        case {"BinaryOp": {"left": left, "op": operator, "right": right}} if type(operator) is str and operator in ARITHMETIC:
            kinds = [kind for side in (left, right) if (kind := _type_of(side, columns, depth - 1)) is not None]
            return None if any(map(pa.types.is_temporal, kinds)) else max(kinds, key=pa.types.is_floating, default=None)
        case _:
            return None
