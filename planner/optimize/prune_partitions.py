"""Partition pruning: files whose hive partition a conjunct rules out are dropped before any file is opened."""

from __future__ import annotations

import datetime
from collections import defaultdict
from dataclasses import replace

from planner.catalog import SCHEMA_PREFIXES, Column
from planner.logical import QueryBlock, Scan, Select, block_scans, rewrite_scans, rewrite_selects
from planner.optimize.comparisons import Comparable, Comparison, comparisons, literal_value
from planner.optimize.pushable import BlockNames, block_names, candidates
from planner.quoting import folded

Partitions = tuple[tuple[str, str | None], ...]
"""Hive keys and values of a path."""


def prune_partitions(query: QueryBlock) -> QueryBlock:
    """Drops files from the scans' tables; keeps one where all are ruled out, for the columns."""
    return rewrite_selects(query, _prune)


def _prune(select: Select) -> Select:
    if not any(scan.table.partition_columns for scan in block_scans(select)):
        return select
    names = block_names(select)
    found: dict[str, list[Comparison]] = defaultdict(list)
    for candidate in candidates(select):
        for comparison in comparisons(candidate.conjunct):
            for scan in candidate.scans:
                if _means_partition(comparison, scan, names, select):
                    found[scan.name].append(comparison)
    return rewrite_scans(select, lambda scan: _without(scan, found[scan.name]) if scan.name in found else scan)


def _means_partition(comparison: Comparison, scan: Scan, names: BlockNames, select: Select) -> bool:
    """Whether the name can only be a partition column of ``scan``: if another relation had it too, the kernel would refuse."""
    if all(folded(column.name) != comparison.column for column in scan.table.partition_columns):
        return False
    if comparison.qualifiers:
        *schema, table = comparison.qualifiers
        if table != scan.alias or (schema and not (scan.in_schema and tuple(schema) in SCHEMA_PREFIXES)):
            return False
        return names.is_unique(scan.alias)
    others = [other for other in block_scans(select) if other.name != scan.name]
    shared = any(comparison.column == folded(column.name) for other in others for column in other.table.partition_columns)
    return not (names.natural or comparison.column in names.merged or shared)


def _without(scan: Scan, tests: list[Comparison]) -> Scan:
    columns = {folded(column.name): column for column in scan.table.partition_columns}
    known: dict[Partitions, bool] = {}

    def may_match(partitions: Partitions) -> bool:
        if partitions not in known:
            known[partitions] = all(_may_match(partitions, test, columns[test.column]) for test in tests)
        return known[partitions]

    kept = tuple(file for file in scan.table.files if may_match(file.partitions))
    return replace(scan, table=replace(scan.table, files=kept or scan.table.files[:1]))


def _may_match(partitions: Partitions, test: Comparison, column: Column) -> bool:
    text = next((value for key, value in partitions if folded(key) == test.column), "")
    if test.operator == "null":
        return text is None or text == ""
    if text is None:
        return False
    value = partition_value(text, column.type)
    bounds = [literal_value(literal, column.type) for literal in test.literals]
    if value is None or None in bounds:
        return True
    return any(holds(value, test.operator, bound) for bound in bounds if bound is not None)


def partition_value(text: str, kind: str) -> Comparable | None:
    """The value of a partition column of that type whose text in the path is ``text``; None where that is not certain."""
    try:
        match kind.upper():
            case "VARCHAR":
                return None if "%" in text else text  # it may stand for an escaped character
            case "BIGINT" | "INTEGER" | "SMALLINT" | "TINYINT" | "HUGEINT":
                return int(text)
            case "DATE":
                return datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return None


def holds(value: Comparable, operator: str, bound: Comparable) -> bool:
    """Whether ``value operator bound``; True where Python cannot compare the two."""
    try:
        match operator:
            case "<":
                return value < bound  # type: ignore[operator]
            case "<=":
                return value <= bound  # type: ignore[operator]
            case ">":
                return value > bound  # type: ignore[operator]
            case ">=":
                return value >= bound  # type: ignore[operator]
            case _:
                return value == bound
    except TypeError:
        return True
