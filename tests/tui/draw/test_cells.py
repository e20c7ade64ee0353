from __future__ import annotations

import datetime
import decimal

import pyarrow as pa
import pytest

from tui.draw import cells


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.int64(), "bigint"),
        (pa.decimal128(15, 2), "decimal(15,2)"),
        (pa.timestamp("us", "UTC"), "timestamptz"),
        (pa.list_(pa.string()), "varchar[]"),
        (pa.dictionary(pa.int8(), pa.string()), "varchar"),
        (pa.struct([("a", pa.int8())]), "struct"),
    ],
)
def test_types_have_their_sql_names(kind: pa.DataType, name: str) -> None:
    assert cells.type_name(kind) == name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "NULL"),
        (True, "true"),
        (1.0, "1"),
        (1e300, "1e+300"),
        (decimal.Decimal("1.50"), "1.50"),
        (datetime.datetime(2024, 1, 2, 3, 4, 5), "2024-01-02 03:04:05"),
        (b"\x00\xff", "\\x00ff"),
        ("a\tb\x1b[31m", "a→b·[31m"),
        ([{"a": decimal.Decimal("1.5"), "b": None}], '[{"a": "1.5", "b": null}]'),
    ],
)
def test_values_are_one_line_without_control_characters(value: object, expected: str) -> None:
    assert cells.one_line(value) == expected


def test_long_values_are_cut_in_a_cell_and_whole_in_a_popup() -> None:
    assert len(cells.one_line("x" * 10_000)) == cells.MAX_CELL_CHARS
    assert cells.many_lines("x" * 10_000) == "x" * 10_000
    assert cells.many_lines('{"a":1}') == '{\n  "a": 1\n}'
    assert cells.many_lines(b"ab").endswith("ab")
    assert cells.many_lines("a\tb") == "a       b"


def test_times_that_python_cannot_hold_come_as_text() -> None:
    nanoseconds = pa.array([1], pa.timestamp("ns"))
    assert cells.values(nanoseconds) == ["1970-01-01 00:00:00.000000001"]
    assert len(cells.values(pa.array([2**60], pa.timestamp("us")))) == 1
