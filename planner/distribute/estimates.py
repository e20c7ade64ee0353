"""How many values a column has, and how many groups are made of them: estimates from what footers tell, without reading a row.

A row group's column is a dictionary of its values and for each row its place in it, in as few bits as will do (Parquet, "Encodings":
RLE_DICTIONARY): the bytes before compression tell how many values there are. That several row groups have so many each of their rows tells
how many there are in all, as far as their ranges overlap; and no more are there than whole numbers between the least and the greatest.
"""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Sequence
from dataclasses import dataclass

from planner.catalog import Column, RowGroup, StatisticsValue
from planner.splits import ScanExtent

MOST_ROW_GROUPS = 16
"""So many row groups are looked at, spread over all."""
_WIDTHS = {
    **dict.fromkeys(("BOOLEAN", "TINYINT", "UTINYINT"), 1),
    **dict.fromkeys(("SMALLINT", "USMALLINT"), 2),
    **dict.fromkeys(("INTEGER", "UINTEGER", "FLOAT", "DATE"), 4),
}
_TEXT_BYTES = 16
"""Of a text, where the statistics have none."""
_UNIQUE = 0.999
"""Where so large a part of the rows have values of their own, all may have."""


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """``count`` different values in the rows that are read, each of ``width`` bytes as Arrow data.

    ``layers``: in which part of the row groups a value lies, about: in few where the table is written in the column's order.
    """

    count: float
    width: float
    layers: float


def column_values(extent: ScanExtent, column: Column) -> ColumnValues | None:
    """What is known about a column's values; None where there are no footers."""
    rows, total = extent.rows, extent.row_groups_kept
    if rows is None or total is None:
        return None
    sample = sampled_groups(extent, MOST_ROW_GROUPS)
    width = _width(column.type, sample, column.name)
    partitions = {dict(file.file.partitions).get(column.name) for file in extent.files} if column.name in _keys(extent) else set()
    if partitions:
        return ColumnValues(len(partitions), width, 1 / len(partitions))
    if not sample:
        return ColumnValues(0, width, 1)
    spans = _spans(sample, column)
    layers = float(total)
    most = math.inf
    if spans:
        reach = max(high for _, high in spans) - min(low for low, _ in spans) + 1
        layers *= min(1.0, sum(high - low + 1 for low, high in spans) / len(spans) / reach)
        most = reach if _is_discrete(column.type) else math.inf
    layers = max(1.0, layers)
    each = sum(group.rows for group in sample) / len(sample)
    seen = sum(_dictionary(group, column, width, most) for group in sample) / len(sample)
    domain = _domain(seen, each) * total / layers
    return ColumnValues(max(1.0, min(drawn(domain, rows), most, rows)), width, layers / total)


def sampled_groups(extent: ScanExtent, most: int) -> list[RowGroup]:
    """Row groups with rows, ``most`` of them at most, spread over all files."""
    files = [file for file in extent.files if file.groups]
    files = files[:: -(-len(files) // most) or 1]
    every = -(-sum(len(file.groups or ()) for file in files) // most) or 1
    found: list[RowGroup] = []
    skipped = 0  # of those before, how many came since the last that was taken
    for groups in (file.groups for file in files if file.groups):
        found += [groups[place] for place in range(-skipped % every, len(groups), every)]
        skipped = (skipped + len(groups)) % every
    return [group for group in found if group.rows]


def _keys(extent: ScanExtent) -> set[str]:
    return {key for file in extent.files[:1] for key, _ in file.file.partitions}


def drawn(domain: float, rows: float) -> float:
    """How many of ``domain`` values so many rows have, if each has any of them."""
    return rows if math.isinf(domain) else domain * -math.expm1(-rows / domain) if domain else 0.0


def _domain(seen: float, rows: float) -> float:
    """Of how many values ``rows`` rows have about ``seen``."""
    if seen >= _UNIQUE * rows:
        return math.inf
    low, high = seen, seen
    while drawn(high, rows) < seen and high < 1e18:
        low, high = high, high * 4
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if drawn(middle, rows) < seen else (low, middle)
    return high


def _dictionary(group: RowGroup, column: Column, width: float, most: float) -> float:
    """How many values a row group's dictionary has, where its bytes tell."""
    known = group.ranges.get(column.name)
    if known is not None and known.minimum is not None and known.minimum == known.maximum:
        return 1.0
    encoded = group.encoded_bytes.get(column.name)
    if encoded is None or column.type == "BOOLEAN":
        return min(2.0 if column.type == "BOOLEAN" else group.rows, most)
    each = _stored_width(column.type, width)
    for bits in range(33):
        values = (encoded - group.rows * bits / 8) / each
        if values <= 2**bits:
            return float(min(max(values, 2 ** (bits - 1), 1), group.rows, most))
    return min(group.rows, most)


def _stored_width(kind: str, width: float) -> float:
    """Bytes of a value in a dictionary: numbers have 4 or 8, texts their length before them."""
    return width if _is_text(kind) else 4 if width <= 4 else 8


def _width(kind: str, groups: Sequence[RowGroup], name: str) -> float:
    """Bytes of a value as Arrow data; a text's by those that are the least and the greatest."""
    if kind.startswith("DECIMAL("):
        return 16
    if not _is_text(kind):
        return _WIDTHS.get(kind, 8)
    known = [group.ranges[name] for group in groups if name in group.ranges]
    texts = [value for found in known for value in (found.minimum, found.maximum) if isinstance(value, str)]
    return 4 + (sum(map(len, texts)) / len(texts) if texts else _TEXT_BYTES)


def _is_text(kind: str) -> bool:
    return kind in ("VARCHAR", "BLOB")


def _is_discrete(kind: str) -> bool:
    return kind.endswith("INT") or kind in ("INTEGER", "UINTEGER", "DATE") or kind.startswith("DECIMAL(")


def decimal_scale(kind: str) -> int:
    """How many digits a DECIMAL of the type ``kind`` has behind its point."""
    return int(kind.rstrip(")").rpartition(",")[2])


def _spans(groups: Sequence[RowGroup], column: Column) -> list[tuple[float, float]]:
    """The least and the greatest value of each row group as places on a line, where whole numbers and days are 1 apart."""
    known = [group.ranges.get(column.name) for group in groups]
    ends = [(found.minimum, found.maximum) for found in known if found is not None]
    if len(ends) < len(groups) or not all(least is not None and most is not None for least, most in ends):
        return []
    shared = _shared([value for pair in ends for value in pair if isinstance(value, str)])
    scale = 10 ** decimal_scale(column.type) if column.type.startswith("DECIMAL(") else 1
    return [(_place(least, shared) * scale, _place(most, shared) * scale) for least, most in ends]


def _shared(texts: Sequence[str]) -> int:
    """How many characters all texts begin with alike."""
    least, most = (min(texts), max(texts)) if texts else ("", "")
    return next((place for place, pair in enumerate(zip(least, most, strict=False)) if pair[0] != pair[1]), min(len(least), len(most)))


def _place(value: StatisticsValue | None, shared: int) -> float:
    match value:
        case bool() | int() | float() | decimal.Decimal():
            return float(value)
        case datetime.datetime():
            return value.replace(tzinfo=datetime.UTC).timestamp()
        case datetime.date():
            return value.toordinal()
        case str():
            return int.from_bytes(value[shared:].encode()[:6].ljust(6, b"\0"), "big")
        case _:
            return 0.0
