"""One look over a whole statement before it is bound: what it calls, which names it uses, and its parameters' values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from planner.ast import SEQUENCES, Ast, is_identifier, span_of, substitute_nodes, walk
from planner.errors import AccessRefused, InvalidQuery
from planner.functions import FILE_READERS, READ_FILES, is_refused_scalar
from planner.parameter_names import with_parameter_names
from planner.parse import UNKNOWN_CHAIN, ParsedSql
from planner.qualified_names import dotted_name
from planner.quoting import folded
from planner.references import function_name
from planner.render import print_expression
from planner.typed_literals import adaptable_ast, constant_ast, literal_ast

INPUT_PREFIX = "in_"

Values = Sequence[pa.Scalar]
"""The values of parameters, in their order."""


@dataclass(frozen=True, slots=True)
class Survey:
    """``ast`` is the statement with values in place of its parameters.

    ``prefix``: how the fragment's relations may be called without meeting a name of the statement's own. ``qualified``: there are
    names that may have the schema before the table.
    """

    ast: Ast
    prefix: str
    qualified: bool


def survey(
    parsed: ParsedSql,
    parameters: Values | None,
    *,
    adaptable: bool = False,
    column_name: Callable[[str], str | None] | None = None,
    told: Callable[[Ast], str | None] = lambda _call: None,
) -> Survey:
    """Refuses forbidden functions and puts parameters in place. The parser's tree stays as it is.

    ``adaptable``: integers and NULL have the types that their places ask for, where they can, instead of their own. ``column_name``
    says what columns are called that are computed from parameters; without it, values are in their names. ``told``: what a call gives
    whose answer is known by now, as text; it counts as a parameter.
    Raises ``AccessRefused`` and ``InvalidQuery``.
    """
    names: set[str] = set()
    placeholders: list[Ast] = []
    known: dict[int, Ast] = {}
    qualified = False
    for node in walk(parsed.ast):
        if is_identifier(node):
            names.add(folded(str(node["value"])))
        elif "Function" in node and type(node["Function"]) is dict and "uses_odbc_syntax" in node["Function"]:
            if (text := told(node["Function"])) is None:
                _check_function(node["Function"], parsed)
            else:
                known[id(node)] = constant_ast(pa.scalar(text))
        elif "Value" in node or "Placeholder" in node:
            if _placeholder(node) is not None:
                placeholders.append(node)
        elif not qualified:
            name = dotted_name(node)
            qualified = name is not None and name.doubtful
    values = known | _parameter_values(placeholders, parameters, parsed, adaptable)
    prefix = INPUT_PREFIX
    while any(name.startswith(prefix) for name in names):
        prefix = "_" + prefix
    ast = parsed.ast if column_name is None else with_parameter_names(parsed.ast, values, parsed, column_name)
    return Survey(substitute_nodes(ast, values), prefix, qualified)


def only_in_conditions(parsed: ParsedSql) -> bool:
    """Whether all parameters stand in WHERE, where no value can tell what the columns of the result are."""
    everywhere = _placeholders(parsed.ast)
    conditions = (node["selection"] for node in walk(parsed.ast) if node.get("selection") is not None)
    return parsed.scanned.mark is None and everywhere <= {found for condition in conditions for found in _placeholders(condition)}


def _placeholders(root: Any) -> set[int]:
    return {id(node) for node in walk(root) if _placeholder(node) is not None}


def placeholder_count(ast: Ast, parsed: ParsedSql) -> int:
    """How many parameters a statement takes."""
    numbers = [_number(node, parsed) for node in walk(ast) if _placeholder(node) is not None]
    return max(numbers, default=0)


def _check_function(function: Ast, parsed: ParsedSql) -> None:
    name = function_name(function)
    if is_refused_scalar(name):
        remedy = f"To read files of a connection, write FROM {READ_FILES}('…')." if name in FILE_READERS else None
        if name == "current_setting":
            remedy = "It tells, by their names in single quotes, the settings that SHOW tells."
        raise parsed.error(AccessRefused, f"the function '{name}' is not available", span_of(function["name"]), remedy)


def _placeholder(node: Ast) -> str | None:
    """The text of a parameter's node. The character of ESCAPE is a value without a node around it."""
    inner = node.get("Value")
    value = inner.get("value") if type(inner) is dict else node
    text = value.get("Placeholder") if type(value) is dict else None
    return text if type(text) is str else None


def _number(node: Ast, parsed: ParsedSql) -> int:
    text = _placeholder(node) or ""
    if not text[1:].isdigit() or int(text[1:]) < 1:
        raise parsed.error(InvalidQuery, f"the parameter '{text}' has no number", span_of(node), "Write ? or $1, $2 ….")
    return int(text[1:])


def _parameter_values(placeholders: list[Ast], parameters: Values | None, parsed: ParsedSql, adaptable: bool) -> dict[int, Ast]:
    """What to put in place of the placeholders, by their nodes' ids."""
    numbers = [_number(node, parsed) for node in placeholders]
    if numbers and parameters is None:
        message = "the statement has parameters but no values came with it"
        raise parsed.error(InvalidQuery, message, span_of(placeholders[0]), "Pass the values of ? or $1, $2 ….")
    given, wanted = parameters or (), max(numbers, default=0)
    if len(given) != wanted:
        message = f"the statement takes {wanted} parameter{'' if wanted == 1 else 's'}, and {len(given)} came with it"
        raise InvalidQuery(message, remedy="Pass one value for each.")
    literals = [literal_ast(value) for value in given]
    values = {id(node): literals[number - 1] for node, number in zip(placeholders, numbers, strict=True)}
    alone = {id(node) for node in _alone(parsed.ast)} if numbers else set()
    for node, number in zip(placeholders, numbers, strict=True):
        if id(node) in alone:
            values[id(node)] = constant_ast(given[number - 1])
        elif adaptable:
            values[id(node)] = adaptable_ast(given[number - 1]) or values[id(node)]
        if "Placeholder" in node:
            values[id(node)] = {"Placeholder": print_expression(values[id(node)], UNKNOWN_CHAIN)}
    return values


def _alone(ast: Ast) -> Iterable[Ast]:
    """What stands alone in GROUP BY and ORDER BY, where a plain number would mean a column of the result and plain text is refused."""
    for node in walk(ast):
        grouped = node.get("group_by")
        listed = grouped.get("Expressions") if type(grouped) is dict else None
        expressions = list(listed[0]) if type(listed) in SEQUENCES and listed else []
        if "expr" in node and "options" in node:
            expressions.append(node["expr"])
        for expression in expressions:
            while "Nested" in expression:
                expression = expression["Nested"]
            yield expression
