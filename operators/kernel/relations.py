"""Relations: what the names in a statement stand for, files or Arrow data, and how the kernel is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import duckdb
import pyarrow as pa

from planner.catalog import Column
from planner.quoting import quote_name

_LEADING_WITH = re.compile(r"\s*WITH\b(?:\s+RECURSIVE\b)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FileRelation:
    """A SELECT over files, and the columns that it is known to have: the files need not be opened to bind a query over it."""

    sql: str
    columns: tuple[Column, ...]


Relation: TypeAlias = "str | FileRelation | pa.Table | pa.RecordBatchReader | Sequence[pa.RecordBatch]"
"""What a name in a run's SQL may stand for: a SELECT over files (see ``operators.scan.scans``), or Arrow data. A sequence of batches
has at least one; a reader can be named once only in the SQL."""


def empty_relation(columns: Sequence[Column]) -> str:
    """A SELECT of no rows with those columns; a relation without columns gets one that nothing can name by accident."""
    if not columns:
        return "SELECT 1 AS _row WHERE false"
    return "SELECT " + ", ".join(f"NULL::{column.type} AS {quote_name(column.name)}" for column in columns) + " WHERE false"


def with_relations(sql: str, relations: Mapping[str, Relation]) -> str:
    """``sql`` with those of ``relations`` that are SQL as its first common table expressions.

    A view would do the same, but defining one binds it, which opens the files once more.
    """
    texts = {name: relation.sql if isinstance(relation, FileRelation) else relation for name, relation in relations.items()}
    defined = ", ".join(f"{quote_name(name)} AS NOT MATERIALIZED ({text})" for name, text in texts.items() if isinstance(text, str))
    if not defined:
        return sql
    found = _LEADING_WITH.match(sql)
    return f"WITH {defined} {sql}" if found is None else f"{found[0]} {defined}, {sql[found.end() :]}"


def register(connection: duckdb.DuckDBPyConnection, name: str, relation: Relation) -> None:
    """Makes Arrow data known by that name on a connection; what is SQL is for :func:`with_relations`."""
    match relation:
        case str() | FileRelation():
            pass
        case pa.Table() | pa.RecordBatchReader():
            connection.register(name, relation)
        case _:
            connection.register(name, pa.Table.from_batches(relation))
