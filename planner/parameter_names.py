"""Names of columns that are computed from parameters: as the kernel names them for ``$1``, whatever value is bound.

A column without an alias is called after its text, and the text that the kernel gets has the values in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from planner.ast import SEQUENCES, Ast, identifier, substitute_along, walk, ways_to
from planner.parse import ParsedSql
from planner.references import function_name
from planner.render import print_expression

_NAMED_OTHERWISE = frozenset(("columns",))
"""Functions that stand for several columns, which have names of their own."""


def with_parameter_names(ast: Ast, placeholders: Collection[int], parsed: ParsedSql, column_name: Callable[[str], str | None]) -> Ast:
    """The statement, with aliases for the columns that have none and whose text mentions a parameter. All else is shared with ``ast``.

    ``placeholders``: the parameters' nodes, by their ids. ``column_name``: see ``Catalog``.
    """
    aliases: dict[int, Ast] = {}
    for item in _unnamed_items(ast, parsed.scanned.mark) if placeholders else ():
        expression = item["UnnamedExpr"]
        if _takes_its_name(expression, placeholders):
            name = column_name(print_expression(expression, parsed.scanned.chain_terms))
            if name is not None:
                aliases[id(item)] = {"ExprWithAlias": {"expr": expression, "alias": identifier(name)}}
    named: Ast = substitute_along(ast, aliases, ways_to(ast, aliases)) if aliases else ast
    return named


def _unnamed_items(ast: Ast, mark: str | None) -> Iterator[Ast]:
    for node in walk(ast):
        items = node.get("projection")
        if type(items) in SEQUENCES and items and not _is_marked(items[0], mark):
            yield from (item for item in items if type(item) is dict and "UnnamedExpr" in item)


def _is_marked(item: Any, mark: str | None) -> bool:
    """Whether the SELECT that begins with ``item`` stands for something else, whose columns are named otherwise."""
    name = item.get("UnnamedExpr", {}).get("Identifier") if type(item) is dict else None
    return mark is not None and name is not None and str(name["value"]).startswith(mark)


def _takes_its_name(expression: Ast, placeholders: Collection[int]) -> bool:
    """Whether the kernel would call a column of ``expression`` after its text, with a parameter in it."""
    mentioned = False
    for node in walk(expression):
        mentioned = mentioned or id(node) in placeholders
        if "uses_odbc_syntax" in node and "name" in node and function_name(node) in _NAMED_OTHERWISE:
            return False
    return mentioned
