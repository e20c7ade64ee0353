"""What a worker offers to the queries that it runs, its own and those of other workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flight_server.cluster.peers import Peers
from flight_server.exchanges.exchange_service import ExchangeRegistry
from flight_server.protocol.messages import InstanceStatus, WorkerStatus
from operators.exchange.heartbeats import Heartbeats
from operators.kernel.kernel import Kernel
from operators.run.producer import InstanceStatistics
from operators.storage import Storage


@dataclass(frozen=True, slots=True)
class Site:
    """What a worker offers to the queries that it runs."""

    worker_id: str
    uri: Callable[[], str]
    slots: int
    kernel: Kernel
    serial_kernel: Kernel
    storage: Storage
    registry: ExchangeRegistry
    peers: Peers
    heartbeats: Heartbeats
    others: Callable[[], list[WorkerStatus]]


def instance_status(worker_id: str, statistics: InstanceStatistics) -> InstanceStatus:
    """What an instance on ``worker_id`` has done so far."""
    return InstanceStatus(
        worker_id=worker_id,
        records=statistics.records,
        rows=statistics.rows,
        bytes=statistics.bytes,
        seconds=statistics.seconds,
        scanned_bytes=statistics.scanned_bytes,
        requests=statistics.requests,
    )


def instances_of(site: Site, fetching: bool, most: int) -> int:
    """How many instances of an operator a worker runs: one a slot, and one more to fetch its split while the others compute.

    Not more than ``most``: the worker that begins first would take shares that the others have time for.
    """
    return min(site.slots + (1 if fetching else 0), most)
