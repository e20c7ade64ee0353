"""The ways in which a query's tables may be divided, each with where it cuts the query and what it saves.

One large table anywhere; or, by a key, all tables that are written in its order and joined by it; or tables whose rows meet by its hash:
what the rules of ``divide`` allow is a way. It saves bytes that the busiest worker would have read, were it alone, less what the answers
of shares are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.ast import Ast
from planner.catalog import Column
from planner.distribute.answer_sizes import AnswerSize, AnswerSizes
from planner.distribute.costs import Costs
from planner.distribute.divide import Cut, NotDivisible, Rules
from planner.distribute.divisions import Division, Divisions
from planner.distribute.expressions import hangs_on_arrival, sorts_and_limits
from planner.distribute.final_shares import FinalShares, final_shares
from planner.distribute.hashed import HashedTable, together
from planner.distribute.reductions import Reductions
from planner.distribute.scopes import Names
from planner.distribute.selectivity import rows_left
from planner.distribute.sort_ranges import SortRanges, sort_ranges
from planner.distribute.two_steps import OneStep, TwoSteps, rows_wanted, two_steps
from planner.logical import QueryBlock, Scan, Select, all_scans
from planner.optimize.prune_columns import prune_columns
from planner.optimize.pushed import without_pushed
from planner.options import PlanOptions
from planner.physical import Share
from planner.references import references
from planner.render import print_expression
from planner.scan_inputs import ScanInputs
from planner.splits import ScanExtent

FEWEST_VALUES = 8
"""So many values for each worker there must be to tell answers apart by."""
MOST_REDUCERS = 2
"""By so many small tables the rows of a scan are reduced before they go through an exchange."""
FEW_ROWS = 50
"""Of so many first rows the kernel reads what is not sorted by when it knows which they are (its ``late_materialization_max_rows``)."""


@dataclass(frozen=True, slots=True)
class DividedBlock:
    """A block that runs on ``shares``, or on shares of the buckets of its ``tables``, which are told when these are there.

    ``steps`` are None for the whole query where shares answer with rows of the result. ``answers``: about how many bytes all shares give.
    ``final``: they are put together share by share as well; ``ranges``: and so are its rows sorted, which are the result.
    """

    cut: Cut
    steps: TwoSteps | None
    shares: tuple[Share, ...] = ()
    tables: tuple[HashedTable, ...] = ()
    answers: float = 0.0
    final: FinalShares | None = None
    ranges: SortRanges | None = None

    @property
    def divided(self) -> frozenset[str]:
        """The names of the scans of which a share has a part."""
        named = frozenset(part.name for share in self.shares for part in share.inputs)
        return named.union(*(table.readers for table in self.tables))

    @property
    def gathers(self) -> bool:
        """Whether one worker has all that its shares answer."""
        return self.steps is not None and self.final is None and self.ranges is None

    @property
    def gathers_rows(self) -> bool:
        """Whether one worker has all rows of its FROM."""
        return self.gathers and self.steps is not None and self.steps.kind in ("rows", "columns")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to divide tables. ``saved``: bytes, below 0 where it costs more than it saves."""

    division: Division
    blocks: tuple[DividedBlock, ...]
    saved: float

    def without_final_shares(self) -> Way:
        """The way, with all answers put together in one place."""
        return replace(self, blocks=tuple(replace(block, final=None, ranges=None) for block in self.blocks))

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
    costs: Costs = field(init=False)
    _sizes: AnswerSizes = field(init=False)
    _reductions: Reductions = field(init=False)
    _behind_predicates: dict[str, frozenset[str]] = field(default_factory=dict)
    _anywhere: dict[str, list[Cut]] = field(default_factory=dict)
    _steps: dict[tuple[int, bool], TwoSteps] = field(default_factory=dict)
    _finals: dict[int, FinalShares | None] = field(default_factory=dict)
    _by_arrival: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rules = Rules(self.names)
        self.costs = Costs(self.inputs.options, self.extents)
        self._sizes = AnswerSizes(self.names, self.extents)
        self._reductions = Reductions(self.names, self._rules)

    def found(self, large: Sequence[str]) -> list[Way]:
        """All ways to divide one of the ``large`` scans, alone or with others, those that save most first."""
        ways: list[Way] = []
        for division in Divisions(self.names, self.extents, self.costs).suggested(large):
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
        block = DividedBlock(cut, steps)
        if division.hashed:
            if self._hangs_on_arrival(cut.select):
                raise NotDivisible("behind a hash exchange rows arrive in another order, on which something in it hangs")
            if len(parts) == 1 and self._lies_anywhere(cut, parts[0].name):
                raise NotDivisible("its rows may lie anywhere, and need not be brought together")
            block = replace(block, tables=self._tables(parts, division))
        else:
            block = replace(block, shares=self.costs.shares(parts, division.keys, whole, streams=streams))
        together = 0.0
        if steps is not None:
            block = self._with_answers(block, steps, parts)
            if block.gathers_rows and not self.inputs.options.forced and _multiplies(cut.select):
                raise NotDivisible("how many rows its joins make, which one worker would have to hold, is not known")
            together = self.costs.together(block.answers, steps.kind, shared=not block.gathers)
        if division.hashed:
            return block, self.costs.saved_by_hash(parts, whole, block.tables, together)
        return block, self.costs.saved(parts, whole, block.shares, together) - self._left_unread(cut, steps, inside)

    def _left_unread(self, cut: Cut, steps: TwoSteps | None, inside: Sequence[Scan]) -> int:
        """Bytes that one worker would not read: of a small LIMIT's rows alone the kernel reads more than what it sorts and compares, and
        of that about half, since it passes over what cannot come first any more.
        """
        rows = rows_wanted(cut.query.ast)
        if steps is None or steps.kind != "first" or len(inside) > 1 or rows is None or rows > FEW_ROWS:
            return 0
        (scan,) = inside
        if self.inputs.catalog.is_elsewhere(scan.table.files[0]):
            return 0  # what is not here is fetched before the kernel begins
        mentioned = references(cut.query.ast["order_by"], *cut.select.conjuncts)
        read = tuple(column for column in scan.needed if mentioned.needs(column.name, scan.alias))
        return self.costs.bytes([scan]) - self.costs.bytes([replace(scan, needed=read)]) // 2

    def _with_answers(self, block: DividedBlock, steps: TwoSteps, parts: Sequence[Scan]) -> DividedBlock:
        """The block with what its shares answer, and how that is put together."""
        options, query = self.inputs.options, block.cut.query
        size = self._sizes.of(steps, parts, len(block.shares) or options.workers * options.splits_per_worker)
        guess = self.costs.answers_by_hash(block.tables, steps.kind) if block.tables else self.costs.answers(parts, steps.kind)
        block = replace(block, answers=size.bytes if size is not None and steps.kind in ("groups", "distinct") else guess)
        if size is None:
            return block
        final = self._final_shares(query, steps, size) if size.bytes >= options.final_bytes else None
        ranges = None
        if query is self.names.query and size.groups * size.width >= options.sort_bytes:
            ranges = sort_ranges(query, steps if final is None else final.rest, self.extents, options.workers)
        return replace(block, final=final, ranges=ranges)

    def _final_shares(self, query: QueryBlock, steps: TwoSteps, size: AnswerSize) -> FinalShares | None:
        """How what shares answer is put together share by share, where there is enough to tell it apart by."""
        options = self.inputs.options
        if id(steps) not in self._finals:
            self._finals[id(steps)] = final_shares(query, steps, self, self._rules.is_repeatable)
        final = self._finals[id(steps)]
        if final is None or not options.final_bytes:
            return final
        values, _ = self._sizes.groups(steps.select, final.terms, size.rows)
        return final if values >= FEWEST_VALUES * options.workers else None

    def _two_steps(self, cut: Cut) -> TwoSteps:
        """The two steps of a block, which several ways may have in common."""
        key = (id(cut.select), cut.complete)
        if key not in self._steps:
            self._steps[key] = two_steps(cut.query, self.names, self, self.prefix, complete=cut.complete)
        return self._steps[key]

    def _hangs_on_arrival(self, select: Select) -> bool:
        if id(select) not in self._by_arrival:
            self._by_arrival[id(select)] = hangs_on_arrival(select.ast)
        return self._by_arrival[id(select)]

    # -- hash exchanges -------------------------------------------------------------------------------------------------

    def _tables(self, parts: Sequence[Scan], division: Division) -> tuple[HashedTable, ...]:
        tables = [self._table(scan, key) for scan in parts if (key := division.keys[scan.name]) is not None]
        return tuple(together(tables, {scan.name: self.inputs.predicate(scan) for scan in parts}))

    def _table(self, scan: Scan, key: str) -> HashedTable:
        table = HashedTable(scan, key, self._given(scan, key), (scan.name,))
        known = sorted(self._reductions.of(scan), key=lambda reducer: rows_left(reducer.scan.predicates))
        for reducer in known[:MOST_REDUCERS]:
            if self.costs.reduces(table, reducer):
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

    @property
    def once(self) -> set[int]:
        """The trees of subqueries and CTEs that are to be evaluated once for all shares that see them whole."""
        return self._rules.once

    def may_be_cut(self, block: DividedBlock) -> frozenset[str]:
        """The names of scans whose rows of one bucket may be divided further, if those of all others are not."""
        readers = [name for table in block.tables for name in table.readers]
        return frozenset(name for name in readers if self._lies_anywhere(block.cut, name))

    def _lies_anywhere(self, cut: Cut, name: str) -> bool:
        """Whether the block may as well be run on shares of the scan of that name alone, wherever its rows lie."""
        if name not in self._anywhere:
            try:
                self._anywhere[name] = self._rules.cuts({name: None})
            except NotDivisible:
                self._anywhere[name] = []
        found = self._anywhere[name]
        return len(found) == 1 and found[0].select is cut.select and found[0].complete == cut.complete

    # -- what two steps are written by ----------------------------------------------------------------------------------

    def expression(self, ast: Ast) -> str:
        """An expression as SQL."""
        return print_expression(ast, self.inputs.chain_terms)

    def column_name(self, ast: Ast) -> str | None:
        """What the kernel calls a column of the expression."""
        return self.inputs.catalog.column_name(self.expression(ast))
