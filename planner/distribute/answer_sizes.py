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
from planner.distribute.two_steps import TwoSteps
from planner.logical import Scan, Select
from planner.references import function_name
from planner.splits import ScanExtent

LEFT_BY_CONDITIONS = 0.3
"""About how many rows a table's conditions leave."""
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
class AnswerSizes:
    """Of the blocks of one query, whose scans have ``extents``."""

    names: Names
    extents: Mapping[str, ScanExtent]
    _known: dict[tuple[str, str], ColumnValues | None] = field(default_factory=dict)

    def of(self, steps: TwoSteps, parts: Sequence[Scan], shares: int) -> AnswerSize | None:
        """What ``shares`` shares of ``parts`` answer with; None where that is not known."""
        rows = self._rows(parts)
        if rows is None or steps.kind in ("row", "first"):
            return None
        width = sum(self._width(steps.select, answer.expression) if answer.aggregate is None else STATE_BYTES for answer in steps.answers)
        if steps.kind not in ("groups", "distinct"):
            return AnswerSize(rows, rows, width)
        keys = [answer.expression for answer in steps.answers if answer.aggregate is None]
        groups, layers = self.groups(steps.select, keys, rows)
        # A share meets only those groups that are in its part of the table.
        there = groups * min(1.0, max(1 / shares, layers))
        answered = min(rows, shares * drawn(there, rows / shares))
        return AnswerSize(max(answered, groups), groups, width)

    def groups(self, select: Select, keys: Iterable[Ast], rows: float) -> tuple[float, float]:
        """How many different values so many ``rows`` of a block have in ``keys``, and in which part of each table's row groups one lies."""
        by_table: dict[str, float] = {}
        layers = 1.0
        caps: dict[str, float] = {}
        for key in keys:
            if self._counts(key):
                by_table[""] = by_table.get("", 1.0) * math.sqrt(2 * rows)  # n rows make no more than √2n groups of different sizes
                caps[""] = rows
                continue
            columns, sure = self.names.columns(select, key)
            origins = [self.names.origin(column) for column in columns]
            if not sure or any(origin is None for origin in origins):
                return rows, 1.0
            for scan, name in (origin for origin in origins if origin is not None):
                known = self._values(scan, name)
                table_rows = self._rows([scan])
                if known is None or table_rows is None:
                    return rows, 1.0
                caps[scan.name] = table_rows
                by_table[scan.name] = by_table.get(scan.name, 1.0) * min(known.count, _narrowed(key, known.count))
                total = len([group for file in self.extents[scan.name].files for group in file.groups or ()])
                layers = min(layers, known.layers / max(1, total))
        count = math.prod(drawn(min(count, caps[name] * 4), caps[name]) for name, count in by_table.items())
        return max(1.0, drawn(count, rows)), layers

    def _counts(self, key: Ast) -> bool:
        """Whether it is how many rows there are in a group of a subquery in FROM."""
        column = self.names.column(key)
        written = None if column is None else self.names.written(column)
        return written is not None and is_call(written) and function_name(written["Function"]) == "count"

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

    def _rows(self, scans: Iterable[Scan]) -> float | None:
        """Rows of the largest of these tables that its conditions leave: joins by a key make about as many."""
        counts = [(self.extents[scan.name].rows, LEFT_BY_CONDITIONS if scan.predicates else 1.0) for scan in scans]
        if any(rows is None for rows, _ in counts):
            return None
        return max(((rows or 0) * left for rows, left in counts), default=0.0)


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
