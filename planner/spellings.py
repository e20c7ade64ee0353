"""What people type and the kernel knows but the parser does not: put into other words before parsing, token by token.

=====================================  ======================================================================================
``FROM t WHERE …``                     ``SELECT * FROM t WHERE …``; with a SELECT after the list, the parser knows it
``TABLE t``                            ``SELECT * FROM t``
``SUMMARIZE t``, ``SUMMARIZE query``   ``SELECT mark_summarize FROM (…)``
``PIVOT t ON c USING f GROUP BY g``    ``FROM t SELECT mark_pivot, c, mark_using, f GROUP BY g``
``UNPIVOT t ON c INTO NAME n VALUE v`` ``FROM t SELECT mark_unpivot, c, mark_name, n, mark_value, v``
``… ON COLUMNS(* EXCLUDE (c))``        ``… * EXCLUDE (c)``
``USING SAMPLE 1%``, ``TABLESAMPLE …`` ``TABLESAMPLE method (number unit)`` behind the relation
``ASOF JOIN``, ``ASOF LEFT JOIN`` …    ``RIGHT ANTI JOIN``, ``RIGHT SEMI JOIN`` …, which the kernel does not have
``FILTER (condition)``                 ``FILTER (WHERE condition)``
``SELECT a: x, b: y``                  ``SELECT x AS a, y AS b``
``DESCRIBE TABLE t``, ``DESCRIBE 't'`` ``DESCRIBE t``, ``DESCRIBE SELECT * FROM 't'``
=====================================  ======================================================================================

Marks are names that the statement does not have; the planner tells by them what a SELECT was (:class:`~planner.logical.Reshape`). What
the parser's words stand for is put back where trees are printed: :func:`kernel_spelling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from planner.errors import NotSupported, PlannerError, SqlSyntaxError, position_at
from planner.tokens import tokens
from planner.words import words

Token = tuple[str, int, int]
"""Kind, start and end in the text."""

MARK = "reshape_"
PIVOT, USING, UNPIVOT, NAME, VALUE, SUMMARIZE = "pivot", "using", "unpivot", "name", "value", "summarize"
"""What follows the mark's prefix."""

_ASOF_JOINS = {"ASOF": "RIGHT ANTI", "ASOF LEFT": "RIGHT SEMI"}
"""Joins of the kernel, and those of the parser that stand for them: the kernel has none of these."""
_RESERVOIR = "BLOCK"
"""A method of sampling that the parser knows and the kernel does not."""

_SET_WORDS = words("union except intersect")
_AFTER_SET_WORDS = words("all distinct by name")
_EXPLAINING = words("explain describe desc analyze verbose format json text")
_QUERY_WORDS = words("select with from values table pivot unpivot summarize describe show")
_AFTER_FROM = words("select where group having qualify window order limit offset fetch")
_AFTER_ITEMS = _AFTER_FROM - {"select"} | _SET_WORDS | {"from"}
_SAMPLE_UNITS = {"%": "PERCENT", "percent": "PERCENT", "row": "ROWS", "rows": "ROWS"}
_TELLING = words("with table describe desc explain summarize pivot unpivot asof semi anti tablesample sample filter")
_BEFORE_FROM = words("open union except intersect all distinct by name")
"""Most statements have none of the first, no FROM behind the second (``open`` is a parenthesis) and no colon: they stay as they are."""
_METHODS = {"system": "SYSTEM", "bernoulli": "BERNOULLI", "reservoir": _RESERVOIR}


@dataclass(frozen=True, slots=True)
class Spelled:
    """How a statement is spelled for the parser: what stands in place of tokens and before them (by their numbers), what is added
    behind the last one, and the prefix of the marks, where there are any."""

    replacements: dict[int, str]
    insertions: dict[int, str]
    suffix: str = ""
    mark: str | None = None


_AS_IT_IS = Spelled({}, {})


def spelled(sql: str, found: Sequence[Token]) -> Spelled:
    """The parser's spelling of the statement whose tokens are ``found``. Raises ``NotSupported`` and ``SqlSyntaxError``."""
    return _Speller(sql, found).spelled() if _is_worth_a_look(sql, found) else _AS_IT_IS


def _is_worth_a_look(sql: str, found: Sequence[Token]) -> bool:
    before = "open"
    for kind, start, stop in found:
        if kind == "word":
            word = sql[start:stop].lower()
            if word in _TELLING or (word == "from" and before in _BEFORE_FROM):
                return True
            before = word
        elif kind == "operator" and sql[start:stop] == ":":
            return True
        else:
            before = kind
    return False


def kernel_spelling(sql: str) -> str:
    """Printed SQL with the kernel's words where the parser's stand for them."""
    if not any(word in sql for word in (*_ASOF_JOINS.values(), f"TABLESAMPLE {_RESERVOIR}")):
        return sql
    found = list(tokens(sql))
    joins = {ours: theirs for theirs, ours in _ASOF_JOINS.items()}
    texts = [sql[start:stop] if kind == "word" else "" for kind, start, stop in found]
    parts: list[str] = []
    copied = 0
    for number, (_, start, _) in enumerate(found[:-1]):
        match texts[number : number + 3]:
            case [side, word, "JOIN"] if f"{side} {word}" in joins:
                new = joins[f"{side} {word}"]
            case ["TABLESAMPLE", "BLOCK", *_]:
                new = "TABLESAMPLE RESERVOIR"
            case _:
                continue
        parts += (sql[copied:start], new)
        copied = found[number + 1][2]
    return "".join((*parts, sql[copied:]))


@dataclass(slots=True)
class _Opened:
    """What is open at one depth of parentheses. ``starts``: a query may start with the next token; ``fresh``: nothing came before it.

    ``from_list``: the number of the FROM whose list is open or has ended; ``from_end`` the token behind that list.
    ``listing_items``: behind SELECT. ``alias``: the name that stands before the item which is open.
    ``closing``: how many parentheses were opened that the text does not have.
    """

    starts: bool = False
    fresh: bool = False
    listing_ctes: bool = False
    explaining: bool = False
    from_list: int | None = None
    from_end: int | None = None
    several_relations: bool = False
    listing_items: bool = False
    alias: str | None = None
    closing: int = 0

    def owed(self) -> str:
        """What is to be written where the level ends."""
        return ("" if self.alias is None else f" AS {self.alias}") + ")" * self.closing


class _Sample(NamedTuple):
    """A sample clause: its last token, and how the parser reads it."""

    last: int
    text: str


@dataclass(slots=True)
class _Speller:
    sql: str
    tokens: Sequence[Token]
    replacements: dict[int, str] = field(default_factory=dict)
    insertions: dict[int, str] = field(default_factory=dict)
    levels: list[_Opened] = field(default_factory=lambda: [_Opened(starts=True, fresh=True, explaining=True)])
    closes: dict[int, int] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    mark: str | None = None

    def spelled(self) -> Spelled:
        self._read()
        number = 0
        while number < len(self.tokens):
            kind = self.tokens[number][0]
            level = self.levels[-1]
            if kind == "open":
                self._open(number, level)
            elif kind == "close":
                self._close(number)
            elif kind == "end":
                break
            elif kind == "comma":
                level.several_relations |= level.from_list is not None and level.from_end is None
                level.starts = False
                if level.listing_items:
                    self._end_item(number, level)
                    number = self._begin_item(number, level)
            elif kind == "word":
                number = self._word(number, level)
            else:
                level.starts = level.fresh = False
            number += 1
        while len(self.levels) > 1:
            self._close(None)
        return Spelled(self.replacements, self.insertions, self.levels[0].owed(), self.mark)

    def _read(self) -> None:
        """Each token's text (words in lower case), and where each parenthesis closes."""
        opened: list[int] = []
        for number, (kind, start, stop) in enumerate(self.tokens):
            text = self.sql[start:stop]
            self.texts.append(text.lower() if kind == "word" else text if kind != "string" else "'")
            if kind == "open":
                opened.append(number)
            elif kind == "close" and opened:
                self.closes[opened.pop()] = number

    def _text(self, number: int) -> str:
        return self.texts[number] if 0 <= number < len(self.texts) else ""

    def _kind(self, number: int) -> str:
        return self.tokens[number][0] if 0 <= number < len(self.tokens) else ""

    # Levels

    def _open(self, number: int, level: _Opened) -> None:
        before = self._text(number - 1)
        options = level.explaining and before == "explain" and self._text(number + 1) not in _QUERY_WORDS | {"("}
        query = self.texts[number] == "(" and before != "trim" and not options
        if not options:
            level.starts = level.fresh = level.explaining = False
        self.levels.append(_Opened(starts=query, fresh=query))
        if before == "filter" and self._text(number - 2) == ")" and self._text(number + 1) not in ("where", ""):
            self._insert(number + 1, "WHERE ")

    def _close(self, number: int | None) -> None:
        if len(self.levels) == 1:
            return
        level = self.levels.pop()
        if number is not None and level.owed():
            self._insert(number, level.owed())
        outer = self.levels[-1]
        outer.starts = outer.listing_ctes or outer.explaining

    # Words

    def _word(self, number: int, level: _Opened) -> int:
        """Spells what begins with a word; returns the last token that is done with."""
        word = self.texts[number]
        starts, fresh = level.starts, level.fresh
        level.starts = level.fresh = False
        if level.explaining:
            if starts and word in _EXPLAINING:
                level.starts = level.fresh = True
                self._described(number)
                return number
            level.explaining = False
        if starts and word in ("from", "table", "summarize", "pivot", "unpivot", "with"):
            self._start(number, word, level, fresh)
        elif word in _SET_WORDS:
            level.from_list = level.from_end = None
            level.several_relations = False
            level.starts = True
        elif word in _AFTER_SET_WORDS and starts:
            level.starts = True
        elif word == "select":
            level.listing_ctes = False
        elif word == "from" and self._text(number - 1) != "distinct":
            level.from_list, level.from_end, level.several_relations = number, None, False
        elif word == "join":
            level.several_relations |= level.from_end is None
        elif word == "asof":
            self._asof(number)
        elif word in ("left", "right") and self._text(number + 1) in ("semi", "anti") and self._text(number + 2) == "join":
            join = self._text(number + 1).upper()
            remedy = f"Write {join} JOIN." if word == "left" else f"Write {join} JOIN, with the two sides swapped."
            raise self._error(NotSupported, number, f"there is no {word.upper()} {join} JOIN", remedy)
        elif word == "tablesample":
            return self._tablesample(number)
        elif word == "using" and self._text(number + 1) == "sample":
            return self._using_sample(number, level)
        if word in _AFTER_FROM and level.from_list is not None and level.from_end is None:
            level.from_end = number
        if level.listing_items and word in _AFTER_ITEMS and self._text(number - 1) != "distinct":
            self._end_item(number, level)
            level.listing_items = False
        if word == "select":
            level.listing_items = True
            return self._begin_item(number + (self._text(number + 1) in ("all", "distinct")), level)
        return number

    def _begin_item(self, number: int, level: _Opened) -> int:
        """Takes the name before the item that follows; returns the last token before the item."""
        if self._text(number + 2) != ":" or self._kind(number + 1) not in ("word", "string"):
            return number
        _, start, stop = self.tokens[number + 1]
        if self.sql[start] == "'":
            return number
        level.alias = self.sql[start:stop]
        self._replace_run(number + 1, number + 2, "")
        return number + 2

    def _end_item(self, number: int, level: _Opened) -> None:
        if level.alias is not None:
            self._insert(number, f" AS {level.alias} ")
            level.alias = None

    def _start(self, number: int, word: str, level: _Opened, fresh: bool) -> None:
        """Spells the beginning of a query."""
        begins_relation = self._kind(number + 1) in ("word", "string") or self._text(number + 1) == "("
        after_ctes, level.listing_ctes = level.listing_ctes, False
        match word:
            case "with":
                level.listing_ctes = True
            case "from":
                level.from_list, level.from_end, level.several_relations = number, None, False
                if not self._selects(number):
                    self._insert(number, "SELECT * ")
                elif after_ctes:
                    self._parenthesize(number, level)
            case "table" if self._kind(number + 1) in ("word", "string"):
                self.replacements[number] = "SELECT * FROM"
                level.from_list, level.from_end, level.several_relations = number, None, False
            case "summarize" if begins_relation and fresh:
                self._summarize(number, level)
            case "pivot" | "unpivot" if begins_relation:
                self._reshape(number, word, level)
                if after_ctes:
                    self._parenthesize(number, level)

    def _parenthesize(self, number: int, level: _Opened) -> None:
        """A query in parentheses of its own: the parser takes FROM behind a CTE for a part of that."""
        self._insert(number, "(")
        level.closing += 1

    def _described(self, number: int) -> None:
        """DESCRIBE TABLE t, DESCRIBE 'file'."""
        if self.texts[number] not in ("describe", "desc"):
            return
        if self._text(number + 1) == "table" and self._kind(number + 2) in ("word", "string"):
            self.replacements[number + 1] = ""
        elif self._text(number + 1) == "'" and self.sql[self.tokens[number + 1][1]] == "'":
            self._insert(number + 1, "SELECT * FROM ")

    def _selects(self, number: int) -> bool:
        """Whether SELECT follows the FROM list that begins with that token."""
        after = self._next_of(number, _AFTER_FROM | _SET_WORDS)
        return after is not None and self.texts[after] == "select"

    def _next_of(self, number: int, wanted: frozenset[str]) -> int | None:
        """The next token on the same level that is one of these words."""
        number += 1
        while number < len(self.tokens) and self._kind(number) not in ("close", "end"):
            if self._kind(number) == "word" and self.texts[number] in wanted:
                return number
            number = self.closes.get(number, number) + 1
        return None

    def _summarize(self, number: int, level: _Opened) -> None:
        self.replacements[number] = f"SELECT {self._mark(SUMMARIZE)} FROM ("
        level.closing += 1
        if self._text(number + 1) in _QUERY_WORDS or self._text(number + 1) == "(":
            level.starts = level.fresh = True
        else:
            self._insert(number + 1, "SELECT * FROM ")

    def _reshape(self, number: int, word: str, level: _Opened) -> None:
        ends = words("using group order limit offset into") | _SET_WORDS
        on, following = None, self._next_of(number, ends | {"on"})
        while following is not None and (self.texts[following] == "on" or (on is None and self._joins_using(following))):
            on = following if self.texts[following] == "on" else on
            following = self._next_of(following, ends | {"on"})
        if on is None:
            remedy = "Write PIVOT t ON c IN ('a', 'b') USING sum(v)." if word == PIVOT else "Write UNPIVOT t ON a, b."
            raise self._error(SqlSyntaxError, number, f"{word.upper()} needs ON and the columns", remedy)
        self.replacements[number] = "FROM"
        self.replacements[on] = f"SELECT {self._mark(word)},"
        level.from_list = number
        if word == PIVOT:
            if following is not None and self.texts[following] == "using":
                self.replacements[following] = f", {self._mark(USING)},"
            return
        self._uncover_stars(on + 1, len(self.texts) if following is None else following)
        if following is None or self.texts[following] != "into":
            return
        value = self._next_of(following, words("value"))
        if self._text(following + 1) != "name" or value is None:
            raise self._error(SqlSyntaxError, following, "INTO needs two names", "Write INTO NAME column VALUE column.")
        self.replacements[following] = ","
        self.replacements[following + 1] = f"{self._mark(NAME)},"
        self.replacements[value] = f", {self._mark(VALUE)},"

    def _uncover_stars(self, first: int, end: int) -> None:
        """``COLUMNS(* EXCLUDE (a))`` behind ON of UNPIVOT is ``* EXCLUDE (a)``."""
        for number in range(first, end):
            close = self.closes.get(number + 1)
            if self.texts[number : number + 4] == ["columns", "(", "*", "exclude"] and close is not None:
                self.replacements |= {number: "", number + 1: "", close: ""}

    def _joins_using(self, number: int) -> bool:
        """Whether USING there has the columns of a join in the source of PIVOT."""
        following = self.closes.get(number + 1)
        return self.texts[number] == "using" and following is not None and self._next_of(following, frozenset(("on",))) is not None

    # Joins and samples

    def _asof(self, number: int) -> None:
        join, following = "ASOF", number + 1
        if self._text(following) in ("inner", "left", "right", "full"):
            join += "" if self._text(following) == "inner" else f" {self._text(following).upper()}"
            following += 1 + (self._text(following + 1) == "outer")
        if self._text(following) != "join":
            return
        if join not in _ASOF_JOINS:  # the kernel's, run by several threads, now and then lose rows or never end
            remedy = "Write ASOF JOIN or ASOF LEFT JOIN; UNION ALL adds the rows of the other side that met none."
            raise self._error(NotSupported, number, f"there is no {join} JOIN", remedy)
        self._replace_run(number, following - 1, _ASOF_JOINS[join])

    def _tablesample(self, number: int) -> int:
        sample = self._sample(number + 1)
        if sample is None:
            return number
        self._replace_run(number, sample.last, sample.text)
        return sample.last

    def _using_sample(self, number: int, level: _Opened) -> int:
        sample = self._sample(number + 2)
        if sample is None:
            remedy = "Write USING SAMPLE 10%, USING SAMPLE 100 ROWS or USING SAMPLE reservoir(10%)."
            raise self._error(SqlSyntaxError, number, "USING SAMPLE takes a number of rows or a percentage", remedy)
        if level.from_list is None or level.several_relations:
            raise self._error(
                NotSupported,
                number,
                "USING SAMPLE samples all that stands in FROM, and is there for one relation only",
                "Write SELECT … FROM (SELECT … FROM … JOIN …) USING SAMPLE 10%, or TABLESAMPLE 10% behind a table.",
            )
        if level.from_end is None:
            self._replace_run(number, sample.last, sample.text)
        else:
            self._replace_run(number, sample.last, "")
            self._insert(level.from_end, sample.text + " ")
        return sample.last

    def _sample(self, number: int) -> _Sample | None:
        """The sample clause from that token on; None where it is another one than those below.

        ``10%``, ``10 ROWS``, ``10% (bernoulli, 42)``, ``(10%)``, ``reservoir(10 ROWS) REPEATABLE (42)``
        """
        method = _METHODS.get(self._text(number))
        if method is None and self._kind(number) == "word" and self._text(number + 1) == "(":
            raise self._error(
                SqlSyntaxError,
                number,
                f"there is no way of sampling called {self._text(number)}",
                "There are system, bernoulli and reservoir.",
            )
        opened = number + (method is not None)
        if method is not None or self._text(number) == "(":
            if self._text(opened) != "(":
                return None
            counted = self._sampled(opened + 1)
            if counted is None or self._text(counted.last + 1) != ")":
                return None
            last, quantity = counted.last + 1, counted.text
            seed = self._number_in_parentheses(last + 2) if self._text(last + 1) == "repeatable" else None
            if seed is not None:
                return _sample_of(last + 4, method, quantity, seed)
            return _sample_of(last, method, quantity, None)
        counted = self._sampled(number)
        if counted is None:
            return None
        return self._with_method(counted)

    def _with_method(self, counted: _Sample) -> _Sample | None:
        """``(bernoulli)`` or ``(bernoulli, 42)`` behind the quantity."""
        opened = counted.last + 1
        if self._text(opened) != "(":
            return _sample_of(counted.last, None, counted.text, None)
        method = _METHODS.get(self._text(opened + 1))
        if method is None:
            return None
        if self._text(opened + 2) == ")":
            return _sample_of(opened + 2, method, counted.text, None)
        if self._text(opened + 2) == "," and self._kind(opened + 3) == "number" and self._text(opened + 4) == ")":
            return _sample_of(opened + 4, method, counted.text, self._text(opened + 3))
        return None

    def _sampled(self, number: int) -> _Sample | None:
        """``10%``, ``10 PERCENT``, ``10 ROWS``, ``10``."""
        if self._kind(number) != "number":
            return None
        count = self.texts[number].replace("_", "")
        unit = _SAMPLE_UNITS.get(self._text(number + 1))
        return _Sample(number + (unit is not None), f"{count} {unit or 'ROWS'}")

    def _number_in_parentheses(self, number: int) -> str | None:
        inside = self._text(number) == "(" and self._kind(number + 1) == "number" and self._text(number + 2) == ")"
        return self._text(number + 1) if inside else None

    # Replacing

    def _insert(self, number: int, text: str) -> None:
        self.insertions[number] = text + self.insertions.get(number, "")

    def _replace_run(self, first: int, last: int, text: str) -> None:
        self.replacements[first] = text
        for number in range(first + 1, last + 1):
            self.replacements[number] = ""

    def _mark(self, kind: str) -> str:
        if self.mark is None:
            self.mark, folded = MARK, self.sql.lower()
            while self.mark in folded:
                self.mark = "_" + self.mark
        return self.mark + kind

    def _error(self, kind: type[PlannerError], number: int, message: str, remedy: str) -> PlannerError:
        _, start, stop = self.tokens[number]
        return kind(message, sql=self.sql, position=position_at(self.sql, start), length=stop - start, remedy=remedy)


def _sample_of(last: int, method: str | None, quantity: str, seed: str | None) -> _Sample:
    """As the kernel has it, percentages are of its system's blocks and rows out of a reservoir."""
    method = method or (_METHODS["system"] if quantity.endswith("PERCENT") else _RESERVOIR)
    return _Sample(last, f"TABLESAMPLE {method} ({quantity})" + (f" REPEATABLE ({seed})" if seed is not None else ""))
