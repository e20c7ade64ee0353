"""The answers of DoGet and GetFlightInfo, made from what the query handler gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.flight as flight

from flight_server.endpoints.guard import guarded_items
from flight_server.errors import ServerClosing
from flight_server.protocol.message_sizes import message_slices
from flight_server.protocol.messages import BatchPlace, encode
from flight_server.protocol.service import ExchangeStream, PeekStream, ResultStream
from flight_server.protocol.wire_types import bare_schema, wire_batch, wire_schema
from planner.errors import NotSupported

_TIMESTAMP = pa.timestamp("ns")
"""What pyarrow makes of a time, and what costs it nothing to make: UTC, though it does not say so."""

Stopping = Callable[[], bool]
"""Whether the server cuts its streams off."""


def result_stream(stream: ResultStream, stopping: Stopping) -> flight.FlightDataStream:
    """A result, each batch with its place as ``app_metadata``."""
    schema = wire_schema(stream.schema)
    return flight.GeneratorStream(schema, guarded_items(_placed(stream.batches, schema, stopping)))


def exchange_stream(stream: ExchangeStream) -> flight.FlightDataStream:
    """Leased records, each with its lease as ``app_metadata``. Raises ``NotSupported`` for records with dictionaries."""
    if wire_schema(stream.schema) is not stream.schema:
        # As plain values they would sort and compare otherwise at the other end.
        raise NotSupported("ENUM columns cannot cross from one worker to another", remedy="cast them to VARCHAR")
    return flight.GeneratorStream(stream.schema, guarded_items(_marked(stream.batches)))


def peek_stream(stream: PeekStream) -> flight.FlightDataStream:
    """Copies of records, without anything beside them."""
    return plain_stream(stream.schema, stream.batches)


def plain_stream(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> flight.FlightDataStream:
    """Batches without anything beside them."""
    wire = wire_schema(schema)
    return flight.GeneratorStream(wire, guarded_items(_closing(iter(batches), wire)))


def table_stream(table: pa.Table) -> flight.FlightDataStream:
    """A catalog's table; with the schemas of wide tables in it, it may be large."""
    batches = [piece for batch in table.to_batches() for _, piece in message_slices(batch)]
    return flight.RecordBatchStream(pa.RecordBatchReader.from_batches(table.schema, batches))


def flight_info(
    schema: pa.Schema,
    descriptor: flight.FlightDescriptor,
    tickets: Sequence[bytes],
    *,
    expires_at: float | None = None,
    app_metadata: bytes = b"",
    rows: int = -1,
    size_bytes: int = -1,
) -> flight.FlightInfo:
    """A FlightInfo with an endpoint for each ticket, all to be read from this same server. ``expires_at`` is in Unix seconds."""
    until = None if expires_at is None else timestamp(expires_at)
    endpoints = [flight.FlightEndpoint(ticket, [], until) for ticket in tickets]
    ordered = len(endpoints) == 1
    return flight.FlightInfo(
        wire_schema(bare_schema(schema)), descriptor, endpoints, rows, size_bytes, ordered=ordered, app_metadata=app_metadata
    )


def timestamp(seconds: float) -> pa.TimestampScalar:
    """Unix seconds as Flight wants them."""
    return pa.scalar(int(seconds * 1000) * 1_000_000, _TIMESTAMP)


def now() -> float:
    """Unix seconds."""
    return time.time()


def _placed(
    batches: Iterator[tuple[pa.RecordBatch, BatchPlace]], schema: pa.Schema, stopping: Stopping
) -> Generator[tuple[Any, Any], None, None]:
    place: BatchPlace | None = None
    try:
        for batch, place in batches:
            for piece, its_place in _placed_pieces(wire_batch(batch, schema), place):
                yield piece, pa.py_buffer(encode(its_place))
    finally:
        _close(batches)
    if stopping() and (place is None or place.next is not None):
        # The reader was told to give up; an end here would look like the end of the result.
        raise ServerClosing("the server is shutting down", remedy="read on from the last batch's `next` once it is back")


def _placed_pieces(batch: pa.RecordBatch, place: BatchPlace) -> Iterator[tuple[pa.RecordBatch, BatchPlace]]:
    """``batch`` in messages that every client reads, each with its place."""
    first = place.cursor
    for start, piece in message_slices(batch):
        after = start + piece.num_rows
        following = place.next if after == batch.num_rows else first._replace(row=first.row + after)
        yield piece, BatchPlace(first._replace(row=first.row + start), following)


def _marked(batches: Iterator[tuple[pa.RecordBatch, bytes]]) -> Generator[tuple[Any, Any], None, None]:
    try:
        for batch, metadata in batches:
            yield batch, pa.py_buffer(metadata)
    finally:
        _close(batches)


def _closing(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    try:
        for batch in batches:
            for _, piece in message_slices(wire_batch(batch, schema)):
                yield piece
    finally:
        _close(batches)


def _close(batches: Iterator[Any]) -> None:
    close = getattr(batches, "close", None)
    if close is not None:
        close()
