"""The names in an expression, with what bears on their meaning: whether a name stands alone, or is a lambda's parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner.ast import NESTED, SEQUENCES, Ast, is_query, name_parts
from planner.functions import ROW_BY_ROW
from planner.quoting import folded
from planner.references import FUNCTION_SCHEMAS
from planner.spellings.lists import COMPREHENSIONS

_NOT_NAMES = frozenset(("span", "data_type", "collation", "name", "Using", "ObjectName", "select_token", "wildcard_token"))
"""What holds identifiers that name no column of an expression, or nothing at all; ``name`` is that of a function or of an argument."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in an expression. ``parts`` are in lower case. ``inside``: what it names is taken apart further, ``t.a[1]``. ``parameter``:
    before its first dot stands what is a lambda's parameter, but may be a relation all the same.
    """

    node: Ast
    parts: tuple[str, ...]
    inside: bool = False
    parameter: bool = False


@dataclass(slots=True)
class Mentions:
    """What expressions mention, subqueries not entered.

    ``words``: functions without parentheses (``current_date``), which may be columns. ``doubtful``: something may mean columns that no
    name here tells (``COLUMNS(…)``, ``#1``, ``t.note.upper()``).
    """

    names: list[Mention] = field(default_factory=list)
    queries: list[Ast] = field(default_factory=list)
    stars: list[Ast] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    calls: list[Ast] = field(default_factory=list)
    doubtful: bool = False


def mentions(*roots: Any) -> Mentions:
    """All that the expressions mention, in no certain order."""
    found = Mentions()
    _collect(found, roots, frozenset())
    return found


def _collect(found: Mentions, roots: Iterable[Any], parameters: frozenset[str]) -> None:
    stack = list(roots)
    while stack:
        node = stack.pop()
        if type(node) is not dict:
            if type(node) in SEQUENCES:
                stack += node
            continue
        if len(node) > 1:
            if is_query(node):
                found.queries.append(node)
            else:
                stack += [child for key, child in node.items() if type(child) in NESTED and key not in _NOT_NAMES]
            continue
        for kind, value in node.items():
            match kind:
                case "Value":
                    pass
                case "Identifier":
                    _add(found, node, (folded(str(value["value"])),), parameters)
                case "CompoundIdentifier":
                    _add(found, node, tuple([folded(str(part["value"])) for part in value]), parameters)
                case "BinaryOp":
                    stack.append(value["right"])
                    if value["op"] != "Assignment":  # before := stands an argument's name
                        stack.append(value["left"])
                case "Function" if "args" in value:
                    stack += _function(found, value, parameters)
                case "CompoundFieldAccess":
                    stack += _access(found, node, value, parameters)
                case "Lambda":
                    _collect(found, (value["body"],), parameters | _parameters(value["params"]))
                case _:
                    if kind == "Wildcard" or kind == "QualifiedWildcard":
                        found.stars.append(node)
                    elif kind == "UnaryOp" and value["op"] == "Hash":
                        found.doubtful = True
                    if kind not in _NOT_NAMES:
                        stack.append(value)


def _add(found: Mentions, node: Ast, parts: tuple[str, ...], parameters: frozenset[str], inside: bool = False) -> None:
    if len(parts) > 1 or parts[0] not in parameters:
        found.names.append(Mention(node, parts, inside, parts[0] in parameters))


def _access(found: Mentions, node: Ast, access: Ast, parameters: frozenset[str]) -> list[Any]:
    """``t.a[1]``: the parser reads a name, and all behind it as accesses. Returns what else is to be looked into."""
    chain: Sequence[Ast] = access["access_chain"]
    subscripts = [step["Subscript"] for step in chain if "Subscript" in step]
    first = access["root"].get("Identifier")
    if first is None:
        return [access["root"], *subscripts]
    parts = [first]
    for step in chain:
        dot = step.get("Dot", {}).get("Identifier")
        if dot is None:
            break
        parts.append(dot)
    _add(found, node, tuple(folded(str(part["value"])) for part in parts), parameters, inside=len(parts) <= len(chain))
    return subscripts


def _function(found: Mentions, function: Ast, parameters: frozenset[str]) -> list[Any]:
    """Notes a call, and returns what is to be looked into."""
    *schema, name = [folded(str(part["value"])) for part in name_parts(function["name"]) or ()] or [""]
    if name in COMPREHENSIONS:
        _comprehension(found, function, name, parameters)
        return []
    if name == "columns" or not name or (schema and not (name in ROW_BY_ROW and tuple(schema) in FUNCTION_SCHEMAS)):
        found.doubtful = True
    found.functions.add(name)
    found.calls.append(function)
    arguments = function["args"]
    if arguments == "None":
        if name in parameters:
            return []
        found.words.append(name)
    elif type(arguments) is dict and "List" in arguments:
        for argument in arguments["List"]["args"]:
            if type(argument) is dict and any(
                value == "Wildcard" or (type(value) is dict and value.keys() & _WILDCARDS) for value in argument.values()
            ):
                found.doubtful |= name != "count" or argument.get("Unnamed") != "Wildcard"
    return [child for key, child in function.items() if key != "name" and type(child) in NESTED]


_WILDCARDS = frozenset(("Wildcard", "QualifiedWildcard"))


def _parameters(params: Ast) -> frozenset[str]:
    listed = params["Many"] if "Many" in params else [params["One"]]
    return frozenset(folded(str((param.get("name") or param)["value"])) for param in listed)


def _comprehension(found: Mentions, function: Ast, name: str, parameters: frozenset[str]) -> None:
    """``[x + 1 for x in l if c]``, which ``spellings`` writes as a call."""
    expression, *rest = [argument["Unnamed"]["Expr"] for argument in function["args"]["List"]["args"]]
    count = 2 if "two" in name else 1
    inner = parameters | {folded(str(node["Identifier"]["value"])) for node in rest[:count] if "Identifier" in node}
    _collect(found, rest[count : count + 1], parameters)
    _collect(found, (expression, *rest[count + 1 :]), inner)
