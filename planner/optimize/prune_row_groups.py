"""Row-group pruning: row groups whose statistics rule a predicate out are not read."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from planner.catalog import RowGroup, StatisticsValue
from planner.logical import Scan
from planner.optimize.comparisons import Comparable, Comparison, comparisons, literal_value
from planner.quoting import folded
from planner.row_groups import RowGroups

Value = StatisticsValue | None
Test = Callable[[Value, Value, int | None], bool]
"""Whether a row group may hold a row that is looked for, by its least and its greatest value and how many are NULL; None: not known."""


def prunable(scan: Scan) -> tuple[tuple[Comparison, str], ...]:
    """The comparisons of a scan's predicates that statistics can decide, each with its column's name in the file."""
    # The kernel tells names apart that differ in the case of letters like Ä: which of them is meant cannot be told here.
    alike = Counter(folded(column.name) for column in scan.columns)
    columns = {folded(column.name): column for column in scan.columns if alike[folded(column.name)] == 1}
    partitions = {folded(column.name) for column in scan.table.partition_columns}
    found: list[tuple[Comparison, str]] = []
    for predicate in scan.predicates:
        for comparison in comparisons(predicate):
            column = columns.get(comparison.column) if len(comparison.qualifiers) < 2 else None
            if column is not None and comparison.column not in partitions:
                found.append((comparison, column.name))
    return tuple(found)


def keep_row_groups(scan: Scan, groups: Sequence[RowGroup]) -> Sequence[RowGroup]:
    """The row groups that may hold a row for which all predicates of ``scan`` hold."""
    return Pruning(scan).keep(groups)


class Pruning:
    """What a scan's predicates ask of statistics: of which ``columns``, and which row groups are left."""

    def __init__(self, scan: Scan) -> None:
        types = {column.name: column.type for column in scan.columns}
        self._tests = [(name, test) for comparison, name in prunable(scan) for test in _test(comparison, types[name])]
        self.columns = tuple(dict.fromkeys(name for name, _ in self._tests))

    def keep(self, groups: Sequence[RowGroup]) -> Sequence[RowGroup]:
        """``groups`` where all may hold a row that is looked for, else those that may."""
        if not isinstance(groups, RowGroups):
            return tuple(group for group in groups if all(_may_match(group, name, test) for name, test in self._tests))
        kept: Sequence[int] = range(len(groups))
        for name, test in self._tests:
            if name in groups.names:
                known = groups.column(name)
                lows, highs, nulls = known.minimums, known.maximums, known.null_counts
                kept = [index for index in kept if test(lows[index], highs[index], nulls[index])]
        return groups if len(kept) == len(groups) else tuple(map(groups.group, kept))


def _may_match(group: RowGroup, name: str, test: Test) -> bool:
    known = group.ranges.get(name)
    return known is None or test(known.minimum, known.maximum, known.null_count)


def _test(comparison: Comparison, kind: str) -> Iterator[Test]:
    """The comparison as a test; none where statistics cannot decide it."""
    if comparison.operator == "null":
        yield lambda low, high, nulls: nulls != 0
        return
    bounds = [literal_value(literal, kind) for literal in comparison.literals]
    known = [bound for bound in bounds if bound is not None]
    if len(known) < len(bounds) or (kind.upper() == "DOUBLE" and comparison.operator in (">", ">=")):
        return  # statistics leave NaN out, and for the kernel NaN is above every number
    yield _overlaps(comparison.operator, known)


def _overlaps(compared: str, bounds: Sequence[Comparable]) -> Test:
    """Whether ``value compared bound`` may hold of some value of the row group, for one of the bounds."""
    least = None if compared in (">", ">=") else operator.lt if compared == "<" else operator.le
    most = None if compared in ("<", "<=") else operator.gt if compared == ">" else operator.ge

    def may(low: Value, high: Value, nulls: int | None) -> bool:
        try:
            for bound in bounds:
                below = least is None or low is None or least(low, bound)
                if below and (most is None or high is None or most(high, bound)):
                    return True
        except TypeError:  # Python cannot compare the two
            return True
        return False

    return may
