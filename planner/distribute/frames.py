"""What a FROM shows to names: its relations by their aliases, their columns, and those that USING made one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from planner.distribute.meanings import BoundColumn
from planner.logical import JoinKind, Relation, Select

StarColumn = tuple[str | None, "Source | None"]
"""A column of ``*``: its folded name, None for one that no one writes without quotes; whose it is, None for either side's of a join."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A relation, its columns' names by their folded forms, and the folded names in order (None for one derived from a text).

    Both are None where the columns are not known.
    """

    relation: Relation
    columns: Mapping[str, str] | None = None
    order: tuple[str | None, ...] | None = None

    def column(self, name: str, depth: int = 0) -> BoundColumn | None:
        """The column of that folded name, if it is known to be there."""
        written = None if self.columns is None else self.columns.get(name)
        return None if written is None else BoundColumn(self.relation, written, depth)


@dataclass(slots=True)
class Frame:
    """``names`` says whose column a bare name is: None where it may be several's. ``relations`` says the same of aliases.

    ``stars`` are the columns that ``*`` stands for, None where they are not known. ``unknown``: there are columns of which no names are
    known. ``derived``: there are columns whose names are derived from a text.
    """

    names: dict[str, Source | None] = field(default_factory=dict)
    relations: dict[str, Source | None] = field(default_factory=dict)
    stars: list[StarColumn] | None = field(default_factory=list)
    unknown: bool = False
    derived: bool = False

    @classmethod
    def of(cls, source: Source, alias: str | None) -> Frame:
        """The frame of one relation."""
        relations: dict[str, Source | None] = {} if alias is None else {alias: source}
        if source.columns is None or source.order is None:
            return cls({}, relations, None, unknown=True)
        names: dict[str, Source | None] = dict.fromkeys(source.columns, source)
        return cls(names, relations, [(name, source) for name in source.order], derived=None in source.order)

    def copy(self) -> Frame:
        """A frame to be changed apart from this one."""
        return Frame(dict(self.names), dict(self.relations), self.stars, self.unknown, self.derived)

    def add(self, other: Frame) -> None:
        """Puts another frame's relations beside these, as a comma between them does."""
        _merge(self.names, other.names)
        _merge(self.relations, other.relations)
        self.stars = None if self.stars is None or other.stars is None else self.stars + other.stars
        self.unknown |= other.unknown
        self.derived |= other.derived

    def join(self, other: Frame, kind: JoinKind, using: Iterable[str]) -> None:
        """Joins another frame to this one; the columns of ``using`` become one."""
        merged = {name: self._merged(name, other, kind) for name in using}
        if not merged:
            self.add(other)
            return
        left, right = self.stars, other.stars
        self.add(other)
        self.names |= merged
        if left is not None and right is not None:
            self.stars = [(name, merged.get(name or "", source)) for name, source in left]
            self.stars += [(name, source) for name, source in right if name not in merged]

    def _merged(self, name: str, other: Frame, kind: JoinKind) -> Source | None:
        if kind in ("inner", "left"):
            return self.names.get(name)
        return other.names.get(name) if kind == "right" else None

    def common(self, other: Frame) -> tuple[str, ...] | None:
        """The columns that NATURAL makes one; None where they are not known."""
        if self.unknown or other.unknown or self.derived or other.derived:
            return None
        return tuple(name for name in self.names if name in other.names)

    def column(self, name: str) -> BoundColumn | None:
        """The column of that folded name, if it is one relation's."""
        source = self.names.get(name)
        return None if source is None else source.column(name)


def _merge(into: dict[str, Source | None], other: dict[str, Source | None]) -> None:
    twice = into.keys() & other.keys()
    into |= other
    if twice:
        into |= dict.fromkeys(twice)


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Where a name stands: what its FROM shows, the aliases of the select list (-1 for one that several items have), and the scope
    around. ``step``: 1 if that is of the block around, 0 if of the same block. ``item``: aliases of items before that one count.
    """

    frame: Frame
    outer: Scope | None = None
    step: int = 1
    aliases: Mapping[str, int] = field(default_factory=dict)
    clause: str = "from"
    item: int = 0
    select: Select | None = None
