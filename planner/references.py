"""Which columns an expression may mean, judged by its names alone.

Over-counting is safe (a column too many is read), under-counting is not: every name that is written anywhere counts, whatever it may
turn out to be (a column, an alias, a struct's field, a lambda's parameter), and what means "all" counts as all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from planner.ast import NESTED, SEQUENCES, Ast, is_identifier, is_query, name_parts
from planner.functions import ROW_BY_ROW
from planner.quoting import folded

FUNCTION_SCHEMAS = (("main",), ("system", "main"))
"""Where the kernel keeps its functions; it looks there before it looks for a column of that name."""
_UNNAMED = frozenset(("span", "data_type"))
_NAMED = _UNNAMED | {"name"}
"""What is not looked into; of a function call not its name either."""


@dataclass(slots=True)
class References:
    """Names (lower case) that expressions mention. ``bare`` stand alone, ``heads`` before a dot, ``pairs`` are neighbours around one.

    ``methods``: a function is called after a dot, ``t.note.upper()``, so that names stand in the function's own.
    """

    bare: set[str] = field(default_factory=set)
    heads: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    stars: set[str] = field(default_factory=set)
    everything: bool = False
    functions: set[str] = field(default_factory=set)
    methods: bool = False
    subqueries: bool = False
    lambdas: bool = False

    def add(self, other: References) -> None:
        """Adds what ``other`` mentions, except its ``everything``: a star means the relations of its own block."""
        self.bare |= other.bare
        self.heads |= other.heads
        self.pairs |= other.pairs
        self.stars |= other.stars

    def needs(self, column: str, alias: str) -> bool:
        """Whether column ``column`` of the relation ``alias`` may be meant."""
        name = folded(column)
        return name in self.bare or name in self.heads or (alias, name) in self.pairs

    def needs_all(self, alias: str) -> bool:
        """Whether the whole row of the relation ``alias`` may be meant."""
        return self.everything or alias in self.bare or alias in self.stars


def references(*roots: Any) -> References:
    """What the expressions mention, without their subqueries."""
    found = References()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if type(node) in SEQUENCES:
            stack += node
            continue
        if type(node) is not dict or "Value" in node:
            continue
        if is_query(node):
            found.subqueries = True
        elif is_identifier(node):
            found.bare.add(folded(str(node["value"])))
        elif (parts := node.get("CompoundIdentifier")) is not None:
            _add_compound(found, [folded(str(part["value"])) for part in parts])
        elif (wildcard := node.get("QualifiedWildcard")) is not None:
            _add_wildcard(found, wildcard)
        else:
            _note(found, node)
            skipped = _NAMED if "uses_odbc_syntax" in node else _UNNAMED
            stack += [child for key, child in node.items() if key not in skipped and type(child) in NESTED]
    return found


def _add_compound(found: References, names: list[str]) -> None:
    found.heads.add(names[0])
    found.pairs.update(pairwise(names))


def _add_wildcard(found: References, wildcard: Any) -> None:
    name = next((part["ObjectName"] for part in _dicts(wildcard) if "ObjectName" in part), None)
    parts = None if name is None else name_parts(name)
    if parts:
        found.stars.add(folded(str(parts[-1]["value"])))
    else:
        found.everything = True


def _dicts(node: Any) -> Iterable[Ast]:
    return [part for part in node if type(part) is dict] if type(node) in SEQUENCES else [node]


def _note(found: References, node: Ast) -> None:
    if "Wildcard" in node:
        found.everything = True
    elif (function := node.get("Function")) is not None and type(function) is dict and "name" in function:
        name = function_name(function)
        found.functions.add(name)
        _add_receiver(found, function, name)
        if name == "columns" or (name != "count" and _has_star(function)):
            found.everything = True
    elif ((binary := node.get("BinaryOp")) is not None and binary["op"] in ("Arrow", "LongArrow")) or "Lambda" in node:
        found.lambdas = True
    elif (unary := node.get("UnaryOp")) is not None and unary["op"] == "Hash":
        found.everything = True


def _add_receiver(found: References, function: Ast, name: str) -> None:
    """What stands before the dot of ``note.upper()``. ``main.upper(note)`` has the function's schema there."""
    names = [folded(str(part["value"])) for part in name_parts(function["name"]) or ()][:-1]
    if not names or (name in ROW_BY_ROW and tuple(names) in FUNCTION_SCHEMAS):
        return
    found.methods = True
    if len(names) == 1:
        found.bare.add(names[0])
    else:
        _add_compound(found, names)


def function_name(function: Ast) -> str:
    """The last part of a called function's name, in lower case; empty where it is no plain name."""
    parts = name_parts(function["name"])
    return folded(str(parts[-1]["value"])) if parts else ""


def _has_star(function: Ast) -> bool:
    arguments = function.get("args")
    listed = arguments.get("List") if type(arguments) is dict else None
    return listed is not None and any("Wildcard" in argument.values() for argument in listed["args"] if type(argument) is dict)
