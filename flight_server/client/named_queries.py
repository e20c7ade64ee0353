"""The queries that a statement gives names to, and their columns where these can be read off: what completion offers beside tables.

Of a text that is still being written, so that nothing is refused: what cannot be read is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flight_server.client.sql_scope import tables_in_scope
from flight_server.client.sql_words import KEYWORDS
from flight_server.client.statements import statement_at
from planner.tokens import tokens
from planner.words import words

_BEGINS_QUERY = words("SELECT FROM WITH VALUES TABLE")
_BEFORE_CTE = words("WITH RECURSIVE")
_BEFORE_SUBQUERY = words("FROM JOIN LATERAL")
_ENDS_COLUMNS = words("FROM WHERE GROUP HAVING ORDER LIMIT OFFSET QUALIFY WINDOW UNION INTERSECT EXCEPT")
_KEYWORDS = frozenset(KEYWORDS)
MAX_STATEMENT_CHARS = 10_000
"""A longer statement is not looked through: this is done while somebody types."""


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query in a statement: ``WITH name AS (…)``, or ``(…) AS name`` where it is no ``cte``."""

    name: str
    columns: tuple[str, ...]
    cte: bool


class _Token(NamedTuple):
    kind: str
    text: str

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else self.text

    @property
    def name(self) -> str | None:
        """What it calls something; None if it is no name."""
        if self.text.startswith('"'):
            return self.text.strip('"').replace('""', '"')
        return self.text if self.kind == "word" and self.upper not in _KEYWORDS else None


def named_queries(text: str, offset: int, columns_of: Callable[[str], Sequence[str]]) -> list[NamedQuery]:
    """The named queries of the statement at ``offset``, in the order in which they begin.

    ``columns_of(table)`` are the columns of a table of the server, none where there is no such table: a star stands for them.
    """
    statement = statement_at(text, offset)
    if statement is None or len(statement.text) > MAX_STATEMENT_CHARS:
        return []
    found: dict[str, NamedQuery] = {}

    def known(table: str) -> Sequence[str]:
        named = found.get(table.lower())
        return columns_of(table) if named is None else named.columns

    all_tokens = [_Token(kind, statement.text[start:end]) for kind, start, end in tokens(statement.text)]
    for query in _named(all_tokens, known):
        found.setdefault(query.name.lower(), query)
    return list(found.values())


def _named(items: Sequence[_Token], known: Callable[[str], Sequence[str]]) -> Iterable[NamedQuery]:
    for number, token in enumerate(items):
        if token.kind != "open" or number + 1 >= len(items) or items[number + 1].upper not in _BEGINS_QUERY:
            continue
        end = _closing(items, number)
        body = items[number + 1 : end]
        head = _cte_head(items[:number])
        if head is not None:
            name, columns = head
            yield NamedQuery(name, columns or tuple(_outputs(body, known)), cte=True)
        elif number and (items[number - 1].upper in _BEFORE_SUBQUERY or items[number - 1].kind == "comma"):
            behind = [item for item in items[end + 1 : end + 3] if item.upper != "AS"]
            alias = behind[0].name if behind else None
            if alias is not None:
                yield NamedQuery(alias, tuple(_outputs(body, known)), cte=False)


def _closing(items: Sequence[_Token], opening: int) -> int:
    """The number of the token that closes the parenthesis ``opening``; behind the last one where none does."""
    depth = 0
    for number in range(opening, len(items)):
        depth += {"open": 1, "close": -1}.get(items[number].kind, 0)
        if depth == 0:
            return number
    return len(items)


def _cte_head(before: Sequence[_Token]) -> tuple[str, tuple[str, ...]] | None:
    """Name and columns, if there are any, of the CTE whose body's parenthesis is behind ``before``; None if it is none."""
    at = len(before)
    while at and before[at - 1].upper in ("MATERIALIZED", "NOT"):
        at -= 1
    if not at or before[at - 1].upper != "AS":
        return None
    at -= 1
    columns: tuple[str, ...] = ()
    if at and before[at - 1].kind == "close":
        opening = max((number for number in range(at) if before[number].kind == "open"), default=0)
        columns = tuple(name for item in before[opening + 1 : at - 1] if (name := item.name) is not None)
        at = opening
    if at < 2 or not (before[at - 2].upper in _BEFORE_CTE or before[at - 2].kind == "comma"):
        return None
    name = before[at - 1].name
    return None if name is None else (name, columns)


def _outputs(body: Sequence[_Token], known: Callable[[str], Sequence[str]]) -> Iterable[str]:
    """The columns of a query whose names can be read off."""
    items = _select_list(body)
    if items is None:
        items = [[_Token("operator", "*")]] if body and body[0].upper == "FROM" else []
    for item in items:
        if item[-1].text == "*" and (len(item) == 1 or item[-2].text == "."):
            yield from _star(body, item, known)
        elif len(item) > 2 and item[1].text == ":" and item[0].name is not None:
            yield item[0].name
        elif len(item) > 1 and item[-2].upper == "AS":
            yield item[-1].name or item[-1].text
        elif item[-1].name is not None and (len(item) == 1 or item[-2].kind != "operator" or item[-2].text == "."):
            yield item[-1].name


def _star(body: Sequence[_Token], item: Sequence[_Token], known: Callable[[str], Sequence[str]]) -> Iterable[str]:
    """What ``*`` or ``owner.*`` stands for."""
    text = " ".join(token.text for token in body)
    owner = item[0].name if len(item) > 1 else None
    for table in tables_in_scope(text, 0):
        if owner is None or owner.lower() in (table.alias.lower(), table.name.lower()):
            yield from known(table.name)


def _select_list(body: Sequence[_Token]) -> list[list[_Token]] | None:
    """The tokens of each column of a query's SELECT; None if it has none."""
    depth = 0
    columns: list[list[_Token]] | None = None
    for token in body:
        depth -= token.kind == "close"
        if columns is None:
            columns = [[]] if depth == 0 and token.upper == "SELECT" else None
        elif depth == 0 and token.upper in _ENDS_COLUMNS:
            break
        elif depth == 0 and token.kind == "comma":
            columns.append([])
        elif not (columns == [[]] and token.upper in ("DISTINCT", "ALL")):
            columns[-1].append(token)
        depth += token.kind == "open"
    return None if columns is None else [column for column in columns if column]
