"""A statement's tokens, and what is to stand in their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.errors import PlannerError, position_at
from planner.words import words

Token = tuple[str, int, int]
"""Kind, start and end in the text."""

MARK = "reshape_"
STAND_IN = "volley_"
"""How the names begin that stand for what the parser has no words for."""

SET_WORDS = words("union except intersect")
QUERY_WORDS = words("select with from values table pivot unpivot summarize describe show")
"""What a query begins with."""
AFTER_FROM = words("select where group having qualify window order limit offset fetch")
"""What a FROM list ends with."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """How a statement is spelled for the parser: what stands in place of tokens and before them (by their numbers), what is added
    behind the last one, and the prefix of the marks, where there are any."""

    replacements: dict[int, str]
    insertions: dict[int, str]
    suffix: str = ""
    mark: str | None = None


@dataclass(slots=True)
class Draft:
    """The spelling while it is written: tokens are told by their numbers, and one that is not there is an empty text of no kind.

    ``texts``: each token's (words in lower case, of strings only a quote). ``closes``: where each parenthesis closes, ``opens``: where
    each opened. ``behind``: what is written behind a token, which is before whatever else is written before the next one.
    """

    sql: str
    tokens: Sequence[Token]
    replacements: dict[int, str] = field(default_factory=dict)
    insertions: dict[int, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    closes: dict[int, int] = field(default_factory=dict)
    opens: dict[int, int] = field(default_factory=dict)
    behind: dict[int, str] = field(default_factory=dict)
    _mark: str | None = None

    def __post_init__(self) -> None:
        opened: list[int] = []
        for number, (kind, start, stop) in enumerate(self.tokens):
            text = self.sql[start:stop]
            self.texts.append(text.lower() if kind == "word" else text if kind != "string" else "'")
            if kind == "open":
                opened.append(number)
            elif kind == "close" and opened:
                self.closes[opened[-1]] = number
                self.opens[number] = opened.pop()

    def spelled(self, suffix: str) -> Spelled:
        """What was written."""
        insertions = dict(self.insertions)
        for number, text in self.behind.items():
            if self.kind(number + 1) in ("", "end"):
                suffix = text + suffix
            else:
                insertions[number + 1] = text + insertions.get(number + 1, "")
        return Spelled(self.replacements, insertions, suffix, self._mark)

    def text(self, number: int) -> str:
        """A token's text."""
        return self.texts[number] if 0 <= number < len(self.texts) else ""

    def source(self, number: int) -> str:
        """A token as it was written."""
        _, start, stop = self.tokens[number]
        return self.sql[start:stop]

    def is_text(self, number: int) -> bool:
        """Whether a token is a text in single quotes."""
        return self.kind(number) == "string" and self.source(number)[0] == "'"

    def kind(self, number: int) -> str:
        """A token's kind."""
        return self.tokens[number][0] if 0 <= number < len(self.tokens) else ""

    def next_of(self, number: int, wanted: frozenset[str]) -> int | None:
        """The next token on the same level that is one of these words."""
        number += 1
        while number < len(self.tokens) and self.kind(number) not in ("close", "end"):
            if self.kind(number) == "word" and self.texts[number] in wanted:
                return number
            number = self.closes.get(number, number) + 1
        return None

    def end_of_primary(self, number: int) -> int:
        """The last token of the name, call, literal or parenthesis that begins with that token."""
        last = self.closes.get(number, number)
        while True:
            if self.text(last + 1) == "." and self.kind(last + 2) in ("word", "string"):
                last += 2
            elif self.kind(last + 1) == "open" and last + 1 in self.closes:
                last = self.closes[last + 1]
            else:
                return last

    def add_behind(self, number: int, text: str) -> None:
        """Writes ``text`` behind a token, and behind what was written there already."""
        self.behind[number] = self.behind.get(number, "") + text

    def insert(self, number: int, text: str) -> None:
        """Writes ``text`` before a token, and before what was written there already."""
        self.insertions[number] = text + self.insertions.get(number, "")

    def replace(self, first: int, last: int, text: str) -> None:
        """Writes ``text`` in place of the tokens from ``first`` to ``last``."""
        self.replacements[first] = text
        for number in range(first + 1, last + 1):
            self.replacements[number] = ""

    def mark(self, kind: str) -> str:
        """A name that the statement does not have."""
        if self._mark is None:
            self._mark, folded = MARK, self.sql.lower()
            while self._mark in folded:
                self._mark = "_" + self._mark
        return self._mark + kind

    def error(self, kind: type[PlannerError], number: int, message: str, remedy: str) -> PlannerError:
        """An error of that kind that points at a token."""
        _, start, stop = self.tokens[number]
        return kind(message, sql=self.sql, position=position_at(self.sql, start), length=stop - start, remedy=remedy)
