"""What a fragment does to its rows, named from its SQL: the title that a plan shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.tokens import tokens

ORDER = ("join", "filter", "aggregate", "window", "distinct", "union", "except", "intersect", "sort", "limit")
# What a query without GROUP BY is known by; FILTER (…) follows aggregates only.
_COUNTING = ("COUNT", "SUM", "AVG", "MIN", "MAX", "MEDIAN", "MODE", "STDDEV", "VARIANCE", "QUANTILE")
_AGGREGATES = frozenset((*_COUNTING, "COMBINE_AGGR", "STRING_AGG", "ARRAY_AGG", "LIST", "ANY_VALUE", "FIRST", "LAST", "FILTER"))
_QUERY_WORDS = frozenset(("SELECT", "WITH", "FROM", "VALUES"))


@dataclass(slots=True)
class _Bracket:
    """An open bracket: the word before it, and whether a query stands inside."""

    before: str
    query: bool


def title(sql: str, inputs: Sequence[str], relations: int | None = None) -> str:
    """``aggregate, sort: orders, people`` of a fragment that reads the tables ``inputs``; ``scan orders`` where it only reads.

    ``relations``: so many relations it reads, where one is made of several tables.
    """
    found = operations(sql)
    if (len(inputs) if relations is None else relations) > 1 and not found & {"join", "union", "except", "intersect"}:
        found |= {"join"}  # tables with commas between them, or in a subquery
    names = ", ".join(dict.fromkeys(inputs))
    named = ", ".join(name for name in ORDER if name in found)
    if found <= {"filter"} and names:
        return ", ".join(f"scan {name}" for name in dict.fromkeys(inputs))
    return f"{named}: {names}" if named and names else named or "values"


def operations(sql: str) -> set[str]:
    """Which of ``ORDER`` a statement's text asks for, at any depth."""
    found: set[str] = set()
    brackets: list[_Bracket] = []
    words = [(kind, sql[start:end].upper()) for kind, start, end in tokens(sql)]
    for number, (kind, word) in enumerate(words):
        before = words[number - 1][1] if number else ""
        following = words[number + 1][1] if number + 1 < len(words) else ""
        in_query = not brackets or brackets[-1].query
        match kind, word:
            case "open", _:
                brackets.append(_Bracket(before, following in _QUERY_WORDS))
            case "close", _ if brackets:
                if brackets.pop().before in _AGGREGATES and following not in ("OVER", "FILTER"):
                    found.add("aggregate")
            case "word", "JOIN":
                found.add("join")
            case "word", "WHERE" if in_query:
                found.add("filter")
            case "word", "GROUP" if following == "BY":
                found.add("aggregate")
            case "word", "OVER":
                found.add("window")
            case "word", "DISTINCT" if before == "SELECT":
                found.add("distinct")
            case "word", "UNION" | "EXCEPT" | "INTERSECT" if in_query and before != "*":
                found.add(word.lower())
            case "word", "ORDER" if in_query and following == "BY":
                found.add("sort")
            case "word", "LIMIT" if in_query:
                found.add("limit")
            case _:
                continue
    return found
