"""Arrow values as SQL, and back by the kernel: the same value, the same type."""

from __future__ import annotations

import decimal
import struct
import uuid
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from planner.errors import InvalidQuery
from planner.render import print_expression
from planner.typed_literals import adaptable_ast, literal_ast
from tests.planner.memory_catalog import connect

MOST, LEAST = 2**63 - 1, -(2**63)
UTC, BERLIN = "UTC", "Europe/Berlin"


@pytest.fixture(scope="module", name="kernel")
def kernel_fixture() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect()
    connection.execute("SET TimeZone = 'UTC'")
    yield connection
    connection.close()


def raw(number: int, kind: pa.DataType) -> pa.Scalar:
    """The value that Arrow keeps as ``number``, also where Python has no such date or time."""
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(struct.pack("<q" if kind.bit_width == 64 else "<i", number))])[0]


def scalar(value: object, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(value, kind)


def sql_of(value: pa.Scalar) -> str:
    return print_expression(literal_ast(value), 0)


INTEGERS = [
    scalar(value, kind)
    for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
    for value in (
        0,
        (1 << (kind.bit_width - pa.types.is_signed_integer(kind))) - 1,
        -(1 << (kind.bit_width - 1)) if pa.types.is_signed_integer(kind) else 1,
    )
]
FLOATS = [
    scalar(value, kind)
    for kind in (pa.float32(), pa.float64())
    for value in (0.1, -0.0, 1e-40, 16777217.0, 3.4028234663852886e38, float("inf"), float("-inf"), float("nan"))
]
DECIMALS = [
    scalar(decimal.Decimal(text), pa.decimal128(digits, scale))
    for text, digits, scale in [
        ("0", 1, 0),
        ("-0.001", 3, 3),
        ("12.50", 9, 2),
        ("9" * 38, 38, 0),
        ("-0." + "9" * 38, 38, 38),
        ("0." + "0" * 37 + "1", 38, 38),
        ("12345678901234567890.12345", 30, 5),
    ]
]
TEXTS = [
    *(
        scalar(text, pa.string())
        for text in ("", "it's", "'; DROP TABLE t; --", "\\ \n \t $1 ?", "ünï ✓ 😀", "nul \0 inside", "2024-01-01", "é\0'" * 10_000)
    ),
    *(scalar("text", kind) for kind in (pa.large_string(), pa.string_view())),
]
BINARIES = [
    *(scalar(value, pa.binary()) for value in (b"", b"\x00'\xff\\", bytes(range(256)))),
    *(scalar(b"ab", kind) for kind in (pa.large_binary(), pa.binary_view(), pa.binary(2))),
]
MOMENTS = [
    *(raw(days, pa.date32()) for days in (0, -1, -719162, 2932896, -1_000_000, 4_000_000, 2**31 - 1, -(2**31) + 1)),
    *(raw(days * 86_400_000, pa.date64()) for days in (0, -1, 20_000, 4_000_000)),
    *(raw(number, kind) for kind in (pa.time32("s"), pa.time32("ms")) for number in (0, 1, 86_399)),
    *(raw(number, kind) for kind in (pa.time64("us"), pa.time64("ns")) for number in (0, 1, 86_399_999_999, 86_400_000_000)),
    raw(86_399_999_999_999, pa.time64("ns")),
    *(
        raw(number, pa.timestamp(unit, zone))
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, UTC, BERLIN)
        for number in (0, -1, 1_700_000_001, -62_135_596_800, 253_402_300_799)
    ),
    *(raw(number, pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns") for number in (MOST, -MOST)),
    *(raw(number, pa.timestamp("us", zone)) for zone in (None, UTC) for number in (2**62, -(2**57))),
    raw(2**40, pa.timestamp("s")),
    *(raw(number, pa.duration(unit)) for unit in ("s", "ms", "us") for number in (0, -1, 10**12)),
    raw(-7_000, pa.duration("ns")),
    *(scalar(pa.MonthDayNano(parts), pa.month_day_nano_interval()) for parts in ([1, 2, 3_000], [-13, 40, -1_000], [0, 0, 10**18])),
]
NESTED = [
    scalar([], pa.list_(pa.int64())),
    scalar([1, None, LEAST], pa.list_(pa.int64())),
    scalar([2**64 - 1, 0], pa.large_list(pa.uint64())),
    scalar([0.1, float("nan"), None], pa.list_(pa.float32())),
    scalar(["a", "'", None, "\0"], pa.list_(pa.string())),
    scalar([b"\x00", None], pa.list_(pa.binary())),
    scalar([decimal.Decimal("1.50"), None], pa.list_(pa.decimal128(9, 2))),
    scalar([[1], [], None], pa.list_(pa.list_(pa.int16()))),
    scalar([1, 2], pa.list_(pa.int32(), 2)),
    scalar([None], pa.list_(pa.null())),
    scalar([1, 2], pa.list_view(pa.int8())),
    pa.array([[1, -1, None]], pa.list_(pa.timestamp("ns")))[0],
    scalar({"a": 1, "b": None}, pa.struct([("a", pa.int8()), ("b", pa.string())])),
    scalar(
        {"select": 1.5, "odd \"name'": {"x": [True, None]}},
        pa.struct([("select", pa.float64()), ("odd \"name'", pa.struct([("x", pa.list_(pa.bool_()))]))]),
    ),
    scalar([{"a": 1}, None], pa.list_(pa.struct([("a", pa.uint8())]))),
    scalar({"n": None}, pa.struct([("n", pa.null())])),
    scalar([("k", 1), ("l", None)], pa.map_(pa.string(), pa.int64())),
    scalar([], pa.map_(pa.string(), pa.int64())),
    pa.array([[("k", 1)], [("l", 2), ("m", 3)]], pa.map_(pa.string(), pa.int64()))[1],
    pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2))[1],
    pa.array([{"a": [1]}, {"a": [2, 3]}])[1],
    pa.array([["x"], ["y", None]], pa.list_(pa.dictionary(pa.int8(), pa.string())))[1],
    scalar([(1, [("x", "y")])], pa.map_(pa.int32(), pa.map_(pa.string(), pa.string()))),
]
OTHERS = [
    scalar(True, pa.bool_()),
    scalar(False, pa.bool_()),
    pa.array(["a", "b"]).dictionary_encode()[1],
    pa.RunEndEncodedArray.from_arrays([2], pa.array(["a"]))[1],
    scalar(uuid.UUID("12345678-1234-5678-1234-567812345678").bytes, pa.uuid()),
    scalar('{"a": [1, "it\'s"]}', pa.json_()),
]
KINDS = (*INTEGERS, *FLOATS, *DECIMALS, *TEXTS, *BINARIES, *MOMENTS, *NESTED, *OTHERS)
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
