"""A value of each type in docs/sql.md's table, as SQL and as Python has it."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pandas
import pyarrow as pa

DAY = datetime.date(2024, 2, 29)
MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 0, 123456)

ALL_TYPES: dict[str, tuple[str, object]] = {
    "boolean": ("TRUE", True),
    "tinyint": ("(-128)::TINYINT", -128),
    "smallint": ("(-32768)::SMALLINT", -(2**15)),
    "integer": ("(-2147483648)::INTEGER", -(2**31)),
    "bigint": ("9223372036854775807", 2**63 - 1),
    "utinyint": ("255::UTINYINT", 255),
    "usmallint": ("65535::USMALLINT", 2**16 - 1),
    "uinteger": ("4294967295::UINTEGER", 2**32 - 1),
    "ubigint": ("18446744073709551615::UBIGINT", 2**64 - 1),
    "float": ("1.5::FLOAT", 1.5),
    "double": ("0.1::DOUBLE", 0.1),
    "decimal": ("12.34::DECIMAL(9, 2)", Decimal("12.34")),
    "hugeint": ("(-12345678901234567890123456789012345678)::HUGEINT", Decimal(-12345678901234567890123456789012345678)),
    "hugeint_39": ("170141183460469231731687303715884105727::HUGEINT", Decimal(2**127 - 1)),
    "uhugeint": ("340282366920938463463374607431768211455::UHUGEINT", str(2**128 - 1)),
    "bignum": (f"'{10**50}'::BIGNUM", str(10**50)),
    "varchar": ("'grüß'", "grüß"),
    "uuid": ("'88188cca-5b19-408b-a4c2-31eb2fdf21f0'::UUID", "88188cca-5b19-408b-a4c2-31eb2fdf21f0"),
    "json": ("""'{"a": 1}'::JSON""", '{"a": 1}'),
    "enum": ("'red'::ENUM ('red', 'green')", "red"),
    "blob": (r"'\x00\xFF'::BLOB", b"\x00\xff"),
    "bit": ("'10101'::BIT", "10101"),
    "date": ("DATE '2024-02-29'", DAY),
    "time": ("TIME '12:30:00.123456'", MOMENT.time()),
    "timestamp": ("TIMESTAMP '2024-02-29 12:30:00.123456'", MOMENT),
    "timestamp_s": ("'2024-02-29 12:30:00'::TIMESTAMP_S", MOMENT.replace(microsecond=0)),
    "timestamp_ms": ("'2024-02-29 12:30:00.123'::TIMESTAMP_MS", MOMENT.replace(microsecond=123000)),
    "timestamp_ns": ("'2024-02-29 12:30:00.123456789'::TIMESTAMP_NS", pandas.Timestamp("2024-02-29 12:30:00.123456789")),
    "timestamptz": ("TIMESTAMPTZ '2024-02-29 14:30:00.123456+02'", MOMENT.replace(tzinfo=datetime.UTC)),
    "timetz": ("'12:34:56+05:30'::TIMETZ", "12:34:56+05:30"),
    "interval": ("INTERVAL '1 month 2 days 3 microseconds'", pa.MonthDayNano([1, 2, 3000])),
    "list": ("[1, NULL]", [1, None]),
    "array": ("[1, 2]::INTEGER[2]", [1, 2]),
    "struct": ("{'a': 1, 'b': ['x']}", {"a": 1, "b": ["x"]}),
    "map": ("MAP {'k': 1}", [("k", 1)]),
    "union": ("union_value(num := 1)::UNION(num INTEGER, s VARCHAR)", 1),
    "nothing": ("NULL", None),
}


def row_of(*names: str) -> str:
    """A query of one row with these types, each under its name; of all types where none is named."""
    return "SELECT " + ", ".join(f"{ALL_TYPES[name][0]} AS {name}" for name in names or ALL_TYPES)


def values_of(*names: str) -> dict[str, object]:
    """What :func:`row_of` has, as Python's DB-API gives it."""
    return {name: ALL_TYPES[name][1] for name in names or ALL_TYPES}


SENT_VALUES: dict[str, object] = {
    **{"BIGINT": 2**62, "DOUBLE": 0.1, "BOOLEAN": True, "VARCHAR": "it's grüß", "BLOB": b"\x00'\xff", "DECIMAL(4,2)": Decimal("12.34")},
    **{"DATE": DAY, "TIME": MOMENT.time(), "TIMESTAMP": MOMENT, "TIMESTAMP WITH TIME ZONE": MOMENT.replace(tzinfo=datetime.UTC)},
    **{"INTERVAL": pa.MonthDayNano([1, 2, 3000]), "BIGINT[]": [1, 2, None], "STRUCT(a BIGINT, b VARCHAR)": {"a": 1, "b": "x"}},
}
"""A value of each type that Python's clients send as a parameter, by the SQL type that it has at the server."""
