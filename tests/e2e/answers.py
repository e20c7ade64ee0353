"""Comparing answers, to the last row."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

Rows = list[tuple[Any, ...]]


def rows_of(table: pa.Table) -> Rows:
    """The rows as Python values, with a NaN that equals itself."""
    return [tuple(map(_comparable, row)) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def same_rows(answer: pa.Table, truth: pa.Table) -> None:
    """Equal columns and rows, in order."""
    assert answer.column_names == truth.column_names
    assert rows_of(answer) == rows_of(truth)


def _comparable(value: Any) -> Any:
    return "NaN" if value != value else value
