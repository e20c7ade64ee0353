"""One look over a whole statement before it is bound: what it calls, which names it uses, and its parameters' values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa

from planner.ast import SEQUENCES, Ast, is_identifier, span_of, substitute_along, walk, ways_to
from planner.errors import AccessRefused, InvalidQuery, LimitExceeded
from planner.functions import FILE_READERS, READ_FILES, is_refused_scalar
from planner.parameter_names import with_parameter_names
from planner.parse import UNKNOWN_CHAIN, ParsedSql
from planner.qualified_names import dotted_name
from planner.quoting import folded
from planner.references import function_name
from planner.render import print_expression
from planner.session import asks_session
from planner.typed_literals import adaptable_ast, constant_ast, literal_ast

INPUT_PREFIX = "in_"

MAX_PARAMETERS = 65_535
"""As PostgreSQL has it: a number alone may ask for any number of values."""
MAX_NUMBER_DIGITS = 9

Values = Sequence[pa.Scalar]
"""The values of parameters, in their order."""
ColumnName = Callable[[str], str | None]
"""What the kernel calls a column; see ``Catalog``."""
Told = Callable[[Ast], str | None]
"""What a call of :func:`~planner.session.asks_session` gives, as text; None where that is not told."""


@dataclass(frozen=True, slots=True)
class Survey:
    """``ast`` is the statement with values in place of its parameters.

    ``prefix``: how the fragment's relations may be called without meeting a name of the statement's own. ``qualified``: there are
    names that may have the schema before the table.
    """

    ast: Ast
    prefix: str
    qualified: bool


class _Tree(NamedTuple):
    """A statement's tree, and the ways in it to the parameters."""

    ast: Ast
    ways: frozenset[int]


@dataclass(frozen=True)
class Outline:
    """What a look over a statement found, whatever the values of its parameters: made once, for any number of runs.

    ``placeholders`` are the nodes of the parameters, with their ``numbers``. ``calls``: those that ask about the session.
    ``qualified``, ``prefix``: see :class:`Survey`.
    """

    parsed: ParsedSql
    placeholders: tuple[Ast, ...]
    numbers: tuple[int, ...]
    calls: tuple[Ast, ...]
    prefix: str
    qualified: bool
    _named: list[_Tree] = field(default_factory=list, compare=False, repr=False)

    @property
    def count(self) -> int:
        """How many values the statement takes."""
        return max(self.numbers, default=0)

    @cached_property
    def only_in_conditions(self) -> bool:
        """Whether all parameters stand in WHERE, where no value can tell what the columns of the result are."""
        conditions = (node["selection"] for node in walk(self.parsed.ast) if node.get("selection") is not None)
        everywhere = set(map(id, self.placeholders))
        return self.parsed.scanned.mark is None and everywhere <= {found for condition in conditions for found in _placeholders(condition)}

    def with_values(self, parameters: Values | None, told: Told, adaptable: bool, column_name: ColumnName | None) -> Ast:
        """The statement's tree with the values in place. See :func:`survey`."""
        values = self._answers(told) | self._values(parameters, adaptable)
        tree = self._plain if column_name is None else self._with_names(column_name)
        ast: Ast = substitute_along(tree.ast, values, tree.ways)
        return ast

    @cached_property
    def _ids(self) -> frozenset[int]:
        return frozenset(map(id, (*self.placeholders, *self.calls)))

    @cached_property
    def _plain(self) -> _Tree:
        return _Tree(self.parsed.ast, ways_to(self.parsed.ast, self._ids))

    def _with_names(self, column_name: ColumnName) -> _Tree:
        """The tree with names for what is computed from parameters, which do not hang on values."""
        if not self._named:
            named = with_parameter_names(self.parsed.ast, self._ids, self.parsed, column_name)
            self._named.append(_Tree(named, ways_to(named, self._ids)))
        return self._named[0]

    @cached_property
    def _alone(self) -> frozenset[int]:
        return frozenset(id(node) for node in _standing_alone(self.parsed.ast)) if self.placeholders else frozenset()

    @cached_property
    def _lists(self) -> frozenset[int]:
        """What stands behind IN without parentheses, which would make a list of it that holds it."""
        return frozenset(id(node["InUnnest"]["array_expr"]) for node in walk(self.parsed.ast) if "InUnnest" in node)

    def _answers(self, told: Told) -> dict[int, Ast]:
        """What to put in place of the calls that ask about the session, by their nodes' ids."""
        answers: dict[int, Ast] = {}
        for node in self.calls:
            if (text := told(node["Function"])) is None:
                _check_function(node["Function"], self.parsed)
            else:
                answers[id(node)] = constant_ast(pa.scalar(text))
        return answers

    def _values(self, parameters: Values | None, adaptable: bool) -> dict[int, Ast]:
        """What to put in place of the placeholders, by their nodes' ids."""
        if self.numbers and parameters is None:
            message = "the statement has parameters but no values came with it"
            raise self.parsed.error(InvalidQuery, message, span_of(self.placeholders[0]), "Pass the values of ? or $1, $2 ….")
        given = parameters or ()
        if len(given) != self.count:
            message = f"the statement takes {self.count} parameter{'' if self.count == 1 else 's'}, and {len(given)} came with it"
            raise InvalidQuery(message, remedy="Pass one value for each.")
        literals = [literal_ast(value) for value in given]
        values: dict[int, Ast] = {}
        for node, number in zip(self.placeholders, self.numbers, strict=True):
            literal = literals[number - 1]
            if id(node) in self._alone:
                literal = constant_ast(given[number - 1])
            elif adaptable:
                literal = adaptable_ast(given[number - 1]) or literal
            if id(node) in self._lists:
                literal = literal.get("Nested", literal)
            values[id(node)] = {"Placeholder": print_expression(literal, UNKNOWN_CHAIN)} if "Placeholder" in node else literal
        return values


def outline(parsed: ParsedSql) -> Outline:
    """Looks over a statement. Raises ``AccessRefused`` for forbidden functions, ``InvalidQuery`` for a parameter without a number,
    ``LimitExceeded`` for one with too large a number.
    """
    names: set[str] = set()
    placeholders: list[Ast] = []
    calls: list[Ast] = []
    qualified = False
    for node in walk(parsed.ast):
        if is_identifier(node):
            names.add(folded(str(node["value"])))
        elif "Function" in node and type(node["Function"]) is dict and "uses_odbc_syntax" in node["Function"]:
            if asks_session(node["Function"]):
                calls.append(node)
            else:
                _check_function(node["Function"], parsed)
        elif "Value" in node or "Placeholder" in node:
            if _placeholder(node) is not None:
                placeholders.append(node)
        elif not qualified:
            name = dotted_name(node)
            qualified = name is not None and name.doubtful
    numbers = tuple(_number(node, parsed) for node in placeholders)
    prefix = INPUT_PREFIX
    while any(name.startswith(prefix) for name in names):
        prefix = "_" + prefix
    return Outline(parsed, tuple(placeholders), numbers, tuple(calls), prefix, qualified)


def survey(
    found: Outline, parameters: Values | None, told: Told, *, adaptable: bool = False, column_name: ColumnName | None = None
) -> Survey:
    """Puts parameters in place, and what is ``told``, which counts as a parameter. The parser's tree stays as it is.

    ``adaptable``: integers and NULL have the types that their places ask for, where they can, instead of their own. ``column_name``
    says what columns are called that are computed from parameters; without it, values are in their names.
    Raises ``InvalidQuery``, and ``AccessRefused`` for a setting that is not told.
    """
    return Survey(found.with_values(parameters, told, adaptable, column_name), found.prefix, found.qualified)


def _placeholders(root: Any) -> set[int]:
    return {id(node) for node in walk(root) if _placeholder(node) is not None}


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
    number = (_placeholder(node) or "")[1:]
    if not number.isascii() or not number.isdigit() or not number.strip("0"):
        raise parsed.error(InvalidQuery, f"the parameter '{_placeholder(node)}' has no number", span_of(node), "Write ? or $1, $2 ….")
    if len(number) > MAX_NUMBER_DIGITS or int(number) > MAX_PARAMETERS:
        message = f"a statement takes at most {MAX_PARAMETERS:,} parameters"
        raise parsed.error(LimitExceeded, message, span_of(node), "Pass many values as one list: n = ANY(?).")
    return int(number)


def _standing_alone(ast: Ast) -> Iterable[Ast]:
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
