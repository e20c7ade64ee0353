"""What a fragment of a block puts out: its rows as Arrow keeps them, and behind them the number of each row's bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from planner.arrow_types import survives_arrow
from planner.catalog import Column
from planner.quoting import quote_name

_AS_TEXT = frozenset(("HUGEINT", "UHUGEINT", "UUID", "JSON"))
"""Types that Arrow gives back as another one, and that are the same again when they are read from text."""


@dataclass(frozen=True, slots=True)
class Sent:
    """``columns`` as they arrive. ``as_text``: the types of those that are sent as text, by their names."""

    columns: tuple[Column, ...]
    as_text: dict[str, str] = field(default_factory=dict)

    def sql(self, sql: str, prefix: str, bucket: str | None = None) -> str:
        """A query of the rows, made fit to be sent. ``bucket``: SQL over its columns, whose value is the last one sent."""
        if not self.as_text and bucket is None:
            return sql
        items = [quote_name(column.name) for column in self.columns]
        items = [
            f"{item}::VARCHAR AS {item}" if column.name in self.as_text else item for item, column in zip(items, self.columns, strict=True)
        ]
        if bucket is not None:
            items.append(f"{bucket} AS {quote_name(f'{prefix}b')}")
        return f"SELECT {', '.join(items)} FROM ({sql}) AS {quote_name(f'{prefix}p')}"


def bucket_number(values: str, buckets: int) -> str:
    """The number of the bucket of a row that has ``values``, all in SQL.

    It is made of the hash's upper half: the kernel's own tables put rows into places by the lower.
    """
    return f"((hash({values}) >> 32) % {buckets})::USMALLINT"


def sent(columns: Sequence[Column]) -> Sent | None:
    """How rows of these ``columns`` are sent; None where one would not come back as it was."""
    as_text = {column.name: column.type for column in columns if column.type in _AS_TEXT}
    if not all(column.name in as_text or survives_arrow(column.type) for column in columns):
        return None
    return Sent(tuple(Column(column.name, "VARCHAR") if column.name in as_text else column for column in columns), as_text)
