"""How much the shares of a block answer, in rows and bytes: by how many values there are of what it groups by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from planner.ast import Ast, walk
from planner.distribute.estimates import ColumnValues, column_values, drawn
from planner.distribute.expressions import is_call
from planner.distribute.outputs import bare
from planner.distribute.scopes import Names
from planner.distribute.selectivity import rows_left
from planner.distribute.two_steps import TwoSteps
from planner.logical import Scan, Select, all_scans, block_scans
from planner.references import function_name
from planner.splits import ScanExtent

LEAST_JOINED = 0.01
"""So many rows at least inner joins are taken to leave."""
STATE_BYTES = 24
"""About how large an aggregate's state is."""
VALUE_BYTES = 12
"""About how large a value is of which nobody knows where it comes from."""
_DAYS = {"year": 365.25, "quarter": 91.3, "month": 30.4, "week": 7.0}
_CYCLES = {"quarter": 4, "month": 12, "week": 53, "day": 31, "hour": 24, "minute": 60, "second": 60, "dow": 7, "isodow": 7, "doy": 366}


@dataclass(frozen=True, slots=True)
class AnswerSize:
    """Of all shares together; ``groups``: how many rows are left when the answers are put together."""

    rows: float
    groups: float
    width: float

    @property
    def bytes(self) -> float:
        """As Arrow data."""
        return self.rows * self.width


@dataclass(frozen=True, slots=True)
class _Factor:
    """Values that an expression is made of: of a table's column, or, where they are fewer than those, of nothing in particular."""

    scan: Scan | None
    values: float
    layers: float


@dataclass(frozen=True, slots=True)
class AnswerSizes:
    """Of the blocks of one query, whose scans have ``extents``."""

    names: Names
    extents: Mapping[str, ScanExtent]
    _known: dict[tuple[str, str], ColumnValues | None] = field(default_factory=dict)
    _factored: dict[int, list[_Factor] | None] = field(default_factory=dict)
    """Of expressions, by the ids of their trees."""
    _left: dict[str, float] = field(default_factory=dict)
    """Rows that are left of each scan by its conditions, where they are known."""

    def __post_init__(self) -> None:
        for scan in all_scans(self.names.query):
            rows = self.extents[scan.name].rows
            if rows is not None:
                self._left[scan.name] = rows * rows_left(scan.predicates)

    def of(self, steps: TwoSteps, parts: Sequence[Scan], shares: int) -> AnswerSize | None:
        """What ``shares`` shares of ``parts`` answer with; None where that is not known."""
        rows = self._joined(steps.select, parts)
        if rows is None or steps.kind in ("row", "first"):
            return None
        width = sum(self._width(steps.select, answer.expression) if answer.aggregate is None else STATE_BYTES for answer in steps.answers)
        if steps.kind not in ("groups", "distinct"):
            return AnswerSize(rows, rows, width)
        keys = [answer.expression for answer in steps.answers if answer.aggregate is None]
        told, layers = self.groups(steps.select, keys, rows)
        # A share meets only those groups that are in its part of the table.
        there = told * min(1.0, max(1 / shares, layers))
        answered = max(told, min(rows, shares * drawn(there, rows / shares)))
        grouped_by = list(steps.group_expressions()) if steps.kind == "groups" else keys
        left = told if len(grouped_by) == len(keys) else self.groups(steps.select, grouped_by, rows)[0]
        return AnswerSize(answered, left, width)

    def groups(self, select: Select, keys: Iterable[Ast], rows: float) -> tuple[float, float]:
        """How many different values so many ``rows`` of a block have in ``keys``, and in which part of each table's row groups one lies."""
        count, layers = 1.0, 1.0
        of_tables: dict[str, float] = {}
        for key in keys:
            if id(key) not in self._factored:
                self._factored[id(key)] = self._factors(select, key)
            factors = self._factored[id(key)]
            if factors is None:
                return rows, 1.0
            for factor in factors:
                layers = min(layers, factor.layers)
                if factor.scan is None:
                    count *= factor.values
                else:
                    of_tables[factor.scan.name] = of_tables.get(factor.scan.name, 1.0) * factor.values
        for name, values in of_tables.items():
            count *= drawn(values, self._left[name])
        return max(1.0, drawn(count, rows)), layers

    def _factors(self, select: Select, key: Ast) -> list[_Factor] | None:
        """The columns of tables whose values an expression of a block is made of; None where they are not known."""
        if is_call(key) and function_name(key["Function"]) == "count":
            # So many groups of different sizes have at least half the square of their number in rows.
            return [_Factor(None, math.sqrt(2 * max(self._left.values(), default=1.0)), 1.0)]
        columns, sure = self.names.columns(select, key)
        factors: list[_Factor] = []
        for column in columns if sure else ():
            origin, source = self.names.origin(column), self.names.source(column)
            if origin is not None:
                known = self._values(*origin)
                below = None if known is None or origin[0].name not in self._left else [_Factor(origin[0], known.count, known.layers)]
            else:
                below = None if source is None else self._factors(*source)
            if below is None:
                return None
            factors += below
        values = math.prod(factor.values for factor in factors)
        narrowed = _narrowed(key, values)
        return factors if sure and narrowed >= values else [_Factor(None, narrowed, 1.0)] if sure else None

    def _values(self, scan: Scan, name: str) -> ColumnValues | None:
        place = scan.name, name
        if place not in self._known:
            column = next((column for column in scan.columns if column.name == name), None)
            self._known[place] = None if column is None else column_values(self.extents[scan.name], column)
        return self._known[place]

    def _width(self, select: Select, expression: Ast) -> float:
        column = self.names.column(expression)
        origin = None if column is None else self.names.origin(column)
        known = None if origin is None else self._values(*origin)
        return VALUE_BYTES if known is None else known.width

    def _joined(self, select: Select, parts: Sequence[Scan]) -> float | None:
        """Rows of the largest of ``parts`` that its conditions leave, and those of the tables that it is joined to by inner joins."""
        if not all(scan.name in self._left for scan in parts):
            return None
        largest = max(parts, key=lambda scan: self._left[scan.name])
        rows = self._left[largest.name]
        if any(join.kind != "inner" for item in select.items for join in item.joins):
            return rows
        left = math.prod(rows_left(scan.predicates) for scan in block_scans(select) if scan is not largest)
        return max(1.0, rows * max(LEAST_JOINED, left))


def _narrowed(key: Ast, values: float) -> float:
    """How many values an expression may have that is made of so many: parts of times, and yes or no, are few."""
    match bare(key):
        case {"Extract": {"field": part}}:
            return _parts(str(part), values)
        case {"Function": {"name": [{"Identifier": {"value": name}}]}} if str(name).lower() in _CYCLES or str(name).lower() == "year":
            return _parts(str(name), values)
        case (
            {"BinaryOp": {"op": "Eq" | "NotEq" | "Lt" | "LtEq" | "Gt" | "GtEq" | "And" | "Or"}}
            | {"Like": _}
            | {"IsNull": _}
            | {"InList": _}
        ):
            return 3.0
        case {"Case": {"conditions": conditions}} if not any("Identifier" in node for each in conditions for node in walk(each["result"])):
            return len(conditions) + 1.0
        case _:
            return values


def _parts(part: str, values: float) -> float:
    named = part.lower()
    return float(_CYCLES[named]) if named in _CYCLES else values / _DAYS.get(named, 1.0) + 1
