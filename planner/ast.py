"""The parser's syntax tree: nested dicts and lists, walked in loops (a chain of operators is thousands of levels deep)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Ast = dict[str, Any]
"""A node: one key that names its kind with its fields below, or the fields themselves."""

SEQUENCES = (list, tuple)
NESTED = (dict, list, tuple)
"""The types that a tree is made of; all else is a leaf. The parser makes lists and, for its own tuples, tuples."""

NO_SPAN: Ast = {"start": {"line": 0, "column": 0}, "end": {"line": 0, "column": 0}}

BARE_QUERY: Ast = {
    "with": None,
    "order_by": None,
    "limit_clause": None,
    "fetch": None,
    "locks": [],
    "for_clause": None,
    "pipe_operators": [],
}
"""A query of nothing but the ``body`` that is put into it."""

NO_GROUPS: Ast = {"Expressions": [[], []]}
"""The GROUP BY of a SELECT that has none."""

BARE_TABLE: Ast = {
    "alias": None,
    "args": None,
    "with_hints": [],
    "version": None,
    "with_ordinality": False,
    "partitions": [],
    "json_path": None,
    "sample": None,
    "index_hints": [],
}
"""A table in FROM, of nothing but the ``name`` that is put into it."""

_BARE_CALL: Ast = {
    "uses_odbc_syntax": False,
    "parameters": "None",
    "filter": None,
    "null_treatment": None,
    "over": None,
    "within_group": [],
}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the parsed text: from ``line``, ``column`` (from 1) on, ``length`` characters if it is on one line, else 1."""

    line: int
    column: int
    length: int


def is_query(node: Ast) -> bool:
    """A query: the thing with a WITH, a body, an ORDER BY and a LIMIT."""
    return "limit_clause" in node and "body" in node


def is_identifier(node: Ast) -> bool:
    """A name as written."""
    return "quote_style" in node and "value" in node


def walk(root: Any, *, into_queries: bool = True) -> Iterator[Ast]:
    """Every dict below (and with) ``root``, in the text's order; of a literal only its node.

    Without ``into_queries``, subqueries are given but not entered.
    """
    stack = [root]
    while stack:
        node = stack.pop()
        if type(node) is dict:
            yield node
            if "Value" in node or (not into_queries and node is not root and is_query(node)):
                continue
            below = [child for key, child in node.items() if key != "span" and type(child) in NESTED]
            below.reverse()
            stack += below
        elif type(node) in SEQUENCES:
            stack += [child for child in reversed(node) if type(child) in NESTED]


def subqueries(root: Any) -> list[Ast]:
    """The queries directly inside an expression (not those inside of these)."""
    return [node for node in walk(root, into_queries=False) if node is not root and is_query(node)]


def substitute(root: Any, replacement: Callable[[Ast], Ast | None]) -> Any:
    """A copy of ``root`` in which each dict for which ``replacement`` gives one is replaced; the outermost wins. Literals are shared."""
    holder: list[Any] = [None]
    stack: list[tuple[Any, Any, Any]] = [(root, holder, 0)]
    while stack:
        node, parent, key = stack.pop()
        if type(node) is dict:
            new = replacement(node)
            if new is not None or "Value" in node:
                parent[key] = node if new is None else new
                continue
            copy: Any = dict(node)
            stack += [(child, copy, name) for name, child in node.items() if name != "span" and type(child) in NESTED]
        else:
            copy = list(node)
            stack += [(child, copy, place) for place, child in enumerate(node) if type(child) in NESTED]
        parent[key] = copy
    return holder[0]


def substitute_nodes(root: Any, replacements: Mapping[int, Ast]) -> Any:
    """A copy of ``root`` in which the dicts whose ``id`` is in ``replacements`` are replaced."""
    return substitute(root, lambda node: replacements.get(id(node))) if replacements else root


def ways_to(root: Any, wanted: Container[int]) -> frozenset[int]:
    """The ids of all dicts and lists that have one of the ``wanted`` below them, in whichever of the places where that stands."""
    parents: dict[int, list[int]] = {}
    found: list[int] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in wanted:
            found.append(id(node))
        elif type(node) is not dict or "Value" not in node:
            for child in (child for key, child in node.items() if key != "span") if type(node) is dict else node:
                if type(child) in NESTED:
                    parents.setdefault(id(child), []).append(id(node))
                    stack.append(child)
    ways: set[int] = set()
    while found:
        above = [parent for parent in parents.get(found.pop(), ()) if parent not in ways]
        ways.update(above)
        found += above
    return frozenset(ways)


def substitute_along(root: Any, replacements: Mapping[int, Ast], ways: Container[int]) -> Any:
    """As :func:`substitute_nodes`, but of a tree whose ``ways`` to the replaced dicts are known: all else is shared, not copied."""
    if id(root) in replacements:
        return replacements[id(root)]
    holder: list[Any] = [None]
    stack: list[tuple[Any, Any, Any]] = [(root, holder, 0)] if id(root) in ways else []
    while stack:
        node, parent, key = stack.pop()
        copy: Any = dict(node) if type(node) is dict else list(node)
        parent[key] = copy
        for place, child in node.items() if type(node) is dict else enumerate(node):
            if id(child) in replacements:
                copy[place] = replacements[id(child)]
            elif id(child) in ways:
                stack.append((child, copy, place))
    return root if holder[0] is None else holder[0]


def span_of(root: Any) -> Span | None:
    """The union of the spans below ``root``: operators have none of their own. None where nothing below has one."""
    starts: list[tuple[int, int]] = []
    ends: list[tuple[int, int]] = []
    for node in walk(root):
        value = node.get("Value")
        span = node.get("span") if value is None else value.get("span")
        if span is not None and span["start"]["line"]:
            starts.append((span["start"]["line"], span["start"]["column"]))
            ends.append((span["end"]["line"], span["end"]["column"]))
    if not starts:
        return None
    (line, column), (end_line, end_column) = min(starts), max(ends)
    return Span(line, column, max(1, end_column - column) if end_line == line else 1)


def conjuncts(expression: Ast | None) -> tuple[Ast, ...]:
    """The terms of the AND at the top of an expression, in order."""
    terms: list[Ast] = []
    stack = [] if expression is None else [expression]
    while stack:
        node = stack.pop()
        binary = node.get("BinaryOp")
        if binary is not None and binary["op"] == "And":
            stack += (binary["right"], binary["left"])
        else:
            terms.append(node)
    return tuple(terms)


def all_of(terms: Iterable[Ast]) -> Ast | None:
    """The AND of ``terms``, each in parentheses of its own, because what moves must not regroup. None for no terms."""
    result: Ast | None = None
    for term in terms:
        wrapped = term if "Nested" in term else {"Nested": term}
        result = wrapped if result is None else {"BinaryOp": {"left": result, "op": "And", "right": wrapped}}
    return result


def identifier(name: str) -> Ast:
    """A quoted name."""
    return {"value": name, "quote_style": '"', "span": NO_SPAN}


def verbatim_identifier(text: str) -> Ast:
    """A name that is printed as it is."""
    return {"value": text, "quote_style": None, "span": NO_SPAN}


def name_parts(name: list[Ast]) -> tuple[Ast, ...] | None:
    """The identifiers of a dotted name; None where a part is something else."""
    parts = tuple(part.get("Identifier") for part in name)
    return None if None in parts else parts  # type: ignore[return-value]


def verbatim(sql: str) -> Ast:
    """An expression that is printed as it is: the printer writes placeholders as they stand."""
    return {"Value": {"value": {"Placeholder": sql}, "span": NO_SPAN}}


def call(name: str, argument: Ast) -> Ast:
    """A call of the function ``name`` with one argument."""
    arguments = {"duplicate_treatment": None, "args": [{"Unnamed": {"Expr": argument}}], "clauses": []}
    return {"Function": {**_BARE_CALL, "name": [{"Identifier": verbatim_identifier(name)}], "args": {"List": arguments}}}
