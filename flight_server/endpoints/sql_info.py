"""What GetSqlInfo answers: the protocol's numbered facts about a server (FlightSql.proto, enum SqlInfo)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pyarrow as pa


class Bits(NamedTuple):
    """An ordinal or a bitmask, which the protocol keeps apart from a number."""

    value: int


SqlInfoValue = str | bool | int | Bits | tuple[str, ...] | Mapping[int, tuple[int, ...]]

_LIST = pa.list_(pa.field("string_data", pa.string()))
_MAP = pa.map_(pa.int32(), pa.list_(pa.field("$data$", pa.int32())))
# Nothing may be NULL, as in Arrow's own servers: the protocol's text leaves it open.
_VALUE = pa.dense_union(
    [
        pa.field("string_value", pa.string(), False),
        pa.field("bool_value", pa.bool_(), False),
        pa.field("bigint_value", pa.int64(), False),
        pa.field("int32_bitmask", pa.int32(), False),
        pa.field("string_list", _LIST, False),
        pa.field("int32_to_int32_list_map", _MAP, False),
    ]
)
SQL_INFO_SCHEMA = pa.schema([pa.field("info_name", pa.uint32(), False), pa.field("value", _VALUE, False)])

_NO_LIMIT = 0
_NUMERIC = (
    *("ABS", "ACOS", "ASIN", "ATAN", "ATAN2", "CBRT", "CEIL", "COS", "COT", "DEGREES", "EXP", "FLOOR", "GREATEST", "LEAST", "LN"),
    *("LOG", "LOG10", "LOG2", "MOD", "PI", "POWER", "RADIANS", "RANDOM", "ROUND", "SIGN", "SIN", "SQRT", "TAN", "TRUNC"),
)
_STRING = (
    *("ASCII", "CHR", "CONCAT", "CONCAT_WS", "CONTAINS", "ENDS_WITH", "FORMAT", "INSTR", "LEFT", "LENGTH", "LOWER", "LPAD", "LTRIM"),
    *("MD5", "POSITION", "REGEXP_EXTRACT", "REGEXP_MATCHES", "REGEXP_REPLACE", "REPEAT", "REPLACE", "REVERSE", "RIGHT", "RPAD"),
    *("RTRIM", "SPLIT_PART", "STARTS_WITH", "STRING_SPLIT", "SUBSTRING", "TRANSLATE", "TRIM", "UPPER"),
)
_DATETIME = (
    *("AGE", "CURRENT_DATE", "DATE_DIFF", "DATE_PART", "DATE_TRUNC", "DAYNAME", "EPOCH", "EXTRACT", "LAST_DAY", "MAKE_DATE"),
    *("MAKE_TIMESTAMP", "MONTHNAME", "NOW", "STRFTIME", "STRPTIME", "TIME_BUCKET"),
)
_KEYWORDS = ("ANTI", "ASOF", "DESCRIBE", "EXPLAIN", "ILIKE", "PIVOT", "POSITIONAL", "QUALIFY", "SAMPLE", "SEMI", "SHOW", "UNPIVOT")
# What CAST converts into what, by the numbers of the protocol's enum SqlSupportsConvert. Several of its names are one type here: CHAR,
# LONGVARCHAR and VARCHAR; BINARY, LONGVARBINARY and VARBINARY; DECIMAL and NUMERIC. BIT is BOOLEAN, as in JDBC.
_NUMBERS = (0, 2, 5, 6, 7, 12, 13, 14, 17)
_TEXTS = (3, 11, 19)
_BINARIES = (1, 10, 18)
_INTERVALS = (8, 9)
_DATE, _TIME, _TIMESTAMP = 4, 15, 16
CONVERSIONS: Mapping[int, tuple[int, ...]] = {
    **dict.fromkeys(_NUMBERS, (*_NUMBERS, *_TEXTS)),
    **dict.fromkeys(_TEXTS, tuple(range(20))),
    **dict.fromkeys(_BINARIES, (*_BINARIES, *_TEXTS)),
    **dict.fromkeys(_INTERVALS, (*_INTERVALS, *_TEXTS)),
    _DATE: (_DATE, _TIMESTAMP, *_TEXTS),
    _TIME: (_TIME, *_TEXTS),
    _TIMESTAMP: (_DATE, _TIME, _TIMESTAMP, *_TEXTS),
}
# Limited and full ones, as a bitmask: Arrow's Java server writes it so, and its JDBC driver reads it so, though the protocol says ordinal.
_OUTER_JOINS = Bits(1 << 1 | 1 << 2)
# Numbers of limits, all "none or unknown": literals, names, columns, connections, rows, statements, tables, users.
_LIMITS = (*range(541, 556), 557, 558, 559, 560, 561)


def sql_infos(version: str, *, read_only: bool) -> dict[int, SqlInfoValue]:
    """All facts, by their numbers."""
    server: dict[int, SqlInfoValue] = {0: "Volley", 1: version, 2: pa.__version__, 3: read_only, 4: True, 5: False}
    server |= {8: Bits(1), 9: True, 10: not read_only, 11: False, 100: Bits(0), 101: Bits(0)}
    names: dict[int, SqlInfoValue] = {500: False, 501: False, 502: not read_only, 503: Bits(1), 504: '"', 505: Bits(1), 506: True}
    names |= {507: Bits(0), 508: _KEYWORDS, 509: _NUMERIC, 510: _STRING, 511: ("VERSION",), 512: _DATETIME, 513: "\\", 514: ""}
    syntax: dict[int, SqlInfoValue] = {515: True, 516: True, 517: CONVERSIONS, 518: True, 519: False, 520: True, 521: True}
    syntax |= {522: Bits(3), 523: True, 524: False, 525: Bits(7), 526: Bits(3), 527: False, 528: _OUTER_JOINS}
    syntax |= {
        529: "schema",
        530: "procedure",
        531: "catalog",
        532: True,
        533: Bits(0),
        534: Bits(0),
        535: Bits(0),
        536: False,
        537: False,
        538: Bits(15),
        539: True,
        540: Bits(3),
    }
    limits: dict[int, SqlInfoValue] = {**dict.fromkeys(_LIMITS, _NO_LIMIT), 556: False}
    behaviour: dict[int, SqlInfoValue] = {562: 2, 563: True, 564: Bits(1 << 2), 565: False, 566: True, 567: Bits(2), 568: Bits(0)}
    behaviour |= {569: Bits(2), 570: Bits(0), 571: Bits(0), 572: False, 573: False, 574: False, 575: False, 576: False}
    return server | names | syntax | limits | behaviour


def sql_info_table(infos: Mapping[int, SqlInfoValue], wanted: Iterable[int]) -> pa.Table:
    """The answer of GetSqlInfo: the ``wanted`` facts, or all if none is named. Numbers that are not known are left out."""
    numbers = [number for number in wanted if number in infos] if (wanted := list(wanted)) else list(infos)
    children: list[list[object]] = [[], [], [], [], [], []]
    kinds, offsets = [], []
    for number in numbers:
        kind, value = _placed(infos[number])
        kinds.append(kind)
        offsets.append(len(children[kind]))
        children[kind].append(value)
    arrays = [pa.array(values, _VALUE.field(index).type) for index, values in enumerate(children)]
    types, places = pa.array(kinds, pa.int8()).buffers()[1], pa.array(offsets, pa.int32()).buffers()[1]
    # Not by UnionArray.from_dense, whose fields may all be NULL.
    values = pa.Array.from_buffers(_VALUE, len(numbers), [None, types, places], children=arrays)
    return pa.table([pa.array(numbers, pa.uint32()), values], schema=SQL_INFO_SCHEMA)


def _placed(info: SqlInfoValue) -> tuple[int, object]:
    match info:
        case str():
            return 0, info
        case bool():
            return 1, info
        case Bits(value):
            return 3, value
        case int():
            return 2, info
        case Mapping():
            return 5, list(info.items())
        case _:
            return 4, list(info)
