"""Limits before the parser, in one linear pass over the text.

The parser, and recursive code behind it, overflow the stack on long chains (``a OR b OR …``) and deep nesting, so both are bounded
here by tokens alone. The same pass does what only tokens can tell: where a second statement starts, the spellings that the
parser misreads (``?``, ``1_000``, ``0x1F``, ``0b101``), and those of whole clauses (``spellings``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from planner.errors import InvalidQuery, LimitExceeded, Position, SqlSyntaxError, position_at
from planner.spellings import Spelled, spelled
from planner.tokens import tokens
from planner.words import words


@dataclass(frozen=True, slots=True)
class SqlLimits:
    """What a statement may be at most. ``chain_terms`` bounds the depth of the syntax tree that operators build.

    ``set_operations`` (in one chain) and ``joins`` (in the whole statement) keep planning within seconds: the kernel's own binder
    slows down with their square, refuses a thousand joins, and overflows the stack on many thousands. A comma in FROM is a join.
    """

    sql_bytes: int = 1 << 20
    tokens: int = 400_000
    nesting: int = 200
    chain_terms: int = 20_000
    set_operations: int = 2_000
    joins: int = 1_000


DEFAULT_LIMITS = SqlLimits()
"""Unless the configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class Edit:
    """``grown`` characters were added at this place (line and column of the text as rewritten)."""

    line: int
    column: int
    grown: int


@dataclass(frozen=True, slots=True)
class ScannedSql:
    """A statement that is within the limits: the text for the parser, and how its places map to the user's.

    ``mark`` begins the names that ``spellings`` put into the text; None where there are none.
    """

    original: str
    text: str
    edits: tuple[Edit, ...]
    chain_terms: int
    mark: str | None = None

    def position(self, line: int, column: int) -> Position:
        """The place in the user's text of a place in ``text``."""
        grown = sum(min(edit.grown, column - edit.column) for edit in self.edits if edit.line == line and edit.column < column)
        return Position(line, max(1, column - grown))


_OPERATOR_WORDS = words(
    """
    and or not is in interval pivot unpivot match_recognize like ilike glob between similar escape collate at isnull notnull
    overlaps xor div mod rlike regexp
    """
)
_SET_WORDS = frozenset(("union", "except", "intersect"))
_CLAUSE_WORDS = words(
    """
    select from where having qualify on when then else order group limit offset with window filter values
    """
)


@dataclass(slots=True)
class _Level:
    """What is open at one nesting depth: the operators since the last comma or clause, and the deepest tree found so far."""

    case: bool = False
    listing_tables: bool = False
    operators: int = 0
    inner: int = 0
    deepest: int = 0
    set_operators: int = 0

    def finish_term(self) -> None:
        self.deepest = max(self.deepest, self.operators + self.inner)
        self.operators = self.inner = 0

    def depth(self) -> int:
        return self.set_operators + max(self.deepest, self.operators + self.inner)


@dataclass(slots=True)
class _Rewriting:
    """The text for the parser, made of the user's with some tokens replaced."""

    sql: str
    parts: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    copied: int = 0
    line: int = 1
    line_grown: int = 0

    def replace(self, start: int, end: int, replacement: str) -> None:
        """Replaces a token; tokens come in order, so lines are counted from the last one on."""
        padded = replacement.ljust(end - start)
        grown = len(padded) - (end - start)
        lines = self.sql.count("\n", self.copied, start)
        if lines:
            self.line, self.line_grown = self.line + lines, 0
        if grown:
            column = start - self.sql.rfind("\n", 0, start)
            self.edits.append(Edit(self.line, column + self.line_grown, grown))
            self.line_grown += grown
        self.parts += (self.sql[self.copied : start], padded)
        self.copied = end

    def text(self, end: int) -> str:
        return "".join((*self.parts, self.sql[self.copied : end]))


@dataclass(slots=True)
class _Tally:
    """What the tokens so far amount to."""

    sql: str
    limits: SqlLimits
    levels: list[_Level] = field(default_factory=lambda: [_Level()])
    tokens: int = 0
    questions: int = 0
    joins: int = 0
    set_operations: int = 0
    last_word: str = ""
    end: int | None = None

    def take(self, kind: str, start: int, stop: int) -> str | None:
        """Counts one token, and tells its spelling for the parser if that is another. Raises what :func:`scan_sql` raises."""
        if self.end is not None:
            raise InvalidQuery(
                "one statement a request: a second one starts here",
                sql=self.sql,
                position=position_at(self.sql, start),
                remedy="Send the statements one after another.",
            )
        self.tokens += 1
        if self.tokens > self.limits.tokens:
            raise LimitExceeded(
                f"the statement has more than {self.limits.tokens:,} tokens", remedy="Split it, or put long lists into a table."
            )
        spelling = self._count(kind, start, stop)
        self.set_operations = max(self.set_operations, self.levels[-1].set_operators)
        if len(self.levels) > self.limits.nesting:
            raise LimitExceeded(
                f"the statement nests deeper than {self.limits.nesting}",
                sql=self.sql,
                position=position_at(self.sql, start),
                remedy="Flatten the expression or use CTEs.",
            )
        return spelling

    def take_spelled(self, text: str) -> None:
        """Counts the words that stand in place of a token."""
        for word in text.lower().split():
            self._count_word(word)

    def _count(self, kind: str, start: int, stop: int) -> str | None:
        match kind:
            case "end":
                self.end = start
            case "open":
                self.levels[-1].operators += self.sql[start] == "["
                self.levels.append(_Level())
            case "close":
                while len(self.levels) > 2 and self.levels[-1].case:
                    self._close()
                self._close()
            case "comma":
                self.joins += self.levels[-1].listing_tables
                self.levels[-1].finish_term()
            case "operator":
                self.levels[-1].operators += 1
            case "power":
                self.levels[-1].operators += 1
                return "^"
            case "word":
                self._count_word(self.sql[start:stop].lower())
            case "question":
                self.questions += 1
                return f"${self.sql[start + 1 : stop] or self.questions}"
            case "radix":
                return str(int(self.sql[start:stop].replace("_", ""), 0))
            case "number" if "_" in self.sql[start:stop]:
                return self.sql[start:stop].replace("_", "")
        return None

    def _close(self) -> None:
        if len(self.levels) > 1:
            depth = self.levels.pop().depth()
            self.levels[-1].inner = max(self.levels[-1].inner, depth)

    def _count_word(self, word: str) -> None:
        level = self.levels[-1]
        self.joins += word == "join"
        if word == "case":
            self.levels.append(_Level(case=True))
        elif word == "end" and level.case:
            self._close()
        elif word in _OPERATOR_WORDS:
            level.operators += 1
        elif word in _SET_WORDS:
            level.finish_term()
            level.set_operators += 1
            level.listing_tables = False
        elif word in _CLAUSE_WORDS:
            level.finish_term()
            # IS DISTINCT FROM begins no clause.
            level.listing_tables = word == "from" and self.last_word != "distinct"
        self.last_word = word

    def chain_terms(self) -> int:
        """A bound on the depth of the tree that operators build. Raises ``LimitExceeded`` where a chain is too long."""
        while len(self.levels) > 1:
            self._close()
        chain, limits = self.levels[0].depth(), self.limits
        if chain > limits.chain_terms:
            raise LimitExceeded(
                f"an expression chains {chain:,} operators; at most {limits.chain_terms:,} are accepted",
                remedy="Use IN with a list, or join with VALUES, instead of long chains.",
            )
        if self.set_operations > limits.set_operations or self.joins > limits.joins:
            raise LimitExceeded(
                f"the statement has {self.set_operations:,} set operations in a chain and {self.joins:,} joins; at most "
                f"{limits.set_operations:,} and {limits.joins:,} are accepted",
                remedy="Use VALUES for rows, or split the statement.",
            )
        return chain


def scan_sql(sql: str, limits: SqlLimits) -> ScannedSql:
    """The one statement in ``sql``, ready for the parser.

    Raises ``LimitExceeded``, ``SqlSyntaxError`` (nothing there, a NUL character), ``InvalidQuery`` (several statements) or what
    :func:`~planner.spellings.spelled` raises.
    """
    _check_size(sql, limits)
    found = list(islice(tokens(sql), limits.tokens + 1))
    tally, rewriting = _Tally(sql, limits), _Rewriting(sql)
    spelling = spelled(sql, found)
    for number, (kind, start, stop) in enumerate(found):
        text = _spelling(spelling, number, kind, start, stop, tally)
        if text is not None:
            rewriting.replace(start, stop, text)
    if tally.tokens == (0 if tally.end is None else 1):
        raise SqlSyntaxError("the text holds no statement", remedy="Send one SQL statement, such as SELECT 1.")
    end = len(sql) if tally.end is None else tally.end
    if spelling.suffix:
        end = max(stop for _, start, stop in found if start < end)  # a comment that ends the text would swallow it
    return ScannedSql(sql, rewriting.text(end) + spelling.suffix, tuple(rewriting.edits), tally.chain_terms(), spelling.mark)


def _spelling(spelling: Spelled, number: int, kind: str, start: int, stop: int, tally: _Tally) -> str | None:
    """What the parser gets in place of a token; None where it gets the token. Counts both."""
    inserted, replacement = spelling.insertions.get(number), spelling.replacements.get(number)
    if inserted is not None:
        tally.take_spelled(inserted)
    own = tally.take("other" if replacement is not None else kind, start, stop)
    if replacement is not None:
        tally.take_spelled(replacement)
    text = own if replacement is None else replacement
    return text if inserted is None else inserted + (tally.sql[start:stop] if text is None else text)


def _check_size(sql: str, limits: SqlLimits) -> None:
    if len(sql) > limits.sql_bytes or len(sql.encode("utf-8", "surrogatepass")) > limits.sql_bytes:
        raise LimitExceeded(
            f"the statement is longer than {limits.sql_bytes:,} bytes", remedy="Put long lists of values into a table and join with it."
        )
    nul = sql.find("\0")
    if nul >= 0:
        raise SqlSyntaxError("the text holds a NUL character", position=position_at(sql, nul), remedy="Remove it; use chr(0) in SQL.")
