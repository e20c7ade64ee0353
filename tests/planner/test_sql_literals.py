"""The planner's own values through the one quoting function and the kernel, and back."""

from __future__ import annotations

import pytest

from planner.literals import quote_literal
from tests.planner.memory_catalog import connect

VALUES = [
    None,
    True,
    False,
    0,
    -1,
    2**62,
    -(2**100),
    "",
    "it's",
    'say "hi" \\ -- /* ;',
    "nul \0 inside",
    "ünï ✓ 😀",
    [1, None, 3],
    ["a", "'"],
    {"a": 1, "b's": "x"},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_literal_is_the_value(value: object) -> None:
    row = connect().execute(f"SELECT {quote_literal(value)}").fetchone()
    assert row is not None
    assert row[0] == value
    assert type(row[0]) is type(value)


def test_a_type_without_a_literal_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        quote_literal(object())
