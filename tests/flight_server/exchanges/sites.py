"""What a worker offers, with nothing behind it: no kernel, no storage; the other workers are those of a fake network."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from flight_server.cluster.peers import Peers
from flight_server.exchanges.exchange_service import ExchangeRegistry
from flight_server.exchanges.site import Site
from flight_server.protocol.messages import WorkerStatus
from operators.cancellation import Cancellation
from operators.exchange.bucket_store import BucketSpace
from operators.exchange.heartbeats import Heartbeats
from operators.kernel.kernel import Kernel
from operators.run.fragments import ExecutionContext
from operators.storage import Storage
from tests.flight_server.cluster.fake_flight import FakeNetwork, uri_of

NO_KERNEL = cast(Kernel, None)


class NoStorage:
    """Knows of every path that it is on this machine."""

    def is_elsewhere(self, path: str) -> bool:
        return False


def bare_site(network: FakeNetwork, slots: int, *others: WorkerStatus) -> Site:
    """Worker ``self`` with so many slots; none: all that runs runs elsewhere."""
    return Site(
        worker_id="self",
        uri=lambda: uri_of("self"),
        slots=slots,
        kernel=NO_KERNEL,
        serial_kernel=NO_KERNEL,
        storage=cast(Storage, NoStorage()),
        registry=ExchangeRegistry(),
        peers=Peers(network.connect),
        heartbeats=Heartbeats(),
        buckets=BucketSpace(0, 0, Path("nowhere")),
        small_bytes=0,
        share_bytes=1 << 20,
        others=lambda: list(others),
    )


def context_of(query_id: str) -> ExecutionContext:
    """A query that runs."""
    return ExecutionContext(query_id, NO_KERNEL, NO_KERNEL, cast(Storage, NoStorage()), Cancellation())
