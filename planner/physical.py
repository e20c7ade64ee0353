"""What runs: fragments, the exchanges between them, and the shares that parallel fragments consume.

A plan is a small graph, producers before consumers. With one worker, most queries are a single fragment::

    result ◄── fragment 0: SELECT … FROM in_0 JOIN in_1 …     (in_0, in_1: scans)

With several, a fragment is as much of the statement as can run on one *share* of the data, and runs share by share on all workers;
what is left runs once, on the query handler::

    result ◄── fragment 2, once ◄── exchange 1 (gather) ◄── fragment 1, on all workers ◄── in_0: a scan, divided into shares
                                                                                       ◄── in_1: a scan, read whole for each share
                                                                                       ◄── exchange 0 (broadcast) ◄── fragment 0

A fragment starts when all exchanges that it reads are complete. One that scans a large table may have *runtime filters*: the keys of a
small table that it is joined with, read first by a fragment of their own, tell what need not be read of the large one::

    fragment 1 ◄── in_0: a scan of what may have one of the keys ◄── exchange 2 (filter) ◄── fragment 2, once ◄── in_1: a scan
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from planner.catalog import Column, DataFile, FileFormat, RowGroup
from planner.choices import DividedTable, PlanChoice
from planner.time_zones import UTC


@dataclass(frozen=True, slots=True)
class Split:
    """The record that a scan consumes: whole row groups of one file.

    ``first_row`` and ``rows`` count in the file; ``rows`` is None for "all of it" (formats without row groups, or a footer that the
    planner had no need to read). ``row_groups`` are indexes, None for all.
    """

    file: DataFile
    row_groups: tuple[int, ...] | None = None
    first_row: int = 0
    rows: int | None = None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class ShareInput:
    """What a share has of one divided input of its fragment: the rows of ``splits`` for which ``predicate`` holds.

    ``name`` is the input's in the fragment's SQL; ``predicate`` is SQL over the input's columns, None for all rows: where inputs are
    divided by ranges of a key, the share's range. Rows in none of the splits for which it holds change nothing: what left them out was
    a condition of the fragment. Of an input that comes through a hash exchange there are no splits, but ``buckets``: the first, and the
    one behind the last. ``part`` is set where one bucket is too large for a share: which of how many parts of it.
    """

    name: str
    splits: tuple[Split, ...] = ()
    predicate: str | None = None
    buckets: tuple[int, int] | None = None
    part: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """The record that a parallel fragment consumes: its part of each divided input. What it does not name, it sees whole."""

    inputs: tuple[ShareInput, ...]

    @property
    def rows(self) -> int | None:
        """Rows in its splits, before any predicate; None where those of a split are not known."""
        rows = [split.rows for part in self.inputs for split in part.splits]
        return None if any(count is None for count in rows) else sum(count or 0 for count in rows)

    @property
    def bytes(self) -> int:
        """Bytes of its splits."""
        return sum(split.bytes for part in self.inputs for split in part.splits)


@dataclass(frozen=True, slots=True)
class ScanInput:
    """A relation of a fragment that is read from files.

    ``name`` is the relation's name in the fragment's SQL. ``columns`` are those that the fragment needs, in table order, out of
    ``table_columns``; none means that only the number of rows matters. ``predicate`` (SQL over the columns, or None) is what
    the planner could push down: it already pruned ``splits``, and stays in the fragment's SQL too. ``options`` are the table's.

    Of an input that shares divide, ``splits`` are those of all shares, for EXPLAIN; any other is read whole, again for each share.
    ``expected_rows``: so many rows each share is said to have of it, before any filter, which is what all shares have together: the
    kernel orders the joins of a share as those of the whole.
    """

    name: str
    table: str
    columns: tuple[Column, ...]
    table_columns: tuple[Column, ...]
    splits: tuple[Split, ...]
    format: FileFormat = "parquet"
    predicate: str | None = None
    partition_columns: tuple[Column, ...] = ()
    files_total: int = 0
    row_groups_total: int | None = None
    row_groups_kept: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    expected_rows: int | None = None


@dataclass(frozen=True, slots=True)
class ExchangeInput:
    """A relation of a fragment that arrives through an exchange: whole, to each share where there are shares, or, of a hash exchange, the
    rows of the share's buckets (``bucketed``).

    ``may_be_cut``: the rows of one bucket may be told to several shares, each row to one of them, if all of these have the same bucket of
    the fragment's other bucketed inputs whole.
    """

    name: str
    exchange: int
    columns: tuple[Column, ...]
    bucketed: bool = False
    may_be_cut: bool = False


@dataclass(frozen=True, slots=True)
class RuntimeFilter:
    """Of the scan ``input``, only rows matter whose ``column`` has one of the keys that ``exchange`` will hold.

    Row groups and files without such a row need not be read. That never changes an answer: the join which asks for the keys stays, and
    without the keys all is read. ``source`` is the table that they come from, for people. ``partition``: the column, where the scan's table
    is partitioned by it; else ``groups`` has what the footers say of the scan's row groups, by the paths of their files.
    """

    input: str
    column: str
    exchange: int
    source: str
    partition: Column | None = None
    groups: Mapping[str, Sequence[RowGroup]] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of the plan with no exchange inside, compiled into one SELECT over its inputs' names.

    With ``shares`` it runs once for each of them, on any worker, and its rows are those of the first share, then those of the second,
    and so on. So it does with ``bucketed`` inputs, whose shares are made when their exchanges are complete, of buckets in their order.
    Without either it runs once, on the query handler, over all that its inputs hold.
    Where ``output`` is a hash exchange, the last column of its rows is the number of their bucket, and is no column of the exchange.
    ``serial``: it is small and joins branches of a UNION, whose rows arrive in any order where several threads run: what hangs on
    arrival (``row_number()`` over ties, ``list``, ``first``) would be another from one run to the next. One thread is to run it.
    ``division``: by what its divided inputs are, for EXPLAIN; empty where nobody says.
    ``time_zone``: the session's. TIMESTAMP WITH TIME ZONE is read, cut up, shown and sent in it, wherever the fragment runs.
    ``filters`` tell what of its scans need not be read.
    """

    id: int
    sql: str
    inputs: tuple[ScanInput | ExchangeInput, ...]
    output: int
    shares: tuple[Share, ...] = ()
    serial: bool = False
    time_zone: str = UTC
    division: tuple[DividedTable, ...] = ()
    filters: tuple[RuntimeFilter, ...] = ()

    @property
    def parallel(self) -> bool:
        """Whether it runs share by share."""
        return bool(self.shares) or bool(self.bucketed)

    @property
    def by_splits(self) -> bool:
        """Whether its shares are the splits of its only input."""
        return bool(self.shares) and len(self.inputs) == 1 and all(len(part.splits) <= 1 for share in self.shares for part in share.inputs)

    @property
    def divided(self) -> frozenset[str]:
        """The names of the inputs of which a share has a part."""
        return frozenset(part.name for share in self.shares for part in share.inputs) | self.bucketed

    @property
    def bucketed(self) -> frozenset[str]:
        """The names of the inputs of which a share has some buckets."""
        return frozenset(arm.name for arm in self.inputs if isinstance(arm, ExchangeInput) and arm.bucketed)


ExchangeKind = Literal["gather", "broadcast", "hash", "filter", "result"]


@dataclass(frozen=True, slots=True)
class PlannedExchange:
    """Where a fragment's output waits.

    ``gather``: for one fragment, which runs once. ``broadcast``: for every share of parallel fragments; each worker fetches it once.
    ``hash``: on the workers that made it, in so many ``buckets``; each share of the parallel fragments that read it fetches some of them
    from all workers. ``filter``: the keys of runtime filters, as :mod:`planner.key_pruning` reads them; nobody has to wait for them.
    ``result``: it is the query's result. ``estimated_bytes``: about how much goes through it, None where nobody knows; ``label``: by what
    its buckets are told, for people (``hash of l_partkey``).
    """

    id: int
    kind: ExchangeKind
    columns: tuple[Column, ...] = ()
    buckets: int = 0
    estimated_bytes: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class SessionChange:
    """What a statement sets for those after it in its session; None for what stays as it was. ``timeout_seconds``: 0 is none."""

    time_zone: str | None = None
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PhysicalPlan:
    """A query, ready to run: fragments (producers first), exchanges, and the schema of the result."""

    sql: str
    fragments: tuple[Fragment, ...]
    exchanges: tuple[PlannedExchange, ...]
    schema: pa.Schema
    text: str
    analyze: Literal["text", "json"] | None = None
    """EXPLAIN ANALYZE: run the plan, answer with it and what was measured, in this form."""
    change: SessionChange | None = None
    """What whoever keeps the session has to change once the statement is accepted."""
    choice: PlanChoice | None = None
    """Which ways to divide its tables there were, for EXPLAIN; None where there was no choice."""
