"""The query handler's end of a hash exchange: which worker keeps which share's output, how much is in each bucket, whether all is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from flight_server.errors import WorkerLost
from flight_server.exchanges.bucket_pulls import KeptBuckets
from flight_server.exchanges.site import Site
from flight_server.protocol.exchange_messages import Locations, WorkerOutputs
from operators.errors import StaleLease
from operators.exchange.bucket_places import BucketPlaces, BucketSizes, OutputMade, WorkerGone
from operators.exchange.bucket_shares import BucketedBytes
from operators.exchange.bucket_store import BucketStore
from operators.exchange.leases import LeaseStatistics
from planner.errors import VolleyError
from planner.physical import ExchangeInput, PlannedExchange

LOCATE_SECONDS = 2.0
"""Who asks where outputs are waits so long for those that are still being made, and then asks again."""


class HashOutput:
    """What fragments put out into one hash exchange. Thread-safe.

    ``name`` is what workers call it. ``complete`` is called whenever all outputs are there: again, when some were lost and made again.
    ``exclude`` is told the id of a worker that the query has to do without; the handler's own is ``home``.
    """

    def __init__(
        self, planned: PlannedExchange, name: str, home: str, complete: Callable[[], None], exclude: Callable[[str], None]
    ) -> None:
        self.name = name
        self.buckets = planned.buckets
        self.schema = pa.schema([])
        """Of its rows; known once the fragment that puts them out has begun."""
        self._home = home
        self._complete = complete
        self._exclude = exclude
        self._places = BucketPlaces(0, planned.buckets)
        self._uris: Mapping[str, str] = {}
        self._gone: set[str] = set()
        self._released = False
        self._error: VolleyError | None = None
        self._changed = threading.Condition()

    def expect(self, shares: int, schema: pa.Schema, uris: Mapping[str, str]) -> None:
        """So many shares will be put out, with rows of that schema, by the workers (by id) at ``uris``."""
        with self._changed:
            self._places = BucketPlaces(shares, self.buckets)
            self._uris, self.schema = uris, schema

    def made(self, share: int, worker_id: str, sizes: BucketSizes) -> None:
        """A worker keeps a share's output."""
        with self._changed:
            self._places.on(OutputMade(share, worker_id, sizes))
            complete = self._places.complete
            self._changed.notify_all()
        if complete:
            self._complete()

    def gone(self, worker_id: str) -> list[int]:
        """A worker takes no more part. The shares that have to be put out again by others: none, if nobody reads them any more."""
        with self._changed:
            self._gone.add(worker_id)
            again = self._places.on(WorkerGone(worker_id))
            return [] if self._released else again

    def release(self) -> bool:
        """All who read it have done so; False if they had before."""
        with self._changed:
            first, self._released = not self._released, True
            return first

    def fail(self, error: VolleyError) -> None:
        """Has whoever waits for outputs get ``error``."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def locate(self, consumer: str, unreachable: Sequence[str]) -> Locations:
        """Where the outputs are. A worker that cannot be reached is excluded; if it is this one, then the one that cannot reach it is.

        Waits for ``LOCATE_SECONDS`` while they are not complete. Raises ``WorkerLost`` to who takes no more part, ``StaleLease`` to who
        comes when all has been read, and the error of :meth:`fail`.
        """
        if self._released:
            # Somebody else has run its share. That outputs are gone is no worker's fault.
            raise StaleLease(f"what {consumer} asks for has been read, and is gone")
        asking = consumer.partition("/")[0]
        for worker_id in unreachable:
            self._exclude(asking if worker_id == self._home else worker_id)
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or self._places.complete, LOCATE_SECONDS)
            if self._error is not None:
                raise self._error
            if asking in self._gone:
                raise WorkerLost(f"{consumer} takes no more part in the query")
            if not self._places.complete:
                return Locations(complete=False)
            places = self._places.by_worker()
            return Locations(True, [WorkerOutputs(worker, self._uris[worker], shares) for worker, shares in places.items()])

    def bytes_of(self, arm: ExchangeInput) -> BucketedBytes:
        """How much is in each bucket, for an input that reads it."""
        with self._changed:
            sizes, holders = self._places.bytes_by_bucket(), self._places.holders_by_bucket()
        return BucketedBytes(arm.name, sizes, holders if arm.may_be_cut else [1] * self.buckets)

    def done(self) -> int:
        """How many shares have an output."""
        with self._changed:
            return self._places.done

    def complete(self) -> bool:
        """Whether all outputs are there."""
        with self._changed:
            return self._places.complete and bool(self._uris)

    def statistics(self) -> LeaseStatistics:
        """Its outputs, one record for each share. They count as consumed when all who read them are done."""
        with self._changed:
            done, released = self._places.done, self._released
            rows, size = self._places.rows(), sum(self._places.bytes_by_bucket())
        if released:
            return LeaseStatistics(records=done, acked=done, rows=rows, bytes=size)
        return LeaseStatistics(records=done, queued=done, rows=rows, bytes=size, queued_bytes=size)


def bucketless(schema: pa.Schema) -> pa.Schema:
    """The schema of what is in a hash exchange, of that of what its fragment puts out: the last column is the bucket."""
    return schema.remove(len(schema) - 1)


def serve_hashed(site: Site, query_id: str, hashed: HashOutput, store: BucketStore) -> None:
    """Has other workers find out where outputs are, and pull those that are in ``store``."""
    site.registry.add_located(query_id, hashed.name, hashed.locate)
    site.registry.add_buckets(query_id, hashed.name, KeptBuckets(store, hashed.name, hashed.schema))
