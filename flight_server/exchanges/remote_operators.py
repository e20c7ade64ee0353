"""Operators that run on this worker for queries of other workers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from flight_server.errors import QueryKilled, WorkerLost
from flight_server.exchanges.broadcasts import FetchedTables
from flight_server.exchanges.bucket_pulls import BucketReader, BucketSource, KeptBuckets
from flight_server.exchanges.exchange_service import serve_outputs
from flight_server.exchanges.remote_source import RemoteSource
from flight_server.exchanges.site import Site, instance_status, instances_of
from flight_server.protocol.exchange_messages import EXCHANGE_LOCATE, LocateRequest, Locations, StartOperator
from operators.cancellation import Cancellation
from operators.exchange.bucket_places import BucketSizes
from operators.exchange.bucket_store import BucketStore
from operators.exchange.exchange import Exchange
from operators.exchange.records import RecordKey
from operators.run.fragments import ExecutionContext, Output
from operators.run.gathering import output_records
from operators.run.producer import ProducerInstance, nothing_to_fetch
from operators.run.whole_inputs import WholeInputs
from planner.errors import VolleyError
from planner.physical import ExchangeInput, Fragment, ScanInput

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Guest:
    """What runs here for one query of another worker."""

    handler_id: str
    context: ExecutionContext
    tables: FetchedTables
    buckets: BucketStore
    exchanges: list[Exchange[Output]] = field(default_factory=list)
    whole: list[WholeInputs] = field(default_factory=list)


class RemoteOperators:
    """Starts and stops the instances that other workers' queries have here. Thread-safe."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._guests: dict[str, _Guest] = {}
        self._lock = threading.Lock()
        self._left = threading.Condition(self._lock)

    def start(self, start: StartOperator) -> None:
        """Brings the output exchange up; returns once it can be pulled from. The instances begin when all broadcast tables are here."""
        site = self._site
        schema = pa.ipc.read_schema(pa.py_buffer(start.schema))
        exchange: Exchange[Output] = Exchange()
        with self._lock:
            guest = self._guests.get(start.query_id)
            if guest is None:
                context = ExecutionContext(start.query_id, site.kernel, site.serial_kernel, site.storage, Cancellation())
                tables = FetchedTables(site.peers, start.handler_uri, f"{site.worker_id}/{start.query_id[:8]}", context.cancellation)
                guest = self._guests[start.query_id] = _Guest(start.handler_id, context, tables, BucketStore(site.buckets))
            guest.exchanges.append(exchange)
        if start.buckets:
            site.registry.add_buckets(start.query_id, start.output, KeptBuckets(guest.buckets, start.output, schema))
        else:
            site.registry.add(start.query_id, start.output, serve_outputs(exchange, schema))
        if start.tables:
            name = f"{start.query_id[:8]}/{start.operator}"
            threading.Thread(target=self._fetch_and_begin, args=(start, guest, exchange), name=name, daemon=True).start()
        else:
            self._begin(start, guest, exchange, {})

    def stop(self, query_id: str) -> None:
        """The query has ended: interrupts what runs for it here and drops its exchanges."""
        self._stop(query_id, QueryKilled("its query has ended"))

    def drop(self, query_id: str, exchange: str) -> None:
        """All that is kept here of a hash exchange has been read."""
        guest = self._guests.get(query_id)
        if guest is not None:
            guest.buckets.drop(exchange)

    def on_worker_lost(self, worker_id: str) -> None:
        """A worker is gone, and its queries with it."""
        with self._lock:
            orphans = [query_id for query_id, guest in self._guests.items() if guest.handler_id == worker_id]
        for query_id in orphans:
            self._stop(query_id, WorkerLost("the worker that owns the query was lost"))

    def close(self) -> None:
        """Stops everything."""
        with self._lock:
            guests = list(self._guests)
        for query_id in guests:
            self.stop(query_id)

    def wait_gone(self, seconds: float) -> bool:
        """Waits up to ``seconds`` until no other worker's query has operators here; whether none has."""
        with self._left:
            return self._left.wait_for(lambda: not self._guests, seconds)

    def running(self) -> int:
        """How many other workers' queries have operators here."""
        return len(self._guests)

    def _fetch_and_begin(self, start: StartOperator, guest: _Guest, exchange: Exchange[Output]) -> None:
        try:
            tables = {name: guest.tables.fetch(table) for name, table in start.tables.items()}
        except VolleyError as error:
            # Whoever has the tables can do without this worker.
            log.info("%s of query %s does not begin here: %s", start.operator, start.query_id, error)
        except Exception:
            log.exception("%s of query %s does not begin here", start.operator, start.query_id)
        else:
            self._begin(start, guest, exchange, tables)

    def _begin(self, start: StartOperator, guest: _Guest, exchange: Exchange[Output], tables: dict[str, pa.Table]) -> None:
        whole = WholeInputs(tables, self._site.storage)
        with self._lock:
            if self._guests.get(start.query_id) is not guest:
                return
            guest.whole.append(whole)
        for index in range(instances_of(self._site, start.fetching, start.most_instances)):
            instance = self._instance(start, guest, exchange, whole, index)
            threading.Thread(target=_guarded, args=(instance,), name=instance.name, daemon=True).start()

    def _stop(self, query_id: str, error: VolleyError) -> None:
        with self._lock:
            guest = self._guests.pop(query_id, None)
            self._left.notify_all()
        if guest is not None:
            guest.context.cancellation.cancel(error)
            for exchange in guest.exchanges:
                exchange.fail(error)
            for whole in guest.whole:
                whole.close()
            guest.buckets.close()
        # Also where nothing is known of it: a start that came at the same time may have brought its exchange up just now.
        self._site.registry.drop(query_id)

    def _instance(
        self, start: StartOperator, guest: _Guest, exchange: Exchange[Output], whole: WholeInputs, index: int
    ) -> ProducerInstance:
        site, context = self._site, guest.context
        inputs: tuple[ScanInput | ExchangeInput, ...] = (*start.scans, *start.broadcasts, *(bucketed.arm for bucketed in start.bucketed))
        fragment = Fragment(start.fragment_id, start.sql, inputs, output=0, time_zone=start.time_zone)
        name = f"{site.worker_id}/{start.query_id[:8]}/{fragment.id}.{index}"
        source = RemoteSource(
            site.peers, start.handler_uri, start.source, name, context.cancellation, lambda done: instance_status(site.worker_id, done)
        )

        def commit(share: RecordKey, outputs: list[Output]) -> BucketSizes | None:
            if start.buckets:
                return guest.buckets.put(start.output, share.sequence, [output.batch for output in outputs], start.buckets)
            exchange.commit(str(share), output_records(start.operator, share, outputs))
            return None

        fetch = self._reader(start, guest, name).fetch if start.bucketed else nothing_to_fetch
        return ProducerInstance(name, fragment, source, commit, context, site.heartbeats, whole, fetch)

    def _reader(self, start: StartOperator, guest: _Guest, name: str) -> BucketReader:
        peers = self._site.peers

        def locate(exchange: str, unreachable: Sequence[str]) -> Locations:
            return peers.ask(start.handler_uri, EXCHANGE_LOCATE, LocateRequest(exchange, name, list(unreachable)), Locations)

        sources = {
            bucketed.arm.name: BucketSource(
                bucketed.exchange, pa.ipc.read_schema(pa.py_buffer(bucketed.schema)), partial(locate, bucketed.exchange)
            )
            for bucketed in start.bucketed
        }
        return BucketReader(self._site.worker_id, name, sources, guest.buckets, peers, guest.context.cancellation)


def _guarded(instance: ProducerInstance) -> None:
    try:
        instance.run()
    except VolleyError as error:
        log.info("%s stops: %s", instance.name, error)
    except Exception:
        # Its lease expires at the handler, which has the share run elsewhere.
        log.exception("%s stops", instance.name)
