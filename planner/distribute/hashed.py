"""Tables that go through a hash exchange: what their scan fragments give, and which scans of a block read it.

A scan fragment gives, split by split, the rows that may matter: those for which the scan's predicates hold, and whose values are among
those of small tables that they would meet (``reductions``). Scans of one table that would give the same rows share a fragment, which then
gives the columns of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.catalog import Column
from planner.distribute.reductions import Reducer
from planner.distribute.sent import bucket_number
from planner.logical import Scan
from planner.quoting import quote_name
from planner.scan_inputs import ScanInputs


@dataclass(frozen=True, slots=True)
class HashedTable:
    """``scan`` is read into an exchange by the hash of its column ``key``; the scans called ``readers`` get its columns ``given``.

    ``not_null``: rows without a key do not matter. ``reduced``: about the part of its rows that the ``reducers`` leave.
    """

    scan: Scan
    key: str
    given: tuple[Column, ...]
    readers: tuple[str, ...]
    reducers: tuple[Reducer, ...] = ()
    not_null: bool = False
    reduced: float = 1.0

    def joins(self, other: HashedTable) -> bool:
        """Whether both would give the same rows, by the same key, but for those without a key and for their columns.

        Their predicates are compared elsewhere.
        """
        mine, others = ({(reducer.column, reducer.scan.name, reducer.key) for reducer in table.reducers} for table in (self, other))
        return self.key == other.key and mine == others and self.scan.table == other.scan.table and self.scan.columns == other.scan.columns

    def with_reader(self, other: HashedTable) -> HashedTable:
        """For another table's readers too."""
        needed = self._united(self.scan.needed, other.scan.needed)
        given = self._united(self.given, other.given)
        not_null = self.not_null and other.not_null
        return replace(
            self, scan=replace(self.scan, needed=needed), given=given, readers=(*self.readers, *other.readers), not_null=not_null
        )

    def _united(self, some: Sequence[Column], others: Sequence[Column]) -> tuple[Column, ...]:
        return tuple(column for column in self.scan.columns if column in some or column in others)

    def sql(self, inputs: ScanInputs, buckets: int, bucket: str) -> str:
        """What its fragment asks, the bucket's number in the last column, which is called ``bucket``."""
        key = quote_name(self.key)
        columns = ", ".join(quote_name(column.name) for column in self.given)
        terms = [inputs.predicate(self.scan), f"{key} IS NOT NULL" if self.not_null else None]
        for reducer in self.reducers:
            column, name = quote_name(reducer.column), quote_name(reducer.key)
            terms.append(f"{column} IN (SELECT {name} FROM {reducer.scan.name} WHERE {inputs.predicate(reducer.scan)})")
        given = [f"({term})" for term in terms if term is not None]
        where = f" WHERE {' AND '.join(given)}" if given else ""
        number = bucket_number(key, buckets)
        return f"SELECT {columns}, {number} AS {bucket} FROM {self.scan.name}{where}"


def together(tables: Iterable[HashedTable], predicates: Mapping[str, str | None]) -> list[HashedTable]:
    """The tables, those that give the same rows as one. ``predicates``: those of their scans, in SQL."""
    found: list[HashedTable] = []
    for table in tables:
        same = (one for one in found if one.joins(table) and predicates[one.scan.name] == predicates[table.scan.name])
        other = next(same, None)
        if other is None:
            found.append(table)
        else:
            found[found.index(other)] = other.with_reader(table)
    return found
