"""Values through the one quoting function and the kernel, and back."""

from __future__ import annotations

import datetime
import decimal
import math
import uuid

import pytest

from planner.errors import InvalidQuery
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
    1.5,
    -0.1,
    1e300,
    math.inf,
    -math.inf,
    decimal.Decimal("1.50"),
    decimal.Decimal("-0.001"),
    decimal.Decimal("12345678901234567890.12345"),
    "",
    "it's",
    'say "hi" \\ -- /* ;',
    "nul \0 inside",
    "ünï ✓ 😀",
    b"",
    b"\x00'\xff\\",
    uuid.UUID("12345678-1234-5678-1234-567812345678"),
    datetime.date(2024, 2, 29),
    datetime.time(1, 2, 3, 4),
    datetime.datetime(1969, 12, 31, 23, 59, 59, 999999),
    datetime.timedelta(days=-3, microseconds=1),
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


def test_not_a_number_stays_one() -> None:
    row = connect().execute(f"SELECT isnan({quote_literal(math.nan)})").fetchone()
    assert row == (True,)


def test_an_instant_is_kept_across_time_zones() -> None:
    value = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=5)))
    row = connect().execute(f"SELECT epoch_us({quote_literal(value)})").fetchone()
    assert row == (int(value.timestamp() * 1_000_000),)


def test_a_type_without_a_literal_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="object"):
        quote_literal(object())
