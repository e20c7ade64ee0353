"""One look over a whole statement before it is bound: what it calls, which names it uses, and its parameters' values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.ast import Ast, is_identifier, span_of, substitute_nodes, walk
from planner.errors import AccessRefused, InvalidQuery
from planner.functions import FILE_READERS, READ_FILES, is_refused_scalar
from planner.literals import literal_ast
from planner.parse import ParsedSql
from planner.qualified_names import dotted_name
from planner.quoting import folded
from planner.references import function_name

INPUT_PREFIX = "in_"


@dataclass(frozen=True, slots=True)
class Survey:
    """``ast`` is the statement with values in place of its parameters.

    ``prefix``: how the fragment's relations may be called without meeting a name of the statement's own. ``qualified``: there are
    names that may have the schema before the table.
    """

    ast: Ast
    prefix: str
    qualified: bool


def survey(parsed: ParsedSql, parameters: Sequence[object] | None) -> Survey:
    """Refuses forbidden functions and puts parameters in place. The parser's tree stays as it is.

    Raises ``AccessRefused`` and ``InvalidQuery``.
    """
    names: set[str] = set()
    placeholders: list[Ast] = []
    qualified = False
    for node in walk(parsed.ast):
        if is_identifier(node):
            names.add(folded(str(node["value"])))
        elif "Function" in node and type(node["Function"]) is dict and "uses_odbc_syntax" in node["Function"]:
            _check_function(node["Function"], parsed)
        elif "Value" in node:
            if _placeholder(node) is not None:
                placeholders.append(node)
        elif not qualified:
            name = dotted_name(node)
            qualified = name is not None and name.doubtful
    values = _parameter_values(placeholders, parameters, parsed)
    prefix = INPUT_PREFIX
    while any(name.startswith(prefix) for name in names):
        prefix = "_" + prefix
    return Survey(substitute_nodes(parsed.ast, values), prefix, qualified)


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


def _parameter_values(placeholders: list[Ast], parameters: Sequence[object] | None, parsed: ParsedSql) -> dict[int, Ast]:
    """What to put in place of the placeholders, by their nodes' ids."""
    numbers = [_number(node, parsed) for node in placeholders]
    if numbers and parameters is None:
        message = "the statement has parameters but no values came with it"
        raise parsed.error(InvalidQuery, message, span_of(placeholders[0]), "Pass the values of ? or $1, $2 ….")
    given, wanted = len(parameters or ()), max(numbers, default=0)
    if given != wanted:
        raise InvalidQuery(f"the statement takes {wanted} parameters, and {given} values came with it", remedy="Pass one value for each.")
    return {id(node): literal_ast((parameters or ())[number - 1]) for node, number in zip(placeholders, numbers, strict=True)}
