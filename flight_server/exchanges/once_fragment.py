"""A fragment that is not parallel: it runs once, on the query handler, over all that its inputs hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

import pyarrow as pa

from flight_server.exchanges.hash_output import HashOutput, bucketless, serve_hashed
from flight_server.exchanges.names import producer_name
from flight_server.exchanges.site import Site, instance_status
from flight_server.protocol.messages import InstanceStatus
from operators.batch_sizes import empty_batch, referenced_bytes
from operators.exchange.bucket_store import BucketStore
from operators.exchange.exchange import Exchange
from operators.exchange.leases import IN_PROCESS_LEASE_SECONDS
from operators.exchange.records import RecordKey
from operators.run.fragments import ExecutionContext, Output, run_fragment
from operators.run.gathering import Gathering
from operators.run.producer import InstanceStatistics
from operators.run.whole_inputs import WholeInputs
from operators.scan.scans import ScanReport
from planner.errors import VolleyError
from planner.physical import Fragment, Share


class OnceFragment:
    """Runs ``fragment``, once: :meth:`run` for the query's rows, or :meth:`run_into_exchange` for another fragment's input.

    ``complete`` is called when its output is in :attr:`gathered`. All but the two may be called from any thread.
    ``hashed``: its output goes into a hash exchange, and stays in ``store``.
    """

    def __init__(
        self,
        fragment: Fragment,
        context: ExecutionContext,
        site: Site,
        complete: Callable[[], None] = lambda: None,
        hashed: HashOutput | None = None,
        store: BucketStore | None = None,
    ) -> None:
        self.fragment = fragment
        self.keys = [RecordKey(producer_name(fragment), "once", 0)]
        self.gathered: Exchange[Output] = Exchange(lease_seconds=IN_PROCESS_LEASE_SECONDS, failed=context.cancellation.cancel)
        self.gathering = Gathering(producer_name(fragment), self.gathered, self.keys, complete)
        self.schema = pa.schema([])
        """Of its output; known once it runs."""
        self.hashed = hashed
        self.started = False
        self.ended = False
        self.dropped = False
        """It failed, or was too slow, and the query goes on without what it would have put out."""
        self._store = store
        self._context = context
        self._site = site
        self._statistics = InstanceStatistics(1)
        self._reports: Sequence[ScanReport] = ()

    def run(self, tables: Mapping[str, pa.Table], take: Callable[[pa.RecordBatch], None]) -> None:
        """Gives its batches to ``take``. ``tables`` are its inputs that came through exchanges, by name.

        Raises what the kernel, the storage and ``take`` raise, and the cancellation's error.
        """
        self.started = True
        started = time.perf_counter()
        with (
            closing(WholeInputs(tables, self._context.storage)) as whole,
            run_fragment(self.fragment, Share(()), whole, self._context) as running,
        ):
            self._reports, self.schema = running.reports, running.schema
            for batch in running.batches:
                take(batch)
                self._count(batch, time.perf_counter() - started, running.spill.most_bytes)
        self._statistics = replace(self._statistics, seconds=time.perf_counter() - started)
        self.ended = True

    def run_into_exchange(self, tables: Mapping[str, pa.Table]) -> None:
        """Keeps its batches in :attr:`gathered`."""
        batches: list[pa.RecordBatch] = []
        self.run(tables, batches.append)
        if self.hashed is not None:
            self._put(self.hashed, batches)
            return
        batches = batches or [empty_batch(self.schema)]
        last = len(batches) - 1
        self.gathering.commit(self.keys[0], [Output(batch, index == last) for index, batch in enumerate(batches)])

    def fail(self, error: VolleyError) -> None:
        """Has whoever waits for its output get ``error``."""
        self.gathered.fail(error)
        if self.hashed is not None:
            self.hashed.fail(error)

    def instances(self) -> list[InstanceStatus]:
        """What it has done so far."""
        done = self._statistics
        reads = {
            "scanned_bytes": sum(report.fetched_bytes for report in self._reports),
            "requests": sum(report.requests for report in self._reports),
        }
        return [instance_status(self._site.worker_id, replace(done, **reads))]

    def _put(self, hashed: HashOutput, batches: list[pa.RecordBatch]) -> None:
        assert self._store is not None, "who has a hash exchange has a store"
        site = self._site
        self.schema = bucketless(self.schema)
        hashed.expect(1, self.schema, {site.worker_id: site.uri()})
        serve_hashed(site, self._context.query_id, hashed, self._store)
        hashed.made(0, site.worker_id, self._store.put(hashed.name, 0, batches, hashed.buckets))

    def _count(self, batch: pa.RecordBatch, seconds: float, spilled: int) -> None:
        done = self._statistics
        rows, size = done.rows + batch.num_rows, done.bytes + referenced_bytes(batch)
        self._statistics = replace(done, rows=rows, bytes=size, seconds=seconds, spill_bytes=spilled)
