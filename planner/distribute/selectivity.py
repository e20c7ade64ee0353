"""About how many rows conditions leave, judged by their shapes alone."""

from __future__ import annotations

from collections.abc import Iterable

from planner.ast import Ast
from planner.distribute.outputs import bare

LEAST_LEFT = 0.001
_EQUAL = 0.1
_OTHER = 0.3
_NEARLY_ALL = 0.9


def rows_left(terms: Iterable[Ast]) -> float:
    """The part of all rows for which all ``terms`` are true."""
    left = 1.0
    for term in terms:
        left *= _left_by(term)
    return max(LEAST_LEFT, left)


def _left_by(term: Ast) -> float:
    term = bare(term)
    match term:
        case {"BinaryOp": {"op": "And", "left": left, "right": right}}:
            return rows_left((left, right))
        case {"BinaryOp": {"op": "Or", "left": left, "right": right}}:
            return min(1.0, rows_left((left,)) + rows_left((right,)))
        case {"BinaryOp": {"op": "Eq"}} | {"Like": {"negated": False}} | {"ILike": {"negated": False}}:
            return _EQUAL
        case {"InList": {"negated": False, "list": listed}}:
            return min(_NEARLY_ALL, _EQUAL * len(listed))
        case {"BinaryOp": {"op": "NotEq"}} | {"IsNotNull": _} | {"InList": _} | {"Like": _} | {"ILike": _}:
            return _NEARLY_ALL
        case _:
            return _OTHER
