"""A parallel fragment of one query on all workers: its shares, its instances, and the exchange in which their outputs meet."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import pyarrow as pa

from flight_server.cluster.peers import PeerStream
from flight_server.errors import ClientError, WorkerLost
from flight_server.exchanges.exchange_service import SHARE_SCHEMA, Served, share_batch
from flight_server.exchanges.names import exchange_name, producer_name, shares_name, table_name
from flight_server.exchanges.site import Site, instance_status, instances_of
from flight_server.protocol.exchange_messages import (
    EXCHANGE_ACK,
    OPERATOR_START,
    OPERATOR_STOP,
    AckRequest,
    LeaseRef,
    LeaseReply,
    PullFrame,
    PullTicket,
    StartOperator,
    StopOperators,
)
from flight_server.protocol.messages import InstanceStatus, WorkerStatus
from flight_server.protocol.status import as_volley_error
from flight_server.protocol.wire_types import wire_schema
from operators.errors import StaleLease
from operators.exchange.exchange import Exchange
from operators.exchange.leases import IN_PROCESS_LEASE_SECONDS
from operators.exchange.records import Record, RecordKey
from operators.run.fragments import ExecutionContext, Output
from operators.run.gathering import Gathering
from operators.run.producer import HeldShare, InstanceStatistics, ProducerInstance
from operators.run.whole_inputs import WholeInputs
from planner.errors import Status, VolleyError
from planner.physical import ExchangeInput, Fragment, ScanInput, Share

PULL_ATTEMPTS = 5
PULL_RETRY_SECONDS = 0.2
PULL_WAIT_SECONDS = 0.5
PULL_RECORDS = 8
PULL_SECONDS = 20.0
"""A pull ends after so many records, or when there was none for ``PULL_WAIT_SECONDS``: one that lasts longer is at a worker that hangs."""
STOP_SECONDS = 2.0
SETTLE_SECONDS = 0.25

log = logging.getLogger(__name__)


class DistributedFragment:
    """Runs ``fragment`` share by share on this worker and all others, and gathers the outputs here, those of each share once.

    ``window``: so many shares for each worker may be ahead of the consumer, which calls :meth:`advance` for each that it is done with;
    None gives out all at once. ``exclude`` is called with the id of a worker that the whole query has to do without; ``complete`` when
    all outputs are here, from any thread, and must not wait. An error of any instance cancels the context: who began the fragment then
    has all of the query :meth:`fail`, and the error comes to whoever waits on :attr:`gathered`.
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
    ) -> None:
        divided = fragment.divided
        assert all({part.name for part in share.inputs} == divided for share in fragment.shares), "a share has a part of each divided input"
        self.fragment = fragment
        self.schema = schema
        scans = [scan for scan in fragment.inputs if isinstance(scan, ScanInput)]
        origin = "+".join(scan.table for scan in scans if scan.name in divided)
        self.keys = [RecordKey(producer_name(fragment), origin, index) for index in range(len(fragment.shares))]
        self.shares: Exchange[Share] = Exchange(failed=context.cancellation.cancel)
        self.gathered: Exchange[Output] = Exchange(lease_seconds=IN_PROCESS_LEASE_SECONDS, failed=context.cancellation.cancel)
        self.gathering = Gathering(producer_name(fragment), self.gathered, self.keys, self._on_complete)
        self.fetching = any(scan.splits and site.storage.is_elsewhere(scan.splits[0].file.path) for scan in scans)
        self.started = False
        self.finished_reports: dict[str, InstanceStatus] = {}
        self._context = context
        self._site = site
        self._exclude = exclude
        self._complete = complete
        self.others = site.others() if _travels(schema) else []
        self._window = None if window is None else window * (1 + len(self.others))
        self._pending = iter(zip(self.keys, fragment.shares, strict=True))
        self._acked_by: dict[RecordKey, str] = {}
        self._gone: set[str] = set()
        self._whole = WholeInputs({}, site.storage)
        self._instances: list[ProducerInstance] = []
        self._streams: dict[PeerStream, str] = {}
        self._closed = threading.Event()
        self._source_name = f"{context.query_id}.{shares_name(fragment)}"
        self._output_name = f"{context.query_id}.{exchange_name(fragment.output)}"

    def start(self, tables: Mapping[int, pa.Table]) -> None:
        """Brings the exchanges up, here first, then the instances. ``tables``: what the exchanges that it reads hold, by their ids."""
        site, query_id = self._site, self._context.query_id
        self.started = True
        if not all(_travels(tables[arm.exchange].schema) for arm in self._broadcasts()):
            self.others = []
        self._whole = WholeInputs({arm.name: tables[arm.exchange] for arm in self._broadcasts()}, site.storage)
        served = Served(self.shares, SHARE_SCHEMA, share_batch, lambda _share: True, self._on_ack, self._on_failure, self._admits)
        site.registry.add(query_id, self._source_name, served)
        for arm in self._broadcasts() if self.others else ():
            site.registry.add_table(query_id, table_name(query_id, arm.exchange), tables[arm.exchange])
        for key, share in itertools.islice(self._pending, self._window):
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

    def settle(self) -> None:
        """All outputs are here; gives the acks that are still on their way, and what they report, a moment to come."""
        self.shares.wait_ended(SETTLE_SECONDS)

    def records_done(self) -> int:
        """The shares whose outputs are here."""
        return len(self.keys) - self.gathering.missing_count()

    def close(self, over: VolleyError) -> None:
        """The query is over: as :meth:`fail`, and streams from other workers are cut. Threads that still work here end by themselves."""
        self._closed.set()
        for stream in list(self._streams):
            stream.cancel()
        self.fail(over)
        self._whole.close()

    def exclude(self, worker_id: str) -> None:
        """The worker takes no more part: what it had on lease, and what it had finished but not handed over, is queued again."""
        if not any(worker.worker_id == worker_id for worker in self.others):
            return
        # In this order: from now on it gets no more leases, and its acks do not count.
        self._gone.add(worker_id)
        for stream, sender in list(self._streams.items()):
            if sender == worker_id:
                stream.cancel()
        self.gathering.forget(worker_id)
        self.shares.lose(lambda consumer: _worker_of(consumer) == worker_id)
        for key in self.gathering.missing():
            if self._acked_by.get(key) == worker_id and self.shares.reopen(key):
                log.warning("share %s is run again: worker %s has taken its outputs along", key, worker_id)

    def instances(self) -> list[InstanceStatus]:
        """What each instance has done so far: those here as of now, the others as of their last ack."""
        local = [instance_status(self._site.worker_id, instance.statistics) for instance in self._instances]
        return [*local, *(self.finished_reports[name] for name in sorted(self.finished_reports))]

    # -- on this worker -------------------------------------------------------------------------------------------------

    def _append(self, key: RecordKey, share: Share) -> None:
        self.shares.append(Record(key, share, rows=share.rows or 0, bytes=share.bytes))

    def _broadcasts(self) -> list[ExchangeInput]:
        return [arm for arm in self.fragment.inputs if isinstance(arm, ExchangeInput)]

    def _each_worker(self) -> int:
        """How many shares each worker would have, if none were faster than another."""
        return -(-len(self.keys) // (1 + len(self.others)))

    def _on_complete(self) -> None:
        self.shares.close()
        self._complete()

    def _start_local(self, name: str) -> None:
        source = _LocalSource(self, name)
        instance = ProducerInstance(name, self.fragment, source, self.gathering.commit, self._context, self._site.heartbeats, self._whole)
        self._instances.append(instance)
        self._thread(name, instance.run)

    def _on_ack(self, key: RecordKey, epoch: int, consumer: str, instance: InstanceStatus | None) -> None:
        if not self._admits(consumer):
            error = WorkerLost(f"{consumer} takes no more part in the query")
            self.shares.release(key, epoch, error, retry=True)
            raise StaleLease(str(error))
        # Noted first: once the ack counts, the worker may be lost at any moment.
        self._acked_by[key] = _worker_of(consumer)
        self.shares.ack_kept(key, epoch)
        if instance is not None:
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
        if not self._wants_from(worker):
            # The query has no use for it any more, and may have told this worker so before there was anything to stop.
            self._stop_remote(worker)
            return
        self._collect(worker)

    def _wants_from(self, worker: WorkerStatus) -> bool:
        over = self.gathered.closed or self._closed.is_set() or self._context.cancellation.cancelled
        return not over and self._admits(worker.worker_id)

    def _collect(self, worker: WorkerStatus) -> None:
        """Pulls the outputs of a worker's instances into the exchange here, until all are here or the worker takes no more part.

        What goes wrong on the way to the worker costs this query that worker, and nobody else anything. What the exchange here
        raises is the query's own error, and ends it.
        """
        failures = 0
        while self._wants_from(worker):
            received = 0
            try:
                for record, lease in self._pull(worker):
                    self.gathering.receive(record, worker.worker_id)
                    ack = AckRequest(self._output_name, self._site.worker_id, [lease])
                    self._site.peers.ask(worker.uri, EXCHANGE_ACK, ack, LeaseReply)
                    received += 1
                failures = 0
            except ClientError as error:
                failures = 1 if received else failures + 1
                # A stream that brought records until its time was up is only slow.
                passing = error.status is Status.UNAVAILABLE or (error.status is Status.DEADLINE_EXCEEDED and received > 0)
                if passing and failures < PULL_ATTEMPTS:
                    self._closed.wait(PULL_RETRY_SECONDS)
                elif self._wants_from(worker):
                    self._dismiss(worker, error)

    def _pull(self, worker: WorkerStatus) -> Iterator[tuple[Record[Output], LeaseRef]]:
        """The next outputs, at most so many that a worker which does not hang has sent them in ``PULL_SECONDS``. Raises ``ClientError``."""
        ticket = PullTicket(self._output_name, self._site.worker_id, max_records=PULL_RECORDS, wait_seconds=PULL_WAIT_SECONDS)
        stream = self._site.peers.pull(worker.uri, ticket, timeout_seconds=PULL_SECONDS)
        self._streams[stream] = worker.worker_id
        answered = False
        try:
            for batch, frame in stream.frames(PullFrame):
                answered = True
                if frame.record is None:
                    return
                lease = frame.record.lease
                yield Record(lease.key, Output(batch, frame.record.last), rows=batch.num_rows, bytes=batch.nbytes), lease
        finally:
            del self._streams[stream]
            stream.cancel()
        if not answered:
            raise ClientError(f"the worker at {worker.uri} broke off", status=Status.UNAVAILABLE)

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


class _LocalSource:
    """The shares, for an instance in this process."""

    def __init__(self, fragment: DistributedFragment, name: str) -> None:
        self._fragment = fragment
        self._name = name

    def lease(self) -> HeldShare | None:
        exchange = self._fragment.shares
        held = exchange.lease(self._name)
        return None if held is None else HeldShare(held.key, held.lease.epoch, held.payload, exchange.lease_seconds)

    def heartbeat(self, held: HeldShare) -> None:
        self._fragment.shares.heartbeat(held.key, held.epoch)

    def ack(self, held: HeldShare, statistics: InstanceStatistics) -> None:
        self._fragment._on_ack(held.key, held.epoch, self._name, None)

    def release(self, held: HeldShare, error: VolleyError, *, retry: bool) -> None:
        self._fragment._on_failure(held.key, held.epoch, error, retry)
