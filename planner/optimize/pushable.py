"""Where a conjunct may move to: which scans of a block it may filter before the joins, judged by position alone."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from planner.ast import Ast
from planner.functions import ROW_BY_ROW
from planner.logical import FromItem, Join, JoinedItem, Relation, Scan, Select, relations
from planner.references import References, references


@dataclass(frozen=True, slots=True)
class Movable:
    """A conjunct, what it mentions, and the scans that it may filter if all that it mentions is theirs."""

    conjunct: Ast
    mentioned: References
    scans: tuple[Scan, ...]


Found = Generator[Movable, None, list[Scan]]
"""Yields the conjuncts of ON; returns the scans of which no row is lost or made NULL by an outer join."""


def candidates(select: Select) -> Iterator[Movable]:
    """The conjuncts of WHERE and ON that may move at all."""
    preserved: list[Scan] = []
    for item in select.items:
        kept = yield from _item(item)
        preserved += kept
    yield from _movable(select.conjuncts, preserved)


def _item(item: FromItem) -> Found:
    if any(join.kind == "other" for join in item.joins):
        return []
    preserved: list[Scan] = yield from _relation(item.relation)
    for join in item.joins:
        right: list[Scan] = yield from _relation(join.relation)
        yield from _on(join, preserved, right)
        match join.kind:
            case "inner":
                preserved = preserved + right
            case "right":
                preserved = right
            case "full":
                preserved = []
    return preserved


def _on(join: Join, left: list[Scan], right: list[Scan]) -> Iterator[Movable]:
    match join.kind:
        case "inner":
            yield from _movable(join.on, left + right)
        case "left":
            yield from _movable(join.on, right)
        case "right":
            yield from _movable(join.on, left)


def _relation(relation: Relation) -> Found:
    if isinstance(relation, Scan):
        return [] if relation.sampled or relation.rigid else [relation]
    if isinstance(relation, JoinedItem):
        inner = yield from _item(relation.item)
        return inner if relation.alias is None else []
    return []


def _movable(conjuncts: tuple[Ast, ...], scans: list[Scan]) -> Iterator[Movable]:
    if not scans:
        return
    for conjunct in conjuncts:
        mentioned = references(conjunct)
        fixed = mentioned.subqueries or mentioned.lambdas or mentioned.methods or mentioned.everything or mentioned.stars
        if not fixed and mentioned.functions <= ROW_BY_ROW:
            yield Movable(conjunct, mentioned, tuple(scans))


@dataclass(frozen=True, slots=True)
class BlockNames:
    """The names of a block's FROM: aliases (None where one is not known), and the columns that USING merges."""

    aliases: tuple[str | None, ...]
    merged: frozenset[str]
    natural: bool

    def is_unique(self, alias: str) -> bool:
        """Whether exactly one relation has that alias."""
        return self.aliases.count(alias) == 1


def block_names(select: Select) -> BlockNames:
    """The names of ``select``'s FROM."""
    joins = [join for item in select.items for join in item.joins]
    found = list(relations(select))
    for relation in found:
        if isinstance(relation, JoinedItem):
            joins += relation.item.joins
    merged = frozenset(name for join in joins for name in join.using)
    return BlockNames(tuple(relation.alias for relation in found), merged, any(join.natural for join in joins))
