"""Row groups and their statistics, as the planner may trust them to prune."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Mapping, Sequence

import pyarrow.parquet as pq

from operators.storage.footers import Footer
from planner.catalog import Column, ColumnRange, RowGroup, StatisticsValue

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_EXPECTED: Mapping[str, type] = {
    **dict.fromkeys(_INTEGERS, int),
    "BOOLEAN": bool,
    "FLOAT": float,
    "DOUBLE": float,
    "DATE": datetime.date,
    "TIMESTAMP": datetime.datetime,
    "TIMESTAMP WITH TIME ZONE": datetime.datetime,
    "VARCHAR": str,
}


def row_groups(footer: Footer, columns: Sequence[Column]) -> tuple[RowGroup, ...]:
    """The row groups of a file whose columns are, in order, ``columns`` (with the kernel's names and types)."""
    first_rows = footer.first_rows
    return tuple(_row_group(footer, index, first_rows[index], columns) for index in range(len(first_rows) - 1))


def _row_group(footer: Footer, index: int, first_row: int, columns: Sequence[Column]) -> RowGroup:
    group = footer.metadata.row_group(index)
    sizes: dict[str, int] = {}
    encoded: dict[str, int] = {}
    ranges: dict[str, ColumnRange] = {}
    for leaf, owner in enumerate(footer.leaf_columns):
        column = columns[owner]
        chunk = group.column(leaf)
        sizes[column.name] = sizes.get(column.name, 0) + chunk.total_compressed_size
        encoded[column.name] = encoded.get(column.name, 0) + chunk.total_uncompressed_size
        found = _range(chunk, column.type)
        if found is not None:
            ranges[column.name] = found
    return RowGroup(index, first_row, group.num_rows, sizes, ranges, encoded)


def _range(chunk: pq.ColumnChunkMetaData, kind: str) -> ColumnRange | None:
    if kind not in _EXPECTED and not kind.startswith("DECIMAL("):
        return None
    statistics = chunk.statistics if chunk.is_stats_set else None
    if statistics is None:
        return None
    nulls = statistics.null_count if statistics.has_null_count else None
    if not statistics.has_min_max:
        return ColumnRange(None, None, nulls) if nulls is not None else None
    try:
        low, high = statistics.min, statistics.max
    except (ValueError, OverflowError, NotImplementedError, KeyError):
        # Dates beyond Python's calendar, text cut inside a character: no statistics that could be compared.
        low = high = None
    return ColumnRange(_usable(low, kind), None if kind in ("FLOAT", "DOUBLE") else _usable(high, kind), nulls)


def _usable(value: object, kind: str) -> StatisticsValue | None:
    """``value`` if it is what a column of that type compares with.

    The maximum of floats is never usable: statistics leave NaN out, which is the greatest of all for the kernel.
    """
    if kind.startswith("DECIMAL("):
        return value if isinstance(value, decimal.Decimal) and value.is_finite() else None
    expected = _EXPECTED[kind]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool) or value != value:
        return None
    if expected is datetime.date and isinstance(value, datetime.datetime):
        return None
    if expected is datetime.datetime:
        assert isinstance(value, datetime.datetime)
        return value if (value.tzinfo is not None) == (kind != "TIMESTAMP") else None
    return value  # type: ignore[return-value]
