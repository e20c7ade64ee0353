"""What runs: fragments, the exchanges between them, and the splits that scans consume.

A plan is a small graph, producers before consumers. With one worker, most queries are a single fragment::

    result ◄── fragment 0: SELECT … FROM in_0 JOIN in_1 …     (in_0, in_1: scans)

With several, scans, filters and projections become parallel fragments and the rest runs on the query handler::

    result ◄── fragment 2 ◄── exchange 0 (gather) ◄── fragment 0: scan, on all workers
                          ◄── exchange 1 (gather) ◄── fragment 1: scan, on all workers
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from planner.catalog import Column, DataFile, FileFormat
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
class ScanInput:
    """A relation of a fragment that is read from files.

    ``name`` is the relation's name in the fragment's SQL. ``columns`` are those that the fragment needs, in table order, out of
    ``table_columns``; none means that only the number of rows matters. ``predicate`` (SQL over the columns, or None) is what
    the planner could push down: it already pruned ``splits``, and stays in the fragment's SQL too. ``options`` are the table's.
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


@dataclass(frozen=True, slots=True)
class ExchangeInput:
    """A relation of a fragment that arrives through an exchange."""

    name: str
    exchange: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Fragment:
    """A subtree of the plan with no exchange inside, compiled into one SELECT over its inputs' names.

    ``parallel``: it has one scan input and may run split by split on any worker. Otherwise it runs once, over all records
    of all its inputs.
    ``serial``: it is small and joins branches of a UNION, whose rows arrive in any order where several threads run: what hangs on
    arrival (``row_number()`` over ties, ``list``, ``first``) would be another from one run to the next. One thread is to run it.
    ``time_zone``: the session's. TIMESTAMP WITH TIME ZONE is read, cut up, shown and sent in it, wherever the fragment runs.
    """

    id: int
    sql: str
    inputs: tuple[ScanInput | ExchangeInput, ...]
    output: int
    parallel: bool = False
    serial: bool = False
    time_zone: str = UTC


@dataclass(frozen=True, slots=True)
class PlannedExchange:
    """Where a fragment's output waits. The exchange of kind ``result`` is the query's result."""

    id: int
    kind: Literal["gather", "result"]
    columns: tuple[Column, ...] = ()


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
