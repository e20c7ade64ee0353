"""What the fragments and exchanges of a graph say of themselves to people: by what they are divided, and about how much goes through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.choices import DividedBy, DividedTable
from planner.distribute.building import Graph
from planner.distribute.divisions import Division
from planner.distribute.scopes import Names
from planner.distribute.ways import DividedBlock, Way
from planner.logical import Scan, all_scans
from planner.physical import ExchangeInput, Fragment, PlannedExchange, ScanInput

ANSWERS = "answers"
"""What people call the rows of an exchange that come from a block, and not from a table."""


def divided_tables(division: Division, told: Mapping[str, str]) -> tuple[DividedTable, ...]:
    """By what the scans of a division are divided. ``told``: what all scans of the query are called, in their order."""
    return tuple(DividedTable(name, table, *by(division, name)) for name, table in told.items() if name in division.keys)


def by(division: Division, name: str) -> tuple[DividedBy, str | None]:
    """By what a division divides the scan of that name, and by which column."""
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


def labelled(graph: Graph, names: Names, taken: Sequence[Way]) -> Graph:
    """The graph of the ways that were taken, with all that it says of itself."""
    return GraphLabels(graph, names, taken).graph()


@dataclass(slots=True)
class GraphLabels:
    """Finds it, in the ways that were taken: a scan has one name in all of them, and in the graph."""

    built: Graph
    names: Names
    taken: Sequence[Way]
    _tables: Mapping[str, str] = field(init=False)
    _divisions: dict[str, Division] = field(init=False)
    _blocks: dict[str, DividedBlock] = field(default_factory=dict)
    """Of each scan, the innermost block that has it in its FROM or WHERE."""
    _producers: dict[int, Fragment] = field(init=False)

    def __post_init__(self) -> None:
        self._tables = told_tables(all_scans(self.names.query))
        self._divisions = {name: way.division for way in self.taken for name in way.division.keys}
        self._producers = {fragment.output: fragment for fragment in self.built[0]}
        for block in (block for way in self.taken for block in way.blocks):
            for scan in block.cut.inside():
                self._blocks.setdefault(scan.name, block)  # blocks inside of others come before them

    def graph(self) -> Graph:
        """The graph, with it."""
        fragments, exchanges = self.built
        divided = tuple(replace(fragment, division=tuple(self._division(fragment))) for fragment in fragments)
        return divided, tuple(map(self._labelled, exchanges))

    def _division(self, fragment: Fragment) -> list[DividedTable]:
        tables: list[DividedTable] = []
        for arm in fragment.inputs:
            if arm.name not in fragment.divided:
                continue
            division = self._divisions.get(arm.name)
            if division is None:
                told = self._of_answers(arm.exchange) if isinstance(arm, ExchangeInput) else None
                tables += () if told is None else (DividedTable(arm.name, ANSWERS, *told),)
            elif division.hashed and isinstance(arm, ScanInput):  # on its way into an exchange
                tables.append(DividedTable(arm.name, self._tables[arm.name]))
            else:
                tables.append(DividedTable(arm.name, self._tables[arm.name], *by(division, arm.name)))
        return tables

    def _labelled(self, exchange: PlannedExchange) -> PlannedExchange:
        if exchange.kind == "result":
            return exchange
        label = ""
        if exchange.kind == "hash":
            arms = (arm for fragment in self.built[0] for arm in fragment.inputs if isinstance(arm, ExchangeInput))
            reader = next((arm.name for arm in arms if arm.exchange == exchange.id and arm.name in self._divisions), None)
            told = self._of_answers(exchange.id) if reader is None else by(self._divisions[reader], reader)
            label = "" if told is None else f"{told[0]} of {told[1]}"
        size = exchange.estimated_bytes
        if size is None:
            divided = self._producers[exchange.id].divided
            size = next((round(block.answers) for name, block in self._blocks.items() if name in divided), None)
        return replace(exchange, estimated_bytes=size, label=label)

    def _of_answers(self, exchange: int) -> tuple[DividedBy, str] | None:
        """By what the answers in an exchange are divided, in the words of the query."""
        producer = self._producers[exchange]
        block = self._block(producer)
        if block is None:
            return None
        puts_together = any(isinstance(arm, ExchangeInput) and arm.bucketed and arm.name not in self._divisions for arm in producer.inputs)
        if block.ranges is not None and (block.final is None or puts_together):
            return "ranges", block.ranges.key
        if block.final is None:
            return None
        return "hash", ", ".join(block.final.first.writer.expression(term) for term in block.final.terms)

    def _block(self, fragment: Fragment) -> DividedBlock | None:
        """Whose fragment it is."""
        for arm in fragment.inputs:
            if arm.name in fragment.divided:
                if arm.name in self._blocks:
                    return self._blocks[arm.name]
                if isinstance(arm, ExchangeInput):
                    return self._block(self._producers[arm.exchange])
        return None
