"""What may come next in a SQL text: tables, columns, functions, keywords. Pure: the catalog is passed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flight_server.client.sql_words import FUNCTIONS, KEYWORDS, quoted
from flight_server.client.statements import statement_at
from flight_server.protocol.messages import TableStatus

MAX_CANDIDATES = 60
_PREFIX = re.compile(r'(?:"[^"]*|[\w]+)?$')
_OWNER = re.compile(r'("[^"]+"|\w+)\.$')
_SOURCE = re.compile(r'\b(?:from|join|,)\s+("[^"]+"|[^\W\d]\w*)(?:\s+(?:as\s+)?("[^"]+"|[^\W\d]\w*))?', re.IGNORECASE)
_WANTS_TABLE = re.compile(r"\b(?:from|join|table|describe|into)\s+$|\bfrom\b[^()]*,\s*$", re.IGNORECASE)


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


def complete(text: str, offset: int, tables: Sequence[TableStatus]) -> Completion | None:
    """What may stand at ``offset``; None if nothing fits, or the caret is in a string or comment."""
    statement = statement_at(text, offset)
    base = statement.start if statement is not None and statement.start <= offset else 0
    before = text[base:offset]
    if _in_literal(before):
        return None
    match = _PREFIX.search(before)
    assert match is not None
    prefix = match.group()
    ahead = before[: match.start()]
    body = text[base : statement.end] if statement is not None else before
    found = _ranked(prefix, _candidates(ahead, prefix, body, tables))
    return Completion(offset - len(prefix), tuple(found)) if found else None


def mentioned_tables(text: str, offset: int, tables: Sequence[TableStatus]) -> list[TableStatus]:
    """The tables that the statement at ``offset`` names."""
    statement = statement_at(text, offset)
    return [] if statement is None else _mentioned(statement.text, tables)


def _candidates(ahead: str, prefix: str, body: str, tables: Sequence[TableStatus]) -> Iterable[Candidate]:
    owner = _OWNER.search(ahead)
    if owner is not None:
        table = _resolve(owner.group(1).strip('"'), body, tables)
        yield from _columns([table] if table is not None else [])
        return
    if _WANTS_TABLE.search(ahead):
        yield from _tables(tables)
        return
    if not prefix:
        yield from _columns(_mentioned(body, tables))
        yield from _tables(tables)
        return
    mentioned = _mentioned(body, tables)
    yield from _columns(mentioned)
    upper = prefix.isupper()
    lower = prefix.islower()
    yield from (Candidate(word.lower() if lower else word, "keyword") for word in KEYWORDS)
    yield from _tables(tables)
    yield from (Candidate((name.upper() if upper else name) + "(", "function") for name in FUNCTIONS)
    if not mentioned:
        yield from _columns(tables)


def _tables(tables: Sequence[TableStatus]) -> Iterable[Candidate]:
    for table in tables:
        rows = "" if table.rows is None else f"{table.rows:,} rows"
        yield Candidate(quoted(table.name), "table", rows)


def _columns(tables: Sequence[TableStatus]) -> Iterable[Candidate]:
    for table in tables:
        for column in table.columns:
            yield Candidate(quoted(column.name), "column", f"{table.name}  {column.type.lower()}")


def _mentioned(body: str, tables: Sequence[TableStatus]) -> list[TableStatus]:
    names = {match.group(1).strip('"').lower() for match in _SOURCE.finditer(body)}
    return [table for table in tables if table.name.lower() in names]


def _resolve(owner: str, body: str, tables: Sequence[TableStatus]) -> TableStatus | None:
    """The table that ``owner``, a table's name or an alias, stands for."""
    aliases = {(match.group(2) or "").strip('"').lower(): match.group(1).strip('"').lower() for match in _SOURCE.finditer(body)}
    wanted = aliases.get(owner.lower(), owner.lower())
    return next((table for table in tables if table.name.lower() == wanted), None)


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


def _in_literal(before: str) -> bool:
    """Whether the end of ``before`` is inside a string or a comment."""
    stripped = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*\n|/\*.*?\*/", " ", before, flags=re.DOTALL)
    return "'" in stripped or "--" in stripped or "/*" in stripped
