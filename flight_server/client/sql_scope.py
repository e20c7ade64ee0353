"""Which tables a statement reads, as far as it has been written: what completion offers first."""

from __future__ import annotations

from typing import NamedTuple

from flight_server.client.statements import statement_at
from planner.tokens import tokens
from planner.words import words

_BEFORE_TABLE = frozenset(["FROM", "JOIN", "INTO", "TABLE", "DESCRIBE", "SUMMARIZE"])
_AFTER_TABLES = words(
    """
    SELECT WHERE GROUP HAVING ORDER LIMIT OFFSET QUALIFY WINDOW UNION INTERSECT EXCEPT ON USING JOIN INNER LEFT RIGHT FULL OUTER CROSS
    NATURAL SEMI ANTI ASOF POSITIONAL PIVOT UNPIVOT TABLESAMPLE FETCH FOR
    """
)


class TableInScope(NamedTuple):
    """A table, and the name by which the statement calls it."""

    name: str
    alias: str


def tables_in_scope(text: str, offset: int) -> list[TableInScope]:
    """The tables that the statement at ``offset`` names after FROM and JOIN, in their order; subqueries' tables are among them."""
    statement = statement_at(text, offset)
    if statement is None:
        return []
    found: list[TableInScope] = []
    expecting = False  # a table, and then what may be its alias
    listing = False  # whether a comma brings another
    for kind, start, end in tokens(statement.text):
        word = statement.text[start:end]
        upper = word.upper()
        if kind == "word" and upper in _BEFORE_TABLE:
            expecting, listing = True, True
        elif kind == "word" and upper in _AFTER_TABLES:
            expecting = listing = False
        elif kind == "word" or word.startswith('"'):
            name = word[1:-1].replace('""', '"') if word.startswith('"') else word
            if expecting:
                found.append(TableInScope(name, name))
                expecting = False
            elif listing and found and upper != "AS":
                found[-1] = found[-1]._replace(alias=name)
        elif kind == "comma":
            expecting = listing
        elif word == "." and found and listing:
            found.pop()  # that was a schema: the table comes now
            expecting = True
        elif kind == "open":
            expecting = listing = False
    return found
