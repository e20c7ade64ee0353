"""What the kernel's binder says about the SQL that it was given, told about the SQL that the user wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from planner.ast import Ast, Span, is_identifier, span_of, walk
from planner.errors import InvalidQuery, LimitExceeded, NotSupported, PlannerError, SqlSyntaxError, UnknownColumn, VolleyError
from planner.logical import Scan
from planner.parse import ParsedSql
from planner.quoting import folded, quote_name
from planner.words import words

_EXCERPT = re.compile(r"\n+LINE \d+:.*", re.DOTALL)
_KIND = re.compile(r"^([A-Z][A-Za-z ]*?)(?: Error)?: ")
_CANDIDATES = re.compile(r"\n*Candidate (?:bindings|tables|functions): *:? *(.*)", re.DOTALL)
_NOT_FOUND = re.compile(
    r'Referenced column "(?P<bare>[^"]+)" (?:was )?not found in FROM clause|does not have a column named "(?P<qualified>[^"]+)"'
)
_EXTENSION = re.compile(
    r"(?P<kind>\w+) with name \"?(?P<name>[^\s\"]+)\"? is not in the catalog, but it exists in the (?P<extension>\w+) extension"
    r"|(?:install|load) the required extension '(?P<required>\w+)",
)
_LAMBDA_ARROW = re.compile(r"lambda arrow \(->\)")
_MEMBER = re.compile(r'"(?P<table>[^"]+)" does not have a column named "(?P<column>[^"]+)"')
_NO_TABLE = re.compile(r'Referenced table "(?P<table>[^"]+)" not found')
RESERVED = words(
    """
    all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by case cast check collate collation column
    concurrently constraint create cross default deferrable desc describe distinct do else end except false fetch for foreign freeze from
    full glob group having ilike in initially inner intersect into is isnull join lambda lateral leading left like limit natural not notnull
    null offset on only or order outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify references returning right
    select semi show similar some summarize symmetric table tablesample then to trailing true union unique unpack unpivot using variadic
    verbose when where window with
    """
)
"""Words that are no columns without quotes."""
MAX_CANDIDATES = 12
"""So many lines of advice are passed on: some operators have sixty ways to be called."""
_QUOTED = re.compile(r'"([^"\n]+)"|\'([^\'\n]+)\'|(?:name|function) ([A-Za-z_]\w*)|^[^:]+: ([a-z_]\w*)\(')


def translate(error: VolleyError, parsed: ParsedSql, scans: Sequence[Scan], prefix: str) -> PlannerError:
    """The planner's error for a refusal by the kernel's binder: with the place in the user's text where it can be found."""
    message = clean(error.message, scans, prefix)
    missing = _NOT_FOUND.search(message)
    if missing is not None:
        return _unknown_column(str(missing["bare"] or missing["qualified"]), message, parsed, scans)
    table = _NO_TABLE.search(message)
    if table is not None:
        return _unknown_table(table["table"], message, parsed, scans)
    advised = _cannot_be_done(message, parsed)
    if advised is not None:
        return advised
    kind = _KIND.match(message)
    unread = (kind is not None and kind[1] == "Parser") or "cannot contain DEFAULT clause" in message
    if unread and (word := _reserved_name(parsed.ast)) is not None:
        name = str(word["value"])
        remedy = f"As a name it stands in double quotes: {quote_name(name)}."
        return parsed.error(SqlSyntaxError, f"syntax error: '{name}' is a word of SQL", span_of(word), remedy)
    text = _reworded(message[kind.end() :] if kind else message)
    span = _first_named(message, parsed.ast)
    error_class = _class_of(kind[1] if kind else "", text)
    headline, advice = _parted(text)
    return parsed.error(error_class, _lower_first(headline), span, advice or error.remedy)


def _parted(text: str) -> tuple[str, str]:
    """What is wrong, and what can be done, cut to ``MAX_CANDIDATES`` lines."""
    headline, _, advice = text.partition("\n")
    lines = advice.strip().split("\n")
    return headline, "\n".join(
        lines[:MAX_CANDIDATES] + ([f"… and {len(lines) - MAX_CANDIDATES} more"] if len(lines) > MAX_CANDIDATES else [])
    )


def _unknown_table(name: str, message: str, parsed: ParsedSql, scans: Sequence[Scan]) -> PlannerError:
    """Also where FROM has that table: in a subquery, the kernel looks for a column that it lacks in the blocks around, and says so."""
    wanted = folded(name).split(".")
    places = [parts for parts in _dotted(parsed.ast) if _folded_parts(parts)[: len(wanted)] == wanted and len(parts) > len(wanted)]
    for parts in places:
        for scan in scans:
            column = str(parts[1]["value"])
            if [scan.alias] == wanted and all(folded(known.name) != folded(column) for known in scan.columns):
                remedy = column_remedy(column, [known.name for known in scan.columns])
                return parsed.error(UnknownColumn, f"there is no column '{column}' in {name}", span_of(parts[1]), remedy)
    headline, advice = _parted(message)
    span = span_of(places[0][: len(wanted)]) if places else _first_named(message, parsed.ast)
    return parsed.error(InvalidQuery, _lower_first(_KIND.sub("", headline)), span, advice)


def _dotted(ast: Ast) -> list[list[Ast]]:
    return [node["CompoundIdentifier"] for node in walk(ast) if "CompoundIdentifier" in node]


def _folded_parts(parts: list[Ast]) -> list[str]:
    return [folded(str(part["value"])) for part in parts]


def _cannot_be_done(message: str, parsed: ParsedSql) -> PlannerError | None:
    """The error for a message whose advice nobody can follow here, with advice that one can; None for any other."""
    extension = _EXTENSION.search(message)
    if extension is not None:
        name = extension["name"]
        belongs = extension["extension"] or extension["required"]
        what = f"the {'type' if extension['kind'] == 'Type' else 'function'} '{name}' is" if name else "this is"
        span = _span_of_name(name or belongs, parsed.ast)
        remedy = "Volley runs without that. DuckDB's built-in functions and types are all there."
        return parsed.error(NotSupported, f"{what} not available: it belongs to the kernel's extension {belongs}", span, remedy)
    if _LAMBDA_ARROW.search(message) is not None:
        remedy = "Write lambda x: x + 1. The arrow takes a value out of JSON, as in j -> 'key'."
        return parsed.error(InvalidQuery, "x -> … is no lambda here", None, remedy)
    return None


def clean(message: str, scans: Sequence[Scan], prefix: str) -> str:
    """The kernel's message without its excerpt of the printed SQL and without the fragment's relation names."""
    names = {scan.name: scan.table.name for scan in scans}
    message = _EXCERPT.sub("", message)
    return re.sub(rf"\b{re.escape(prefix)}\d+\b", lambda found: names.get(found[0], found[0]), message).strip()


def _reworded(text: str) -> str:
    """Without advice about settings, which are out of reach, and with functions called functions."""
    text = re.sub(r"(?:,? or|\.?) (?:use |Use )?\"?SET [^.\n]*\.?", ".", text)
    return re.sub(
        r"(?:Scalar|Aggregate|Table|Macro)? ?Function with name (\S+) does not exist!", r"there is no function '\1'.", text
    ).strip()


def _class_of(kind: str, text: str) -> type[PlannerError]:
    match kind:
        case _ if "depth limit" in text:
            return LimitExceeded
        case "Parser":
            return SqlSyntaxError
        case "Not implemented":
            return NotSupported
        case _:
            return InvalidQuery


def _unknown_column(name: str, message: str, parsed: ParsedSql, scans: Sequence[Scan]) -> PlannerError:
    member = _MEMBER.search(message)
    table = member["table"] if member else None
    near_scans = [scan for scan in scans if table is None or scan.alias == folded(table)]
    known = list(dict.fromkeys(column.name for scan in near_scans for column in scan.columns))
    candidates = _CANDIDATES.search(message)
    if not known and candidates:
        known = re.findall(r'"([^"]+)"', candidates[1])
    wanted = [folded(table or ""), folded(name)]
    members = [parts for parts in _dotted(parsed.ast) if _folded_parts(parts)[-2:] == wanted]
    span = span_of(members[0][-1]) if members else _span_of_name(name, parsed.ast)
    where = f" in {table}" if table else ""
    return parsed.error(UnknownColumn, f"there is no column '{name}'{where}", span, column_remedy(name, known))


def column_remedy(name: str, known: Sequence[str]) -> str | None:
    """What to say to who wrote ``name`` where the columns are ``known``."""
    spelled = {column.lower(): column for column in reversed(known)}
    near = [spelled[match] for match in get_close_matches(name.lower(), spelled, 3, 0.6) if match != name.lower()]
    remedy = f"Did you mean {' or '.join(near)}? " if near else ""
    if known:
        remedy += f"Columns: {', '.join(known[:30])}{' …' if len(known) > 30 else ''}."
    return remedy.strip() or None


def _first_named(message: str, ast: Ast) -> Span | None:
    """The place of the first thing that the message names and the statement contains."""
    for found in _QUOTED.finditer(message):
        name = re.match(r"[\w. ]+", next(group for group in found.groups() if group is not None))
        span = None if name is None else _span_of_name(name[0], ast)
        if span is not None:
            return span
    return None


def _span_of_name(name: str, ast: Any) -> Span | None:
    """Where the name stands; where it stands alone before where it follows a dot, because those are the doubtful ones."""
    last = folded(name.rpartition(".")[2])
    alone = (node["Identifier"] for node in walk(ast) if "Identifier" in node)
    for node in (*alone, *(node for node in walk(ast) if is_identifier(node))):
        if folded(str(node["value"])) == last and (span := span_of(node)) is not None:
            return span
    return None


def _reserved_name(ast: Ast) -> Ast | None:
    """The first name in an expression that the kernel takes for a word of its own."""
    for node in walk(ast):
        name = node.get("Identifier") or (node.get("CompoundIdentifier") or [None])[0]
        if name is not None and name["quote_style"] is None and folded(str(name["value"])) in RESERVED and span_of(name) is not None:
            return dict(name)
    return None


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
