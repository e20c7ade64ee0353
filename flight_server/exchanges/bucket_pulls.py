"""Buckets of a hash exchange on their way from the worker that keeps them to the one that has leased them, without the query handler."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from flight_server.cluster.peers import Peers
from flight_server.errors import ClientError, UnknownExchange, WorkerLost
from flight_server.exchanges.broadcasts import ATTEMPTS, PASSING, PULL_BYTES, PULL_SECONDS, RETRY_SECONDS
from flight_server.protocol.exchange_messages import BucketFrame, BucketTicket, Locations, WorkerOutputs
from flight_server.protocol.message_sizes import message_slices
from flight_server.protocol.messages import encode
from flight_server.protocol.service import ExchangeStream
from operators.batch_sizes import empty_batch, referenced_bytes
from operators.cancellation import Cancellation
from operators.exchange.bucket_places import part_of
from operators.exchange.bucket_store import BucketStore
from planner.errors import VolleyError
from planner.physical import Share, ShareInput

SMALL_BYTES = 1 << 20
"""Slices that are smaller than this together travel as one message."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeptBuckets:
    """What a worker keeps of a hash exchange: where, by what name, and the schema of its rows."""

    store: BucketStore
    exchange: str
    schema: pa.Schema


def bucket_stream(kept: KeptBuckets, ticket: BucketTicket) -> ExchangeStream:
    """The rows that a ticket asks for, about ``PULL_BYTES`` of them, and an empty batch at the end where all have been sent."""
    return ExchangeStream(kept.schema, _frames(kept, ticket))


def _frames(kept: KeptBuckets, ticket: BucketTicket) -> Iterator[tuple[pa.RecordBatch, bytes]]:
    sent = 0
    waiting: list[tuple[int, pa.RecordBatch]] = []
    size = 0
    for share, rows in _slices(kept, ticket):
        more = referenced_bytes(rows)
        if waiting and size + more > SMALL_BYTES:
            yield from _messages(waiting)
            sent += size
            waiting, size = [], 0
            if sent >= PULL_BYTES:
                return
        waiting.append((share, rows))
        size += more
    yield from _messages(waiting)
    yield empty_batch(kept.schema), encode(BucketFrame([], [], end=True))


def _slices(kept: KeptBuckets, ticket: BucketTicket) -> Iterator[tuple[int, pa.RecordBatch]]:
    skipped = ticket.first_row
    for share in ticket.shares:
        batches = kept.store.read(kept.exchange, share, ticket.first_bucket, ticket.behind_last)
        if batches is None:
            raise UnknownExchange(f"{kept.exchange}, share {share}")
        for batch in batches:
            rest = batch.slice(min(skipped, batch.num_rows))
            skipped -= batch.num_rows - rest.num_rows
            if rest.num_rows:
                yield share, rest
        skipped = 0


def _messages(slices: Sequence[tuple[int, pa.RecordBatch]]) -> Iterator[tuple[pa.RecordBatch, bytes]]:
    match slices:
        case []:
            return
        case [(share, batch)]:
            for _, piece in message_slices(batch):
                yield piece, encode(BucketFrame([share], [piece.num_rows]))
        case _:
            together = pa.concat_batches([batch for _, batch in slices])
            yield together, encode(BucketFrame([share for share, _ in slices], [batch.num_rows for _, batch in slices]))


@dataclass(frozen=True, slots=True)
class BucketSource:
    """An exchange from which a fragment's input comes in buckets. ``locate`` is told which workers could not be reached, by their ids.

    It may wait, but not for long: what is not complete is asked for again.
    """

    exchange: str
    schema: pa.Schema
    locate: Callable[[Sequence[str]], Locations]


@dataclass(slots=True)
class _Arriving:
    """The outputs of some shares from one worker, as they come; ``shares`` are those that are not there whole."""

    shares: list[int]
    batches: dict[int, list[pa.RecordBatch]] = field(default_factory=dict)
    first_row: int = 0

    def take(self, batch: pa.RecordBatch, frame: BucketFrame) -> None:
        start = 0
        for share, rows in zip(frame.shares, frame.rows, strict=True):
            self._begin(share)
            self.batches.setdefault(share, []).append(batch.slice(start, rows))
            self.first_row += rows
            start += rows
        if frame.end:
            self.shares = []

    def _begin(self, share: int) -> None:
        """What comes before ``share`` is there."""
        place = self.shares.index(share)
        if place:
            self.shares, self.first_row = self.shares[place:], 0


class BucketReader:
    """Fetches the buckets of shares for one instance on worker ``worker_id``, from all workers; its own are at hand in ``store``.

    ``sources`` by the names of the inputs.
    """

    def __init__(
        self,
        worker_id: str,
        consumer: str,
        sources: Mapping[str, BucketSource],
        store: BucketStore,
        peers: Peers,
        cancellation: Cancellation,
    ) -> None:
        self._worker_id = worker_id
        self._consumer = consumer
        self._sources = sources
        self._store = store
        self._peers = peers
        self._cancellation = cancellation

    def fetch(self, share: Share) -> dict[str, pa.Table]:
        """The rows of a share's buckets, in the order of the shares that put them out, each of these from one attempt.

        Waits while outputs are still being made, or made again because a worker was lost. Raises ``WorkerLost`` to a worker that
        has no part in the query any more, the error with which the query failed, and the cancellation's.
        """
        return {part.name: self._read(self._sources[part.name], part) for part in share.inputs if part.buckets is not None}

    def _read(self, source: BucketSource, part: ShareInput) -> pa.Table:
        there: dict[int, tuple[str, list[pa.RecordBatch]]] = {}
        unreachable: list[str] = []
        while True:
            self._cancellation.check()
            found = source.locate(unreachable)
            unreachable = []
            if not found.complete:
                continue
            wanted = {outputs.worker_id: part_of(outputs.shares, part.part) for outputs in found.outputs}
            # What a worker gave that has been lost since is made again, and its rows may be cut up otherwise then.
            counted = {share: worker_id for worker_id, shares in wanted.items() for share in shares}
            there = {share: rows for share, rows in there.items() if counted.get(share) == rows[0]}
            for outputs in found.outputs:
                missing = [share for share in wanted[outputs.worker_id] if share not in there]
                try:
                    arrived = self._from(outputs, source.exchange, part, missing)
                except ClientError as error:
                    self._cancellation.check()
                    log.warning("%s cannot have buckets of %s from %s: %s", self._consumer, source.exchange, outputs.worker_id, error)
                    unreachable.append(outputs.worker_id)
                else:
                    there |= {share: (outputs.worker_id, arrived.get(share, [])) for share in missing}
            if not unreachable:
                return pa.Table.from_batches([batch for share in sorted(there) for batch in there[share][1]], schema=source.schema)

    def _from(self, outputs: WorkerOutputs, exchange: str, part: ShareInput, shares: list[int]) -> dict[int, list[pa.RecordBatch]]:
        """What one worker has of the ``shares``. Raises ``ClientError``."""
        assert part.buckets is not None
        if not shares:
            return {}
        if outputs.worker_id == self._worker_id:
            kept = {share: self._store.read(exchange, share, *part.buckets) for share in shares}
            if None in kept.values():
                raise WorkerLost("what was put out here is gone")
            return {share: batches for share, batches in kept.items() if batches is not None}
        arriving = _Arriving(shares)
        failures = 0
        while arriving.shares:
            before = (len(arriving.shares), arriving.first_row)
            error: VolleyError = WorkerLost(f"the worker at {outputs.uri} broke off")
            try:
                self._pull(outputs.uri, exchange, part.buckets, arriving)
            except ClientError as trouble:
                error = trouble
            self._cancellation.check()
            if (len(arriving.shares), arriving.first_row) != before:
                failures = 0
                continue
            failures += 1
            if error.status not in PASSING or failures == ATTEMPTS:
                raise error
            self._pause()
        return arriving.batches

    def _pull(self, uri: str, exchange: str, buckets: tuple[int, int], arriving: _Arriving) -> None:
        ticket = BucketTicket(exchange, self._consumer, *buckets, arriving.shares, arriving.first_row)
        stream = self._peers.pull(uri, ticket, timeout_seconds=PULL_SECONDS)
        with self._cancellation.on_cancel(stream.cancel):
            for batch, frame in stream.frames(BucketFrame):
                arriving.take(batch, frame)

    def _pause(self) -> None:
        over = threading.Event()
        with self._cancellation.on_cancel(over.set):
            over.wait(RETRY_SECONDS)
