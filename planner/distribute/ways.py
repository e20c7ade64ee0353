"""The ways in which a query's tables may be divided, each with where it cuts the query and what it saves.

One large table anywhere, or, by a key, all tables that are written in its order and joined by it: what the rules of ``divide`` allow is a
way. It saves bytes that the busiest worker would have read, were it alone, less what the answers of shares are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.ast import Ast
from planner.catalog import Column
from planner.distribute.answer_sizes import AnswerSizes
from planner.distribute.costs import Costs
from planner.distribute.divide import Cut, NotDivisible, Rules
from planner.distribute.divisions import Division, Divisions
from planner.distribute.expressions import hangs_on_arrival, sorts_and_limits
from planner.distribute.final_shares import FinalShares, final_shares
from planner.distribute.hashed import HashedTable, together
from planner.distribute.reductions import Reductions
from planner.distribute.scopes import Names
from planner.distribute.selectivity import rows_left
from planner.distribute.two_steps import OneStep, TwoSteps, two_steps
from planner.logical import QueryBlock, Scan, Select, all_scans
from planner.optimize.prune_columns import prune_columns
from planner.optimize.pushed import without_pushed
from planner.options import PlanOptions
from planner.physical import Share
from planner.render import print_expression
from planner.scan_inputs import ScanInputs
from planner.splits import ScanExtent

MOST_REDUCERS = 2
"""By so many small tables the rows of a scan are reduced before they go through an exchange."""
FEWEST_VALUES = 8
"""So many values for each worker there must be to tell answers apart by."""


@dataclass(frozen=True, slots=True)
class DividedBlock:
    """A block that runs on ``shares``, or on shares of the buckets of its ``tables``, which are told when these are there.

    ``steps`` are None for the whole query where shares answer with rows of the result. ``may_be_cut``: the names of scans whose rows of one
    bucket may be divided further, if those of all others are not. ``final``: its answers are put together share by share as well.
    ``answers``: about how many bytes all shares answer with.
    """

    cut: Cut
    steps: TwoSteps | None
    shares: tuple[Share, ...] = ()
    final: FinalShares | None = None
    tables: tuple[HashedTable, ...] = ()
    may_be_cut: frozenset[str] = frozenset()
    answers: float = 0.0


@dataclass(frozen=True, slots=True)
class Way:
    """A way to divide tables. ``saved``: bytes, below 0 where it costs more than it saves."""

    division: Division
    blocks: tuple[DividedBlock, ...]
    saved: float

    def without_final_shares(self) -> Way:
        """The way, with all answers put together in one place."""
        return replace(self, blocks=tuple(replace(block, final=None) for block in self.blocks))

    def meets(self, other: Way) -> bool:
        """Whether both divide the same block, or one what is inside the other's."""
        return any(not _are_apart(one, two) for one in self.blocks for two in other.blocks)


def _multiplies(select: Select) -> bool:
    """Whether a row of a table may be several of the block's."""
    return len(select.items) != 1 or bool(select.items[0].joins) or not isinstance(select.items[0].relation, Scan)


def _has_ranges(way: Way, division: Division) -> bool:
    """Whether a way divides by ranges all that ``division`` would by hash, of the same keys, and saves something."""
    keys = way.division.keys
    return way.saved > 0 and not way.division.hashed and all(keys.get(name) == key for name, key in division.keys.items())


def _are_apart(one: DividedBlock, two: DividedBlock) -> bool:
    """Whether neither is inside the other, or what is has one row to answer, which every share of the other may as well have."""
    first, second = ({scan.name for scan in block.cut.inside()} for block in (one, two))
    if one.cut.select is two.cut.select or first & second:
        inner = one if first < second else two if second < first else None
        return inner is not None and inner.steps is not None and inner.steps.kind == "row"
    return True


def large_scans(query: QueryBlock, extents: Mapping[str, ScanExtent], options: PlanOptions) -> list[str]:
    """The names of the scans that may be divided for their size, in their order: all of them, where sizes do not matter."""

    def is_large(scan: Scan) -> bool:
        rows = extents[scan.name].rows
        return not scan.sampled and (options.forced or (rows is not None and rows >= options.distribute_rows))

    return [scan.name for scan in all_scans(query) if is_large(scan)]


@dataclass(slots=True)
class Ways:
    """Finds them. ``prefix`` begins no name of the statement."""

    names: Names
    inputs: ScanInputs
    prefix: str
    extents: Mapping[str, ScanExtent]
    refused: list[tuple[Division, str]] = field(default_factory=list)
    """What cannot be divided for certain, and why."""
    _rules: Rules = field(init=False)
    _costs: Costs = field(init=False)
    _reductions: Reductions = field(init=False)
    _behind_predicates: dict[str, frozenset[str]] = field(default_factory=dict)
    _anywhere: dict[str, list[Cut]] = field(default_factory=dict)
    _steps: dict[tuple[int, bool], TwoSteps] = field(default_factory=dict)
    _sizes: AnswerSizes = field(init=False)

    def __post_init__(self) -> None:
        self._rules = Rules(self.names)
        self._costs = Costs(self.inputs.options, self.extents)
        self._reductions = Reductions(self.names, self._rules)
        self._sizes = AnswerSizes(self.names, self.extents)

    def found(self, large: Sequence[str]) -> list[Way]:
        """All ways to divide one of the ``large`` scans, alone or with others, those that save most first."""
        ways: list[Way] = []
        for division in Divisions(self.names, self.extents, self._costs).suggested(large):
            if division.hashed and not self.inputs.options.forced and any(_has_ranges(way, division) for way in ways):
                self.refused.append((division, "the tables lie in ranges of the key, and need no exchange"))
            elif (way := self._way(division)) is not None:
                ways.append(way)
        ways.sort(key=lambda way: way.saved, reverse=True)
        options = self.inputs.options
        if not ways or not options.forced:
            return ways
        first = options.way % len(ways)
        ways = ways[first:] + ways[:first]
        return sorted(ways, key=lambda way: not way.division.hashed) if options.by_hash else ways

    def _way(self, division: Division) -> Way | None:
        try:
            found = self._rules.cuts(division.keys)
            blocks, saved = [], 0.0
            claimed: set[str] = set()  # by blocks inside of those that follow
            for cut in found:
                inside = [scan for scan in cut.inside() if scan.name not in claimed]
                claimed.update(scan.name for scan in inside)
                block, part = self._block(cut, inside, division, alone=len(found) == 1)
                blocks.append(block)
                saved += part
        except (NotDivisible, OneStep) as error:
            self.refused.append((division, str(error)))
            return None
        return Way(division, tuple(blocks), saved) if blocks else None

    def _block(self, cut: Cut, inside: Sequence[Scan], division: Division, *, alone: bool) -> tuple[DividedBlock, float]:
        """The block, and what it saves."""
        parts = [scan for scan in inside if scan.name in division.keys]
        whole = [scan for scan in inside if scan.name not in division.keys]
        streams = alone and cut.query is self.names.query and cut.complete and not sorts_and_limits(cut.query.ast)
        steps = None if streams else self._two_steps(cut)
        if steps is not None and steps.ends_early and not self.inputs.options.forced:
            raise NotDivisible("a LIMIT ends the scan early")
        if steps is not None and steps.kind in ("rows", "columns") and not self.inputs.options.forced and _multiplies(cut.select):
            raise NotDivisible("how many rows its joins make, which one worker would have to hold, is not known")
        kind = None if steps is None else steps.kind
        if division.hashed:
            if hangs_on_arrival(cut.select.ast):
                raise NotDivisible("behind a hash exchange rows arrive in another order, on which something in it hangs")
            tables, anywhere = self._tables(parts, division), self._may_be_cut(cut, parts)
            final = self._final_shares(cut.query, steps, parts, self.inputs.options.workers)
            answers = self._costs.answers_by_hash(tables, kind)
            block = DividedBlock(cut, steps, final=final, tables=tables, may_be_cut=anywhere, answers=answers)
            return block, self._costs.saved_by_hash(parts, whole, tables, answers)
        shares = self._costs.shares(parts, division.keys, whole)
        final = self._final_shares(cut.query, steps, parts, len(shares))
        answers = self._costs.answers(parts, kind)
        return DividedBlock(cut, steps, shares, final, answers=answers), self._costs.saved(parts, whole, shares, answers)

    def _final_shares(self, query: QueryBlock, steps: TwoSteps | None, parts: Sequence[Scan], shares: int) -> FinalShares | None:
        """How what shares answer is put together share by share, where it is much."""
        size = None if steps is None else self._sizes.of(steps, parts, shares)
        least = self.inputs.options.final_bytes
        if steps is None or size is None or size.bytes < least:
            return None
        final = final_shares(query, steps, self, self._rules.is_repeatable)
        if final is None or (
            least and self._sizes.groups(steps.select, final.terms, size.rows)[0] < FEWEST_VALUES * self.inputs.options.workers
        ):
            return None
        return final

    def _two_steps(self, cut: Cut) -> TwoSteps:
        """The two steps of a block, which several ways may have in common."""
        key = (id(cut.select), cut.complete)
        if key not in self._steps:
            self._steps[key] = two_steps(cut.query, self.names, self, self.prefix, complete=cut.complete)
        return self._steps[key]

    # -- hash exchanges -------------------------------------------------------------------------------------------------

    def _tables(self, parts: Sequence[Scan], division: Division) -> tuple[HashedTable, ...]:
        tables = [self._table(scan, key) for scan in parts if (key := division.keys[scan.name]) is not None]
        return tuple(together(tables, {scan.name: self.inputs.predicate(scan) for scan in parts}))

    def _table(self, scan: Scan, key: str) -> HashedTable:
        table = HashedTable(scan, key, self._given(scan, key), (scan.name,))
        known = sorted(self._reductions.of(scan), key=lambda reducer: rows_left(reducer.scan.predicates))
        for reducer in known[:MOST_REDUCERS]:
            if self._costs.reduces(table, reducer):
                reduced = table.reduced * rows_left(reducer.scan.predicates)
                table = replace(table, reducers=(*table.reducers, reducer), reduced=reduced)
        told = any(reducer.column == key for reducer in table.reducers)  # what is in a list of values is not NULL
        return replace(table, not_null=not told and self._reductions.needs_key(scan, key))

    def _given(self, scan: Scan, key: str) -> tuple[Column, ...]:
        """The columns that are needed behind the scan's predicates."""
        if not self._behind_predicates:
            pushed = {id(term) for each in all_scans(self.names.query) for term in each.predicates}
            slim = prune_columns(without_pushed(self.names.query, pushed))
            self._behind_predicates |= {each.name: frozenset(column.name for column in each.needed) for each in all_scans(slim)}
        left = self._behind_predicates[scan.name]
        return tuple(column for column in scan.needed if column.name in left or column.name == key)

    def _may_be_cut(self, cut: Cut, parts: Sequence[Scan]) -> frozenset[str]:
        """The scans that may as well lie anywhere, if all others are whole. Raises ``NotDivisible`` where there is but that one."""
        found = frozenset(scan.name for scan in parts if self._lies_anywhere(cut, scan))
        if found and len(parts) == 1:
            raise NotDivisible("its rows may lie anywhere, and need not be brought together")
        return found

    def _lies_anywhere(self, cut: Cut, scan: Scan) -> bool:
        if scan.name not in self._anywhere:
            try:
                self._anywhere[scan.name] = self._rules.cuts({scan.name: None})
            except NotDivisible:
                self._anywhere[scan.name] = []
        found = self._anywhere[scan.name]
        return len(found) == 1 and found[0].select is cut.select and found[0].complete == cut.complete

    # -- what two steps are written by ----------------------------------------------------------------------------------

    def expression(self, ast: Ast) -> str:
        """An expression as SQL."""
        return print_expression(ast, self.inputs.chain_terms)

    def column_name(self, ast: Ast) -> str | None:
        """What the kernel calls a column of the expression."""
        return self.inputs.catalog.column_name(self.expression(ast))
