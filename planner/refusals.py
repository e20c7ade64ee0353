"""Statements that are refused for what they are: those that write, and those that need a session to remember them."""

from __future__ import annotations

import re
from itertools import islice

from planner.ast import span_of
from planner.errors import NotReadOnly, NotSupported, PlannerError, position_at
from planner.limits import ScannedSql
from planner.parse import ParsedSql
from planner.tokens import tokens
from planner.words import words

_WRITING = words(
    """
    insert update delete merge create drop alter truncate copy replace upsert comment grant revoke attach detach install load call
    pragma export import vacuum analyze checkpoint cluster refresh
    """
)
_SESSION = words(
    """
    savepoint release prepare execute deallocate declare fetch close lock listen notify
    """
)
_OF_ALL = words("deallocate close")
"""Of nothing, all may be let go."""
_INSTEAD = {
    **dict.fromkeys(("install", "load"), "There are no extensions to load: all functions that there are can be called."),
    "pragma": "Write DESCRIBE t for its columns, SHOW TABLES for the tables, EXPLAIN ANALYZE SELECT … for a profile.",
    **dict.fromkeys(("copy", "export"), "The client writes files: flight query 'SELECT …' -o orders.parquet."),
    **dict.fromkeys(("attach", "detach"), "Data roots and connections are in the server's configuration."),
    "create": "Write WITH name AS (SELECT …) SELECT … FROM name.",
    **dict.fromkeys(("insert", "update", "delete", "merge", "truncate"), "Put files into the data root: the next query reads them."),
}
"""What to do instead, by a statement's first word."""

QUERIES_ONLY = "Send SELECT, VALUES, EXPLAIN, SHOW TABLES or DESCRIBE."


def refuse_by_first_word(scanned: ScannedSql) -> None:
    """Raises ``NotReadOnly`` or ``NotSupported`` for statements that are known by their first word, whether they parse or not."""
    sql = scanned.original
    following = (token for token in tokens(sql) if sql[token[1]] != "(")
    kind, start, stop = next(following, ("end", 0, 0))
    word = sql[start:stop].lower() if kind == "word" else ""
    if word in _OF_ALL and any(sql[start:stop].lower() == "all" for _, start, stop in islice(following, 2)):
        return
    if word in _WRITING or word in _SESSION:
        raise _refusal(word, scanned, start)


def _refusal(word: str, scanned: ScannedSql, offset: int) -> PlannerError:
    position = position_at(scanned.original, offset)
    if word in _WRITING:
        return NotReadOnly(
            f"{word.upper()} is refused: only queries are accepted here",
            sql=scanned.original,
            position=position,
            length=len(word),
            remedy=_INSTEAD.get(word, QUERIES_ONLY),
        )
    return NotSupported(
        f"{word.upper()} as a statement is not supported",
        sql=scanned.original,
        position=position,
        length=len(word),
        remedy="There are no savepoints and no cursors; prepare statements through the client.",
    )


def refused(kind: str, parsed: ParsedSql) -> PlannerError:
    """The error for a statement of a kind that is no query."""
    named = re.sub(r"(?<!^)(?=[A-Z])", " ", kind).upper()
    error = NotSupported if kind.startswith("Show") else NotReadOnly
    return parsed.error(error, f"{named} is refused: only queries are accepted here", span_of(parsed.ast), QUERIES_ONLY)
