"""What the kernel's binder knows of a parameter's place, asked by making it refuse.

The binder tells no types of what stands inside a statement, but it names them in its refusals: ``pi`` takes no arguments, so that
``m = pi(m)`` in place of ``m = ?`` is answered by ``No function matches … 'pi(INTEGER)'``, in whatever subquery ``m`` is a column. A
struct in place of a function's argument is answered by the function's candidates. Where an answer reads otherwise, nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

from planner.ast import NO_SPAN, Ast, call, substitute_nodes
from planner.parameter_kinds import arrow_type
from planner.parameter_places import ParameterPlace, parameter_node
from planner.parameter_types import INTERVAL, beside

Refusal = Callable[[Ast], str | None]
"""What the kernel says against a statement, with NULL for its parameters; None where it says nothing."""

_STRUCT = "STRUCT(asked INTEGER)"
_ANY = ("ANY", "T", "K", "V")
_STRUCT_AST: Ast = {
    "Dictionary": [
        {
            "key": {"value": "asked", "quote_style": None, "span": NO_SPAN},
            "value": {"Value": {"value": {"Number": ["1", False]}, "span": NO_SPAN}},
        }
    ]
}
_UNMATCHED = re.compile(r"argument types '(\w+|[^\w\s(]+)\((.*?)\)'\. You might")
_CANDIDATE = re.compile(r"^\t\"?(?:\w+|[^\w\s(]+)\"?\((.*)\) -> ", re.MULTILINE)
_ANSWERS = (
    re.compile(r"- '([^']+)', from first occurrence"),
    re.compile(r"Cannot (?:(?:mix|compare) values of type|combine types of) STRUCT\(asked INTEGER\) and (.+?)(?: in | - an explicit)"),
    re.compile(r"Cannot (?:(?:mix|compare) values of type|combine types of) (.+?) and STRUCT\(asked INTEGER\)"),
    re.compile(r"Cannot concatenate lists of types (.+?)\[\] and STRUCT\(asked INTEGER\)\[\]"),
)
"""What the binder says of a struct where only one type can be: that type is the first group."""


@dataclass(frozen=True, slots=True)
class Probes:
    """Asks about the places of one parsed statement."""

    ast: Ast
    refusal: Refusal

    def type(self, place: ParameterPlace) -> pa.DataType | None:
        """The type that the parameter should have there."""
        if place.peers is None:
            return self._argument_type(place)
        peer = next((peer for peer in place.peers.expressions if parameter_node(peer) is None), None)
        if peer is None:
            listed: Ast = {"Array": {"elem": [_STRUCT_AST], "named": False}}
            return beside(_answered(self._told(place, listed)), place.peers) if place.listed else None
        told = _UNMATCHED.search(self._told(place, call("pi", peer)))
        if told is None or told[1] != "pi":
            return None
        return beside(INTERVAL if told[2] == "INTERVAL" else arrow_type(told[2]), place.peers)

    def _told(self, place: ParameterPlace, probe: Ast) -> str:
        return self.refusal(substitute_nodes(self.ast, {id(place.node): probe})) or ""

    def _argument_type(self, place: ParameterPlace) -> pa.DataType | None:
        told = self._told(place, _STRUCT_AST)
        answered = _answered(told)
        if answered is not None:
            return answered
        given = _UNMATCHED.search(told)
        types = [] if given is None else _split(given[2])
        if _STRUCT not in types:
            return None
        candidates = [_parameter_types(found[1]) for found in _CANDIDATE.finditer(told)]
        candidates = [parts for parts in candidates if len(parts) >= len(types)]
        exact = [parts for parts in candidates if all(map(_fits, types, parts))]
        whole = [parts for parts in candidates if len(parts) == len(types)]
        return _widest({_wanted(parts, types) for parts in exact or whole or candidates} - {None})


def _answered(told: str) -> pa.DataType | None:
    """The type that the binder names as the only one; None where it names none."""
    answered = next((found for answer in _ANSWERS if (found := answer.search(told))), None)
    return None if answered is None else arrow_type(answered[1])


def _wanted(parts: Sequence[str], types: Sequence[str]) -> pa.DataType | None:
    """What a candidate takes in the place that is asked about; of a list of anything, the other arguments tell of what."""
    wanted = parts[types.index(_STRUCT)]
    item = wanted.removesuffix("[]")
    if item == wanted or item not in _ANY:
        return arrow_type(wanted)
    others = ((part, given) for part, given in zip(parts, types, strict=False) if given != _STRUCT)
    items = (given if part == item else given.removesuffix("[]") for part, given in others if part in (item, wanted))
    kind = next((kind for given in items if (kind := arrow_type(given)) is not None), None)
    return None if kind is None else pa.list_(kind)


def _widest(kinds: Collection[pa.DataType | None]) -> pa.DataType | None:
    """The one of several types that can hold values of the others."""
    for kind in (pa.string(), pa.timestamp("ms"), pa.float64()):
        if kind in kinds and (len(kinds) == 1 or all(_is_like(kind, other) for other in kinds)):
            return kind
    return next(iter(kinds)) if len(kinds) == 1 else None


def _is_like(kind: pa.DataType, other: pa.DataType | None) -> bool:
    if pa.types.is_timestamp(kind):
        return bool(pa.types.is_temporal(other))
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    return bool(pa.types.is_floating(kind) and any(test(other) for test in numbers))


def _fits(given: str, wanted: str) -> bool:
    """Whether a candidate takes just what is given; of the place that is asked about nothing is said."""
    if given in (_STRUCT, '"NULL"', wanted) or wanted in _ANY:
        return True
    if given.endswith("_LITERAL"):
        return arrow_type(given) == arrow_type(wanted)
    return (wanted == "DECIMAL" and given.startswith("DECIMAL(")) or (wanted.endswith("[]") and given.endswith("[]"))


def _parameter_types(listed: str) -> list[str]:
    """The types of a candidate's parameters: ``"start" BIGINT, / , length BIGINT := 1`` has two."""
    parts = (re.sub(r" := .*", "", part) for part in _split(listed) if part != "/")
    return [re.sub(r'^(?:"[^"]*"|[a-z_]\w*) ', "", part) for part in parts]


def _split(listed: str) -> list[str]:
    """The parts between commas that are in no parentheses."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(listed):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append(listed[start:place].strip())
            start = place + 1
    return [*parts, listed[start:].strip()] if listed else []
