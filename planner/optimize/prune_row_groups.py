"""Row-group pruning: row groups whose statistics rule a predicate out are not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from planner.catalog import ColumnRange, RowGroup, StatisticsValue
from planner.logical import Scan
from planner.optimize.comparisons import Comparable, Comparison, comparisons, literal_value
from planner.optimize.prune_partitions import holds
from planner.quoting import folded


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


def keep_row_groups(scan: Scan, groups: Sequence[RowGroup]) -> tuple[RowGroup, ...]:
    """The row groups that may hold a row for which all predicates of ``scan`` hold."""
    tests = prunable(scan)
    types = {column.name: column.type for column in scan.columns}
    return tuple(group for group in groups if all(_may_match(group.ranges.get(name), test, types[name]) for test, name in tests))


def _may_match(known: ColumnRange | None, test: Comparison, kind: str) -> bool:
    if known is None:
        return True
    if test.operator == "null":
        return known.null_count != 0
    bounds = [literal_value(literal, kind) for literal in test.literals]
    if None in bounds:
        return True
    return any(_overlaps(known, test.operator, bound, kind) for bound in bounds if bound is not None)


def _overlaps(known: ColumnRange, operator: str, bound: Comparable, kind: str) -> bool:
    low, high = _comparable(known.minimum), _comparable(known.maximum)
    below = low is None or holds(low, "<" if operator == "<" else "<=", bound)
    if kind.upper() == "DOUBLE" and operator in (">", ">="):
        return True  # statistics leave NaN out, and for the kernel NaN is above every number
    above = high is None or holds(high, ">" if operator == ">" else ">=", bound)
    match operator:
        case "<" | "<=":
            return below
        case ">" | ">=":
            return above
        case _:
            return below and above


def _comparable(value: StatisticsValue | None) -> Comparable | None:
    return None if isinstance(value, bool | bytes) else value
