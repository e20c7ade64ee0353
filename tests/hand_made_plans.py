"""Physical plans made by hand: graphs of fragments over shares of the tables that a catalog knows."""

from __future__ import annotations

from collections.abc import Sequence

from planner.catalog import Catalog, Column
from planner.physical import ExchangeInput, ExchangeKind, Fragment, PhysicalPlan, PlannedExchange, ScanInput, Share, ShareInput, Split

Part = tuple[Split, ...] | tuple[tuple[Split, ...], str]


def columns(**types: str) -> tuple[Column, ...]:
    """Columns by name and type."""
    return tuple(Column(name, kind) for name, kind in types.items())


def arm(relation: str, exchange: int, /, **types: str) -> ExchangeInput:
    """An input that arrives through an exchange."""
    return ExchangeInput(relation, exchange, columns(**types))


def splits_of(catalog: Catalog, table: str, groups: Sequence[int] | None = None) -> tuple[Split, ...]:
    """A split for each file of a table, with those of its row groups; all, where nothing else is said."""
    found = catalog.table(table, quoted=False)
    assert found is not None, table
    splits = []
    for file in found.files:
        known = catalog.row_groups(file)
        assert known is not None
        chosen = [group for group in known if groups is None or group.index in groups]
        if chosen:
            rows = sum(group.rows for group in chosen)
            splits.append(Split(file, tuple(group.index for group in chosen), chosen[0].first_row, rows, 100))
    return tuple(splits)


def scan(catalog: Catalog, relation: str, table: str) -> ScanInput:
    """A scan of all of a table."""
    found = catalog.table(table, quoted=False)
    assert found is not None, table
    known = catalog.columns(found)
    return ScanInput(relation, table, known, known, splits_of(catalog, table), files_total=len(found.files))


def share(**parts: Part) -> Share:
    """A share of named parts: splits, or splits and a predicate."""
    return Share(tuple(_part(name, part) for name, part in parts.items()))


def _part(name: str, part: Part) -> ShareInput:
    match part:
        case (tuple() as splits, str() as predicate):
            return ShareInput(name, splits, predicate)
        case _:
            return ShareInput(name, part)


def plan_of(catalog: Catalog, *fragments: tuple[Fragment, ExchangeKind, tuple[Column, ...]]) -> PhysicalPlan:
    """A plan of fragments, producers first, each with the kind of its exchange and the columns in it."""
    last, _, result = fragments[-1]
    exchanges = tuple(PlannedExchange(fragment.output, kind, names) for fragment, kind, names in fragments)
    schema = catalog.result_schema(last.sql, {relation.name: relation.columns for relation in last.inputs})
    assert len(schema) == len(result)
    return PhysicalPlan(last.sql, tuple(fragment for fragment, _, _ in fragments), exchanges, schema, "plan")
