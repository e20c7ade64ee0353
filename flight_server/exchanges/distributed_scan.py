"""A parallel fragment of one query on all workers: its splits, its instances, and the exchange in which their outputs meet."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.flight as flight

from flight_server.errors import WorkerLost
from flight_server.exchanges.exchange_service import SPLIT_SCHEMA, Served, split_batch
from flight_server.exchanges.site import Site, instance_status, instances_of
from flight_server.protocol.client_errors import from_flight_error
from flight_server.protocol.exchange_messages import (
    EXCHANGE_ACK,
    OPERATOR_START,
    OPERATOR_STOP,
    AckRequest,
    PullFrame,
    PullTicket,
    StartOperator,
    StopOperators,
)
from flight_server.protocol.messages import InstanceStatus, WorkerStatus, decode, encode
from flight_server.protocol.status import as_volley_error
from flight_server.protocol.wire_types import wire_schema
from operators.errors import StaleLease
from operators.exchange.exchange import Exchange
from operators.exchange.records import Record, RecordKey
from operators.run.fragments import ExecutionContext, Output
from operators.run.gathering import Gathering
from operators.run.producer import HeldSplit, InstanceStatistics, ProducerInstance
from planner.errors import Status, VolleyError
from planner.physical import Fragment, ScanInput, Split

PULL_ATTEMPTS = 5
PULL_RETRY_SECONDS = 0.2
PULL_WAIT_SECONDS = 0.5
SETTLE_SECONDS = 0.25
IN_PROCESS_LEASE_SECONDS = 365 * 86_400.0
"""Leases to a consumer in the exchange's own process need no heartbeat: neither outlives the other."""

log = logging.getLogger(__name__)


def producer_name(fragment: Fragment) -> str:
    """The name of the operator that runs ``fragment``."""
    return f"fragment-{fragment.id}"


def exchange_name(exchange_id: int) -> str:
    """The name of the exchange operator that holds a fragment's output."""
    return f"exchange-{exchange_id}"


class DistributedScan:
    """Runs ``fragment`` split by split on this worker and all others, and gathers the outputs here, those of each split once.

    ``window``: so many splits for each worker may be ahead of the consumer, which calls :meth:`advance` for each that it is done with;
    None gives out all at once. An error of any instance cancels the context: who began the scan then has all scans of the query
    :meth:`fail`, and the error comes to whoever waits on :attr:`gathered`.
    """

    def __init__(self, fragment: Fragment, schema: pa.Schema, context: ExecutionContext, site: Site, window: int | None) -> None:
        (scan,) = fragment.inputs
        assert isinstance(scan, ScanInput)
        self.fragment = fragment
        self.scan = scan
        self.schema = schema
        self.keys = [RecordKey(producer_name(fragment), scan.table, index) for index in range(len(scan.splits))]
        self.splits: Exchange[Split] = Exchange(failed=context.cancellation.cancel)
        self.gathered: Exchange[Output] = Exchange(lease_seconds=IN_PROCESS_LEASE_SECONDS, failed=context.cancellation.cancel)
        self.fetching = bool(scan.splits) and site.storage.is_elsewhere(scan.splits[0].file.path)
        self.finished_reports: dict[str, InstanceStatus] = {}
        self._gathering = Gathering(producer_name(fragment), self.gathered, self.keys, self.splits.close)
        self._context = context
        self._site = site
        # ENUM columns cannot cross from one worker to another: as plain values they would sort and compare otherwise there.
        self.others = site.others() if wire_schema(schema) is schema else []
        self._window = None if window is None else window * (1 + len(self.others))
        self._pending = iter(zip(self.keys, scan.splits, strict=True))
        self._acked_by: dict[RecordKey, str] = {}
        self._gone: set[str] = set()
        self._instances: list[ProducerInstance] = []
        self._readers: set[flight.FlightStreamReader] = set()
        self._closed = threading.Event()
        self._source_name = f"{context.query_id}.splits-{fragment.id}"
        self._output_name = f"{context.query_id}.{exchange_name(fragment.output)}"

    def start(self) -> None:
        """Brings the exchanges up, here first, then the instances."""
        site, query_id = self._site, self._context.query_id
        served = Served(self.splits, SPLIT_SCHEMA, split_batch, lambda _split: True, self._on_ack, self._on_failure, self._admits)
        site.registry.add(query_id, self._source_name, served)
        for key, split in itertools.islice(self._pending, self._window):
            self._append(key, split)
        for index in range(instances_of(site, self.fetching)):
            self._start_local(f"{site.worker_id}/{query_id[:8]}/{self.fragment.id}.{index}")
        for worker in self.others:
            self._thread(f"start-{worker.worker_id}", partial(self._start_remote, worker))

    def advance(self) -> None:
        """The consumer is done with a split: another one may be started."""
        for key, split in itertools.islice(self._pending, 1):
            self._append(key, split)

    def fail(self, error: VolleyError) -> None:
        """Has everybody who works or waits here get ``error``; nothing is handed out any more."""
        self.gathered.fail(error)
        self.splits.fail(error)

    def settle(self) -> None:
        """All outputs are here; gives the acks that are still on their way, and what they report, a moment to come."""
        self.splits.wait_ended(SETTLE_SECONDS)

    def records_done(self) -> int:
        """The splits whose outputs are here."""
        return len(self.keys) - self._gathering.missing_count()

    def close(self, over: VolleyError) -> None:
        """The query is over: as :meth:`fail`, and streams from other workers are cut. Threads that still work here end by themselves."""
        self._closed.set()
        for reader in list(self._readers):
            reader.cancel()
        self.fail(over)

    def on_worker_lost(self, worker_id: str) -> None:
        """Queues again what the worker had on lease, and what it had finished but not handed over."""
        if not any(worker.worker_id == worker_id for worker in self.others):
            return
        # In this order: from now on it gets no more leases, and its acks do not count.
        self._gone.add(worker_id)
        self._gathering.forget(worker_id)
        self.splits.lose(lambda consumer: _worker_of(consumer) == worker_id)
        for key in self._gathering.missing():
            if self._acked_by.get(key) == worker_id and self.splits.reopen(key):
                log.warning("split %s is run again: worker %s was lost with its outputs", key, worker_id)

    def instances(self) -> list[InstanceStatus]:
        """What each instance has done so far: those here as of now, the others as of their last ack."""
        local = [instance_status(self._site.worker_id, instance.statistics) for instance in self._instances]
        return [*local, *(self.finished_reports[name] for name in sorted(self.finished_reports))]

    # -- on this worker -------------------------------------------------------------------------------------------------

    def _append(self, key: RecordKey, split: Split) -> None:
        self.splits.append(Record(key, split, rows=split.rows or 0, bytes=split.bytes))

    def _start_local(self, name: str) -> None:
        source = _LocalSource(self, name)
        instance = ProducerInstance(name, self.fragment, source, self._gathering.commit, self._context, self._site.heartbeats)
        self._instances.append(instance)
        self._thread(name, instance.run)

    def _on_ack(self, key: RecordKey, epoch: int, consumer: str, instance: InstanceStatus | None) -> None:
        if not self._admits(consumer):
            error = WorkerLost(f"{consumer} was taken for lost")
            self.splits.release(key, epoch, error, retry=True)
            raise StaleLease(str(error))
        # Noted first: once the ack counts, the worker may be lost at any moment.
        self._acked_by[key] = _worker_of(consumer)
        self.splits.ack_kept(key, epoch)
        if instance is not None:
            self.finished_reports[consumer] = instance

    def _admits(self, consumer: str) -> bool:
        return _worker_of(consumer) not in self._gone

    def _on_failure(self, key: RecordKey, epoch: int, error: VolleyError, retry: bool) -> None:
        log.warning("split %s failed: %s", key, error)
        self.splits.release(key, epoch, error, retry=retry)

    # -- on other workers -----------------------------------------------------------------------------------------------

    def _start_remote(self, worker: WorkerStatus) -> None:
        start = StartOperator(
            query_id=self._context.query_id,
            operator=producer_name(self.fragment),
            fragment_id=self.fragment.id,
            sql=self.fragment.sql,
            # Splits are leased; they do not travel with the fragment.
            scan=replace(self.scan, splits=()),
            schema=self.schema.serialize().to_pybytes(),
            handler_uri=self._site.uri(),
            handler_id=self._site.worker_id,
            source=self._source_name,
            output=self._output_name,
            fetching=self.fetching,
        )
        try:
            self._site.peers.action(worker.uri, OPERATOR_START, encode(start))
        except VolleyError as error:
            log.warning("worker %s takes no part in query %s: %s", worker.worker_id, self._context.query_id, error)
            # It may have started all the same, and only its answer was lost.
            self.on_worker_lost(worker.worker_id)
            return
        if self._closed.is_set():
            # The query ended meanwhile; it may have told this worker so before there was anything to stop.
            self._site.peers.action(worker.uri, OPERATOR_STOP, encode(StopOperators(self._context.query_id)))
            return
        self._collect(worker)

    def _collect(self, worker: WorkerStatus) -> None:
        """Pulls the outputs of a worker's instances into the exchange here, until all are here or the worker is gone."""
        failures = 0
        while not self.gathered.closed and not self._closed.is_set() and not self._context.cancellation.cancelled:
            try:
                self._pull(worker)
                failures = 0
            except VolleyError as error:
                failures += 1
                if error.status is not Status.UNAVAILABLE or failures == PULL_ATTEMPTS:
                    if not self._closed.is_set():
                        log.warning("worker %s does not hand over its outputs: %s", worker.worker_id, error)
                        self._site.report_lost(worker.worker_id)
                    return
                self._closed.wait(PULL_RETRY_SECONDS)

    def _pull(self, worker: WorkerStatus) -> None:
        consumer = self._site.worker_id
        ticket = PullTicket(self._output_name, consumer, wait_seconds=PULL_WAIT_SECONDS)
        reader = self._site.peers.pull(worker.uri, encode(ticket))
        self._readers.add(reader)
        try:
            for chunk in reader:
                frame = decode(chunk.app_metadata, PullFrame)
                if frame.record is None:
                    return
                lease = frame.record.lease
                batch = chunk.data
                record = Record(lease.key, Output(batch, frame.record.last), rows=batch.num_rows, bytes=batch.nbytes)
                self._gathering.receive(record, worker.worker_id)
                self._site.peers.action(worker.uri, EXCHANGE_ACK, encode(AckRequest(self._output_name, consumer, [lease])))
        except (pa.ArrowException, OSError) as error:
            raise from_flight_error(error, worker.uri) from error
        finally:
            self._readers.discard(reader)

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                work()
            except Exception as error:
                self.gathered.fail(as_volley_error(error))

        threading.Thread(target=guarded, name=name, daemon=True).start()


def _worker_of(consumer: str) -> str:
    return consumer.partition("/")[0]


class _LocalSource:
    """The splits, for an instance in this process."""

    def __init__(self, scan: DistributedScan, name: str) -> None:
        self._scan = scan
        self._name = name

    def lease(self) -> HeldSplit | None:
        exchange = self._scan.splits
        held = exchange.lease(self._name)
        return None if held is None else HeldSplit(held.key, held.lease.epoch, held.payload, exchange.lease_seconds)

    def heartbeat(self, held: HeldSplit) -> None:
        self._scan.splits.heartbeat(held.key, held.epoch)

    def ack(self, held: HeldSplit, statistics: InstanceStatistics) -> None:
        self._scan._on_ack(held.key, held.epoch, self._name, None)

    def release(self, held: HeldSplit, error: VolleyError, *, retry: bool) -> None:
        self._scan._on_failure(held.key, held.epoch, error, retry)
