"""A worker without a port, files or a kernel: what runs a share is a function of the test's, and so is what runs the last fragment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec
import pyarrow as pa
import pytest

from flight_server.cluster.peers import Peers
from flight_server.exchanges import once_fragment
from flight_server.exchanges.exchange_service import ExchangeRegistry
from flight_server.exchanges.site import Site
from flight_server.protocol.messages import WorkerStatus
from operators.exchange.bucket_store import BucketSpace
from operators.exchange.heartbeats import Heartbeats
from operators.kernel.kernel import Kernel, KernelStatistics
from operators.run import producer
from operators.run.fragments import ExecutionContext, FragmentRun, Output
from operators.run.whole_inputs import WholeInputs
from operators.scan.scans import ScanReport
from operators.storage import Storage
from planner.catalog import Column, DataFile
from planner.physical import ExchangeInput, Fragment, PhysicalPlan, PlannedExchange, ScanInput, Share, Split
from planner.splits import shares_of

PATIENCE = 20.0
"""Seconds after which a test gives up on a thread; none waits for it when all is well."""
SCHEMA = pa.schema([pa.field("n", pa.int64())])
COLUMNS = (Column("n", "BIGINT"),)


def scan_of(table: str, splits: int, name: str = "in_0") -> ScanInput:
    """A scan of numbered splits: the file of each is ``TABLE/NUMBER``."""
    numbered = tuple(Split(DataFile(f"default:{table}/{number}", 8, "v1"), rows=1, bytes=8) for number in range(splits))
    return ScanInput(name, table, COLUMNS, COLUMNS, numbered)


def by_splits(number: int, scan: ScanInput) -> Fragment:
    """A fragment that reads a scan, split by split."""
    return Fragment(number, f"SELECT n FROM {scan.name}", (scan,), number, shares_of(scan.name, scan.splits))


def streamed(table: str, splits: int) -> PhysicalPlan:
    """A scan that needs nothing more."""
    fragment = by_splits(0, scan_of(table, splits))
    return PhysicalPlan(f"SELECT n FROM {table}", (fragment,), (PlannedExchange(0, "result", COLUMNS),), SCHEMA, "plan")


def gathered(*scans: ScanInput) -> PhysicalPlan:
    """Scans on all workers, and a last fragment over what they gather, in their order."""
    producers = [by_splits(index, scan) for index, scan in enumerate(scans)]
    arms = tuple(ExchangeInput(f"in_{index}", index, COLUMNS) for index in range(len(scans)))
    root = Fragment(len(scans), "SELECT …", arms, len(scans))
    exchanges = [PlannedExchange(index, "gather", COLUMNS) for index in range(len(scans))]
    return PhysicalPlan("SELECT …", (*producers, root), (*exchanges, PlannedExchange(len(scans), "result", COLUMNS)), SCHEMA, "plan")


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(numbers, pa.int64())], schema=SCHEMA)


class Rows:
    """A sink that keeps the numbers."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def append(self, rows: pa.RecordBatch) -> None:
        self.numbers += rows.column(0).to_pylist()

    def release(self) -> None:
        return


class StillStream:
    """A stream from another worker on which nothing comes, until it is cut."""

    def __init__(self) -> None:
        self._cut = threading.Event()

    def frames(self, kind: type[msgspec.Struct]) -> Iterator[Any]:
        self._cut.wait(PATIENCE)
        return iter(())

    def cancel(self) -> None:
        self._cut.set()


@dataclass
class FakePeers:
    """Other workers that do as they are told and hand over nothing."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, uri: str, name: str, message: msgspec.Struct, *, timeout_seconds: float = 1.0) -> None:
        self.asked.append((uri, name))

    def pull(self, uri: str, ticket: msgspec.Struct, *, timeout_seconds: float | None) -> StillStream:
        return StillStream()


class FakeKernel:
    """Knows the schema of everything, and has spilled what the test says."""

    spill_bytes = 0

    def result_schema(
        self, sql: str, inputs: Mapping[str, tuple[Column, ...]], same_as: str | None = None, *, time_zone: str = "UTC"
    ) -> pa.Schema:
        return SCHEMA

    def statistics(self) -> KernelStatistics:
        return KernelStatistics(0, self.spill_bytes, 0)


class FakeStorage:
    def is_elsewhere(self, path: str) -> bool:
        return False


@dataclass
class SmallSite:
    """What an execution needs of its worker. ``run_share(table, number, context)`` gives the numbers of a share of one split."""

    monkeypatch: pytest.MonkeyPatch
    slots: int = 1
    others: list[WorkerStatus] = field(default_factory=list)
    peers: FakePeers = field(default_factory=FakePeers)
    ran: list[tuple[str, int]] = field(default_factory=list)
    run_share: Callable[[str, int, ExecutionContext], Sequence[int]] = lambda _table, number, _context: [number]

    def __post_init__(self) -> None:
        self.registry = ExchangeRegistry()
        self.heartbeats = Heartbeats()
        kernel = cast(Kernel, FakeKernel())
        self.site = Site(
            worker_id="here",
            uri=lambda: "grpc://here",
            slots=self.slots,
            kernel=kernel,
            serial_kernel=kernel,
            storage=cast(Storage, FakeStorage()),
            registry=self.registry,
            peers=cast(Peers, self.peers),
            heartbeats=self.heartbeats,
            buckets=BucketSpace(0, 0, Path("nowhere")),
            small_bytes=0,
            share_bytes=1 << 20,
            others=lambda: list(self.others),
        )
        self.monkeypatch.setattr(producer, "run_share", self._run_share)
        self.monkeypatch.setattr(once_fragment, "run_fragment", self._run_fragment)

    def _run_share(
        self, fragment: Fragment, share: Share, whole: WholeInputs, context: ExecutionContext, arrived: Mapping[str, pa.Table]
    ) -> tuple[list[Output], list[ScanReport], int]:
        context.cancellation.check()
        splits = [split for part in share.inputs for split in part.splits]
        if not splits:
            return [Output(batch(), True)], [], 0
        (split,) = splits
        table, _, number = split.file.path.removeprefix("default:").partition("/")
        self.ran.append((table, int(number)))
        numbers = self.run_share(table, int(number), context)
        context.cancellation.check()
        return [Output(batch(*numbers), True)], [], 0

    @contextmanager
    def _run_fragment(self, fragment: Fragment, share: Share, whole: WholeInputs, context: ExecutionContext) -> Iterator[FragmentRun]:
        """The last fragment: everything that arrived, one input after the other."""
        yield FragmentRun(SCHEMA, (part for table in whole.tables.values() for part in table.to_batches()), [])
