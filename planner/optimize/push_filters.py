"""Filter pushdown: a conjunct that mentions columns of one scan only becomes a predicate of that scan.

It also stays where it was written: the kernel's own optimizer moves it there. As a predicate it prunes splits, and filters
on the workers where the scan is a fragment of its own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from planner.ast import Ast
from planner.logical import QueryBlock, Scan, Select, block_scans, rewrite_scans, rewrite_selects
from planner.optimize.pushable import BlockNames, block_names, candidates
from planner.quoting import folded
from planner.references import References


def push_filters(query: QueryBlock) -> QueryBlock:
    """Sets ``predicates`` of every scan."""
    return rewrite_selects(query, _push)


def _push(select: Select) -> Select:
    scans = block_scans(select)
    if not scans:
        return select
    names = block_names(select)
    columns = {scan.name: frozenset(folded(column.name) for column in scan.columns) for scan in scans}
    pushed: dict[str, list[Ast]] = defaultdict(list)
    for candidate in candidates(select):
        for scan in candidate.scans:
            if _is_of_scan(candidate.mentioned, scan, names, columns):
                pushed[scan.name].append(candidate.conjunct)
    if not pushed:
        return select
    return rewrite_scans(select, lambda scan: replace(scan, predicates=tuple(pushed.get(scan.name, ()))))


def _is_of_scan(mentioned: References, scan: Scan, names: BlockNames, columns: dict[str, frozenset[str]]) -> bool:
    """Whether every name means a column of ``scan`` for certain. Names without a table may be nobody else's, merged or natural."""
    own = columns[scan.name]
    others = [known for name, known in columns.items() if name != scan.name]
    if not (mentioned.bare or mentioned.heads):
        return False
    if mentioned.bare and (names.natural or mentioned.bare & names.merged or not mentioned.bare <= own):
        return False
    if any(known & mentioned.bare for known in others):
        return False
    if mentioned.heads - {scan.alias} or any(scan.alias in known for known in columns.values()):
        return False
    if mentioned.heads and not names.is_unique(scan.alias):
        return False
    return all(column in own for head, column in mentioned.pairs if head == scan.alias)
