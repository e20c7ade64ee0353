"""SQL text → syntax tree, by sqloxide.

Dialect ``postgres`` first, because it groups operators as the kernel does; ``generic`` and ``duckdb`` only for what that refuses or
misreads.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqloxide

from planner.ast import SEQUENCES, Ast, Span, name_parts, walk
from planner.errors import InvalidQuery, LimitExceeded, PlannerError, Position, SqlSyntaxError, position_at
from planner.limits import ScannedSql, SqlLimits, scan_sql
from planner.quoting import quote_text
from planner.spellings import kernel_spelling
from planner.tokens import tokens

DIALECTS = ("postgres", "generic", "duckdb")
DEEP_STACK_BYTES = 256 << 20
CHAIN_TERMS_ON_ANY_STACK = 400
"""Chains this short parse and print on a stack of 512 KiB; longer ones go to a thread with a stack of its own."""

UNKNOWN_CHAIN = CHAIN_TERMS_ON_ANY_STACK + 1
"""For trees of which nobody has counted the chains: they are printed where any depth is safe."""

_BEFORE_PATHS = frozenset(("from", "join", "describe", "desc", "summarize", "show", "table", "pivot", "unpivot"))
_BARE_CALLS = re.compile(r"\b(?:current_|localtime|(?:session_)?user\b)", re.IGNORECASE)
"""Words that the parser takes for calls without parentheses."""
_PLACE = re.compile(r" at Line: (\d+), Column: (\d+)")


@dataclass(frozen=True, slots=True)
class ParsedSql:
    """A statement's syntax tree, with the text that it came from."""

    scanned: ScannedSql
    ast: Ast

    @property
    def sql(self) -> str:
        """The user's text."""
        return self.scanned.original

    def error(self, kind: type[PlannerError], message: str, at: Span | None, remedy: str | None = None) -> PlannerError:
        """An error of that kind that points at a span of the tree."""
        if at is None:
            return kind(message, remedy=remedy)
        start, end = self.scanned.position(at.line, at.column), self.scanned.position(at.line, at.column + at.length)
        return kind(message, sql=self.sql, position=start, length=end.column - start.column, remedy=remedy)

    def path_span(self, path: str) -> Span | None:
        """Where a path stands in single quotes, of which the tree knows no place: behind FROM or its like, before anywhere else."""
        text, written = self.scanned.text, quote_text(path)
        found: list[tuple[bool, int]] = []
        before = ""
        for _, start, end in tokens(text):
            if text[start:end] == written:
                found.append((before.lower() not in _BEFORE_PATHS, start))
            before = text[start:end]
        if not found:
            return None
        at = position_at(text, min(found)[1])
        return Span(at.line, at.column, len(written))


def parse(sql: str, limits: SqlLimits) -> ParsedSql:
    """Parses one statement. Raises ``SqlSyntaxError`` with the place, ``LimitExceeded``, or ``InvalidQuery`` for several statements."""
    return parse_scanned(scan_sql(sql, limits))


def parse_scanned(scanned: ScannedSql) -> ParsedSql:
    """Parses a statement that is within the limits. Raises as :func:`parse` does."""
    failures: list[ValueError] = []
    for dialect in DIALECTS:
        try:
            statements = _on_stack(sqloxide.parse_sql, scanned.chain_terms, sql=scanned.text, dialect=dialect)
        except ValueError as error:
            failures.append(error)
            continue
        if len(statements) != 1:
            raise InvalidQuery("one statement a request", remedy="Send the statements one after another.")
        ast: Ast = statements[0]
        if dialect != DIALECTS[-1] and _has_misread_type(ast):
            continue
        protect_signs(ast)
        if _BARE_CALLS.search(scanned.text) is not None:
            _name_bare_calls(ast)
        return ParsedSql(scanned, ast)
    raise _syntax_error(scanned, max(failures, key=_progress))


def _has_misread_type(ast: Ast) -> bool:
    """Whether there is a ``STRUCT(a INTEGER)`` whose fields were read as mere modifiers."""
    for node in walk(ast):
        custom: Any = node.get("Custom")
        if type(custom) in SEQUENCES and len(custom) == 2 and custom[1]:
            parts = name_parts(custom[0])
            if parts and str(parts[-1]["value"]).lower() in ("struct", "union", "row"):
                return True
    return False


def _name_bare_calls(ast: Ast) -> None:
    """Has ``user``, ``current_date`` and their like be names, in place: to the kernel they are columns where there are such."""
    for node in walk(ast):
        match node.get("Function"):
            case {"args": "None", "name": [{"Identifier": name}]}:
                del node["Function"]
                node["Identifier"] = name


def print_sql(statement: Ast, chain_terms: int) -> str:
    """The SQL text of a statement's syntax tree, for the kernel."""
    (text,) = _on_stack(sqloxide.restore_ast, chain_terms, ast=[statement])
    return kernel_spelling(str(text))


def protect_signs(ast: Ast) -> None:
    """Puts signed operands of signs in parentheses, in place: the printer would write ``- -x`` as ``--x``, a comment.

    The parentheses stand where the kernel sees the operand end, whose sign binds tighter than its power: ``- -2 ^ 2`` becomes
    ``-(-2) ^ 2``. A single sign is left alone: whatever it means to the kernel, that is what the user wrote.
    """
    for node in walk(ast):
        unary = node.get("UnaryOp")
        if type(unary) is not dict or unary["op"] == "Not":
            continue
        signs, operand = _signs(node)
        first, place = operand, None
        while "BinaryOp" in first:
            place, first = first["BinaryOp"], first["BinaryOp"]["left"]
        if len(signs) < 2:
            # ``~ -x`` would be an operator of its own, were it printed side by side. So would ``- ~x``, but there the kernel and
            # the parser group what follows otherwise: the kernel refuses it.
            if "UnaryOp" in first and not signs:
                unary["expr"] = {"Nested": unary["expr"]}
            continue
        for sign in reversed(signs[1:]):
            first = {"Nested": {"UnaryOp": {"op": sign, "expr": first}}}
        if place is not None:
            place["left"], first = first, operand
        unary["expr"] = first


_SIGNS = ("Minus", "Plus")


def _signs(node: Ast) -> tuple[list[str], Ast]:
    """The signs that a unary operator begins with (none, if it is no sign), and what they stand before."""
    signs: list[str] = []
    operand = node
    while "UnaryOp" in operand and operand["UnaryOp"]["op"] in _SIGNS:
        signs.append(operand["UnaryOp"]["op"])
        operand = operand["UnaryOp"]["expr"]
    return signs, operand if signs else node["UnaryOp"]["expr"]


def _on_stack(function: Any, chain_terms: int, **arguments: Any) -> Any:
    if chain_terms <= CHAIN_TERMS_ON_ANY_STACK:
        return function(**arguments)
    return _deep_stack().submit(lambda: function(**arguments)).result()


@cache
def _deep_stack() -> ThreadPoolExecutor:
    """The one thread of this package. It holds no state: it is there because a stack's size is fixed when its thread starts."""
    before = threading.stack_size(DEEP_STACK_BYTES)
    try:
        executor = ThreadPoolExecutor(1, thread_name_prefix="deep-parser")
        executor.submit(int).result()
    finally:
        threading.stack_size(before)
    return executor


def _progress(error: ValueError) -> tuple[int, int]:
    place = _PLACE.search(str(error))
    return (int(place[1]), int(place[2])) if place else (1 << 30, 0)


def _syntax_error(scanned: ScannedSql, error: ValueError) -> SqlSyntaxError | LimitExceeded:
    text = str(error).replace("Query parsing failed.", "").replace("sql parser error:", "").strip()
    if "must be root" in text:
        return SqlSyntaxError("EXPLAIN and DESCRIBE take a query or a table", remedy="Write SELECT … FROM (DESCRIBE t).")
    if "recursion limit" in text:
        return LimitExceeded("the statement nests too deep", remedy="Flatten the expression, or use CTEs for the inner parts.")
    place = _PLACE.search(text)
    if place is None:
        return SqlSyntaxError(f"syntax error: {_lower_first(text)}")
    position = scanned.position(int(place[1]), int(place[2]))
    found = re.search(r"found: (.+?) at Line", text)
    word = found[1] if found else " "
    if found is not None and scanned.text != scanned.original:
        word = _word_at(scanned.original, position)
        text = text.replace(found[0], f"found: {word} at Line")
    return SqlSyntaxError(
        f"syntax error: {_lower_first(_PLACE.sub('', text))}",
        sql=scanned.original,
        position=position,
        length=len(word),
        remedy=_remedy(word),
    )


def _remedy(word: str) -> str | None:
    """What to do about a word that cannot stand where it does."""
    if word.upper() == "MATCH_CONDITION":
        return "Write the condition behind ON: a ASOF JOIN b ON a.x >= b.x."
    if word[:1] in ("?", "$"):
        return "A parameter stands for a value. Names of tables, columns and types are written into the statement."
    return None


def _word_at(sql: str, place: Position) -> str:
    """The user's word at a place where the parser may have had another."""
    rest = "\n".join(sql.split("\n")[place.line - 1 :])[place.column - 1 :]
    return next((rest[start:stop] for _, start, stop in tokens(rest)), "the end")


def _lower_first(text: str) -> str:
    return text.replace("Expected: ", "expected ", 1).replace("found: ", "found ", 1)
