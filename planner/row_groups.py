"""The row groups of a file, column by column: only of columns that are asked for anything is learnt, and few objects stand for many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from planner.catalog import ColumnRange, RowGroup, StatisticsValue

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ColumnChunks:
    """A column in all row groups of a file: sizes, compressed and before, and what statistics say of each; None where they say nothing."""

    bytes: Sequence[int]
    minimums: Sequence[StatisticsValue | None]
    maximums: Sequence[StatisticsValue | None]
    null_counts: Sequence[int | None]
    encoded_bytes: Sequence[int] = ()

    def range(self, index: int) -> ColumnRange | None:
        """What is known of one row group; None where nothing is."""
        low, high, nulls = self.minimums[index], self.maximums[index], self.null_counts[index]
        return None if low is None and high is None and nulls is None else ColumnRange(low, high, nulls)


class RowGroups(Sequence[RowGroup], ABC):
    """The row groups of a Parquet file. A :class:`RowGroup` of it looks up its sizes and ranges when it is asked for them."""

    __slots__ = ("first_rows", "names")

    def __init__(self, first_rows: Sequence[int], names: Sequence[str]) -> None:
        self.first_rows = first_rows
        """The first row of each, and at the end the number of rows."""
        self.names = names
        """The columns' names."""

    @abstractmethod
    def column(self, name: str) -> ColumnChunks:
        """What is known of a column. May read."""

    def group(self, index: int) -> RowGroup:
        """One of them."""
        first = self.first_rows[index]
        sizes: _Columns[int] = _Columns(self.names, lambda name: self.column(name).bytes[index])
        ranges: _Columns[ColumnRange] = _Columns(self.names, lambda name: self.column(name).range(index))
        encoded: _Columns[int] = _Columns(self.names, lambda name: next(iter(self.column(name).encoded_bytes[index : index + 1]), None))
        return RowGroup(index, first, self.first_rows[index + 1] - first, sizes, ranges, encoded)

    def __len__(self) -> int:
        return len(self.first_rows) - 1

    @overload
    def __getitem__(self, index: int) -> RowGroup: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RowGroup]: ...
    def __getitem__(self, index: int | slice) -> RowGroup | Sequence[RowGroup]:
        found = range(len(self))[index]
        return self.group(found) if isinstance(found, int) else tuple(map(self.group, found))


class _Columns(Mapping[str, Value]):
    """By the names of columns, what ``look_up`` knows of each; one of which that is None is not in it."""

    __slots__ = ("_look_up", "_names")

    def __init__(self, names: Sequence[str], look_up: Callable[[str], Any]) -> None:
        self._names = names
        self._look_up = look_up

    def __getitem__(self, name: str) -> Value:
        found = self._look_up(name) if name in self._names else None
        if found is None:
            raise KeyError(name)
        return found  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names if self._look_up(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)
