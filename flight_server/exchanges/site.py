"""What a worker offers to the queries that it runs, its own and those of other workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flight_server.cluster.peers import Peers
from flight_server.exchanges.exchange_service import ExchangeRegistry
from flight_server.protocol.messages import InstanceStatus, WorkerStatus
from operators.exchange.bucket_store import BucketSpace
from operators.exchange.heartbeats import Heartbeats
from operators.kernel.kernel import Kernel
from operators.run.producer import InstanceStatistics
from operators.storage import Storage


@dataclass(frozen=True, slots=True)
class Site:
    """What a worker offers to the queries that it runs.

    ``buckets``: the room for what fragments put out into hash exchanges. What is less than ``small_bytes`` there is not divided;
    what is more, into shares of at most ``share_bytes``, as far as buckets allow.
    """

    worker_id: str
    uri: Callable[[], str]
    slots: int
    kernel: Kernel
    serial_kernel: Kernel
    storage: Storage
    registry: ExchangeRegistry
    peers: Peers
    heartbeats: Heartbeats
    buckets: BucketSpace
    small_bytes: int
    share_bytes: int
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
        spill_bytes=statistics.spill_bytes,
        retries=statistics.retries,
    )


def instances_of(site: Site, fetching: bool, most: int) -> int:
    """How many instances of an operator a worker runs: one a slot, and one more to fetch its share while the others compute.

    Not more than ``most``: the worker that begins first would take shares that the others have time for.
    """
    return min(site.slots + (1 if fetching else 0), most)
