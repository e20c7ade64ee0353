"""One look over a whole statement before it is bound: what it calls, which names it uses, and its parameters' values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.ast import Ast, is_identifier, span_of, walk
from planner.errors import AccessRefused, InvalidQuery
from planner.functions import FILE_READERS, READ_FILES, is_refused_scalar
from planner.literals import literal_ast
from planner.parse import ParsedSql
from planner.references import function_name

INPUT_PREFIX = "in_"


@dataclass(frozen=True, slots=True)
class Survey:
    """``prefix``: how the fragment's relations may be called without meeting a name of the statement's own."""

    prefix: str


def survey(parsed: ParsedSql, parameters: Sequence[object] | None) -> Survey:
    """Refuses forbidden functions, puts parameters in place, and takes schema names off column references.

    Works in place: the tree is fresh from the parser. Raises ``AccessRefused`` and ``InvalidQuery``.
    """
    names: set[str] = set()
    placeholders: list[Ast] = []
    compounds: list[Ast] = []
    wildcards: list[Ast] = []
    for node in walk(parsed.ast):
        if is_identifier(node):
            names.add(str(node["value"]).lower())
        elif "Function" in node and type(node["Function"]) is dict and "uses_odbc_syntax" in node["Function"]:
            _check_function(node["Function"], parsed)
        elif "CompoundIdentifier" in node:
            compounds.append(node)
        elif "ObjectName" in node:
            wildcards.append(node)
        elif "Value" in node and _placeholder(node) is not None:
            placeholders.append(node)
    _bind_parameters(placeholders, parameters, parsed)
    for node in compounds:
        _strip_schema(node)
    for node in wildcards:
        node["ObjectName"] = node["ObjectName"][-1:]
    prefix = INPUT_PREFIX
    while any(name.startswith(prefix) for name in names):
        prefix = "_" + prefix
    return Survey(prefix)


def placeholder_count(ast: Ast, parsed: ParsedSql) -> int:
    """How many parameters a statement takes."""
    numbers = [_number(node, parsed) for node in walk(ast) if "Value" in node and _placeholder(node) is not None]
    return max(numbers, default=0)


def _check_function(function: Ast, parsed: ParsedSql) -> None:
    name = function_name(function)
    if is_refused_scalar(name):
        remedy = f"To read files of a connection, write FROM {READ_FILES}('…')." if name in FILE_READERS else None
        raise parsed.error(AccessRefused, f"the function '{name}' is not available", span_of(function["name"]), remedy)


def _placeholder(node: Ast) -> str | None:
    inner = node["Value"]
    value = inner.get("value") if type(inner) is dict else None
    text = value.get("Placeholder") if type(value) is dict else None
    return text if type(text) is str else None


def _number(node: Ast, parsed: ParsedSql) -> int:
    text = _placeholder(node) or ""
    if not text[1:].isdigit() or int(text[1:]) < 1:
        raise parsed.error(InvalidQuery, f"the parameter '{text}' has no number", span_of(node), "Write ? or $1, $2 ….")
    return int(text[1:])


def _bind_parameters(placeholders: list[Ast], parameters: Sequence[object] | None, parsed: ParsedSql) -> None:
    numbers = [_number(node, parsed) for node in placeholders]
    if numbers and parameters is None:
        message = "the statement has parameters but no values came with it"
        raise parsed.error(InvalidQuery, message, span_of(placeholders[0]), "Pass the values of ? or $1, $2 ….")
    given, wanted = len(parameters or ()), max(numbers, default=0)
    if given != wanted:
        raise InvalidQuery(f"the statement takes {wanted} parameters, and {given} values came with it", remedy="Pass one value for each.")
    for node, number in zip(placeholders, numbers, strict=True):
        value = literal_ast((parameters or ())[number - 1])
        node.clear()
        node.update(value)


def _strip_schema(node: Ast) -> None:
    """``volley.main.t.x`` and ``main.t.x`` → ``t.x``: relations have no schema inside of a fragment; of ``main.t.*`` neither."""
    parts = node["CompoundIdentifier"]
    folded = [str(part["value"]).lower() for part in parts]
    if len(parts) >= 4 and folded[:2] == ["volley", "main"]:
        node["CompoundIdentifier"] = parts[2:]
    elif len(parts) >= 3 and folded[0] == "main":
        node["CompoundIdentifier"] = parts[1:]
