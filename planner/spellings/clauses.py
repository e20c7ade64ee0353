"""A walk through a statement's tokens that knows where a query, a FROM list and an item begin and end, and spells what begins there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.catalog import INFORMATION_SCHEMA
from planner.errors import NotSupported, SqlSyntaxError
from planner.spellings.columns import PATTERNS, spell_columns, spell_star_pattern
from planner.spellings.ctes import spell_key
from planner.spellings.draft import AFTER_FROM, QUERY_WORDS, SET_WORDS, STAND_IN, Draft, Spelled, Token
from planner.spellings.frames import spell_exclusion
from planner.spellings.groups import spell_sets
from planner.spellings.joins import refuse_sided, spell_asof, spell_positional
from planner.spellings.levels import OpenedLevel
from planner.spellings.lists import spell_comprehension
from planner.spellings.operators import (
    UNITS,
    quote_column,
    refuse_bare_unit,
    refuse_rlike,
    spell_glob,
    spell_in,
    spell_isnull,
    spell_row,
    spell_share,
)
from planner.spellings.printed import STAND_INS
from planner.spellings.reshapes import DESCRIBE, PIVOT, SUMMARIZE, UNPIVOT, spell_reshape, spell_told
from planner.spellings.samples import read_sample
from planner.spellings.sessions import SESSION_WORDS, spell_session
from planner.spellings.texts import TYPES, join_texts, spell_typed
from planner.words import words

_AFTER_SET_WORDS = words("all distinct by name")
_EXPLAINING = words("explain describe desc analyze verbose format json text")
_AFTER_ITEMS = AFTER_FROM - {"select"} | SET_WORDS | {"from"}
_RESHAPES = {"pivot": PIVOT, "pivot_wider": PIVOT, "unpivot": UNPIVOT, "pivot_longer": UNPIVOT}
_TELLING = (
    TYPES
    | UNITS
    | words(
        """
    with table describe desc show explain summarize pivot pivot_wider unpivot pivot_longer asof semi anti positional tablesample sample
    filter percent glob rlike exclude isnull columns for sets exists trim interval top
    """
    )
)
_BEFORE_FROM = words("open union except intersect all distinct by name")
"""Most statements have none of the first, no FROM behind the second (``open`` is a parenthesis), no colon and no percent sign, no
pattern behind a star, no IN without a list in parentheses, no comma before a parenthesis that closes and no text behind a text: they
stay as they are."""

_TELLING_SIGNS = (":", "%")
_AS_IT_IS = Spelled({}, {})


def spelled(sql: str, found: Sequence[Token]) -> Spelled:
    """The parser's spelling of the statement whose tokens are ``found``. Raises ``NotSupported`` and ``SqlSyntaxError``."""
    if STAND_IN in sql:
        _refuse_stand_ins(Draft(sql, found))
    if found and sql[found[0][1] : found[0][2]].lower() in SESSION_WORDS:
        draft = Draft(sql, found)
        spell_session(draft)
        return draft.spelled("")
    return _Speller(Draft(sql, found)).spelled() if _is_worth_a_look(sql, found) else _AS_IT_IS


def _refuse_stand_ins(draft: Draft) -> None:
    for number, (kind, _, _) in enumerate(draft.tokens):
        if kind == "word" and draft.source(number) in STAND_INS:
            raise draft.error(NotSupported, number, "this name is Volley's own", "Write it in double quotes, or choose another.")


def _is_worth_a_look(sql: str, found: Sequence[Token]) -> bool:
    before, earlier = "open", ""
    for kind, start, stop in found:
        now = kind
        if kind == "word":
            now = sql[start:stop].lower()
            if now in _TELLING or before == "in" or (now == "from" and before in _BEFORE_FROM) or (before == "*" and now in PATTERNS):
                return True
        elif kind == "operator":
            now = sql[start:stop]
            if now in _TELLING_SIGNS:
                return True
        elif kind == "open":
            if before == "in" and sql[start] != "(":
                return True
        elif kind == "close":
            if before == "comma" or (before == "open" and earlier == "in"):
                return True
        elif (before == "in" and kind in ("question", "parameter")) or kind == before == "string":
            return True
        before, earlier = now, before
    return False


@dataclass(slots=True)
class _Speller:
    draft: Draft
    levels: list[OpenedLevel] = field(default_factory=lambda: [OpenedLevel(starts=True, fresh=True, explaining=True)])

    def spelled(self) -> Spelled:
        number = 0
        while number < len(self.draft.tokens):
            kind = self.draft.kind(number)
            level = self.levels[-1]
            if kind == "open":
                self._open(number, level)
                if self.draft.texts[number] == "[":
                    spell_comprehension(self.draft, number)
                elif self.draft.texts[number] == "(":
                    spell_row(self.draft, number)
            elif kind == "string":
                level.starts = level.fresh = False
                number = join_texts(self.draft, number)
            elif kind == "close":
                self._close(number)
            elif kind == "end":
                break
            elif kind == "comma":
                level.starts = False
                if level.from_list is not None and level.from_end is None:
                    level.several_relations = True
                    number = self._begin_relation(number)
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
        return self.draft.spelled(self.levels[0].owed())

    # Levels

    def _open(self, number: int, level: OpenedLevel) -> None:
        draft = self.draft
        before = draft.text(number - 1)
        explained = level.explaining and before == "explain"
        options = explained and draft.text(number + 1) not in QUERY_WORDS | {"("}
        if explained and not options:  # the parser takes any parenthesis there for one of options
            draft.insert(number, "FORMAT TEXT ")
        query = draft.texts[number] == "(" and before != "trim" and not options
        if not options:
            level.starts = level.fresh = level.explaining = False
        self.levels.append(OpenedLevel(before, starts=query, fresh=query))
        if before == "filter" and draft.text(number - 2) == ")" and draft.text(number + 1) not in ("where", ""):
            draft.insert(number + 1, "WHERE ")

    def _close(self, number: int | None) -> None:
        if len(self.levels) == 1:
            return
        level = self.levels.pop()
        if number is not None and level.owed():
            self.draft.insert(number, level.owed())
        outer = self.levels[-1]
        outer.starts = outer.listing_ctes or outer.explaining

    # Words

    def _word(self, number: int, level: OpenedLevel) -> int:
        """Spells what begins with a word; returns the last token that is done with."""
        draft = self.draft
        word = draft.texts[number]
        starts, fresh = level.starts, level.fresh
        level.starts = level.fresh = False
        if level.explaining:
            if starts and word in _EXPLAINING:
                level.starts = level.fresh = True
                self._described(number)
                return number
            level.explaining = False
        if starts and (word in ("from", "table", "summarize", "describe", "desc", "show", "with") or word in _RESHAPES):
            self._start(number, word, level, fresh)
        elif word in SET_WORDS and draft.text(number - 1) not in ("as", "."):
            level.from_list = level.from_end = None
            level.several_relations = False
            level.starts = True
        elif word in _AFTER_SET_WORDS and starts:
            level.starts = True
        elif word == "select":
            level.listing_ctes = False
        elif word == "from" and draft.text(number - 1) != "distinct":
            level.from_list, level.from_end, level.several_relations = number, None, False
        elif word == "join":
            level.several_relations |= level.from_end is None
        elif word == "asof":
            spell_asof(draft, number)
        elif word in ("left", "right"):
            refuse_sided(draft, number)
        elif word == "tablesample":
            return self._tablesample(number)
        elif word == "using" and draft.text(number + 1) == "sample":
            return self._using_sample(number, level)
        else:
            self._stood_in(number, word, level)
        if word in AFTER_FROM and level.from_list is not None and level.from_end is None:
            level.from_end = number
        if level.listing_items and word in _AFTER_ITEMS and draft.text(number - 1) != "distinct":
            self._end_item(number, level)
            level.listing_items = False
        if word == "select":
            level.listing_items = True
            return self._begin_item(number + (draft.text(number + 1) in ("all", "distinct")), level)
        return self._begin_relation(number) if word == "join" or level.from_list == number else number

    def _stood_in(self, number: int, word: str, level: OpenedLevel) -> None:
        """Spells what is no clause but a piece of one."""
        draft = self.draft
        match word:
            case "limit":
                spell_share(draft, number)
            case "like" | "not" | "similar" | "glob" if draft.text(number - 1) == "*":
                spell_star_pattern(draft, number)
            case "in" if level.called != "position":
                spell_in(draft, number)
            case "isnull":
                spell_isnull(draft, number)
            case "columns":
                spell_columns(draft, number)
            case "positional":
                spell_positional(draft, number)
            case "using" if level.listing_ctes:
                spell_key(draft, number)
            case _ if word in UNITS and level.listing_items:
                refuse_bare_unit(draft, number)
            case _ if word in TYPES:
                spell_typed(draft, number)
            case "glob":
                spell_glob(draft, number)
            case "rlike":
                refuse_rlike(draft, number)
            case "exists" | "trim" | "interval" | "top":
                quote_column(draft, number)
            case "sets":
                spell_sets(draft, number)
            case "order":
                level.ordered = True
            case "rows" | "range" | "groups":
                level.frame = number
            case "exclude":
                spell_exclusion(draft, number, level.frame, level.ordered)

    def _begin_item(self, number: int, level: OpenedLevel) -> int:
        """Takes the name before the item that follows; returns the last token before the item."""
        draft = self.draft
        if draft.text(number + 2) != ":" or draft.kind(number + 1) not in ("word", "string"):
            return number
        if draft.is_text(number + 1):
            return number
        level.alias = draft.source(number + 1)
        draft.replace(number + 1, number + 2, "")
        return number + 2

    def _begin_relation(self, number: int) -> int:
        """Takes the name before the relation that follows; returns the last token before the relation."""
        draft = self.draft
        if draft.text(number + 2) != ":" or draft.kind(number + 1) not in ("word", "string") or draft.is_text(number + 1):
            return number
        last = draft.end_of_primary(number + 3 + (draft.text(number + 3) == "lateral"))
        if draft.texts[last + 1 : last + 3] == ["with", "ordinality"]:
            last += 2
        draft.add_behind(last, f" AS {draft.source(number + 1)} ")
        draft.replace(number + 1, number + 2, "")
        return number + 2

    def _end_item(self, number: int, level: OpenedLevel) -> None:
        if level.alias is not None:
            self.draft.insert(number, f" AS {level.alias} ")
            level.alias = None

    def _start(self, number: int, word: str, level: OpenedLevel, fresh: bool) -> None:
        """Spells the beginning of a query."""
        draft = self.draft
        begins_relation = draft.kind(number + 1) in ("word", "string") or draft.text(number + 1) == "("
        after_ctes, level.listing_ctes = level.listing_ctes, False
        inner = fresh and len(self.levels) > 1
        match word:
            case "with":
                level.listing_ctes = True
            case "from":
                level.from_list, level.from_end, level.several_relations = number, None, False
                if not self._selects(number):
                    draft.insert(number, "SELECT * ")
                elif after_ctes:
                    self._parenthesize(number, level)
            case "table" if draft.kind(number + 1) in ("word", "string"):
                draft.replacements[number] = "SELECT * FROM"
                level.from_list, level.from_end, level.several_relations = number, None, False
            case "summarize" | "describe" | "desc" if begins_relation and fresh:
                level.closing += 1
                level.starts = level.fresh = spell_told(draft, number, SUMMARIZE if word == "summarize" else DESCRIBE)
            case "show" if inner and draft.texts[number + 1 : number + 3] == ["tables", ")"]:
                draft.replace(number, number + 1, f"SELECT table_name AS name FROM {INFORMATION_SCHEMA}.tables")
            case "show" if inner and draft.kind(number + 1) == "word":
                remedy = f"In FROM stand SHOW TABLES, DESCRIBE t, and the views of {INFORMATION_SCHEMA}."
                raise draft.error(NotSupported, number, "this SHOW is not supported in FROM", remedy)
            case _ if word in _RESHAPES and begins_relation:
                spell_reshape(draft, number, _RESHAPES[word])
                level.from_list = number
                if after_ctes:
                    self._parenthesize(number, level)

    def _parenthesize(self, number: int, level: OpenedLevel) -> None:
        """A query in parentheses of its own: the parser takes FROM behind a CTE for a part of that."""
        self.draft.insert(number, "(")
        level.closing += 1

    def _described(self, number: int) -> None:
        """DESCRIBE TABLE t, DESCRIBE 'file'."""
        draft = self.draft
        if draft.texts[number] not in ("describe", "desc"):
            return
        if draft.text(number + 1) == "table" and draft.kind(number + 2) in ("word", "string"):
            draft.replacements[number + 1] = ""
        elif draft.is_text(number + 1):
            draft.insert(number + 1, "SELECT * FROM ")

    def _selects(self, number: int) -> bool:
        """Whether SELECT follows the FROM list that begins with that token."""
        after = self.draft.next_of(number, AFTER_FROM | SET_WORDS)
        return after is not None and self.draft.texts[after] == "select"

    # Samples

    def _tablesample(self, number: int) -> int:
        sample = read_sample(self.draft, number + 1)
        if sample is None:
            return number
        self.draft.replace(number, sample.last, sample.text)
        return sample.last

    def _using_sample(self, number: int, level: OpenedLevel) -> int:
        draft = self.draft
        sample = read_sample(draft, number + 2)
        if sample is None:
            remedy = "Write USING SAMPLE 10%, USING SAMPLE 100 ROWS or USING SAMPLE reservoir(10%)."
            raise draft.error(SqlSyntaxError, number, "USING SAMPLE takes a number of rows or a percentage", remedy)
        if level.from_list is None or level.several_relations:
            raise draft.error(
                NotSupported,
                number,
                "USING SAMPLE samples all that stands in FROM, and is there for one relation only",
                "Write SELECT … FROM (SELECT … FROM … JOIN …) USING SAMPLE 10%, or TABLESAMPLE 10% behind a table.",
            )
        if level.from_end is None:
            draft.replace(number, sample.last, sample.text)
        else:
            draft.replace(number, sample.last, "")
            draft.insert(level.from_end, sample.text + " ")
        return sample.last
