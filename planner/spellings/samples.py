"""Samples: TABLESAMPLE and USING SAMPLE in all that the kernel lets them be, as the parser reads them."""

from __future__ import annotations

from typing import NamedTuple

from planner.errors import SqlSyntaxError
from planner.spellings.draft import Draft

RESERVOIR = "BLOCK"
"""A method of sampling that the parser knows and the kernel does not."""

_METHODS = {"system": "SYSTEM", "bernoulli": "BERNOULLI", "reservoir": RESERVOIR}
_UNITS = {"%": "PERCENT", "percent": "PERCENT", "row": "ROWS", "rows": "ROWS"}


class Sample(NamedTuple):
    """A sample clause: its last token, and how the parser reads it."""

    last: int
    text: str


def read_sample(draft: Draft, number: int) -> Sample | None:
    """The sample clause from that token on; None where it is another one than those below. Raises ``SqlSyntaxError``.

    ``10%``, ``10 ROWS``, ``10% (bernoulli, 42)``, ``(10%)``, ``reservoir(10 ROWS) REPEATABLE (42)``
    """
    method = _METHODS.get(draft.text(number))
    if method is None and draft.kind(number) == "word" and draft.text(number + 1) == "(":
        raise draft.error(
            SqlSyntaxError,
            number,
            f"there is no way of sampling called {draft.text(number)}",
            "There are system, bernoulli and reservoir.",
        )
    opened = number + (method is not None)
    if method is not None or draft.text(number) == "(":
        if draft.text(opened) != "(":
            return None
        counted = _counted(draft, opened + 1)
        if counted is None or draft.text(counted.last + 1) != ")":
            return None
        last, quantity = counted.last + 1, counted.text
        seed = _number_in_parentheses(draft, last + 2) if draft.text(last + 1) == "repeatable" else None
        if seed is not None:
            return _sample_of(last + 4, method, quantity, seed)
        return _sample_of(last, method, quantity, None)
    counted = _counted(draft, number)
    if counted is None:
        return None
    return _with_method(draft, counted)


def _with_method(draft: Draft, counted: Sample) -> Sample | None:
    """``(bernoulli)`` or ``(bernoulli, 42)`` behind the quantity."""
    opened = counted.last + 1
    if draft.text(opened) != "(":
        return _sample_of(counted.last, None, counted.text, None)
    method = _METHODS.get(draft.text(opened + 1))
    if method is None:
        return None
    if draft.text(opened + 2) == ")":
        return _sample_of(opened + 2, method, counted.text, None)
    if draft.text(opened + 2) == "," and draft.kind(opened + 3) == "number" and draft.text(opened + 4) == ")":
        return _sample_of(opened + 4, method, counted.text, draft.text(opened + 3))
    return None


def _counted(draft: Draft, number: int) -> Sample | None:
    """``10%``, ``10 PERCENT``, ``10 ROWS``, ``10``."""
    if draft.kind(number) != "number":
        return None
    count = draft.texts[number].replace("_", "")
    unit = _UNITS.get(draft.text(number + 1))
    return Sample(number + (unit is not None), f"{count} {unit or 'ROWS'}")


def _number_in_parentheses(draft: Draft, number: int) -> str | None:
    inside = draft.text(number) == "(" and draft.kind(number + 1) == "number" and draft.text(number + 2) == ")"
    return draft.text(number + 1) if inside else None


def _sample_of(last: int, method: str | None, quantity: str, seed: str | None) -> Sample:
    """As the kernel has it, percentages are of its system's blocks and rows out of a reservoir."""
    method = method or (_METHODS["system"] if quantity.endswith("PERCENT") else RESERVOIR)
    return Sample(last, f"TABLESAMPLE {method} ({quantity})" + (f" REPEATABLE ({seed})" if seed is not None else ""))
