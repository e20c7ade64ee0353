"""What was looked at, told for EXPLAIN: the ways that were taken, those that were not, and the divisions that the rules do not allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.choices import Considered, PlanChoice
from planner.distribute.labels import divided_tables, told_tables
from planner.distribute.ways import Way, Ways
from planner.logical import QueryBlock, all_scans
from planner.options import PlanOptions
from planner.splits import ScanExtent

SAVES_NOTHING = "no division spares the busiest worker anything"
NONE_OPEN = "no way is open"


def choice_of(ways: Ways, found: Sequence[Way], taken: Sequence[Way], unbuilt: Sequence[tuple[Way, str]]) -> PlanChoice:
    """The choice between the ways that were ``found``. ``unbuilt`` were taken first and came to nothing, each with why."""
    reasons = {id(way): why for way, why in unbuilt}
    names = told_tables(all_scans(ways.names.query))

    def told(way: Way) -> Considered:
        why = reasons.get(id(way), "")
        return Considered(divided_tables(way.division, names), None if why else way.saved, why)

    others = [told(way) for way in found if not any(way is other for other in taken)]
    refused = [Considered(divided_tables(division, names), None, why) for division, why in ways.refused]
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
        undivided=f"{largest} has {known[largest]:,} rows to read, and tables of fewer than {options.distribute_rows:,} are not worth it"
    )
