"""The ways in which a query's tables may be divided, each with where it cuts the query and what it saves.

One large table anywhere, or, by a key, all tables that are written in its order and joined by it: what the rules of ``divide`` allow is a
way. It saves bytes that the busiest worker would have read, were it alone, less what the answers of shares are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from planner.ast import Ast, walk
from planner.distribute.classes import Pair
from planner.distribute.costs import Costs, Divided
from planner.distribute.disjoint_sets import DisjointSets
from planner.distribute.divide import Cut, NotDivisible, Rules
from planner.distribute.expressions import sorts_and_limits
from planner.distribute.ranges import KeyedScan
from planner.distribute.scopes import Names
from planner.distribute.two_steps import OneStep, TwoSteps, two_steps
from planner.logical import QueryBlock, Scan, all_scans, joins_below
from planner.options import PlanOptions
from planner.physical import Share
from planner.render import print_expression
from planner.scan_inputs import ScanInputs
from planner.splits import ScanExtent


@dataclass(frozen=True, slots=True)
class DividedBlock:
    """A block that runs on ``shares``. ``steps`` are None for the whole query where shares answer with rows of the result."""

    cut: Cut
    steps: TwoSteps | None
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to divide tables. ``saved``: bytes, below 0 where it costs more than it saves."""

    divided: Divided
    blocks: tuple[DividedBlock, ...]
    saved: float

    def meets(self, other: Way) -> bool:
        """Whether both divide the same block, or one what is inside the other's."""
        return any(not _are_apart(one, two) for one in self.blocks for two in other.blocks)


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
    refused: list[tuple[Divided, str]] = field(default_factory=list)
    """What cannot be divided for certain, and why."""
    _rules: Rules = field(init=False)
    _costs: Costs = field(init=False)

    def __post_init__(self) -> None:
        self._rules = Rules(self.names)
        self._costs = Costs(self.inputs.options, self.extents)

    def found(self, large: Sequence[str]) -> list[Way]:
        """All ways to divide one of the ``large`` scans, alone or with others, those that save most first."""
        divisions: list[Divided] = [{name: None} for name in large]
        divisions += [keys for keys in self._aligned() if not keys.keys().isdisjoint(large)]
        ways = (self._way(divided) for divided in divisions)
        return sorted((way for way in ways if way is not None), key=lambda way: way.saved, reverse=True)

    def _way(self, divided: Divided) -> Way | None:
        try:
            found = self._rules.cuts(divided)
            blocks, saved = [], 0.0
            claimed: set[str] = set()  # by blocks inside of those that follow
            for cut in found:
                inside = [scan for scan in cut.inside() if scan.name not in claimed]
                claimed.update(scan.name for scan in inside)
                block, part = self._block(cut, inside, divided, alone=len(found) == 1)
                blocks.append(block)
                saved += part
        except (NotDivisible, OneStep) as error:
            self.refused.append((divided, str(error)))
            return None
        return Way(divided, tuple(blocks), saved) if blocks else None

    def _block(self, cut: Cut, inside: Sequence[Scan], divided: Divided, *, alone: bool) -> tuple[DividedBlock, float]:
        """The block, and what it saves."""
        parts = [scan for scan in inside if scan.name in divided]
        whole = [scan for scan in inside if scan.name not in divided]
        streams = alone and cut.query is self.names.query and cut.complete and not sorts_and_limits(cut.query.ast)
        steps = None if streams else two_steps(cut.query, self.names, self, self.prefix, complete=cut.complete)
        if steps is not None and steps.ends_early and not self.inputs.options.forced:
            raise NotDivisible("a LIMIT ends the scan early")
        if steps is not None and steps.kind in ("rows", "columns") and len(inside) > 1 and not self.inputs.options.forced:
            raise NotDivisible("how many rows its joins make, which one worker would have to hold, is not known")
        shares = self._costs.shares(parts, divided, whole, streams=streams)
        return DividedBlock(cut, steps, shares), self._costs.saved(parts, whole, shares, None if steps is None else steps.kind)

    def _aligned(self) -> Iterator[dict[str, str | None]]:
        """For each key that tables are joined by, those of them that may be written in its order."""
        joined: DisjointSets[tuple[str, str]] = DisjointSets()
        for pair in self._compared():
            ids = [(origin[0].name, origin[1]) for column in pair if (origin := self.names.origin(column)) is not None]
            if len(ids) == 2 and self.names.type(pair[0]) == self.names.type(pair[1]):
                joined.join(ids[0], ids[1])
        named = {scan.name: scan for scan in all_scans(self.names.query)}
        for columns in joined.sets():
            keys: dict[str, str | None] = {}
            for name, key in columns:
                if KeyedScan(named[name], key, self.extents[name]).may_be_aligned():
                    keys.setdefault(name, key)
            if len(keys) > 1:
                yield keys

    def _compared(self) -> Iterator[Pair]:
        """Pairs of columns that are set equal anywhere, as they stand in their own blocks."""
        for node in walk(self.names.query.ast):
            if "BinaryOp" in node and node["BinaryOp"]["op"] == "Eq":
                one, other = self.names.column(node["BinaryOp"]["left"]), self.names.column(node["BinaryOp"]["right"])
            elif "InSubquery" in node:
                query = self.names.subquery(node["InSubquery"]["subquery"])
                outputs = None if query is None else self.names.outputs(query)
                one, other = self.names.column(node["InSubquery"]["expr"]), outputs[0].column if outputs else None
            else:
                continue
            if one is not None and other is not None:
                yield one, other
        for join in joins_below(self.names.query):
            for one, other in self.names.using(join) or ():
                if one is not None and other is not None:
                    yield one, other

    # -- what two steps are written by ----------------------------------------------------------------------------------

    def expression(self, ast: Ast) -> str:
        """An expression as SQL."""
        return print_expression(ast, self.inputs.chain_terms)

    def column_name(self, ast: Ast) -> str | None:
        """What the kernel calls a column of the expression."""
        return self.inputs.catalog.column_name(self.expression(ast))
