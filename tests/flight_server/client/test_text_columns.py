from __future__ import annotations

import datetime
import decimal

import pyarrow as pa
import pytest

from flight_server.client.text_columns import as_text, interval_text


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array([1, None], pa.int8()), ["1", None]),
        (pa.array([1.0, 1.5, 1e20, float("nan"), -0.0]), ["1.0", "1.5", "1e+20", "nan", "-0.0"]),
        (pa.array([decimal.Decimal("1.50")]), ["1.50"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array(["a", ""]), ["a", ""]),
        (pa.array(["a"], pa.string_view()), ["a"]),
        (pa.array([b"\x01a"]), ["\\x0161"]),
        (pa.array([0], pa.date32()), ["1970-01-01"]),
        (pa.array([datetime.datetime(2020, 1, 2, 3, 4, 5)], pa.timestamp("us")), ["2020-01-02 03:04:05"]),
        (pa.array([datetime.datetime(2020, 1, 2, 3, 4, 5, 120_000)], pa.timestamp("us")), ["2020-01-02 03:04:05.12"]),
        (pa.array([1], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001"]),
        (pa.array([0], pa.timestamp("us", "UTC")), ["1970-01-01 00:00:00+00"]),
        (pa.array([0], pa.timestamp("us", "Asia/Kathmandu")), ["1970-01-01 05:30:00+05:30"]),
        (pa.array([100_000], pa.time64("us")), ["00:00:00.1"]),
        (pa.array([[1, None]]), ["[1,null]"]),
        (pa.array([{"a": datetime.date(2020, 1, 1), "b": decimal.Decimal("1.10")}]), ['{"a":"2020-01-01","b":1.10}']),
        (pa.array(["x", "y", "x"]).dictionary_encode(), ["x", "y", "x"]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array([pa.MonthDayNano([14, 3, 1_500_000_000])]), ["1 year 2 months 3 days 00:00:01.5"]),
    ],
)
def test_every_type_has_a_text(column: pa.Array, text: list[str | None]) -> None:
    assert as_text(column).to_pylist() == text


def test_times_that_python_has_no_date_for() -> None:
    far = pa.array([-106_639_853, 106_751_991, None, 0, 2**31 - 1], pa.date32())
    assert as_text(far).to_pylist() == ["290001-01-01 (BC)", "294247-01-10", None, "1970-01-01", "infinity"]
    assert as_text(pa.array([2**63 - 1, -(2**63) + 1], pa.timestamp("us"))).to_pylist() == ["infinity", "-infinity"]


def test_intervals() -> None:
    assert interval_text(0, 0, 0) == "00:00:00"
    assert interval_text(-1, 1, -3_600_000_000_000) == "-1 month 1 day -01:00:00"
