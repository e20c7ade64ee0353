"""Values of each of Arrow's types that the kernel reads, the least, the most and the odd ones among them."""

from __future__ import annotations

import decimal
import struct
import uuid

import pyarrow as pa

MOST, LEAST = 2**63 - 1, -(2**63)
UTC, BERLIN = "UTC", "Europe/Berlin"


def raw(number: int, kind: pa.DataType) -> pa.Scalar:
    """The value that Arrow keeps as ``number``, also where Python has no such date or time."""
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(struct.pack("<q" if kind.bit_width == 64 else "<i", number))])[0]


def scalar(value: object, kind: pa.DataType) -> pa.Scalar:
    return pa.scalar(value, kind)


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
    *(raw(number, pa.duration(unit)) for unit in ("s", "ms", "us") for number in (0, -1, 10**9)),
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
    scalar([1, None], pa.large_list_view(pa.int32())),
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
    pa.array([7, 8]).dictionary_encode()[1],
    pa.ExtensionArray.from_storage(pa.opaque(pa.string(), "kind", "vendor"), pa.array(["o"]))[0],
    pa.RunEndEncodedArray.from_arrays([2], pa.array(["a"]))[1],
    scalar(uuid.UUID("12345678-1234-5678-1234-567812345678").bytes, pa.uuid()),
    scalar('{"a": [1, "it\'s"]}', pa.json_()),
]
ARROW_VALUES = {
    "integers": INTEGERS,
    "floats": FLOATS,
    "decimals": DECIMALS,
    "texts": TEXTS,
    "binaries": BINARIES,
    "moments": MOMENTS,
    "nested": NESTED,
    "others": OTHERS,
}
