"""What a client asks about a statement before it has its values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa

from planner.ast import Ast, walk
from planner.catalog import Catalog
from planner.errors import InvalidQuery, PlannerError
from planner.limits import SqlLimits, scan_sql
from planner.logical import all_scans
from planner.options import PlanOptions
from planner.parameter_places import ParameterPlace, parameter_places
from planner.parameter_probes import Probes
from planner.parameter_types import told_types
from planner.parse import CHAIN_TERMS_ON_ANY_STACK, ParsedSql, parse_scanned
from planner.query import QueryPlanner
from planner.quoting import folded
from planner.refusals import refuse_by_first_word
from planner.survey import Outline, outline

MAX_PROBES = 32
"""So many places are asked about: each costs the kernel about a millisecond."""


NODE_BYTES = 2_000
"""What a node of a syntax tree takes at most, with its span and what hangs on it."""


@dataclass(frozen=True)
class Prepared:
    """A statement that was parsed: it can be planned any number of times, with any values, also by several threads at once."""

    parsed: ParsedSql

    def parameter_count(self) -> int:
        """How many values it takes for ``?`` or ``$1``, ``$2`` …. Raises ``InvalidQuery`` for a parameter without a number."""
        return self.outline.count

    @cached_property
    def outline(self) -> Outline:
        """What can be known without values: looked for once. Raises ``AccessRefused`` and ``InvalidQuery``."""
        return outline(self.parsed)

    @cached_property
    def size_bytes(self) -> int:
        """How much memory it takes at most, about."""
        return len(self.parsed.sql) + NODE_BYTES * sum(1 for _ in walk(self.parsed.ast))

    def parameter_types(self, catalog: Catalog) -> tuple[pa.DataType, ...]:
        """The types that its parameters should have. Raises as ``plan`` does; opens tables only if there are parameters."""
        count = self.parameter_count()
        found = _types(self.outline, catalog) if count else {}
        return tuple(found.get(number, pa.string()) for number in range(1, count + 1))


def prepare(sql: str, limits: SqlLimits) -> Prepared:
    """Parses one statement, once. Raises as ``plan`` does where it does not parse, is too long, or is known for no query."""
    scanned = scan_sql(sql, limits)
    refuse_by_first_word(scanned)
    return Prepared(parse_scanned(scanned))


def nulls(types: Iterable[pa.DataType]) -> list[pa.Scalar]:
    """A NULL of each type."""
    return [pa.scalar(None, kind) for kind in types]


def examples(types: Iterable[pa.DataType]) -> list[pa.Scalar]:
    """A value of each announced type, of which the kernel tells more than of NULL."""
    return [_example(kind) for kind in types]


def _example(kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_list(kind):
        return pa.scalar([_example(kind.value_type).as_py()], kind)
    if pa.types.is_interval(kind):
        return pa.scalar(pa.MonthDayNano([0, 1, 0]), kind)
    if pa.types.is_temporal(kind):
        return pa.scalar(1, pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind)
    return pa.scalar("1").cast(kind)


def _types(statement: Outline, catalog: Catalog) -> dict[int, pa.DataType]:
    """The types of the parameters, by number, of which something tells one."""
    parsed = statement.parsed
    places = list(parameter_places(parsed.ast))
    try:
        columns = _columns(QueryPlanner(statement, catalog, PlanOptions(), nulls([pa.null()] * statement.count), named=False))
    except InvalidQuery:
        # Such as read_files(?), whose files only the value names: planning tells whether there is another reason.
        return told_types(places, {})
    found = told_types(places, columns)
    if parsed.scanned.chain_terms <= CHAIN_TERMS_ON_ANY_STACK:
        _ask(parsed, places, found, catalog)
    for place in places:
        if place.otherwise is not None:
            found.setdefault(place.number, place.otherwise)
    return found


def _ask(parsed: ParsedSql, places: list[ParameterPlace], found: dict[int, pa.DataType], catalog: Catalog) -> None:
    """Adds to what was ``found`` the types that only the kernel can tell."""
    # What was found helps to find more, as NULL without a type may leave the kernel a choice. It takes integers of some widths only.
    known: dict[int, pa.DataType] = {}
    probes = Probes(parsed.ast, lambda ast: _refusal(replace(parsed, ast=ast), known, catalog))
    for place in [place for place in places if place.number not in found][:MAX_PROBES]:
        known |= {number: kind for number, kind in found.items() if not pa.types.is_integer(kind)}
        kind = None if place.number in found else probes.type(place)
        if kind is not None:
            found[place.number] = kind


def _columns(planner: QueryPlanner) -> dict[str, str]:
    """The types of the columns of a query's tables, by name in lower case; of a name that may mean several things, none."""
    query = _query_of(planner.surveyed.ast)
    if query is None:
        return {}
    tables = {id(scan.table): scan.table for scan in all_scans(planner.binder.query(query))}
    types: dict[str, set[str]] = {}
    for column in (column for table in tables.values() for column in planner.catalog.columns(table)):
        types.setdefault(folded(column.name), set()).add(column.type)
    given = {folded(str(name["value"])) for node in walk(query) for name in _given_names(node)}
    return {name: kinds.pop() for name, kinds in types.items() if len(kinds) == 1 and name not in given}


def _given_names(node: Ast) -> Iterator[Ast]:
    """The names that a part of a statement gives to columns."""
    match node:
        case {"ExprWithAlias": {"alias": name}}:
            yield name
        case {"columns": [*columns], "name": _}:
            yield from (column["name"] for column in columns if type(column) is dict and "name" in column)


def _refusal(parsed: ParsedSql, known: Mapping[int, pa.DataType], catalog: Catalog) -> str | None:
    """What the kernel says against a statement with NULL for its parameters, of the types that are ``known``."""
    statement = outline(parsed)
    values = nulls(known.get(number, pa.null()) for number in range(1, statement.count + 1))
    planner = QueryPlanner(statement, catalog, PlanOptions(), values, named=False)
    query = _query_of(planner.surveyed.ast)
    try:
        return None if query is None else planner.refusal(query)
    except PlannerError:
        return None  # it does not come as far as the kernel, and planning tells why


def _query_of(ast: Ast) -> Ast | None:
    """The query of a statement, or the one that it explains."""
    match ast:
        case {"Query": query} | {"Explain": {"statement": {"Query": query}}}:
            found: Ast = query
            return found
        case _:
            return None
