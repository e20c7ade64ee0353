"""What GetXdbcTypeInfo answers: the kernel's types, described as ODBC and JDBC want them."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

XDBC_TYPES_SCHEMA = pa.schema(
    [
        pa.field("type_name", pa.string(), False),
        pa.field("data_type", pa.int32(), False),
        pa.field("column_size", pa.int32()),
        pa.field("literal_prefix", pa.string()),
        pa.field("literal_suffix", pa.string()),
        pa.field("create_params", pa.list_(pa.field("item", pa.string(), False))),
        pa.field("nullable", pa.int32(), False),
        pa.field("case_sensitive", pa.bool_(), False),
        pa.field("searchable", pa.int32(), False),
        pa.field("unsigned_attribute", pa.bool_()),
        pa.field("fixed_prec_scale", pa.bool_(), False),
        pa.field("auto_increment", pa.bool_()),
        pa.field("local_type_name", pa.string()),
        pa.field("minimum_scale", pa.int32()),
        pa.field("maximum_scale", pa.int32()),
        pa.field("sql_data_type", pa.int32(), False),
        pa.field("datetime_subcode", pa.int32()),
        pa.field("num_prec_radix", pa.int32()),
        pa.field("interval_precision", pa.int32()),
    ]
)

_NULLABLE = 1
_SEARCHABLE_BASIC = 2
_SEARCHABLE_FULL = 3
_SQL_DATETIME = 9
_INTERVAL = 10


class XdbcType(NamedTuple):
    """One type. ``code`` is its number in JDBC and ODBC; ``subcode`` its kind of date, time or interval.

    ``scale`` are the fewest and the most digits behind the point, in decimals and in seconds.
    """

    name: str
    code: int
    size: int | None = None
    quote: str | None = None
    params: list[str] | None = None
    unsigned: bool | None = None
    radix: int | None = None
    scale: tuple[int, int] | None = None
    subcode: int | None = None


_WHOLE = (0, 0)

TYPES = (
    XdbcType("BOOLEAN", -7, 1),
    XdbcType("UTINYINT", -6, 3, unsigned=True, radix=10, scale=_WHOLE),
    XdbcType("TINYINT", -6, 3, unsigned=False, radix=10, scale=_WHOLE),
    XdbcType("BIGINT", -5, 19, unsigned=False, radix=10, scale=_WHOLE),
    XdbcType("UBIGINT", -5, 20, unsigned=True, radix=10, scale=_WHOLE),
    XdbcType("BLOB", -3, None, "'"),
    XdbcType("DECIMAL", 3, 38, None, ["precision", "scale"], unsigned=False, radix=10, scale=(0, 38)),
    XdbcType("HUGEINT", 2, 38, unsigned=False, radix=10, scale=_WHOLE),
    XdbcType("INTEGER", 4, 10, unsigned=False, radix=10, scale=_WHOLE),
    XdbcType("UINTEGER", 4, 10, unsigned=True, radix=10, scale=_WHOLE),
    XdbcType("SMALLINT", 5, 5, unsigned=False, radix=10, scale=_WHOLE),
    XdbcType("USMALLINT", 5, 5, unsigned=True, radix=10, scale=_WHOLE),
    XdbcType("FLOAT", 7, 24, unsigned=False, radix=2),
    XdbcType("DOUBLE", 8, 53, unsigned=False, radix=2),
    XdbcType("INTERVAL", 10, None, "'", subcode=0),
    XdbcType("VARCHAR", 12, None, "'"),
    XdbcType("ENUM", 12, None, "'", ["values"]),
    XdbcType("JSON", 12, None, "'"),
    XdbcType("UUID", 12, 36, "'"),
    XdbcType("DATE", 91, 10, "'", subcode=1),
    XdbcType("TIME", 92, 15, "'", scale=(6, 6), subcode=2),
    XdbcType("TIME WITH TIME ZONE", 92, 21, "'", scale=(6, 6), subcode=4),
    XdbcType("TIMESTAMP", 93, 26, "'", scale=(6, 6), subcode=3),
    XdbcType("TIMESTAMP_S", 93, 19, "'", scale=_WHOLE, subcode=3),
    XdbcType("TIMESTAMP_MS", 93, 23, "'", scale=(3, 3), subcode=3),
    XdbcType("TIMESTAMP_NS", 93, 29, "'", scale=(9, 9), subcode=3),
    XdbcType("TIMESTAMP WITH TIME ZONE", 93, 32, "'", scale=(6, 6), subcode=5),
)
"""Of lists, structs, maps and unions the protocol knows no number: they are not among them."""


def xdbc_types(code: int | None) -> pa.Table:
    """All types, or those of one JDBC number, by number and name."""
    kept = sorted((kind for kind in TYPES if code is None or kind.code == code), key=lambda kind: (kind.code, kind.name))
    rows = [_row(kind) for kind in kept]
    return pa.table([list(column) for column in zip(*rows, strict=True)] or [[] for _ in XDBC_TYPES_SCHEMA], schema=XDBC_TYPES_SCHEMA)


def _row(kind: XdbcType) -> tuple[object, ...]:
    textual = kind.code == 12
    least, most = (None, None) if kind.scale is None else kind.scale
    return (
        *(kind.name, kind.code, kind.size, kind.quote, kind.quote, kind.params, _NULLABLE, textual),
        _SEARCHABLE_FULL if textual else _SEARCHABLE_BASIC,
        *(kind.unsigned, False, None if kind.unsigned is None else False, kind.name),
        *(least, most),
        _SQL_DATETIME if kind.subcode is not None and kind.code != _INTERVAL else kind.code,
        *(kind.subcode, kind.radix, None),
    )
