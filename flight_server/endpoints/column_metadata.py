"""What tools read of a column beside its Arrow type: the ``ARROW:FLIGHT:SQL:…`` metadata of fields, as the protocol has them.

They stand on the schemas of statements (GetFlightInfo, GetSchema, preparing and the stream: always the same ones), and on those inside
GetTables' answer. Plain Flight and the catalog's own answers have none: drivers compare the latter with schemas of their own.
"""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa

from flight_server.protocol.wire_types import OWN_KEYS
from planner.arrow_types import TYPE_KEY, kernel_type
from planner.catalog import CATALOG_NAME, SCHEMA_NAME
from planner.origins import TABLE_KEY

PREFIX = b"ARROW:FLIGHT:SQL:"
MAX_KEPT_FACTS = 1024

_INTEGER_DIGITS = {"int8": 3, "int16": 5, "int32": 10, "int64": 19, "uint8": 3, "uint16": 5, "uint32": 10, "uint64": 20}
_FLOAT_DIGITS = {"halffloat": 3, "float": 7, "double": 15}
_SECOND_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_ENUM_VALUES = re.compile(r"ENUM\((?:'(?:[^']|'')*'(?:, )?)*\)")
_TEXTS_WITHOUT_CASE = (b"UHUGEINT", b"BIGNUM", b"BIT", b"TIME WITH TIME ZONE", b"UUID")
_DATE_CHARS, _TIME_CHARS, _ZONE_CHARS, _UUID_CHARS = 10, 8, 6, 36


def described(schema: pa.Schema, table: str | None = None) -> pa.Schema:
    """``schema`` with what its types tell on each field, and where the columns come from: all from ``table``, if it is one's."""
    origin = None if table is None else table.encode()
    return pa.schema([_described(field, origin) for field in schema], schema.metadata)


def _described(field: pa.Field, origin: bytes | None) -> pa.Field:
    own = field.metadata or {}
    facts = _facts(field.type, own.get(TYPE_KEY), origin or own.get(TABLE_KEY))
    rest = {key: value for key, value in own.items() if key not in OWN_KEYS}
    return pa.field(field.name, field.type, field.nullable, {**rest, **dict(facts)} if rest else facts)


@lru_cache(MAX_KEPT_FACTS)
def _facts(kind: pa.DataType, told: bytes | None, table: bytes | None) -> pa.KeyValueMetadata:
    precision, scale = _size(kind)
    facts: dict[str, object] = {
        "TYPE_NAME": _type_name(kind) if told is None else _ENUM_VALUES.sub("ENUM", told.decode()),
        "PRECISION": precision,
        "SCALE": scale,
        "IS_AUTO_INCREMENT": 0,
        "IS_CASE_SENSITIVE": int(_is_text(kind) and told not in _TEXTS_WITHOUT_CASE),
        "IS_READ_ONLY": 1,
        "IS_SEARCHABLE": 1,
    }
    if table is not None:
        # The protocol's text says DB_SCHEMA_NAME; Arrow's own servers and drivers say SCHEMA_NAME.
        facts |= {"CATALOG_NAME": CATALOG_NAME, "DB_SCHEMA_NAME": SCHEMA_NAME, "SCHEMA_NAME": SCHEMA_NAME, "TABLE_NAME": table.decode()}
    return pa.KeyValueMetadata({PREFIX + key.encode(): str(value).encode() for key, value in facts.items() if value is not None})


def _type_name(kind: pa.DataType) -> str:
    """The type's name in SQL, without a decimal's digits: they are told apart from it."""
    if pa.types.is_decimal(kind):
        return "DECIMAL"
    if isinstance(kind, pa.OpaqueType):
        return str(kind.type_name).upper()
    if pa.types.is_union(kind):
        return "UNION"
    return kernel_type(kind).strip('"')


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "extension<arrow.json>"


def _size(kind: pa.DataType) -> tuple[int | None, int | None]:
    """Precision and scale as JDBC counts them: digits of numbers, characters of dates and times; None where there is no bound."""
    name = str(kind)
    if pa.types.is_decimal(kind):
        return kind.precision, kind.scale
    if name in _INTEGER_DIGITS:
        return _INTEGER_DIGITS[name], 0
    if name in _FLOAT_DIGITS:
        return _FLOAT_DIGITS[name], None
    if pa.types.is_boolean(kind):
        return 1, None
    if pa.types.is_date(kind):
        return _DATE_CHARS, 0
    if pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        digits = _SECOND_DIGITS[kind.unit]
        chars = _TIME_CHARS + (digits + 1 if digits else 0)
        if pa.types.is_timestamp(kind):
            chars += _DATE_CHARS + 1 + (_ZONE_CHARS if kind.tz is not None else 0)
        return chars, digits
    return (_UUID_CHARS, None) if name == "extension<arrow.uuid>" else (None, None)
