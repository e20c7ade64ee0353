"""Two workers over one folder of files, with kernels of their own and no socket between them; plans made by hand run on both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pyarrow as pa
import pyarrow.flight as flight

from flight_server.cluster.peers import Peers
from flight_server.errors import ClientError
from flight_server.exchanges.exchange_service import ExchangeRegistry
from flight_server.exchanges.remote_operators import RemoteOperators
from flight_server.exchanges.site import Site
from flight_server.protocol.exchange_messages import (
    EXCHANGE_ACK,
    EXCHANGE_DROP,
    EXCHANGE_HEARTBEAT,
    EXCHANGE_LOCATE,
    EXCHANGE_RELEASE,
    OPERATOR_START,
    OPERATOR_STOP,
    AckRequest,
    DropExchange,
    HeartbeatRequest,
    LocateRequest,
    ReleaseRequest,
    StartOperator,
    StopOperators,
)
from flight_server.protocol.messages import WorkerStatus, decode
from flight_server.queries.execution import Execution
from operators.cancellation import Cancellation
from operators.exchange.bucket_store import BucketSpace
from operators.exchange.heartbeats import Heartbeats
from planner.errors import Status, VolleyError
from planner.physical import PhysicalPlan
from tests.flight_server.cluster.fake_flight import FakeNetwork, FakeStream, FakeWorker, uri_of, worker
from tests.lakes import Lake

Truth = Callable[[str], list[tuple[object, ...]]]
"""The rows that a statement has, whoever runs it."""
QUERY = "query-of-a-test"
KEPT_BYTES = 100_000
"""What a worker keeps in memory of what it puts out into hash exchanges; the rest goes to files."""


def flight_error(error: VolleyError) -> Exception:
    """As Flight has it at the other end."""
    kinds = {Status.UNAVAILABLE: flight.FlightUnavailableError, Status.CANCELLED: flight.FlightCancelledError}
    told: Exception = kinds.get(error.status, flight.FlightInternalError)(str(error))
    return told


class LiveStream(FakeStream):
    """What the other side sends, as it sends it."""

    def __init__(self, schema: pa.Schema, batches: Iterator[tuple[pa.RecordBatch, bytes]]) -> None:
        super().__init__(schema=schema)
        self._items = self._translated(batches)

    def _translated(self, batches: Iterator[tuple[pa.RecordBatch, bytes]]) -> Iterator[Any]:
        try:
            yield from batches
        except VolleyError as error:
            yield flight_error(error)


class Side:
    """One of the two workers. ``before(name)`` is called for each action and pull that comes from the other one, and may raise."""

    def __init__(self, name: str, root: Path, scratch: Path, network: Callable[[], FakeNetwork], others: Sequence[WorkerStatus]) -> None:
        self.lake = Lake(root, scratch)
        self.heartbeats = Heartbeats()
        self.before: Callable[[str], None] = lambda _name: None
        self.site = Site(
            worker_id=name,
            uri=lambda: uri_of(name),
            slots=2,
            kernel=self.lake.kernel,
            serial_kernel=self.lake.kernel,
            storage=self.lake.storage,
            registry=ExchangeRegistry(),
            peers=Peers(lambda uri: network().connect(uri)),
            heartbeats=self.heartbeats,
            buckets=BucketSpace(KEPT_BYTES, 1 << 30, scratch),
            small_bytes=0,
            share_bytes=1 << 20,
            others=lambda: list(others),
        )
        self.guests = RemoteOperators(self.site)
        self.worker = FakeWorker(self._act, self._get)

    def close(self) -> None:
        self.guests.close()
        self.heartbeats.stop()
        self.lake.close()

    def _act(self, name: str, body: bytes) -> msgspec.Struct | None:
        try:
            self.before(name)
            match name:
                case "operator.start":
                    self.guests.start(decode(body, StartOperator))
                case "operator.stop":
                    self.guests.stop(decode(body, StopOperators).query_id)
                case "exchange.ack":
                    return self.site.registry.ack(decode(body, AckRequest))
                case "exchange.drop":
                    drop = decode(body, DropExchange)
                    self.guests.drop(drop.query_id, drop.exchange)
                case "exchange.locate":
                    return self.site.registry.locate(decode(body, LocateRequest))
                case "exchange.heartbeat":
                    return self.site.registry.heartbeat(decode(body, HeartbeatRequest))
                case "exchange.release":
                    return self.site.registry.release(decode(body, ReleaseRequest))
        except VolleyError as error:
            raise flight_error(error) from None
        return None

    def _get(self, ticket: bytes) -> FakeStream:
        try:
            self.before(msgspec.json.decode(ticket)["exchange"])
            stream = self.site.registry.pull(ticket, lambda: False)
        except VolleyError as error:
            raise flight_error(error) from None
        return LiveStream(stream.schema, stream.batches)


assert {EXCHANGE_ACK, EXCHANGE_DROP, EXCHANGE_HEARTBEAT, EXCHANGE_LOCATE, EXCHANGE_RELEASE, OPERATOR_START, OPERATOR_STOP} == {
    "exchange.ack",
    "exchange.drop",
    "exchange.locate",
    "exchange.heartbeat",
    "exchange.release",
    "operator.start",
    "operator.stop",
}


class TwoWorkers:
    """``here`` has the query, ``there`` takes part."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self.here = Side("here", root, scratch / "here", lambda: self.network, [worker("there")])
        self.there = Side("there", root, scratch / "there", lambda: self.network, [])
        self.network = FakeNetwork(here=self.here.worker, there=self.there.worker)

    def running(self, plan: PhysicalPlan) -> Running:
        return Running(self, plan)

    def rows(self, plan: PhysicalPlan) -> list[tuple[object, ...]]:
        """The answer of a plan, and sees that nothing is left of it."""
        running = self.running(plan)
        answer = running.rows()
        assert running.left() == []
        return answer

    def close(self) -> None:
        self.here.close()
        self.there.close()


@dataclass
class Running:
    """A plan that runs; what it is stopped by, and what it gave."""

    workers: TwoWorkers
    plan: PhysicalPlan
    batches: list[pa.RecordBatch] = field(default_factory=list)
    cancellation: Cancellation = field(default_factory=Cancellation)

    def __post_init__(self) -> None:
        self.execution = Execution(QUERY, self.plan, self, self.cancellation, self.workers.here.site)

    def append(self, batch: pa.RecordBatch) -> None:
        self.batches.append(batch)

    def release(self) -> None:
        return

    def rows(self) -> list[tuple[object, ...]]:
        """Runs it as a query handler does."""
        try:
            self.execution.run()
        finally:
            self.execution.close()
            self.workers.here.site.registry.drop(QUERY)
            for uri in self.execution.others():
                self.workers.here.site.peers.tell(uri, OPERATOR_STOP, StopOperators(QUERY))
        table = pa.Table.from_batches(self.batches, schema=self.plan.schema)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def workers_of(self, operator: str) -> set[str]:
        """Who ran shares of an operator."""
        (status,) = (status for status in self.execution.statuses() if status.operator == operator)
        return {instance.worker_id for instance in status.instances if instance.records}

    def left(self) -> list[str]:
        """What the query has left behind on the two workers."""
        names = [*self.workers.here.site.registry.names(), *self.workers.there.site.registry.names()]
        guests = [QUERY] if self.workers.there.guests.running() else []
        for thread in threading.enumerate():
            if QUERY[:8] in thread.name or thread.name.startswith("start-"):
                thread.join(20.0)
        threads = [thread.name for thread in threading.enumerate() if QUERY[:8] in thread.name]
        buckets = [str(side) for side in (self.workers.here, self.workers.there) if side.site.buckets.used_bytes()]
        return [*names, *guests, *threads, *buckets, *map(str, self.execution._broadcasts)]


def at_point(workers: TwoWorkers, point: str, act: Callable[[], None]) -> list[int]:
    """Acts the first time that one of the two says ``point`` to the other; how often it did, in a list of its own."""
    acted: list[int] = []

    def before(name: str) -> None:
        if name == point and not acted:
            acted.append(1)
            act()

    workers.here.before = workers.there.before = before
    return acted


def lose_there(running: Running) -> NoReturn:
    """``there`` is lost to a query, and whatever has just been said to it was said in vain."""
    running.execution.exclude("there")
    raise ClientError("it is gone", status=Status.UNAVAILABLE)
