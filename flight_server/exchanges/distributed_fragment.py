"""A parallel fragment of one query on all workers: its shares, its instances, and the exchange in which their outputs meet."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa

from flight_server.errors import ClientError, WorkerLost
from flight_server.exchanges.bucketed_inputs import BucketedInputs
from flight_server.exchanges.collecting import OutputCollector
from flight_server.exchanges.exchange_service import SHARE_SCHEMA, Served, share_batch
from flight_server.exchanges.hash_output import HashOutput, bucketless, serve_hashed
from flight_server.exchanges.local_source import LocalSource
from flight_server.exchanges.names import exchange_name, output_name, producer_name, shares_name, table_name
from flight_server.exchanges.share_measures import ShareMeasures
from flight_server.exchanges.site import Site, instance_status, instances_of
from flight_server.protocol.exchange_messages import (
    EXCHANGE_DROP,
    OPERATOR_START,
    OPERATOR_STOP,
    DropExchange,
    StartOperator,
    StopOperators,
)
from flight_server.protocol.messages import InstanceStatus, ShareSpread, WorkerStatus
from flight_server.protocol.status import as_volley_error
from flight_server.protocol.wire_types import wire_schema
from operators.errors import StaleLease
from operators.exchange.bucket_places import BucketSizes
from operators.exchange.bucket_store import BucketStore
from operators.exchange.exchange import Exchange
from operators.exchange.leases import IN_PROCESS_LEASE_SECONDS
from operators.exchange.records import Record, RecordKey
from operators.run.fragments import ExecutionContext, Output
from operators.run.gathering import Gathering
from operators.run.producer import ProducerInstance, nothing_to_fetch
from operators.run.whole_inputs import WholeInputs
from planner.errors import VolleyError
from planner.physical import ExchangeInput, Fragment, ScanInput, Share

STOP_SECONDS = 2.0
SETTLE_SECONDS = 0.25

NO_HASHES: Mapping[int, HashOutput] = {}

log = logging.getLogger(__name__)


class DistributedFragment:
    """Runs ``fragment`` share by share on this worker and all others, and gathers the outputs here, those of each share once.

    ``window``: so many shares for each worker may be ahead of the consumer, which calls :meth:`advance` for each that it is done with;
    None gives out all at once. ``exclude`` is called with the id of a worker that the whole query has to do without; ``complete`` when
    all outputs are here, from any thread, and must not wait. An error of any instance cancels the context: who began the fragment then
    has all of the query :meth:`fail`, and the error comes to whoever waits on :attr:`gathered`.

    ``hashes``: the query's hash exchanges, by their ids, and ``store`` what is kept of them here. Outputs for one of them are not gathered:
    they stay where they were made, and the instances stay, too, until :meth:`release`: a worker's outputs may have to be made again.
    """

    def __init__(
        self,
        fragment: Fragment,
        schema: pa.Schema,
        context: ExecutionContext,
        site: Site,
        window: int | None,
        exclude: Callable[[str], None],
        complete: Callable[[], None] = lambda: None,
        hashes: Mapping[int, HashOutput] = NO_HASHES,
        store: BucketStore | None = None,
    ) -> None:
        divided = fragment.divided
        assert all({part.name for part in share.inputs} == divided for share in fragment.shares), "a share has a part of each divided input"
        self.fragment = fragment
        self.hashed = hashes.get(fragment.output)
        self.schema = schema if self.hashed is None else bucketless(schema)
        self.keys = _keys(fragment, fragment.shares)
        """Of its shares, in their order; where those are made of buckets, known once it has started."""
        self.shares: Exchange[Share] = Exchange(failed=context.cancellation.cancel)
        self.gathered: Exchange[Output] = Exchange(lease_seconds=IN_PROCESS_LEASE_SECONDS, failed=context.cancellation.cancel)
        known = self.hashed is None and not fragment.bucketed
        self.gathering = Gathering(producer_name(fragment), self.gathered, self.keys if known else None, self._on_complete)
        scans = [scan for scan in fragment.inputs if isinstance(scan, ScanInput)]
        elsewhere = any(scan.splits and site.storage.is_elsewhere(scan.splits[0].file.path) for scan in scans)
        self.fetching = elsewhere or bool(fragment.bucketed)
        self.started = False
        self.finished_reports: dict[str, InstanceStatus] = {}
        self._measures = ShareMeasures()
        self._context = context
        self._site = site
        self._exclude = exclude
        self._complete = complete
        self.others = site.others() if _travels(schema) else []
        self._window = window
        self._pending: Iterator[tuple[RecordKey, Share]] = iter(())
        self._acked_by: dict[RecordKey, str] = {}
        self._gone: set[str] = set()
        self._acking = threading.Lock()
        self._whole = WholeInputs({}, site.storage)
        self._bucketed = BucketedInputs(fragment, hashes, site)
        self._store = store
        self._instances: list[ProducerInstance] = []
        self._closed = threading.Event()
        self._source_name = f"{context.query_id}.{shares_name(fragment)}"
        self._output_name = output_name(context.query_id, fragment.output)
        self._collector = OutputCollector(site.peers, site.worker_id, self._output_name, self.gathering, self._wants_from, self._dismiss)

    def start(self, tables: Mapping[int, pa.Table]) -> None:
        """Brings the exchanges up, here first, then the instances. ``tables``: what is in exchanges that it reads whole, by their ids."""
        site, query_id = self._site, self._context.query_id
        self.started = True
        whole = {arm.name: tables[arm.exchange] for arm in self._broadcasts()}
        if not all(_travels(schema) for schema in [*(table.schema for table in whole.values()), *self._bucketed.schemas()]):
            self.others = []
        shares = self.fragment.shares
        if self._bucketed:
            shares = self._bucketed.shares(self.others)
            self.keys = _keys(self.fragment, shares)
        self._whole = WholeInputs(whole, site.storage)
        served = Served(self.shares, SHARE_SCHEMA, share_batch, lambda _share: True, self._on_ack, self._on_failure, self._admits)
        site.registry.add(query_id, self._source_name, served)
        for arm in self._broadcasts() if self.others else ():
            site.registry.add_table(query_id, table_name(query_id, arm.exchange), tables[arm.exchange])
        if self.hashed is not None:
            uris = {site.worker_id: site.uri(), **{worker.worker_id: worker.uri for worker in self.others}}
            self.hashed.expect(len(self.keys), self.schema, uris)
            serve_hashed(site, query_id, self.hashed, self._kept())
        elif self._bucketed:
            self.gathering.expect(self.keys)
        self._pending = iter(zip(self.keys, shares, strict=True))
        for key, share in itertools.islice(self._pending, None if self._window is None else self._window * (1 + len(self.others))):
            self._append(key, share)
        for index in range(instances_of(site, self.fetching, self._each_worker())):
            self._start_local(f"{site.worker_id}/{query_id[:8]}/{self.fragment.id}.{index}")
        for worker in self.others:
            if self._admits(worker.worker_id):
                self._thread(f"start-{worker.worker_id}", partial(self._start_remote, worker))

    def advance(self) -> None:
        """The consumer is done with a share: another one may be started."""
        for key, share in itertools.islice(self._pending, 1):
            self._append(key, share)

    def fail(self, error: VolleyError) -> None:
        """Has everybody who works or waits here get ``error``; nothing is handed out any more."""
        self.gathered.fail(error)
        self.shares.fail(error)
        if self.hashed is not None:
            self.hashed.fail(error)

    def release(self) -> None:
        """Nobody reads its hash exchange any more: what is kept of it can go, here and elsewhere, and so can the instances."""
        if self.hashed is None or not self.hashed.release():
            return
        self.shares.close()
        self._kept().drop(self.hashed.name)
        for worker in self.others:
            if self._admits(worker.worker_id):
                self._thread(f"start-{worker.worker_id}", partial(self._drop_remote, worker, self.hashed.name))

    def settle(self) -> None:
        """All outputs are here; gives the acks that are still on their way, and what they report, a moment to come."""
        self.shares.wait_ended(SETTLE_SECONDS)

    def records_done(self) -> int:
        """The shares whose outputs are here, or where they are to stay."""
        if self.hashed is not None:
            return self.hashed.done()
        return len(self.keys) - self.gathering.missing_count()

    def close(self, over: VolleyError) -> None:
        """The query is over: as :meth:`fail`, and streams from other workers are cut. Threads that still work here end by themselves."""
        self._closed.set()
        self._collector.close()
        self.fail(over)
        self._whole.close()

    def exclude(self, worker_id: str) -> None:
        """The worker takes no more part: what it had on lease, and what it had finished but not handed over, is queued again."""
        if not any(worker.worker_id == worker_id for worker in self.others):
            return
        # In this order: from now on it gets no more leases, and its acks do not count.
        with self._acking:
            self._gone.add(worker_id)
        self._collector.cut(worker_id)
        self.gathering.forget(worker_id)
        self.shares.lose(lambda consumer: _worker_of(consumer) == worker_id)
        for key in self._lost_with(worker_id):
            if self.shares.reopen(key):
                log.warning("share %s is run again: worker %s has taken its outputs along", key, worker_id)

    def instances(self) -> list[InstanceStatus]:
        """What each instance has done so far: those here as of now, the others as of their last ack."""
        local = [instance_status(self._site.worker_id, instance.statistics) for instance in self._instances]
        with self._acking:
            return [*local, *(self.finished_reports[name] for name in sorted(self.finished_reports))]

    def spread(self) -> ShareSpread | None:
        """How alike the shares are that are done."""
        with self._acking:
            return self._measures.spread()

    # -- on this worker -------------------------------------------------------------------------------------------------

    def _append(self, key: RecordKey, share: Share) -> None:
        self.shares.append(Record(key, share, rows=share.rows or 0, bytes=share.bytes))

    def _broadcasts(self) -> list[ExchangeInput]:
        return [arm for arm in self.fragment.inputs if isinstance(arm, ExchangeInput) and not arm.bucketed]

    def _kept(self) -> BucketStore:
        assert self._store is not None, "who has a hash exchange has a store"
        return self._store

    def _lost_with(self, worker_id: str) -> list[RecordKey]:
        """The acked shares whose outputs are lost with a worker."""
        if self.hashed is not None:
            return [self.keys[share] for share in self.hashed.gone(worker_id)]
        return [key for key in self.gathering.missing() if self._acked_by.get(key) == worker_id]

    def _each_worker(self) -> int:
        """How many shares each worker would have, if none were faster than another."""
        return -(-len(self.keys) // (1 + len(self.others)))

    def _on_complete(self) -> None:
        self.shares.close()
        self._complete()

    def _start_local(self, name: str) -> None:
        context, heartbeats = self._context, self._site.heartbeats
        fetch = self._bucketed.reader(name, self._kept(), context.cancellation).fetch if self._bucketed else nothing_to_fetch
        source = LocalSource(self.shares, name, self._on_ack, self._on_failure)
        instance = ProducerInstance(name, self.fragment, source, self._commit, context, heartbeats, self._whole, fetch)
        self._instances.append(instance)
        self._thread(name, instance.run)

    def _commit(self, share: RecordKey, outputs: list[Output]) -> BucketSizes | None:
        if self.hashed is None:
            self.gathering.commit(share, outputs)
            return None
        return self._kept().put(self.hashed.name, share.sequence, [output.batch for output in outputs], self.hashed.buckets)

    def _on_ack(self, key: RecordKey, epoch: int, consumer: str, instance: InstanceStatus | None, sizes: BucketSizes | None = None) -> None:
        with self._acking:
            if not self._admits(consumer):
                error = WorkerLost(f"{consumer} takes no more part in the query")
                self.shares.release(key, epoch, error, retry=True)
                raise StaleLease(str(error))
            # Noted first: once the ack counts, the worker may be lost at any moment.
            self._acked_by[key] = _worker_of(consumer)
            self.shares.ack_kept(key, epoch)
            if self.hashed is not None:
                assert sizes is not None, "who puts out into a hash exchange tells how much is in which bucket"
                self.hashed.made(key.sequence, _worker_of(consumer), sizes)
            # Under the lock still: who sees that all shares are done sees what the last of them took.
            if instance is not None:
                self._measures.note(consumer, instance)
                if _worker_of(consumer) != self._site.worker_id:
                    self.finished_reports[consumer] = instance

    def _admits(self, consumer: str) -> bool:
        return _worker_of(consumer) not in self._gone

    def _on_failure(self, key: RecordKey, epoch: int, error: VolleyError, retry: bool) -> None:
        log.warning("share %s failed: %s", key, error)
        self.shares.release(key, epoch, error, retry=retry)

    # -- on other workers -----------------------------------------------------------------------------------------------

    def _start_remote(self, worker: WorkerStatus) -> None:
        start = StartOperator(
            query_id=self._context.query_id,
            operator=producer_name(self.fragment),
            fragment_id=self.fragment.id,
            sql=self.fragment.sql,
            # Shares are leased; what they have of an input does not travel with the fragment.
            scans=[
                replace(scan, splits=()) if scan.name in self.fragment.divided else scan
                for scan in self.fragment.inputs
                if isinstance(scan, ScanInput)
            ],
            broadcasts=self._broadcasts(),
            bucketed=self._bucketed.packed(),
            buckets=0 if self.hashed is None else self.hashed.buckets,
            tables={arm.name: table_name(self._context.query_id, arm.exchange) for arm in self._broadcasts()},
            schema=self.schema.serialize().to_pybytes(),
            handler_uri=self._site.uri(),
            handler_id=self._site.worker_id,
            source=self._source_name,
            output=self._output_name,
            fetching=self.fetching,
            most_instances=self._each_worker(),
            time_zone=self.fragment.time_zone,
        )
        try:
            self._site.peers.tell(worker.uri, OPERATOR_START, start)
        except ClientError as error:
            # It may have started all the same, and only its answer was lost.
            self._dismiss(worker, error)
            return
        if not self._takes_part(worker):
            # The query has no use for it any more, and may have told this worker so before there was anything to stop.
            self._stop_remote(worker)
        elif self.hashed is None:
            self._collector.collect(worker)

    def _takes_part(self, worker: WorkerStatus) -> bool:
        over = self._closed.is_set() or self._context.cancellation.cancelled
        return not over and self._admits(worker.worker_id)

    def _wants_from(self, worker: WorkerStatus) -> bool:
        return not self.gathered.closed and self._takes_part(worker)

    def _drop_remote(self, worker: WorkerStatus, exchange: str) -> None:
        try:
            drop = DropExchange(self._context.query_id, exchange)
            self._site.peers.tell(worker.uri, EXCHANGE_DROP, drop, timeout_seconds=STOP_SECONDS)
        except ClientError as error:
            # What it keeps goes with the query.
            log.info("could not drop %s at worker %s: %s", exchange, worker.worker_id, error)

    def _dismiss(self, worker: WorkerStatus, error: VolleyError) -> None:
        """Goes on without a worker that the others may well get on with."""
        log.warning("worker %s takes no more part in query %s: %s", worker.worker_id, self._context.query_id, error)
        self._exclude(worker.worker_id)
        self._stop_remote(worker)

    def _stop_remote(self, worker: WorkerStatus) -> None:
        try:
            stop = StopOperators(self._context.query_id)
            self._site.peers.tell(worker.uri, OPERATOR_STOP, stop, timeout_seconds=STOP_SECONDS)
        except ClientError as error:
            # It is told again when the query ends. What it makes until then nobody takes.
            log.warning("could not stop query %s at worker %s: %s", self._context.query_id, worker.worker_id, error)

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:
                self.gathered.fail(as_volley_error(error))

        threading.Thread(target=guarded, name=name, daemon=True).start()


def _travels(schema: pa.Schema) -> bool:
    """Whether its rows may cross from one worker to another: ENUM columns, as plain values, would sort and compare otherwise there."""
    return wire_schema(schema) is schema


def _worker_of(consumer: str) -> str:
    return consumer.partition("/")[0]


def _keys(fragment: Fragment, shares: Sequence[Share]) -> list[RecordKey]:
    names = {arm.name: arm.table if isinstance(arm, ScanInput) else exchange_name(arm.exchange) for arm in fragment.inputs}
    origin = "+".join(name for arm, name in names.items() if arm in fragment.divided)
    return [RecordKey(producer_name(fragment), origin, index) for index in range(len(shares))]
