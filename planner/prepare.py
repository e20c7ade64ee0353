"""What a client asks about a statement before it has its values."""

from __future__ import annotations

import pyarrow as pa

from planner.ast import Ast
from planner.bind import Binder
from planner.catalog import Catalog
from planner.logical import all_scans
from planner.options import PlanOptions
from planner.parameter_types import announced_types
from planner.parse import ParsedSql, parse
from planner.survey import placeholder_count, survey


def parameter_count(sql: str, options: PlanOptions = PlanOptions()) -> int:  # noqa: B008
    """How many values the statement takes for ``?`` or ``$1``, ``$2`` …. Raises as ``plan`` does where it does not parse."""
    parsed = parse(sql, options.limits)
    return placeholder_count(parsed.ast, parsed)


def parameter_types(sql: str, catalog: Catalog, options: PlanOptions = PlanOptions()) -> tuple[pa.DataType, ...]:  # noqa: B008
    """The types that the statement's parameters should have. Raises as ``plan`` does; opens tables only if there are parameters."""
    parsed = parse(sql, options.limits)
    count = placeholder_count(parsed.ast, parsed)
    if not count:
        return ()
    return announced_types(parsed.ast, count, _columns(parsed, count, catalog))


def _columns(parsed: ParsedSql, parameters: int, catalog: Catalog) -> dict[str, str]:
    """The types of the columns of a query's tables, by name in lower case; of a name that has several types in them, none."""
    surveyed = survey(parsed, [None] * parameters)
    query = _query_of(surveyed.ast)
    if query is None:
        return {}
    tables = {id(scan.table): scan.table for scan in all_scans(Binder(parsed, catalog, surveyed.prefix).query(query))}
    columns = [column for table in tables.values() for column in catalog.columns(table)]
    types: dict[str, set[str]] = {}
    for column in columns:
        types.setdefault(column.name.lower(), set()).add(column.type)
    return {name: kinds.pop() for name, kinds in types.items() if len(kinds) == 1}


def _query_of(ast: Ast) -> Ast | None:
    """The query of a statement, or the one that it explains."""
    match ast:
        case {"Query": query} | {"Explain": {"statement": {"Query": query}}}:
            found: Ast = query
            return found
        case _:
            return None
