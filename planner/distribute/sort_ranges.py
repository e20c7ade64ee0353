"""A sort share by share: rows meet by the range in which their first sort key lies, and each share sorts some ranges.

The result is the shares' rows one after the other. Where ranges end is told by the row groups' statistics, as if each group's rows lay
evenly between its least and its greatest value: that makes ranges of about the same size, and any will do. What decides is the kernel's own
comparison of whole numbers, decimals, days and times, which is its order, too; only NULL is told apart, by where the term wants it.
"""

from __future__ import annotations

import datetime
import decimal
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from planner.catalog import RowGroup
from planner.distribute.estimates import decimal_scale, sampled_groups
from planner.distribute.expressions import sorts_and_limits
from planner.distribute.two_steps import TwoSteps
from planner.logical import QueryBlock, Scan
from planner.quoting import quote_name, quote_text
from planner.splits import ScanExtent

RANGES_PER_WORKER = 16
MOST_RANGES = 256
MOST_ROW_GROUPS = 512
"""So many row groups are looked at, spread over all."""
_EXACT = decimal.Context(prec=100)
_MICROSECOND = datetime.timedelta(microseconds=1)
_FIRST_MOMENT = datetime.datetime(1, 1, 1)

Bound = int | decimal.Decimal | datetime.date | datetime.datetime


@dataclass(frozen=True, slots=True)
class SortRanges:
    """Ranges of the sort key ``key``, ``column`` of a partial block, in the order of the result. ``bounds`` ascend: where ranges end."""

    key: str
    column: str
    bounds: tuple[str, ...]
    descending: bool
    nulls_first: bool

    @property
    def count(self) -> int:
        """How many ranges there are, that of NULL included."""
        return len(self.bounds) + 2

    def number(self) -> str:
        """The number of a row's range, in SQL over the columns of the partial block."""
        column = quote_name(self.column)
        null = 0 if self.nulls_first else self.count - 1
        return f"(CASE WHEN {column} IS NULL THEN {null} ELSE {self._between(column, 0, len(self.bounds))} END)::USMALLINT"

    def _between(self, column: str, first: int, last: int) -> str:
        """Where only the bounds from ``first`` to before ``last`` are left to compare with."""
        if first == last:
            place = len(self.bounds) - first if self.descending else first
            return str(place + 1 if self.nulls_first else place)
        middle = (first + last) // 2
        below, above = self._between(column, first, middle), self._between(column, middle + 1, last)
        return f"CASE WHEN {column} < {self.bounds[middle]} THEN {below} ELSE {above} END"


def sort_ranges(query: QueryBlock, steps: TwoSteps, extents: Mapping[str, ScanExtent], workers: int) -> SortRanges | None:
    """Ranges for the ORDER BY of a query of which each share gives all rows; None where the statistics do not tell any."""
    term = steps.first_term
    all_rows = steps.kind == "rows" or (steps.kind == "distinct" and steps.complete)
    if term is None or not all_rows or query.queries or sorts_and_limits(query.ast, limits_only=True):
        return None
    answer = steps.answer_of(term["expr"])
    column = None if answer is None else steps.names.column(answer.expression)
    origin = None if column is None else steps.names.origin(column)
    if answer is None or origin is None:
        return None
    scan, name = origin
    bounds = _bounds(scan, name, extents[scan.name], min(MOST_RANGES, RANGES_PER_WORKER * workers))
    if not bounds:
        return None
    descending = term["options"]["asc"] is False
    wanted = term["options"]["nulls_first"]
    key = steps.writer.expression(answer.expression)
    return SortRanges(key, answer.name, tuple(map(_literal, bounds)), descending, descending if wanted is None else wanted)


def _bounds(scan: Scan, name: str, extent: ScanExtent, wanted: int) -> list[Bound]:
    kind = next((column.type for column in scan.columns if column.name == name), "")
    if extent.row_groups_kept is None:
        return []
    spans = []
    for group in sampled_groups(extent, MOST_ROW_GROUPS):
        span = _span(group, name, kind)
        if span is None:
            return []
        spans.append((*span, group.rows))
    places = _quantiles(spans, wanted) if spans else []
    return [_value(place, kind) for place in places]


def _quantiles(spans: Sequence[tuple[int, int, int]], wanted: int) -> list[int]:
    """Places that cut rows, which lie evenly in their spans (first, last, rows), into about ``wanted`` parts of one size."""
    edges = sorted({edge for low, high, _ in spans for edge in (low, high + 1)})
    density = [0.0] * len(edges)
    place = {edge: number for number, edge in enumerate(edges)}
    for low, high, rows in spans:
        each = rows / (high + 1 - low)
        density[place[low]] += each
        density[place[high + 1]] -= each
    levels = list(accumulate(density))[:-1]
    below = [0.0, *accumulate(level * (edges[number + 1] - edges[number]) for number, level in enumerate(levels))]
    found: list[int] = []
    for part in range(1, wanted):
        due = below[-1] * part / wanted
        number = min(bisect_right(below, due), len(levels)) - 1
        level = levels[number]
        at = edges[number] + (round((due - below[number]) / level) if level > 0 else 0)
        if edges[0] < at < edges[-1] and (not found or at > found[-1]):
            found.append(at)
    return found


def _span(group: RowGroup, name: str, kind: str) -> tuple[int, int] | None:
    """The least and the greatest value of a row group as whole numbers; None where they are not known."""
    known = group.ranges.get(name)
    if known is None or known.minimum is None or known.maximum is None:
        return None
    low, high = _number(known.minimum, kind), _number(known.maximum, kind)
    return (low, high) if low is not None and high is not None and low <= high else None


def _number(value: object, kind: str) -> int | None:
    match value:
        case bool():
            return None
        case int() if kind.endswith("INT") or kind in ("INTEGER", "UINTEGER"):
            return value
        case decimal.Decimal() if kind.startswith("DECIMAL("):
            return int(value.scaleb(decimal_scale(kind), _EXACT))
        case datetime.datetime() if kind == "TIMESTAMP":
            return (value - _FIRST_MOMENT) // _MICROSECOND
        case datetime.date() if kind == "DATE" and not isinstance(value, datetime.datetime):
            return value.toordinal()
        case _:
            return None


def _value(number: int, kind: str) -> Bound:
    if kind == "DATE":
        return datetime.date.fromordinal(number)
    if kind == "TIMESTAMP":
        return _FIRST_MOMENT + number * _MICROSECOND
    if kind.startswith("DECIMAL("):
        return decimal.Decimal(number).scaleb(-decimal_scale(kind), _EXACT)
    return number


def _literal(value: Bound) -> str:
    match value:
        case datetime.datetime():
            return f"TIMESTAMP {quote_text(value.isoformat(' '))}"
        case datetime.date():
            return f"DATE {quote_text(value.isoformat())}"
        case decimal.Decimal():
            return f"{value:f}"
        case _:
            return str(value)
