"""What a client asks about a statement before it has its values."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from planner.ast import Ast
from planner.bind import Binder
from planner.catalog import Catalog
from planner.errors import InvalidQuery
from planner.limits import SqlLimits, scan_sql
from planner.logical import all_scans
from planner.parameter_types import announced_types
from planner.parse import ParsedSql, parse_scanned
from planner.quoting import folded
from planner.refusals import refuse_by_first_word
from planner.survey import placeholder_count, survey


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement that was parsed: it can be planned any number of times, with any values, also by several threads at once."""

    parsed: ParsedSql

    def parameter_count(self) -> int:
        """How many values it takes for ``?`` or ``$1``, ``$2`` …. Raises ``InvalidQuery`` for a parameter without a number."""
        return placeholder_count(self.parsed.ast, self.parsed)

    def parameter_types(self, catalog: Catalog) -> tuple[pa.DataType, ...]:
        """The types that its parameters should have. Raises as ``plan`` does; opens tables only if there are parameters."""
        count = self.parameter_count()
        return announced_types(self.parsed.ast, count, _columns(self.parsed, count, catalog)) if count else ()


def prepare(sql: str, limits: SqlLimits) -> Prepared:
    """Parses one statement, once. Raises as ``plan`` does where it does not parse, is too long, or is known for no query."""
    scanned = scan_sql(sql, limits)
    refuse_by_first_word(scanned)
    return Prepared(parse_scanned(scanned))


def _columns(parsed: ParsedSql, parameters: int, catalog: Catalog) -> dict[str, str]:
    """The types of the columns of a query's tables, by name in lower case; of a name that has several types in them, none."""
    surveyed = survey(parsed, [None] * parameters)
    query = _query_of(surveyed.ast)
    if query is None:
        return {}
    try:
        bound = Binder(parsed, catalog, surveyed.prefix).query(query)
    except InvalidQuery:
        return {}  # such as read_files(?), whose files only the value names: planning tells whether there is another reason
    tables = {id(scan.table): scan.table for scan in all_scans(bound)}
    columns = [column for table in tables.values() for column in catalog.columns(table)]
    types: dict[str, set[str]] = {}
    for column in columns:
        types.setdefault(folded(column.name), set()).add(column.type)
    return {name: kinds.pop() for name, kinds in types.items() if len(kinds) == 1}


def _query_of(ast: Ast) -> Ast | None:
    """The query of a statement, or the one that it explains."""
    match ast:
        case {"Query": query} | {"Explain": {"statement": {"Query": query}}}:
            found: Ast = query
            return found
        case _:
            return None
