"""What was looked at, told for EXPLAIN: the ways that were taken, those that were not, and the divisions that the rules do not allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from planner.choices import Considered, DividedBy, DividedTable, PlanChoice
from planner.distribute.building import Graph
from planner.distribute.divisions import Division
from planner.distribute.scopes import Names
from planner.distribute.ways import Way, Ways
from planner.logical import QueryBlock, Scan, all_scans
from planner.options import PlanOptions
from planner.physical import Fragment, PlannedExchange, ScanInput
from planner.splits import ScanExtent

SAVES_NOTHING = "no division spares the busiest worker anything"
NONE_OPEN = "no way is open"


def divided_tables(division: Division, names: Names) -> tuple[DividedTable, ...]:
    """By what the scans of a division are divided."""
    scans = all_scans(names.query)
    told = told_tables(scans)
    keys = division.keys
    return tuple(DividedTable(scan.name, told[scan.name], *_by(division, scan.name)) for scan in scans if scan.name in keys)


def with_divisions(graph: Graph, names: Names, taken: Sequence[Way]) -> Graph:
    """The graph of the ways that were taken, whose fragments and exchanges say how they divide and about how much goes through them."""
    fragments, exchanges = graph
    divisions = {name: way.division for way in taken for name in way.division.keys}
    told = told_tables(all_scans(names.query))
    answers: dict[str, float] = {}
    for block in (block for way in taken for block in way.blocks):
        for scan in block.cut.inside():
            answers.setdefault(scan.name, block.answers)  # blocks inside of others come before them

    def division(fragment: Fragment) -> Fragment:
        tables: list[DividedTable] = []
        for arm in fragment.inputs:
            if arm.name in fragment.divided and arm.name in divisions:
                hashed = divisions[arm.name].hashed and isinstance(arm, ScanInput)  # on its way into an exchange
                by: tuple[DividedBy, str | None] = ("splits", None) if hashed else _by(divisions[arm.name], arm.name)
                tables.append(DividedTable(arm.name, told[arm.name], *by))
        return replace(fragment, division=tuple(tables))

    def estimated(exchange: PlannedExchange) -> PlannedExchange:
        if exchange.kind in ("hash", "result"):
            return exchange
        producer = next(fragment for fragment in fragments if fragment.output == exchange.id)
        size = next((answers[name] for name in sorted(producer.divided) if name in answers), None)
        return exchange if size is None else replace(exchange, estimated_bytes=round(size))

    return tuple(map(division, fragments)), tuple(map(estimated, exchanges))


def _by(division: Division, name: str) -> tuple[DividedBy, str | None]:
    column = division.keys[name]
    return ("splits" if column is None else "hash" if division.hashed else "ranges"), column


def told_tables(scans: Sequence[Scan]) -> dict[str, str]:
    """What people call each scan: its table, with the alias, or at last the input's name, where several would be called so."""
    tables = Counter(scan.table.name for scan in scans)
    aliases = Counter((scan.table.name, scan.alias) for scan in scans)

    def told(scan: Scan) -> str:
        table = scan.table.name
        apart = scan.alias if aliases[table, scan.alias] == 1 else scan.name
        return table if tables[table] == 1 else f"{table} ({apart})"

    return {scan.name: told(scan) for scan in scans}


def choice_of(ways: Ways, found: Sequence[Way], taken: Sequence[Way], unbuilt: Sequence[tuple[Way, str]]) -> PlanChoice:
    """The choice between the ways that were ``found``. ``unbuilt`` were taken first and came to nothing, each with why."""
    reasons = {id(way): why for way, why in unbuilt}

    def told(way: Way) -> Considered:
        why = reasons.get(id(way), "")
        return Considered(divided_tables(way.division, ways.names), None if why else way.saved, why)

    others = [told(way) for way in found if not any(way is other for other in taken)]
    refused = [Considered(divided_tables(division, ways.names), None, why) for division, why in ways.refused]
    others = [*(way for way in others if not way.why_not), *(way for way in others if way.why_not), *refused]
    undivided = "" if taken else SAVES_NOTHING if found else NONE_OPEN
    return PlanChoice(tuple(told(way) for way in taken), tuple(others), undivided)


def too_small(query: QueryBlock, extents: Mapping[str, ScanExtent], options: PlanOptions) -> PlanChoice | None:
    """The choice where no table is large enough; None without tables."""
    scans = [scan for scan in all_scans(query) if not scan.sampled]
    rows = {scan.table.name: extents[scan.name].rows for scan in scans}
    if not rows:
        return None
    known = {table: count for table, count in rows.items() if count is not None}
    if len(known) < len(rows):
        unknown = next(table for table, count in rows.items() if count is None)
        return PlanChoice(undivided=f"how many rows {unknown} has is not known without reading it")
    largest = max(known, key=lambda table: known[table])
    return PlanChoice(
        undivided=f"{largest} has {known[largest]:,} rows, and tables of fewer than {options.distribute_rows:,} are not worth it"
    )
