"""A worker: everything that one process of Volley is made of, put together, brought up and taken down in order."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

import fsspec
import psutil

from flight_server.cluster.cluster import Cluster
from flight_server.cluster.forwarding import Forwarding
from flight_server.cluster.peers import Peers
from flight_server.endpoints.server import VolleyServer
from flight_server.exchanges.exchange_service import ExchangeRegistry
from flight_server.exchanges.remote_operators import RemoteOperators
from flight_server.exchanges.site import Site
from flight_server.process.worker_actions import WorkerActions
from flight_server.protocol.messages import WorkerStatus
from flight_server.protocol.service import Services
from flight_server.queries.query_handler import QueryHandler
from flight_server.queries.stored import short_status
from flight_server.queries.table_listing import TableListing
from flight_server.settings.config import Config
from flight_server.settings.connections import DEFAULT, connections_of
from operators.exchange.bucket_shares import MAX_SHARE_BYTES, SMALL_BYTES
from operators.exchange.bucket_store import BucketSpace
from operators.exchange.heartbeats import Heartbeats
from operators.kernel.kernel import Kernel
from operators.results.results import ResultStore
from operators.scan.catalog import FileCatalog
from operators.scan.table_files import extension
from operators.storage import Storage
from planner import PlanOptions
from planner.limits import SqlLimits

KERNEL_SHARE = 0.70
SERIAL_KERNEL_SHARE = 0.05
"""The part of a worker's memory that the kernel may use; the rest is for records, hot row groups and Python."""
GATHER_SHARE = 0.125
BUCKETS_SHARE = 0.075
"""The part for what fragments put out for other workers; what is more goes to files, as much as ``limits.spill_bytes`` says."""
SHARES_SHARE = 0.125
"""The part that all shares of buckets together should have which run at once, one of them still being fetched."""
CACHE_SHARE = 0.05
MAX_CACHE_BYTES = 512 << 20

log = logging.getLogger(__name__)


class Worker:
    """One process's part of a server. ``state`` is a folder for results (without a default connection) and temporary files.

    :meth:`start` before use, :meth:`close` once, from the thread that made it.
    """

    def __init__(self, config: Config, state: Path) -> None:
        self.worker_id = secrets.token_hex(4)
        self._config = config
        self._started_at = time.time()
        self._process = psutil.Process()
        self._storage = Storage(connections_of(config), scratch_directory=state / "scratch")
        roots = [self._storage.add_root(root, may_be_file=extension(root) is not None) for root in config.data_roots]
        self._storage.check()
        self._kernel = self._new_kernel(max(config.threads, config.kernel_threads), KERNEL_SHARE, state)
        self._serial_kernel = self._new_kernel(1, SERIAL_KERNEL_SHARE, state)
        self._catalog = FileCatalog(self._storage, self._kernel, roots, config.tables, shallow=config.shallow_roots)
        self._results = self._result_store(state)
        self._peers = Peers()
        self._heartbeats = Heartbeats()
        self._registry = ExchangeRegistry()
        self._cluster = Cluster(self.own_status, self.worker_id, self._peers, self._on_lost)
        self._buckets = BucketSpace(int(config.memory_bytes * BUCKETS_SHARE), config.limits.spill_bytes, state / "exchange")
        site = Site(
            worker_id=self.worker_id,
            uri=lambda: self.uri,
            slots=config.threads,
            kernel=self._kernel,
            serial_kernel=self._serial_kernel,
            storage=self._storage,
            registry=self._registry,
            peers=self._peers,
            heartbeats=self._heartbeats,
            buckets=self._buckets,
            # Where everything is to be divided, so are a few rows.
            small_bytes=0 if config.planner.distribute == "always" else SMALL_BYTES,
            share_bytes=min(MAX_SHARE_BYTES, int(config.memory_bytes * SHARES_SHARE) // (config.threads + 1)),
            others=self._cluster.up,
        )
        self._guests = RemoteOperators(site)
        forwarding = Forwarding(self._peers, self._cluster)
        options = PlanOptions(
            distribute=config.planner.distribute,
            gather_bytes=int(config.memory_bytes * GATHER_SHARE),
            server_version=version(),
            limits=SqlLimits(sql_bytes=config.limits.sql_bytes),
        )
        self._handler = QueryHandler(
            self._catalog,
            self._results,
            site,
            forwarding,
            config.limits,
            options,
            self._discard_uploads,
            config.results.stream_ttl_seconds,
        )
        actions = WorkerActions(self._handler, self._registry, self._guests, self._cluster)
        self.services = Services(self._handler, TableListing(self._catalog), self._registry, actions, self._cluster.workers)
        """What the Flight face asks, and of whom."""
        self._server: VolleyServer | None = None

    @property
    def uri(self) -> str:
        """Where it can be reached, once it has started."""
        assert self._server is not None, "the worker has not started"
        return self._server.uri

    def start(self) -> None:
        """Accepts calls, and joins the workers that the configuration names. Raises ``PortInUse`` and ``ClientError``."""
        self._discard_uploads(self._results.recover())
        self._server = VolleyServer(
            self.services, self._config.host, self._config.port, version=version(), result_seconds=self._config.results.ttl_seconds
        )
        self._handler.start()
        self._cluster.start(self._config.join)
        log.info("worker %s serves at %s", self.worker_id, self.uri)

    def drain(self, seconds: float) -> None:
        """Takes no new queries, tells the others so, and gives what runs here ``seconds`` to end: also for queries of other workers."""
        until = time.monotonic() + seconds
        self._handler.refuse_new()
        self._cluster.announce()
        log.info("draining: no new queries, those that run may end")
        self._handler.drain(seconds)
        self._guests.wait_gone(max(0.0, until - time.monotonic()))

    def close(self) -> None:
        """Stops what runs, and frees everything. May be called at any point of its life."""
        self._handler.close()
        self._guests.close()
        self._cluster.stop()
        if self._server is not None:
            self._server.shutdown()
        self._heartbeats.stop()
        self._peers.close()
        self._results.close()
        self._buckets.close()
        self._kernel.close()
        self._serial_kernel.close()
        self._storage.close()

    def worker_lost(self, worker_id: str) -> None:
        """Another worker's process is known to have ended."""
        self._cluster.lost(worker_id)

    def own_status(self) -> WorkerStatus:
        """How this worker is doing."""
        with self._process.oneshot():
            memory = self._process.memory_info().rss
            cpu = self._process.cpu_percent()
        running = self._handler.running()
        return WorkerStatus(
            worker_id=self.worker_id,
            uri=self.uri,
            pid=os.getpid(),
            slots=self._config.threads,
            slots_used=min(self._config.threads, running + self._guests.running()),
            memory_limit_bytes=self._config.memory_bytes,
            memory_used_bytes=memory,
            cpu_percent=cpu,
            cache_bytes=self._results.statistics().cache.bytes,
            queries=running,
            state="draining" if self._handler.draining else "up",
            started_at=self._started_at,
            version=version(),
        )

    # -- set-up ---------------------------------------------------------------------------------------------------------

    def _on_lost(self, worker_id: str) -> None:
        try:
            self._handler.on_worker_lost(worker_id)
        finally:
            self._guests.on_worker_lost(worker_id)

    def _new_kernel(self, threads: int, share: float, state: Path) -> Kernel:
        memory_bytes = int(self._config.memory_bytes * share)
        return Kernel(threads, memory_bytes, state / "kernel", self._storage.local_roots(), spill_bytes=self._config.limits.spill_bytes)

    def _discard_uploads(self, query_ids: Sequence[str]) -> None:
        """What a dead process had half uploaded of these results is thrown away."""
        if DEFAULT in self._config.connections:
            for query_id in query_ids:
                self._storage.abort_uploads(f"{DEFAULT}:results/{query_id}/")

    def _result_store(self, state: Path) -> ResultStore:
        """Results go to the default connection, if the configuration has one, and else into the state folder."""
        if DEFAULT in self._config.connections:
            filesystem, root = self._storage.filesystem()
        else:
            filesystem, root = fsspec.filesystem("file"), str(state)
        results = self._config.results
        return ResultStore(
            filesystem,
            root,
            self._storage.failure if DEFAULT in self._config.connections else lambda _error: None,
            short=short_status,
            rows_per_group=results.rows_per_group,
            groups_per_file=results.groups_per_file,
            ttl_seconds=results.ttl_seconds,
            cache_bytes=min(MAX_CACHE_BYTES, int(self._config.memory_bytes * CACHE_SHARE)),
            max_result_bytes=self._config.limits.result_bytes,
            total_bytes=results.total_bytes,
            patience_seconds=self._config.connections[DEFAULT].patience_seconds if DEFAULT in self._config.connections else 0.0,
        )


def version() -> str:
    """Volley's version."""
    try:
        return importlib.metadata.version("volley")
    except importlib.metadata.PackageNotFoundError:
        return "0+source"
