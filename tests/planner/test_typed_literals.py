"""Arrow values as SQL, and back by the kernel: the same value, the same type."""

from __future__ import annotations

import decimal
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from planner.errors import InvalidQuery
from planner.render import print_expression
from planner.typed_literals import adaptable_ast, literal_ast
from tests.arrow_values import ARROW_VALUES, MOST, raw, scalar
from tests.planner.memory_catalog import connect


@pytest.fixture(scope="module", name="kernel")
def kernel_fixture() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect()
    connection.execute("SET TimeZone = 'UTC'")
    yield connection
    connection.close()


def sql_of(value: pa.Scalar) -> str:
    return print_expression(literal_ast(value), 0)


UNIONS = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([5]), pa.array(["x"])])
KINDS = [value for values in ARROW_VALUES.values() for value in values]
NULLS = [pa.nulls(1, kind)[0] for kind in dict.fromkeys([*(value.type for value in KINDS), pa.null()])]


def named(value: object) -> str:
    return str(value.type) if isinstance(value, pa.Scalar) else str(value)


@pytest.mark.parametrize("value", [*KINDS, *NULLS], ids=named)
def test_a_value_is_what_the_kernel_reads_from_arrow(value: pa.Scalar, kernel: duckdb.DuckDBPyConnection) -> None:
    column = pa.repeat(value, 1) if not pa.types.is_run_end_encoded(value.type) else pa.array([value.as_py()], value.type.value_type)
    read = kernel.from_arrow(pa.table({"v": column})).query("t", "SELECT typeof(v), v::VARCHAR, hash(v) FROM t").fetchall()
    sql = sql_of(value)
    assert kernel.execute(f"SELECT typeof(v), v::VARCHAR, hash(v) FROM (SELECT {sql} AS v)").fetchall() == read
    assert kernel.execute(f"SELECT v IS NOT DISTINCT FROM w FROM (SELECT {sql} AS v, {sql} AS w)").fetchall() == [(True,)]


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (pa.array([1.5], pa.float16())[0], "1.5", "FLOAT"),
        (scalar(decimal.Decimal("1.50"), pa.decimal256(76, 2)), "1.50", "DECIMAL(38,2)"),
        (scalar(decimal.Decimal("12300"), pa.decimal128(5, -2)), "12300", "DECIMAL(7,0)"),
        (pa.Array.from_buffers(pa.decimal128(2, 5), 1, [None, pa.py_buffer((12).to_bytes(16, "little"))])[0], "0.00012", "DECIMAL(5,5)"),
        (scalar(decimal.Decimal("1.25"), pa.decimal32(5, 2)), "1.25", "DECIMAL(5,2)"),
        (scalar(decimal.Decimal("1.25"), pa.decimal64(12, 2)), "1.25", "DECIMAL(12,2)"),
        (pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1], pa.int8()))[0], "true", "BOOLEAN"),
    ],
    ids=named,
)
def test_what_the_kernel_does_not_read_from_arrow_has_its_value_too(
    value: pa.Scalar, text: str, kind: str, kernel: duckdb.DuckDBPyConnection
) -> None:
    assert kernel.execute(f"SELECT v::VARCHAR, typeof(v) FROM (SELECT {sql_of(value)} AS v)").fetchall() in (
        [(text, kind)],
        [(text.lstrip("0"), kind)],
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (scalar(decimal.Decimal("9" * 39), pa.decimal256(39, 0)), "more than 38 digits"),
        (raw(1, pa.duration("ns")), "no number of microseconds"),
        (raw(MOST, pa.duration("s")), "no number of microseconds"),
        (scalar(pa.MonthDayNano([0, 0, 1]), pa.month_day_nano_interval()), "no number of microseconds"),
        (raw(-1, pa.time64("us")), "outside of a day"),
        (raw(2**62, pa.timestamp("s")), "too far away"),
        (scalar({"a\0b": 1}, pa.struct([("a\0b", pa.int8())])), "a NUL character in a field's name"),
        (scalar(None, pa.list_(pa.struct([("a\0b", pa.int8())]))), "a NUL character in a field's name"),
        (pa.ListArray.from_arrays([0, 1], UNIONS)[0], "unions inside of a list"),
    ],
    ids=named,
)
def test_what_the_kernel_has_no_value_for_is_refused(value: pa.Scalar, message: str) -> None:
    with pytest.raises(InvalidQuery, match=message) as refused:
        literal_ast(value)
    assert refused.value.remedy


def test_integers_and_nulls_can_be_what_their_place_asks_for(kernel: duckdb.DuckDBPyConnection) -> None:
    loose = [adaptable_ast(value) for value in (scalar(-3, pa.int64()), scalar(None, pa.string()), scalar("x", pa.string()))]
    assert [None if ast is None else print_expression(ast, 0) for ast in loose] == ["(-3)", "NULL", None]
    assert kernel.execute("SELECT typeof(DATE '2024-01-01' + (-3))").fetchall() == [("DATE",)]


def test_long_values_are_written_at_once(kernel: duckdb.DuckDBPyConnection) -> None:
    numbers, text, blob = (
        scalar(list(range(10_000)), pa.list_(pa.int64())),
        scalar("é" * 500_000, pa.string()),
        scalar(b"\xff" * 1_000_000, pa.binary()),
    )
    sql = f"SELECT list_sum({sql_of(numbers)}), length({sql_of(text)}), octet_length({sql_of(blob)})"
    assert kernel.execute(sql).fetchall() == [(49_995_000, 500_000, 1_000_000)]
