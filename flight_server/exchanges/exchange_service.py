"""The exchanges of this worker as Flight endpoints: pulled from by DoGet, acknowledged by actions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import msgspec
import pyarrow as pa

from flight_server.errors import UnknownExchange
from flight_server.exchanges.broadcasts import table_stream
from flight_server.exchanges.bucket_pulls import KeptBuckets, bucket_stream
from flight_server.protocol.exchange_messages import (
    AckRequest,
    BucketTicket,
    HeartbeatRequest,
    LeaseRef,
    LeaseReply,
    LocateRequest,
    Locations,
    PullFrame,
    PullTicket,
    RecordPlace,
    ReleaseRequest,
    StreamEnd,
    TableTicket,
)
from flight_server.protocol.messages import InstanceStatus, encode
from flight_server.protocol.service import Cancelled, ExchangeStream
from flight_server.protocol.tickets import read_message
from operators.batch_sizes import empty_batch
from operators.errors import OperatorError, StaleLease
from operators.exchange.bucket_places import BucketSizes
from operators.exchange.exchange import Exchange
from operators.exchange.records import Payload, RecordKey
from operators.run.fragments import Output
from planner.errors import Status, VolleyError
from planner.physical import Share

MAX_WAIT_SECONDS = 30.0
"""A consumer that has gone away is noticed at the end of its wait."""
SHARE_SCHEMA = pa.schema([pa.field("share", pa.binary(), nullable=False)])
Locate = Callable[[str, Sequence[str]], Locations]
"""Where the outputs in a hash exchange are, asked by a consumer who could not reach some workers (by id)."""
_SHARES = msgspec.json.Decoder(Share)


class RemoteError(OperatorError):
    """An error that happened on another worker, with its status."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = Status(status)


class NotAdmitted(OperatorError):
    """A consumer that was taken for lost came back; its records have gone to others."""

    status = Status.CANCELLED


@dataclass(frozen=True, slots=True)
class Served(Generic[Payload]):
    """An exchange that other workers may use: how its payloads travel, and what an ack and a failure mean to its owner.

    ``admits`` says whether a consumer may lease: one that was taken for lost may not, since nobody waits for what it makes.
    """

    exchange: Exchange[Payload]
    schema: pa.Schema
    to_batch: Callable[[Payload], pa.RecordBatch]
    is_last: Callable[[Payload], bool]
    on_ack: Callable[[RecordKey, int, str, InstanceStatus | None, BucketSizes | None], None]
    on_failure: Callable[[RecordKey, int, VolleyError, bool], None]
    admits: Callable[[str], bool] = lambda _consumer: True


def serve_outputs(exchange: Exchange[Output], schema: pa.Schema) -> Served[Output]:
    """A producer's outputs, for the query handler to pull."""
    return Served(
        exchange,
        schema,
        lambda output: output.batch,
        lambda output: output.last,
        lambda key, epoch, *_: exchange.ack(key, epoch),
        lambda key, epoch, error, retry: exchange.release(key, epoch, error, retry=retry),
    )


def share_batch(share: Share) -> pa.RecordBatch:
    """A share as it travels: one row of one binary column."""
    return pa.record_batch([pa.array([msgspec.json.encode(share)], pa.binary())], schema=SHARE_SCHEMA)


def share_from(batch: pa.RecordBatch) -> Share:
    """What :func:`share_batch` packed."""
    return _SHARES.decode(batch.column(0)[0].as_py())


class ExchangeRegistry:
    """The exchanges of this worker that can be reached from others, by name, each belonging to a query. Thread-safe."""

    def __init__(self) -> None:
        self._served: dict[str, Served[Any]] = {}
        self._tables: dict[str, pa.Table] = {}
        self._buckets: dict[str, KeptBuckets] = {}
        self._located: dict[str, Locate] = {}
        self._of_query: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def add(self, query_id: str, name: str, served: Served[Any]) -> None:
        """From now on the exchange can be pulled from."""
        with self._lock:
            assert name not in self._served, f"exchange {name} is up already"
            self._served[name] = served
            self._of_query.setdefault(query_id, []).append(name)

    def add_table(self, query_id: str, name: str, table: pa.Table) -> None:
        """From now on the table can be pulled, as often as somebody asks; it may be added again."""
        with self._lock:
            if name not in self._tables:
                self._tables[name] = table
                self._of_query.setdefault(query_id, []).append(name)

    def add_buckets(self, query_id: str, name: str, kept: KeptBuckets) -> None:
        """From now on what is kept here of a hash exchange can be pulled."""
        with self._lock:
            self._buckets[name] = kept
            self._of_query.setdefault(query_id, []).append(name)

    def add_located(self, query_id: str, name: str, locate: Locate) -> None:
        """From now on others can ask where the outputs in a hash exchange are."""
        with self._lock:
            self._located[name] = locate
            self._of_query.setdefault(query_id, []).append(name)

    def drop(self, query_id: str) -> None:
        """The query has ended: all that is its own is gone."""
        with self._lock:
            for name in self._of_query.pop(query_id, []):
                self._served.pop(name, None)
                self._tables.pop(name, None)
                self._buckets.pop(name, None)
                self._located.pop(name, None)

    def names(self) -> list[str]:
        """All exchanges that are up, and all tables."""
        with self._lock:
            return sorted({*self._served, *self._tables, *self._buckets, *self._located})

    def pull(self, body: bytes, cancelled: Cancelled) -> ExchangeStream:
        """Leases records to whoever pulls; of a broadcast table or of buckets, which lease nothing, rows.

        Raises ``BadRequest``, ``UnknownExchange``, ``NotAdmitted``, and the exchange's error where it failed.
        """
        ticket = read_message(body, PullTicket, "the exchange ticket")
        table = self._tables.get(ticket.exchange)
        if table is not None:
            return table_stream(table, read_message(body, TableTicket, "the table's ticket").first_row)
        kept = self._buckets.get(ticket.exchange)
        if kept is not None:
            return bucket_stream(kept, read_message(body, BucketTicket, "the buckets' ticket"))
        served = self._require(ticket.exchange)
        if not served.admits(ticket.consumer):
            raise NotAdmitted(f"{ticket.consumer} was taken for lost and has no part in the query any more")
        return ExchangeStream(served.schema, _frames(served, ticket, cancelled))

    def ack(self, request: AckRequest) -> LeaseReply:
        """Records were consumed."""
        served = self._require(request.exchange)
        return _each(request.leases, lambda lease: served.on_ack(lease.key, lease.epoch, request.consumer, request.instance, request.sizes))

    def locate(self, request: LocateRequest) -> Locations:
        """Where the outputs in a hash exchange of a query of this worker are; waits a little for those that are not there yet.

        Raises ``UnknownExchange``, ``WorkerLost`` to who has no part in the query any more, and the error with which it failed.
        """
        locate = self._located.get(request.exchange)
        if locate is None:
            raise UnknownExchange(request.exchange)
        return locate(request.consumer, request.unreachable)

    def heartbeat(self, request: HeartbeatRequest) -> LeaseReply:
        """Records are still being worked on."""
        exchange = self._require(request.exchange).exchange
        return _each(request.leases, lambda lease: exchange.heartbeat(lease.key, lease.epoch))

    def release(self, request: ReleaseRequest) -> LeaseReply:
        """A record could not be consumed."""
        served = self._require(request.exchange)
        error = RemoteError(request.status, request.message)
        return _each([request.lease], lambda lease: served.on_failure(lease.key, lease.epoch, error, request.retry))

    def _require(self, name: str) -> Served[Any]:
        served = self._served.get(name)
        if served is None:
            raise UnknownExchange(name)
        return served


def _frames(served: Served[Any], ticket: PullTicket, cancelled: Cancelled) -> Iterator[tuple[pa.RecordBatch, bytes]]:
    exchange = served.exchange
    sent = 0
    wait_seconds = min(max(0.0, ticket.wait_seconds), MAX_WAIT_SECONDS)
    while ticket.max_records is None or sent < ticket.max_records:
        held = exchange.lease(ticket.consumer, seconds=wait_seconds, cancelled=cancelled)
        if held is None:
            end = StreamEnd(ended=exchange.ended)
            yield empty_batch(served.schema), encode(PullFrame(end=end))
            return
        place = RecordPlace(LeaseRef(held.key, held.lease.epoch), served.is_last(held.payload))
        yield served.to_batch(held.payload), encode(PullFrame(record=place))
        sent += 1


def _each(leases: Sequence[LeaseRef], event: Callable[[LeaseRef], object]) -> LeaseReply:
    stale = []
    for lease in leases:
        try:
            event(lease)
        except StaleLease:
            stale.append(lease.key)
    return LeaseReply(stale=stale)
