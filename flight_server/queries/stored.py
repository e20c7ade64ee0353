"""Queries of which only the result is left: what its manifest says of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from flight_server.errors import shorten
from flight_server.protocol.messages import (
    LINE_SQL_CHARS,
    QueryLine,
    QueryStatus,
    ResultSize,
    ResultStatus,
    RowGroupStatus,
    decode,
    encode,
)
from operators.results.results import ResultManifest, StoredResult

Told = TypeVar("Told", QueryLine, QueryStatus)

log = logging.getLogger(__name__)


def stored_status(manifest: ResultManifest) -> QueryStatus:
    """All that is known of a query, also where another version wrote its status so that it cannot be read now."""
    status, _ = _told(manifest, QueryStatus)
    status.result = ResultStatus(
        rows=manifest.rows_total,
        bytes=manifest.bytes_total,
        row_groups=[
            RowGroupStatus(file=number, row_group=index, rows=rows)
            for number, file in enumerate(manifest.files)
            for index, rows in enumerate(file.rows)
        ],
        closed=True,
        expires_at=manifest.expires_at,
    )
    return status


def short_status(manifest: ResultManifest) -> str:
    """A query's line as JSON, without plan and operators: what is kept in memory of every stored result.

    Logs a status that cannot be read.
    """
    line, error = _told(manifest, QueryLine)
    if error is not None:
        log.warning("the stored status of query %s cannot be read, its result can: %s", manifest.query_id, error)
    line.sql = shorten(line.sql, LINE_SQL_CHARS)
    line.result = ResultSize()
    return encode(line).decode()


def stored_lines(stored: Iterable[StoredResult]) -> Iterator[QueryLine]:
    """A line for each result that :func:`short_status` has told of, made when it is asked for."""
    return map(_line, stored)


def _line(stored: StoredResult) -> QueryLine:
    line = decode(stored.line.encode(), QueryLine)
    line.result = ResultSize(stored.rows, stored.bytes, True, stored.expires_at)
    return line


def _told(manifest: ResultManifest, kind: type[Told]) -> tuple[Told, Exception | None]:
    """What a manifest keeps of its query's status; where that cannot be read, what it knows itself, and the reason."""
    try:
        return decode(manifest.status.encode(), kind), None
    except (msgspec.MsgspecError, UnicodeError) as error:
        known = kind(
            query_id=manifest.query_id,
            sql=manifest.sql,
            state="completed",
            owner=manifest.owner,
            submitted_at=manifest.created_at,
            ended_at=manifest.completed_at,
            progress=1.0,
        )
        return known, error
