"""Arrow types as the kernel spells them in SQL, and which of the kernel's types Arrow has no word for."""

from __future__ import annotations

import re
from functools import lru_cache

import pyarrow as pa

from planner.quoting import quote_name

_NAMES: dict[str, str] = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "halffloat": "FLOAT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "string_view": "VARCHAR",
    "binary": "BLOB",
    "large_binary": "BLOB",
    "binary_view": "BLOB",
    "date32[day]": "DATE",
    "date64[ms]": "DATE",
    "time32[s]": "TIME",
    "time32[ms]": "TIME",
    "time64[us]": "TIME",
    "time64[ns]": "TIME_NS",
    "timestamp[s]": "TIMESTAMP_S",
    "timestamp[ms]": "TIMESTAMP_MS",
    "timestamp[us]": "TIMESTAMP",
    "timestamp[ns]": "TIMESTAMP_NS",
    "month_day_nano_interval": "INTERVAL",
    "duration[s]": "INTERVAL",
    "duration[ms]": "INTERVAL",
    "duration[us]": "INTERVAL",
    "duration[ns]": "INTERVAL",
    "null": '"NULL"',
    "extension<arrow.uuid>": "UUID",
    "extension<arrow.bool8>": "BOOLEAN",
    "extension<arrow.json>": "JSON",
}

MAX_KEPT_TYPES = 1024
TYPE_KEY = b"volley:type"
"""The metadata of a field that names the kernel's type."""
_TOLD_BY_ARROW = frozenset(_NAMES.values()) - {"UUID", "JSON"}
"""Types of the kernel that it sends as Arrow's of that name."""

_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_list_view, pa.types.is_large_list_view)
# A type's name stands at the end, or before what closes it; a field that is called so has a type behind it.
_WORDLESS = re.compile(r"""\"(?:[^"]|"")*"|'(?:[^']|'')*'|\b(UHUGEINT|BIGNUM|BIT|TIME WITH TIME ZONE)\b(?=[\[\]),]|$)""")
_CHANGED = re.compile(r"""\"(?:[^"]|"")*"|'(?:[^']|'')*'|\b(UUID|JSON|HUGEINT|ENUM)\b(?=[\[\]),(]|$)""")


def sent_type(kind: str) -> str:
    """The kernel's type as which values of its type ``kind`` are sent: the same where Arrow has a word that keeps them, else text.

    DuckDB's Arrow export would give other values without a word: UHUGEINT wraps around above 2¹²⁷, TIME WITH TIME ZONE loses its
    zone, BIT and BIGNUM are the bytes that the kernel happens to keep.
    """
    return _WORDLESS.sub(lambda found: found[0] if found[1] is None else "VARCHAR", kind)


def survives_arrow(kind: str) -> bool:
    """Whether values of the kernel's type ``kind`` that have been Arrow data are of that type again: a UUID comes back as text."""
    return sent_type(kind) == kind and not any(found[1] for found in _CHANGED.finditer(kind))


def told_field(field: pa.Field, kind: str) -> pa.Field:
    """``field``, with the kernel's type ``kind`` of its values where the Arrow type tells another."""
    if kind in _TOLD_BY_ARROW or _tells(field.type, kind):
        return field
    return field.with_metadata({**(field.metadata or {}), TYPE_KEY: kind.encode()})


@lru_cache(MAX_KEPT_TYPES)
def _tells(arrow: pa.DataType, kind: str) -> bool:
    return kernel_type(arrow) == kind


def told_type(field: pa.Field) -> str:
    """The kernel's type of a field of :func:`told_field`."""
    told = (field.metadata or {}).get(TYPE_KEY)
    return kernel_type(field.type) if told is None else told.decode()


def kernel_type(kind: pa.DataType) -> str:
    """``kind`` as the kernel spells it; the kernel's HUGEINT, ENUM and the like come back as what Arrow has for them."""
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return "TIMESTAMPTZ_NS" if kind.unit == "ns" else "TIMESTAMP WITH TIME ZONE"
    if pa.types.is_map(kind):
        return f"MAP({kernel_type(kind.key_type)}, {kernel_type(kind.item_type)})"
    if pa.types.is_fixed_size_list(kind):
        return f"{kernel_type(kind.value_type)}[{kind.list_size}]"
    if any(is_list(kind) for is_list in _LISTS):
        return f"{kernel_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{_field_name(field.name)} {kernel_type(field.type)}' for field in kind)})"
    if pa.types.is_dictionary(kind):
        return kernel_type(kind.value_type)
    if pa.types.is_fixed_size_binary(kind):
        return "BLOB"
    return _NAMES.get(str(kind), str(kind).upper())


def _field_name(name: str) -> str:
    return name if name.isidentifier() else quote_name(name)
