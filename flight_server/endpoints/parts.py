"""A result in several parts, each with an endpoint of its own, for clients that read them side by side and ask for it.

The header ``x-volley-endpoints: N`` asks, on the call that starts the statement. Part i has the row groups i, i + N, i + 2 N …: it can be
read while the query runs, again, and by another process; all parts together are the result, in no order. Without the header there is one
endpoint: many clients open all at once, and some refuse more than one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import pyarrow as pa

from flight_server.errors import BadRequest, ServerClosing, shorten
from flight_server.protocol.messages import AHEAD_HEADER, END, MAX_AHEAD, Cursor, ResultTicket, build_decoders, decode, encode
from flight_server.protocol.service import Cancelled, Queries

PARTS_HEADER = "x-volley-endpoints"
MAX_PARTS = 128


class PartTicket(msgspec.Struct, forbid_unknown_fields=True):
    """The handle of one part of a statement's result."""

    query_id: str
    part: int
    parts: int


def parts_asked(header: str | None) -> int:
    """How many endpoints a call asks for; 1 where it says nothing. Raises ``BadRequest``."""
    if header is None:
        return 1
    if not header.isascii() or not header.isdigit() or not 1 <= int(header) <= MAX_PARTS:
        raise BadRequest(f"the header {PARTS_HEADER} must be a number from 1 to {MAX_PARTS}, not {shorten(header)!r}")
    return int(header)


class Wanted(NamedTuple):
    """What a call wants of its statement's result: so many ``parts``, and only row groups so far ``ahead`` of their readers, or all."""

    parts: int = 1
    ahead: int | None = None


def wanted(parts: str | None, ahead: str | None) -> Wanted:
    """What the headers of a call say. Raises ``BadRequest``."""
    if ahead is not None and not (ahead.isascii() and ahead.isdigit() and len(ahead) <= len(str(MAX_AHEAD)) and int(ahead) <= MAX_AHEAD):
        raise BadRequest(f"the header {AHEAD_HEADER} must be a number from 0 to {MAX_AHEAD}, not {shorten(ahead)!r}")
    return Wanted(parts_asked(parts), None if ahead is None else int(ahead))


def part_tickets(query_id: str, parts: int) -> list[bytes]:
    """The handles of all parts."""
    return [encode(PartTicket(query_id, part, parts)) for part in range(parts)]


def part_of(handle: bytes) -> PartTicket | None:
    """The part that a statement's handle is; None for another handle."""
    try:
        ticket = decode(handle, PartTicket)
    except msgspec.MsgspecError:
        return None
    return ticket if 0 <= ticket.part < ticket.parts <= MAX_PARTS else None


def part_schema(ticket: PartTicket, queries: Queries, owner: str, cancelled: Cancelled) -> pa.Schema:
    """The schema of a part, which is the whole result's. Raises ``UnknownQuery``."""
    return queries.read(ResultTicket(ticket.query_id, END, True), owner, cancelled, False).schema


def part_batches(ticket: PartTicket, queries: Queries, owner: str, cancelled: Cancelled) -> Iterator[pa.RecordBatch]:
    """The rows of a part, as they are made. Raises the query's error if it fails."""
    number = ticket.part
    for status in queries.watch(ticket.query_id, owner, cancelled):
        groups = status.result.row_groups
        while number < len(groups):
            place = Cursor(groups[number].file, groups[number].row_group, 0)
            yield from _rows(ResultTicket(ticket.query_id, place), queries, owner, cancelled)
            number += ticket.parts
    # Nothing comes from here but the error of a query that failed.
    yield from _rows(ResultTicket(ticket.query_id, END, True), queries, owner, cancelled)
    if cancelled():
        raise ServerClosing("the server is shutting down", remedy="read this part again once it is back")


def _rows(ticket: ResultTicket, queries: Queries, owner: str, cancelled: Cancelled) -> Iterator[pa.RecordBatch]:
    for batch, _ in queries.read(ticket, owner, cancelled, False).batches:
        if batch.num_rows:
            yield batch


build_decoders(__name__)
