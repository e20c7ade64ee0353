"""What expressions are, and when two of them are the same value of a row, however they are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planner.ast import SEQUENCES, Ast, walk
from planner.distribute.partial_aggregates import AGGREGATES, BY_ARRIVAL, WITH_PARTIAL_FORM
from planner.distribute.scopes import BoundColumn, Names, SelectAlias
from planner.functions import WINDOW_FUNCTIONS
from planner.quoting import folded
from planner.references import function_name

_PLACES = frozenset(("span", "quote_style"))


def is_call(node: Ast) -> bool:
    """A function call."""
    function = node.get("Function")
    return type(function) is dict and "uses_odbc_syntax" in function


def is_aggregate(function: Ast) -> bool:
    """Whether a called function makes one value of the rows of a group."""
    return function["over"] is None and function_name(function) in AGGREGATES


def has_partial_form(function: Ast) -> bool:
    """Whether a called aggregate can be had from the states of shares, or of the distinct arguments that they have."""
    listed = function["args"]
    if function_name(function) not in WITH_PARTIAL_FORM or type(listed) is not dict or "List" not in listed:
        return False
    distinct = listed["List"]["duplicate_treatment"] == "Distinct"
    plain = not listed["List"]["clauses"] and not function["within_group"] and not function["null_treatment"]
    return plain and not (distinct and (function["filter"] is not None or len(arguments(function)) != 1))


def is_grouped(select: Ast) -> bool:
    """Whether GROUP BY or HAVING makes groups of the rows of a SELECT, whatever its items are."""
    group = select["group_by"]
    return "All" in group or any(group["Expressions"]) or select["having"] is not None


def sorts_and_limits(ast: Ast, *, limits_only: bool = False) -> bool:
    """Whether a query sorts its rows, or leaves some out, behind its body."""
    return any(ast.get(key) for key in ("limit_clause", "fetch", *(() if limits_only else ("order_by",))))


def hangs_on_arrival(root: Any) -> bool:
    """Whether a value in it may be another when rows arrive in another order: what lists them, or numbers them in no order that is told."""
    for node in walk(root):
        if not is_call(node):
            continue
        function, name = node["Function"], function_name(node["Function"])
        over = function["over"]
        if over is None and name in BY_ARRIVAL:
            listed = function["args"]
            sorted_inside = type(listed) is dict and "List" in listed and listed["List"]["clauses"]
            if not sorted_inside and not function["within_group"]:
                return True
        elif over is not None and (name in BY_ARRIVAL or name in WINDOW_FUNCTIONS) and not over.get("WindowSpec", {}).get("order_by"):
            return True
    return False


def arguments(function: Ast) -> list[Ast]:
    """The expressions that a function is called with; a star is none."""
    listed = function["args"]
    if type(listed) is not dict or "List" not in listed:
        return []
    given = [argument.get("Unnamed") for argument in listed["List"]["args"]]
    return [argument["Expr"] for argument in given if type(argument) is dict and "Expr" in argument]


def is_name(node: Ast) -> bool:
    """A name, with dots or without."""
    return "Identifier" in node or "CompoundIdentifier" in node


@dataclass(slots=True)
class Meanings:
    """What expressions mean, as something that can be compared. ``kinds`` is for who compares: which kinds of expressions are worth it."""

    names: Names
    kinds: set[str] = field(default_factory=set)

    def of(self, node: Any) -> Any:
        """Equal for expressions that are the same value of a row: the same but for parentheses and for how a column is called."""
        if type(node) in SEQUENCES:
            return tuple(map(self.of, node))
        if type(node) is not dict:
            return node
        if "Nested" in node:
            return self.of(node["Nested"])
        if is_name(node):
            meaning = self.names.meaning(node)
            if isinstance(meaning, BoundColumn):
                return ("column", id(meaning.relation), folded(meaning.name))
            return ("alias", meaning.item) if isinstance(meaning, SelectAlias) else ("name", id(node))
        called = "uses_odbc_syntax" in node  # the name of a function is no column's
        return tuple(
            (key, function_name(node) if called and key == "name" else self.of(child)) for key, child in node.items() if key not in _PLACES
        )
