"""What may come next in a SQL text: tables, columns, functions, keywords. Pure: the catalog is passed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from flight_server.client.named_queries import NamedQuery, named_queries
from flight_server.client.sql_scope import TableInScope, tables_in_scope
from flight_server.client.sql_words import FUNCTIONS, KEYWORDS, quoted
from flight_server.client.statements import statement_at
from flight_server.protocol.messages import TableStatus
from planner.tokens import tokens

MAX_CANDIDATES = 60
_WORD = re.compile(r"\w*$")
_OWNER = re.compile(r'("[^"]+"|\w+)\.$')
_WANTS_TABLE = re.compile(r"\b(?:from|join|table|describe|summarize|into)\s+$|\bfrom\b[^()]*,\s*$", re.IGNORECASE)
_PROBE = " x"
_statement_at = lru_cache(maxsize=2)(statement_at)  # a key press asks for it several times


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word to put in, with what it is."""

    text: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """Candidates for the stretch of the text from ``start`` to the caret."""

    start: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the statement at the caret names: the tables of the server among ``tables``, and queries that have names in it."""

    named: Sequence[TableInScope]
    queries: Sequence[NamedQuery]
    tables: Sequence[TableStatus]

    def mentioned(self) -> list[TableStatus]:
        """Tables of the server that the statement names, and no query of its own hides."""
        names = {place.name.lower() for place in self.named} - {query.name.lower() for query in self.queries if query.cte}
        return [table for table in self.tables if table.name.lower() in names]

    def columns(self) -> Iterable[Candidate]:
        """The columns of all that the statement names: of its queries in the order in which they begin, then of tables."""
        for query in self.queries:
            yield from _query_columns(query)
        yield from _columns(self.mentioned())

    def columns_of(self, owner: str) -> Iterable[Candidate]:
        """The columns of what ``owner``, a name or an alias, stands for."""
        aliases = {place.alias.lower(): place.name.lower() for place in self.named}
        own = {query.name.lower(): query for query in self.queries}
        if owner.lower() in own and not (owner.lower() in aliases and own[owner.lower()].cte):
            return _query_columns(own[owner.lower()])
        wanted = aliases.get(owner.lower(), owner.lower())
        if wanted in own:
            return _query_columns(own[wanted])
        return _columns([table for table in self.tables if table.name.lower() == wanted][:1])


def complete(text: str, offset: int, tables: Sequence[TableStatus]) -> Completion | None:
    """What may stand at ``offset``; None if nothing fits, or the caret is in a string or comment."""
    statement = _statement_at(text, offset)
    base = statement.start if statement is not None and statement.start <= offset else 0
    before = text[base:offset]
    start = _word_start(before)
    if start is None:
        return None
    prefix, ahead = before[start:], before[:start]
    found = _ranked(prefix, _candidates(ahead, prefix, _scope(text, offset, tables)))
    return Completion(offset - len(prefix), tuple(found)) if found else None


def mentioned_tables(text: str, offset: int, tables: Sequence[TableStatus]) -> list[TableStatus]:
    """The tables that the statement at ``offset`` names."""
    return _scope(text, offset, tables).mentioned()


def _scope(text: str, offset: int, tables: Sequence[TableStatus]) -> _Scope:
    statement = _statement_at(text, offset)
    if statement is None:
        return _Scope((), (), tables)
    columns = {table.name.lower(): table.columns for table in tables}
    queries = named_queries(statement.text, 0, lambda table: [column.name for column in columns.get(table.lower(), ())])
    return _Scope(tables_in_scope(statement.text, 0), queries, tables)


def _candidates(ahead: str, prefix: str, scope: _Scope) -> Iterable[Candidate]:
    owner = _OWNER.search(ahead)
    if owner is not None:
        yield from scope.columns_of(owner.group(1).strip('"'))
        return
    if _WANTS_TABLE.search(ahead):
        yield from _names(scope)
        return
    yield from scope.columns()
    if prefix:
        word = str.lower if prefix.islower() else str
        yield from (Candidate(word(keyword), "keyword") for keyword in KEYWORDS)
    yield from _names(scope)
    if prefix:
        name = str.upper if prefix.isupper() else str
        yield from (Candidate(name(function) + "(", "function") for function in FUNCTIONS)
        if not scope.mentioned():
            yield from _columns(scope.tables)


def _names(scope: _Scope) -> Iterable[Candidate]:
    """What may stand behind FROM: the statement's own queries, then the tables of the server."""
    yield from (Candidate(quoted(query.name), "query", "WITH") for query in scope.queries if query.cte)
    for table in scope.tables:
        rows = "" if table.rows is None else f"{table.rows:,} rows"
        yield Candidate(quoted(table.name), "table", rows)


def _columns(tables: Sequence[TableStatus]) -> Iterable[Candidate]:
    for table in tables:
        for column in table.columns:
            yield Candidate(quoted(column.name), "column", f"{table.name}  {column.type.lower()}")


def _query_columns(query: NamedQuery) -> Iterable[Candidate]:
    return (Candidate(quoted(column), "column", query.name) for column in query.columns)


def _ranked(prefix: str, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that start with ``prefix``, then those that hold it, each in the order given; nothing twice, nothing already there."""
    wanted = prefix.lower().strip('"')
    starts: dict[str, Candidate] = {}
    holds: dict[str, Candidate] = {}
    for candidate in candidates:
        text = candidate.text.lower().strip('"')
        if text.startswith(wanted):
            starts.setdefault(candidate.text, candidate)
        elif len(wanted) > 1 and wanted in text:
            holds.setdefault(candidate.text, candidate)
    if len(starts) == 1 and prefix in starts:
        return []
    return [*starts.values(), *(item for text, item in holds.items() if text not in starts)][:MAX_CANDIDATES]


def _word_start(before: str) -> int | None:
    """Where the word that is being written at the end of ``before`` begins; None inside a string or a comment."""
    probed = before + _PROBE
    _, start, end = max(tokens(probed), key=lambda token: token[1], default=("", -1, -1))
    if start == len(probed) - 1:  # the probe is a word of its own: nothing is open here
        word = _WORD.search(before)
        return len(before) if word is None else word.start()
    return start if start >= 0 and before[start] == '"' and end == len(probed) else None
