"""One query's plan, run: its scans spread over the workers where the planner says so, and its last fragment into the result.

    splits ──lease──► instances, on all workers ──► their exchanges ──pull──► the handler's exchange ──► last fragment ──► result

A plan of one fragment has no exchanges but that of its splits and its result; it runs in the thread that calls :meth:`Execution.run`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

import msgspec
import pyarrow as pa

from flight_server.errors import QueryKilled
from flight_server.exchanges.distributed_scan import IN_PROCESS_LEASE_SECONDS, DistributedScan, exchange_name, producer_name
from flight_server.exchanges.exchange_service import SPLIT_SCHEMA, split_batch
from flight_server.exchanges.site import Site, instance_status
from flight_server.protocol.messages import InstanceStatus, OperatorPhase, OperatorStatus
from flight_server.protocol.service import PeekStream
from operators.cancellation import Cancellation
from operators.exchange.exchange import Exchange, Held
from operators.exchange.leases import LeaseStatistics
from operators.exchange.records import Payload, Record, RecordKey
from operators.run.fragments import ExecutionContext, Output, run_fragment
from operators.run.producer import InstanceStatistics
from operators.scan.scans import ScanReport
from planner.operations import title
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, ScanInput, Split

STREAM_WINDOW_SPLITS = 4
"""Splits of a streamed scan that each worker may have under way: it bounds the rows that wait for their turn."""


class RowSink(Protocol):
    """Where the last fragment's rows go, in order."""

    def append(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows. May wait for whoever reads them."""

    def release(self) -> None:
        """The query is stopped: :meth:`append` waits for nobody any more. Comes from any thread."""


class Execution:
    """Runs ``plan`` into ``sink``, once. :meth:`run` has a thread of its own; the other methods may be called from any."""

    def __init__(self, query_id: str, plan: PhysicalPlan, sink: RowSink, cancellation: Cancellation, site: Site) -> None:
        self.query_id = query_id
        self._plan = plan
        self._root = plan.fragments[-1]
        self._sink = sink
        self._site = site
        self._killed = cancellation
        # Of its own: the first operator that fails stops all others, and that is no kill.
        self._stopped = Cancellation()
        self._context = ExecutionContext(query_id, site.kernel, site.serial_kernel, site.storage, self._stopped)
        self._scans: dict[int, DistributedScan] = {}
        self._root_splits: dict[str, Exchange[Split]] = {}
        self._reports: Sequence[ScanReport] = ()
        self._root_statistics = InstanceStatistics()
        self._root_title = title(self._root.sql, [table for arm in self._root.inputs for table in self._tables(arm)])
        self._started = time.perf_counter()
        self._ended = False

    def run(self) -> None:
        """Runs the plan to its end. Raises the first error of any operator, which stops all others at once, or the cancellation's."""
        for fragment in self._plan.fragments:
            if fragment.parallel:
                self._scans[fragment.output] = self._distributed(fragment)
        stopping = self._stopped.on_cancel
        with stopping(self._fail_scans), stopping(self._sink.release), self._killed.on_cancel(self._kill):
            for scan in self._scans.values():
                scan.start()
            if self._root.parallel:
                self._stream(self._scans[self._root.output])
            else:
                self._run_root()
            for scan in self._scans.values():
                scan.settle()
        self._count(0, 0)
        self._ended = True

    def close(self) -> None:
        """The query is over: what still runs for it here is interrupted, and its exchanges hand out nothing any more."""
        over = QueryKilled("its query has ended")
        self._stopped.cancel(over)
        for scan in self._scans.values():
            scan.close(over)

    def others(self) -> list[str]:
        """The URIs of the other workers that take part."""
        return sorted({worker.uri for scan in self._scans.values() for worker in scan.others})

    def exclude(self, worker_id: str) -> None:
        """A worker takes no more part in this query: what it had on lease, or had not handed over, is run again by the others."""
        for scan in list(self._scans.values()):
            scan.exclude(worker_id)

    # -- fragments ------------------------------------------------------------------------------------------------------

    def _distributed(self, fragment: Fragment) -> DistributedScan:
        (scan,) = fragment.inputs
        schema = self._site.kernel.result_schema(fragment.sql, {scan.name: scan.columns}, time_zone=fragment.time_zone)
        window = STREAM_WINDOW_SPLITS if fragment is self._root else None
        return DistributedScan(fragment, schema, self._context, self._site, window, self.exclude)

    def _kill(self) -> None:
        assert self._killed.error is not None
        self._stopped.cancel(self._killed.error)

    def _fail_scans(self) -> None:
        assert self._stopped.error is not None
        for scan in self._scans.values():
            scan.fail(self._stopped.error)

    def _run_root(self) -> None:
        """The last fragment, once, over everything that its inputs hold; they are acked when its rows are in the result."""
        with ExitStack() as acks:
            splits = {arm.name: self._lease_splits(arm, acks) for arm in self._root.inputs if isinstance(arm, ScanInput)}
            arrived = {arm.name: self._lease_records(arm, acks) for arm in self._root.inputs if isinstance(arm, ExchangeInput)}
            with run_fragment(self._root, splits, arrived, self._context) as run:
                self._reports = run.reports
                for batch in run.batches:
                    self._append(batch)

    def _lease_splits(self, scan: ScanInput, acks: ExitStack) -> list[Split]:
        exchange: Exchange[Split] = Exchange(lease_seconds=IN_PROCESS_LEASE_SECONDS)
        self._root_splits[scan.name] = exchange
        for index, split in enumerate(scan.splits):
            exchange.append(Record(RecordKey(producer_name(self._root), scan.table, index), split, bytes=split.bytes))
        exchange.close()
        return [held.payload for held in self._lease_all(exchange, acks)]

    def _lease_records(self, arm: ExchangeInput, acks: ExitStack) -> pa.Table:
        scan = self._scans[arm.exchange]
        place = {str(key): index for index, key in enumerate(scan.keys)}
        held = self._lease_all(scan.gathered, acks)
        # In the order of the splits, however they arrived: the same query gives the same answer again.
        held.sort(key=lambda item: (place[item.key.input_key], item.key.sequence))
        return pa.Table.from_batches([item.payload.batch for item in held], schema=scan.schema)

    def _lease_all(self, exchange: Exchange[Payload], acks: ExitStack) -> list[Held[Payload]]:
        """All records of an exchange, once it is closed; ``acks`` acknowledges them if its block ends well."""
        held = exchange.lease_all(producer_name(self._root))
        acks.push(lambda kind, *_: _ack_all(exchange, held) if kind is None else None)
        return held

    def _stream(self, scan: DistributedScan) -> None:
        """Rows of a scan that needs nothing more, in the order of its splits, as they come."""
        early: dict[str, list[Held[Output]]] = {}
        for key in scan.keys:
            waiting = early.setdefault(str(key), [])
            while not (waiting and waiting[-1].payload.last):
                held = scan.gathered.lease("result")
                assert held is not None, "the exchange ends after its last split"
                early.setdefault(held.key.input_key, []).append(held)
            for held in early.pop(str(key)):
                self._append(held.payload.batch)
                scan.gathered.ack(held.key, held.lease.epoch)
            scan.advance()

    def _append(self, batch: pa.RecordBatch) -> None:
        self._context.cancellation.check()
        if batch.num_rows:
            self._sink.append(batch)
        self._count(batch.num_rows, batch.nbytes)

    def _count(self, rows: int, size: int) -> None:
        done = self._root_statistics
        self._root_statistics = InstanceStatistics(1, done.rows + rows, done.bytes + size, time.perf_counter() - self._started)

    # -- what it says of itself -----------------------------------------------------------------------------------------

    def exchange_names(self) -> list[str]:
        """The exchanges that can be peeked at."""
        return [exchange_name(output) for output in self._scans] + [f"splits-{scan.fragment.id}" for scan in self._scans.values()]

    def peek(self, name: str, records: int) -> PeekStream | None:
        """Up to ``records`` records that wait in an exchange now; None if there is none of that name."""
        for output, scan in self._scans.items():
            if name == exchange_name(output):
                return PeekStream(scan.schema, iter([item.batch for item in scan.gathered.peek(records)]))
            if name == f"splits-{scan.fragment.id}":
                return PeekStream(SPLIT_SCHEMA, iter([split_batch(split) for split in scan.splits.peek(records)]))
        return None

    def statuses(self) -> list[OperatorStatus]:
        """Its operators, producers before consumers."""
        distributed = itertools.chain.from_iterable(self._scan_statuses(scan) for scan in list(self._scans.values()))
        return [*distributed, *([] if self._root.parallel else [self._root_status()]), self._result_status()]

    def _scan_statuses(self, scan: DistributedScan) -> list[OperatorStatus]:
        splits, gathered, instances = scan.splits.statistics(), scan.gathered.statistics(), scan.instances()
        done = scan.records_done()
        state: OperatorPhase = "completed" if done == len(scan.keys) else "running"
        instances = [msgspec.structs.replace(instance, state=state) for instance in instances]
        producer = OperatorStatus(
            operator=producer_name(scan.fragment),
            kind="producer",
            title=f"scan {scan.scan.table}",
            state=state,
            records_total=len(scan.keys),
            records_done=done,
            rows=sum(instance.rows for instance in instances),
            bytes=sum(instance.bytes for instance in instances),
            seconds=sum(instance.seconds for instance in instances),
            queue_depth=splits.queued,
            leases=splits.leased,
            retries=splits.retries,
            scanned_bytes=sum(instance.scanned_bytes for instance in instances),
            files_bytes=sum({split.file.path: split.file.size_bytes for split in scan.scan.splits}.values()),
            requests=sum(instance.requests for instance in instances),
            instances=instances,
        )
        return [producer] if scan.fragment is self._root else [producer, _exchange_status(scan, gathered)]

    def _root_status(self) -> OperatorStatus:
        done = self._root_statistics
        arms = self._root.inputs
        total = sum(len(arm.splits) if isinstance(arm, ScanInput) else len(self._plan_keys(arm)) for arm in arms)
        return OperatorStatus(
            operator=producer_name(self._root),
            kind="producer",
            title=self._root_title,
            state="completed" if self._ended else "running",
            inputs=[exchange_name(arm.exchange) for arm in arms if isinstance(arm, ExchangeInput)],
            records_total=max(1, total),
            records_done=max(1, total) if self._ended else 0,
            rows=done.rows,
            bytes=done.bytes,
            seconds=done.seconds,
            scanned_bytes=sum(report.fetched_bytes for report in self._reports),
            files_bytes=sum(report.files_bytes for report in self._reports),
            requests=sum(report.requests for report in self._reports),
            instances=[self._instance()],
        )

    def _instance(self) -> InstanceStatus:
        status = instance_status(self._site.worker_id, self._root_statistics)
        status.state = "completed" if self._ended else "running"
        return status

    def _tables(self, arm: ScanInput | ExchangeInput) -> list[str]:
        """The tables that an input of the last fragment comes from."""
        if isinstance(arm, ScanInput):
            return [arm.table]
        producers = [fragment for fragment in self._plan.fragments if fragment.output == arm.exchange]
        return [scan.table for fragment in producers for scan in fragment.inputs if isinstance(scan, ScanInput)]

    def _plan_keys(self, arm: ExchangeInput) -> list[RecordKey]:
        scan = self._scans.get(arm.exchange)
        return [] if scan is None else scan.keys

    def _result_status(self) -> OperatorStatus:
        done = self._root_statistics
        return OperatorStatus(
            operator="result",
            kind="result",
            title="result",
            state="completed" if self._ended else "running",
            inputs=[producer_name(self._root)],
            rows=done.rows,
            bytes=done.bytes,
        )


def _exchange_status(scan: DistributedScan, gathered: LeaseStatistics) -> OperatorStatus:
    return OperatorStatus(
        operator=exchange_name(scan.fragment.output),
        kind="exchange",
        title=f"gather {scan.scan.table}",
        state="completed" if scan.gathered.closed else "running",
        inputs=[producer_name(scan.fragment)],
        records_total=gathered.records,
        records_done=gathered.acked,
        rows=gathered.rows,
        bytes=gathered.bytes,
        queue_depth=gathered.queued,
        leases=gathered.leased,
        retries=gathered.retries,
    )


def _ack_all(exchange: Exchange[Payload], held: Sequence[Held[Payload]]) -> None:
    for item in held:
        exchange.ack(item.key, item.lease.epoch)
