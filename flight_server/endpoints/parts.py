"""A result in several parts, each with an endpoint of its own, for clients that read them side by side and ask for it.

The header ``x-volley-endpoints: N`` asks, on the call that starts the statement. Part i has the row groups i, i + N, i + 2 N …: it can be
read while the query runs, again, and by another process; all parts together are the result, in no order. Without the header there is one
endpoint: many clients open all at once, and some refuse more than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import pyarrow as pa
import pyarrow.flight as flight

from flight_server.errors import BadRequest, ServerClosing, shorten
from flight_server.protocol.messages import END, Cursor, ResultTicket, build_decoders, decode, encode
from flight_server.protocol.service import Cancelled, Queries

HEADER = "x-volley-endpoints"
MAX_PARTS = 128
PARTS = "parts"
"""The middleware's name."""


class PartTicket(msgspec.Struct, forbid_unknown_fields=True):
    """The handle of one part of a statement's result."""

    query_id: str
    part: int
    parts: int


class PartsAsked(flight.ServerMiddleware):  # type: ignore[misc, unused-ignore]
    """What one call's header said."""

    def __init__(self, value: str) -> None:
        self.value = value


class PartsHeader(flight.ServerMiddlewareFactory):  # type: ignore[misc, unused-ignore]
    """Keeps the header of those calls that have it."""

    def start_call(self, info: flight.CallInfo, headers: Mapping[str, list[str]]) -> PartsAsked | None:
        """At the beginning of each call."""
        sent = headers.get(HEADER)
        return PartsAsked(str(sent[0])) if sent else None


def parts_asked(context: flight.ServerCallContext) -> int:
    """How many endpoints a call asks for; 1 where it says nothing. Raises ``BadRequest``."""
    asked = context.get_middleware(PARTS)
    if asked is None:
        return 1
    if not asked.value.isascii() or not asked.value.isdigit() or not 1 <= int(asked.value) <= MAX_PARTS:
        raise BadRequest(f"the header {HEADER} must be a number from 1 to {MAX_PARTS}, not {shorten(asked.value)!r}")
    return int(asked.value)


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
