"""Why a plan is as it is: the ways to divide a query's tables that were looked at, and what speaks against those that were not taken.

It is kept with the plan, for EXPLAIN: nothing that runs reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from planner.sizes import format_size

MOST_OPEN, MOST_SHUT = 2, 4
"""So many ways that were not taken, and that could not be, stand in a plan's text. The JSON document has all."""

DividedBy = Literal["splits", "ranges", "hash"]


@dataclass(frozen=True, slots=True)
class DividedTable:
    """A table of which each share has a part: row groups, or the rows with some values of ``column``. ``name``: the input's in SQL."""

    name: str
    table: str
    by: DividedBy = "splits"
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Considered:
    """A way to divide tables. ``spared_bytes``: so much less the busiest worker has to do than one worker that does all, below 0 where it
    is more; None where the way is not open at all. ``why_not``: a sentence without a full stop; empty where the figure says it.
    """

    tables: tuple[DividedTable, ...]
    spared_bytes: float | None = None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """The ways that were ``taken``, and the ``others``, best first. ``undivided``: why none was taken, empty where one was."""

    taken: tuple[Considered, ...] = ()
    others: tuple[Considered, ...] = ()
    undivided: str = ""


def division_words(tables: Sequence[DividedTable]) -> str:
    """``lineitem and orders by ranges of l_orderkey = o_orderkey``, ``lineitem split by split``."""
    return ", ".join(_together(by, [table for table in tables if table.by == by]) for by in dict.fromkeys(table.by for table in tables))


def _together(by: DividedBy, tables: Sequence[DividedTable]) -> str:
    names = " and ".join(dict.fromkeys(table.table for table in tables))
    if by == "splits":
        return f"{names} split by split"
    columns = " = ".join(dict.fromkeys(table.column or "?" for table in tables))
    return f"{names} by {'ranges' if by == 'ranges' else 'hash'} of {columns}"


def choice_lines(choice: PlanChoice) -> Iterator[str]:
    """The choice in words: what was taken and what it spares, the runner-up, and why the rest was not open."""
    if choice.undivided:
        yield f"not divided: {choice.undivided}"
    for way in choice.taken:
        yield f"divided: {division_words(way.tables)}: {_spared(way.spared_bytes or 0.0)} than for one worker alone"
    open_ = [(way, way.spared_bytes) for way in choice.others if way.spared_bytes is not None]
    shut = [way for way in choice.others if way.spared_bytes is None]
    for place, (way, spared) in enumerate(open_[:MOST_OPEN]):
        yield f"  {'or' if place else 'runner-up'} {division_words(way.tables)}: {_spared(spared)}"
    for way in shut[:MOST_SHUT]:
        yield f"  not {division_words(way.tables)}: {way.why_not}"
    left = max(0, len(open_) - MOST_OPEN) + max(0, len(shut) - MOST_SHUT)
    if left:
        yield f"  and {left} way{'' if left == 1 else 's'} more, which EXPLAIN (FORMAT JSON) tells"


def choice_document(choice: PlanChoice) -> dict[str, Any]:
    """The same as a part of a JSON document."""
    taken, others = ([_way_document(way) for way in ways] for ways in (choice.taken, choice.others))
    return {"taken": taken, "others": others, "not_divided": choice.undivided or None}


def tables_document(tables: Sequence[DividedTable]) -> list[dict[str, Any]]:
    """What is divided and by what, as a part of a JSON document."""
    return [{"input": table.name, "table": table.table, "by": table.by, "column": table.column} for table in tables]


def _way_document(way: Considered) -> dict[str, Any]:
    spared = None if way.spared_bytes is None else round(way.spared_bytes)
    return {"divided": tables_document(way.tables), "spared_bytes": spared, "why_not": way.why_not or None}


def _spared(spared_bytes: float) -> str:
    if abs(spared_bytes) < 1:
        return "as much for the busiest worker"
    return f"about {format_size(abs(spared_bytes))} {'less' if spared_bytes >= 0 else 'more'} for the busiest worker"
