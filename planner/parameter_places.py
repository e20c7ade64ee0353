"""Where a statement's parameters stand, and what stands beside them: expressions of the same type, or the function that is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

import pyarrow as pa

from planner.ast import BARE_QUERY, SEQUENCES, Ast, walk
from planner.parameter_kinds import cast_type
from planner.quoting import folded
from planner.words import words

MAX_DEPTH = 8
"""How far down an expression is looked at: a chain of operators may be thousands of levels deep."""

COMPARISONS = frozenset(["Eq", "NotEq", "Lt", "LtEq", "Gt", "GtEq", "Spaceship"])
ARITHMETIC = frozenset(["Plus", "Minus", "Multiply", "Divide", "Modulo"])
FROM = "From"
"""How a parameter is computed with from which something is taken away."""
APART = "Apart"
"""How one is that says how far apart two of the others may be."""
_WHOLE_NUMBERS = frozenset(["BitwiseAnd", "BitwiseOr", "PGBitwiseShiftLeft", "PGBitwiseShiftRight", "DuckIntegerDivide"])
_POWERS = ("PGExp", "BitwiseXor")
"""What ``^`` is to the parser's dialects."""
_TEXT_OPERATORS = frozenset(["StringConcat", "PGRegexMatch", "PGRegexIMatch", "PGRegexNotMatch", "PGRegexNotIMatch"])
_LOGICAL = frozenset(["And", "Or", "Xor"])
LIKE_ARGUMENT = words(
    "sum min max avg abs any_value first last round floor ceil coalesce ifnull nullif median mode lag lead greatest least"
)
"""Functions whose result has the type of their first argument, as their other arguments mostly have too."""
_OF_ONE_TYPE = words("coalesce ifnull nullif greatest least")
_COUNTED = words("range generate_series")
_TRUTHS = ("IsTrue", "IsNotTrue", "IsFalse", "IsNotFalse", "IsUnknown", "IsNotUnknown")
_TEXTS = pa.list_(pa.string())
_WHOLE = pa.int64()


class TypePeers(NamedTuple):
    """Expressions that have one type; ``kind`` is it, where the node above them tells it. ``arithmetic``: how they are computed with.

    ``listed``: the parameter among them is a list, and the others are of the type of its items.
    """

    expressions: list[Ast]
    kind: pa.DataType | None = None
    arithmetic: str | None = None
    listed: bool = False


@dataclass(frozen=True, slots=True)
class ParameterPlace:
    """A parameter in one place: its number, its node, and what it stands beside; None for the argument of a function.

    ``otherwise`` is its type where nobody tells more.
    """

    number: int
    node: Ast
    peers: TypePeers | None
    otherwise: pa.DataType | None = None

    @property
    def listed(self) -> bool:
        """Whether only a list can stand there."""
        return self.peers is not None and self.peers.listed


def parameter_places(ast: Ast) -> Iterator[ParameterPlace]:
    """The places of all parameters that stand beside something, in the text's order."""
    for node in walk(ast):
        for peers in _peers(node):
            for peer in peers.expressions:
                parameter = parameter_node(peer)
                if parameter is not None:
                    yield ParameterPlace(parameter_number(parameter), parameter, peers, _TEXTS if peers.listed else None)
        for argument, otherwise in _arguments(node):
            parameter = parameter_node(argument)
            if parameter is not None:
                yield ParameterPlace(parameter_number(parameter), parameter, None, otherwise)


def parameter_node(expression: Ast) -> Ast | None:
    """The parameter that stands there alone, in parentheses or behind a sign."""
    for _ in range(MAX_DEPTH):
        match expression:
            case {"Nested": inner} | {"UnaryOp": {"op": "Minus" | "Plus", "expr": inner}}:
                expression = inner
            case {"Value": {"value": {"Placeholder": str(text)}}} if text[1:].isdigit():
                return expression
            case _:
                return None
    return None


def parameter_number(node: Ast) -> int:
    """The number of a parameter's node."""
    return int(node["Value"]["value"]["Placeholder"][1:])


def plain_arguments(arguments: Iterable[Ast]) -> Iterator[Ast]:
    """The expressions among a call's arguments."""
    for argument in arguments:
        inner = argument.get("Unnamed", {})
        if type(inner) is dict and "Expr" in inner:
            yield inner["Expr"]


def called_name(expression: Ast) -> str:
    """The last part of the name of a ``Function``, in lower case."""
    return _last_part(expression["Function"]["name"])


def _last_part(parts: Sequence[Ast]) -> str:
    last = parts[-1].get("Identifier") if parts else None
    return "" if last is None else folded(str(last["value"]))


def _peers(node: Ast) -> Iterator[TypePeers]:
    match node:
        case {"Cast": {"expr": inner, "data_type": kind}}:
            yield TypePeers([inner], cast_type(kind))
        case {"BinaryOp": {"left": left, "op": str(operator), "right": right}}:
            yield from _operands(left, operator, right)
        case {"UnaryOp": {"op": operator, "expr": inner}}:
            yield TypePeers([inner], pa.bool_() if operator == "Not" else _WHOLE)
        case {"Between": {"expr": inner, "low": low, "high": high}}:
            yield TypePeers([inner, low, high])
        case {"InList": {"expr": inner, "list": listed}}:
            for item in listed:
                yield from _pairs(inner, item)
        case {"InUnnest": {"expr": inner, "array_expr": {"Array": {"elem": listed}}}}:
            yield TypePeers([inner, *listed])
        case {"InSubquery": {"expr": inner, "subquery": {"body": {"Select": {"projection": [{"UnnamedExpr": item}]}}}}} if _unnested(item):
            yield from _items_of(_unnested(item), inner)
        case {"InSubquery": {"expr": inner, "subquery": subquery}}:
            yield TypePeers([inner, {"Subquery": subquery}])
        case {"InUnnest": {"expr": inner, "array_expr": listed}} | {"AnyOp": {"left": inner, "right": listed}}:
            yield from _items_of([listed], inner)
        case {"AllOp": {"left": inner, "right": listed}}:
            yield from _items_of([listed], inner)
        case {"IsDistinctFrom": [left, right]} | {"IsNotDistinctFrom": [left, right]}:
            yield from _pairs(left, right)
        case {"Case": {"operand": operand, "conditions": conditions, "else_result": otherwise}}:
            tested = [branch["condition"] for branch in conditions]
            yield TypePeers([*(branch["result"] for branch in conditions), *_present(otherwise)])
            yield TypePeers(tested, pa.bool_()) if operand is None else TypePeers([operand, *tested])
        case {"Function": {"args": {"List": {"args": arguments}}, "filter": condition}}:
            values = list(plain_arguments(arguments))
            if called_name(node) in _OF_ONE_TYPE:
                yield TypePeers(values)
            elif called_name(node) in ("lag", "lead"):
                yield TypePeers([*values[:1], *values[2:]])
            elif called_name(node) == "if":
                yield TypePeers(values[:1], pa.bool_())
            elif node["Function"]["within_group"]:
                yield TypePeers(values, pa.float64())
            yield TypePeers(_present(condition), pa.bool_())
        case {"SetOperation": _}:
            yield from _columns(node)
        case {"Values": {"rows": rows}}:
            yield from (TypePeers(_present(*column)) for column in zip_longest(*(_items(row) for row in rows)))
        case _:
            yield from _of_fixed_type(node)


def _operands(left: Ast, operator: str, right: Ast) -> Iterator[TypePeers]:
    if operator in COMPARISONS:
        yield from _pairs(left, right)
    elif operator in ARITHMETIC:
        yield TypePeers([left, right], arithmetic=FROM if operator == "Minus" and parameter_node(left) else operator)
    elif operator in _WHOLE_NUMBERS:
        yield TypePeers([left, right], _WHOLE)
    elif operator in _POWERS:
        yield TypePeers([left, right], pa.float64())
    elif operator in _TEXT_OPERATORS:
        yield TypePeers([left, right], pa.string())
    elif operator in ("Arrow", "LongArrow"):
        yield TypePeers([right], pa.string())
    elif operator in _LOGICAL:
        yield TypePeers([left, right], pa.bool_())
        for tested, other in ((left, right), (right, left)):
            yield from _optional(tested, other)


def _optional(tested: Ast, other: Ast) -> Iterator[TypePeers]:
    """``? IS NULL OR c = ?``: the one that may be missing is compared beside."""
    match _bare(tested):
        case {"IsNull": parameter} | {"IsNotNull": parameter} if parameter_node(parameter) is not None:
            yield from (
                TypePeers([parameter, *peers.expressions], peers.kind) for peers in _peers(_bare(other)) if peers.kind != pa.bool_()
            )


def _pairs(left: Ast, right: Ast) -> Iterator[TypePeers]:
    """What is compared: two expressions, or those of two rows, one by one."""
    match _bare(left), _bare(right):
        case {"Tuple": one}, {"Tuple": two}:
            yield from (TypePeers(list(pair)) for pair in zip(one, two, strict=False))
        case _:
            yield TypePeers([left, right])


def _items_of(lists: list[Ast], item: Ast) -> Iterator[TypePeers]:
    """Parameters that are lists of what ``item`` is one of."""
    yield from (TypePeers([listed] if parameter_node(item) else [listed, item], listed=True) for listed in lists if parameter_node(listed))


def _unnested(expression: Ast) -> list[Ast]:
    """The parameters that a call of ``unnest`` takes."""
    match expression:
        case {"Function": {"args": {"List": {"args": arguments}}}} if called_name(expression) == "unnest":
            return [argument for argument in plain_arguments(arguments) if parameter_node(argument) is not None]
        case _:
            return []


def _columns(operation: Ast) -> Iterator[TypePeers]:
    """The columns of a UNION and its like: an item has the type of that of another branch."""
    branches = [branch["Select"] for branch in _branches(operation) if "Select" in branch]
    for branch in branches:
        for place, item in enumerate(branch["projection"]):
            if "UnnamedExpr" not in item or parameter_node(item["UnnamedExpr"]) is None:
                continue
            others = (other for other in branches if other is not branch and len(other["projection"]) > place)
            yield from (TypePeers([item["UnnamedExpr"], _one_column(other, place)]) for other in others)


def _one_column(select: Ast, place: int) -> Ast:
    return {"Subquery": {**BARE_QUERY, "body": {"Select": {**select, "projection": [select["projection"][place]]}}}}


def _branches(body: Ast) -> Iterator[Ast]:
    for _ in range(MAX_DEPTH):
        if "SetOperation" not in body:
            break
        yield body["SetOperation"]["right"]
        body = body["SetOperation"]["left"]
    yield body


def _of_fixed_type(node: Ast) -> Iterator[TypePeers]:
    """Where there is one type, whatever stands beside."""
    match node:
        case {"Like": {"expr": inner, "pattern": pattern}} | {"ILike": {"expr": inner, "pattern": pattern}}:
            yield TypePeers([inner, pattern], pa.string())
        case {"SimilarTo": {"expr": inner, "pattern": pattern}} | {"RLike": {"expr": inner, "pattern": pattern}}:
            yield TypePeers([inner, pattern], pa.string())
        case {"Position": {"expr": inner, "in": text}}:
            yield TypePeers([inner, text], pa.string())
        case {"Substring": {"expr": text, "substring_from": start, "substring_for": length}}:
            yield TypePeers([text], pa.string())
            yield TypePeers(_present(start, length), _WHOLE)
        case {"AtTimeZone": {"timestamp": moment, "time_zone": zone}}:
            yield TypePeers([moment], pa.timestamp("ms"))
            yield TypePeers([zone], pa.string())
        case {"Extract": {"expr": moment}}:
            yield TypePeers([moment], pa.timestamp("ms"))
        case {"Interval": {"value": amount}}:
            yield TypePeers([amount], _WHOLE)
        case {"Floor": {"expr": number}} | {"Ceil": {"expr": number}}:
            yield TypePeers([number], pa.float64())
        case {"Subscript": {"Slice": {"lower_bound": lower, "upper_bound": upper}}}:
            yield TypePeers(_present(lower, upper), _WHOLE)
        case {"UNNEST": {"array_exprs": lists}}:
            yield from (TypePeers([listed], listed=True) for listed in lists)
        case {"quantity": quantity, "with_ties": _} if quantity is not None:
            yield TypePeers([quantity], _WHOLE)
        case {"order_by": [{"expr": ordered}], "window_frame": {"units": "Range", **frame}}:
            bounds = (bound for edge in frame.values() if type(edge) is dict for bound in _present(*edge.values()))
            yield from (TypePeers([bound, ordered], arithmetic=APART) for bound in bounds)
        case {"Preceding": bound} | {"Following": bound} if bound is not None:
            yield TypePeers([bound], _WHOLE)
        case {"LimitOffset": {"limit": {"Collate": {"expr": share}}}}:
            yield TypePeers([share], pa.float64())
        case {"LimitOffset": {"limit": limit, "offset": offset}}:
            yield TypePeers(_present(limit, None if offset is None else offset["value"]), _WHOLE)
        case {"projection": _}:
            yield TypePeers(_present(node.get("selection"), node.get("having"), node.get("qualify")), pa.bool_())
            selected = (item.get("UnnamedExpr") or item.get("ExprWithAlias", {}).get("expr") or {} for item in node["projection"])
            yield from (TypePeers([listed], listed=True) for item in selected for listed in _unnested(item))
        case {"Table": {"name": name, "args": {"args": arguments}}} if _last_part(name) in _COUNTED:
            yield TypePeers(list(plain_arguments(arguments)), _WHOLE)
        case dict() if len(node) == 1 and (kind := next(iter(node))) in _TRUTHS:
            yield TypePeers([node[kind]], pa.bool_())


def _arguments(node: Ast) -> Iterator[tuple[Ast, pa.DataType | None]]:
    """The arguments of a function, and of what the kernel makes one of; each with its type where nobody tells more."""
    match node:
        case {"Function": {"args": {"List": {"args": arguments}}}} if called_name(node) != "unnest":
            yield from ((argument, None) for argument in plain_arguments(arguments))
        case {"Subscript": {"Index": {"index": index}}}:
            yield index, _WHOLE
        case {"AnyOp": {"left": item}} | {"AllOp": {"left": item}} | {"InUnnest": {"expr": item}}:
            yield item, None


def _items(row: Any) -> list[Ast]:
    """The values of a row of VALUES, which the parser may hold in a node of its own."""
    return list(row if type(row) in SEQUENCES else row.get("content", ()))


def _bare(expression: Ast) -> Ast:
    for _ in range(MAX_DEPTH):
        if "Nested" not in expression:
            break
        expression = expression["Nested"]
    return expression


def _present(*expressions: Ast | None) -> list[Ast]:
    return [expression for expression in expressions if expression is not None]
