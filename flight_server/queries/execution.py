"""One query's plan, run: fragments spread over the workers where the planner says so, one after the other, and the last into the result.

    shares ──lease──► instances, on all workers ──► their exchanges ──pull──► the handler's exchange ──► last fragment ──► result
                                  ▲                                                   │
                                  └──────────────── broadcast tables ◄────────────────┘

What goes through a hash exchange stays with the workers that made it; those that have leased shares of it fetch them from each other.

A fragment starts when the exchanges that it reads are complete, and the keys are there by which what it scans is to be pruned
(``key_fragments``). One without shares runs on the handler: in a thread of its own, or, if it is the last, in the thread that calls
:meth:`Execution.run`, as all of a plan of one fragment does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Protocol

import pyarrow as pa

from flight_server.errors import QueryKilled
from flight_server.exchanges.distributed_fragment import DistributedFragment
from flight_server.exchanges.exchange_service import SHARE_SCHEMA, share_batch
from flight_server.exchanges.hash_output import HashOutput
from flight_server.exchanges.names import exchange_name, output_name, producer_name, shares_name
from flight_server.exchanges.once_fragment import OnceFragment
from flight_server.exchanges.site import Site
from flight_server.protocol.messages import OperatorStatus
from flight_server.protocol.service import PeekStream
from flight_server.protocol.status import as_volley_error
from flight_server.queries.fragment_order import ExchangeComplete, FragmentOrder, HashesInUse
from flight_server.queries.key_fragments import KeyFragments
from flight_server.queries.operator_statuses import FragmentFacts, Operator, exchange_status, facts_of, producer_status
from operators.cancellation import Cancellation
from operators.exchange.bucket_store import BucketStore
from operators.exchange.exchange import Held
from operators.run.fragments import ExecutionContext, Output
from planner.physical import ExchangeInput, Fragment, PhysicalPlan

STREAM_WINDOW_SHARES = 4
"""Shares of a streamed fragment that each worker may have under way: it bounds the rows that wait for their turn."""


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
        self._fragments = plan.fragments
        self._root = plan.fragments[-1]
        self._exchanges = {exchange.id: exchange for exchange in plan.exchanges}
        readers = [(arm.exchange, fragment) for fragment in plan.fragments for arm in fragment.inputs if isinstance(arm, ExchangeInput)]
        read = [exchange for exchange, _ in readers]
        # Whoever leases the records of an exchange takes all there is: what is read more than once is kept as a table.
        hashed = {exchange.id for exchange in plan.exchanges if exchange.kind == "hash"}
        self._kept = {exchange for exchange, reader in readers if reader.parallel or read.count(exchange) > 1} - hashed
        self._producers = {fragment.output: fragment for fragment in plan.fragments}
        self._facts = facts_of(plan)
        self._sink = sink
        self._site = site
        self._killed = cancellation
        # Of its own: the first operator that fails stops all others, and that is no kill.
        self._stopped = Cancellation()
        self._context = ExecutionContext(query_id, site.kernel, site.serial_kernel, site.storage, self._stopped)
        self._buckets = BucketStore(site.buckets)
        self._hashes = {
            exchange: HashOutput(
                self._exchanges[exchange], output_name(query_id, exchange), site.worker_id, self._teller(exchange), self.exclude
            )
            for exchange in hashed
        }
        self._operators: dict[int, Operator] = {}
        self._broadcasts: dict[int, pa.Table] = {}
        self._lock = threading.Lock()
        self._events: SimpleQueue[ExchangeComplete | None] = SimpleQueue()
        self._streamed_rows = self._streamed_bytes = 0
        self._ended = False
        self._keys = KeyFragments(plan, self._context, site, lambda exchange: self._events.put(ExchangeComplete(exchange)))
        self._excluded: set[str] = set()

    def run(self) -> None:
        """Runs the plan to its end. Raises the first error of any operator, which stops all others at once, or the cancellation's."""
        order = FragmentOrder(self._fragments)
        in_use = HashesInUse(self._fragments, self._hashes)
        for fragment in self._fragments:
            self._operators[fragment.id] = self._operator(fragment)
        stopping = self._stopped.on_cancel
        with stopping(self._fail_operators), stopping(self._sink.release), self._killed.on_cancel(self._kill):
            ready = order.begin()
            while not any(fragment is self._root for fragment in ready):
                for fragment in ready:
                    self._start(self._pruned(fragment))
                event = self._next_event()
                self._release(in_use.on(event))
                ready = order.on(event)
            self._root = self._pruned(self._root)
            self._run_root()
            self._release(self._hashes)
            for distributed in self._distributed():
                distributed.settle()
        self._ended = True

    def close(self) -> None:
        """The query is over: what still runs for it here is interrupted, and its exchanges hand out nothing any more."""
        over = QueryKilled("its query has ended")
        self._stopped.cancel(over)
        self._keys.stop(over)
        for distributed in self._distributed():
            distributed.close(over)
        self._buckets.close()
        with self._lock:
            self._broadcasts.clear()

    def others(self) -> list[str]:
        """The URIs of the other workers that take part."""
        return sorted({worker.uri for distributed in self._distributed() for worker in distributed.others})

    def exclude(self, worker_id: str) -> None:
        """A worker takes no more part in this query: what it had on lease, or had not handed over, is run again by the others."""
        self._excluded.add(worker_id)
        for distributed in self._distributed():
            distributed.exclude(worker_id)

    # -- fragments ------------------------------------------------------------------------------------------------------

    def _operator(self, fragment: Fragment) -> Operator:
        if self._keys.gives_keys(fragment):
            return self._keys.operator(fragment)
        complete = self._teller(fragment.output)
        if not fragment.parallel:
            return OnceFragment(fragment, self._context, self._site, complete, self._hashes.get(fragment.output), self._buckets)
        columns = {arm.name: arm.columns for arm in fragment.inputs}
        schema = self._site.kernel.result_schema(fragment.sql, columns, time_zone=fragment.time_zone)
        window = STREAM_WINDOW_SHARES if fragment.id == self._root.id else None
        return DistributedFragment(fragment, schema, self._context, self._site, window, self.exclude, complete, self._hashes, self._buckets)

    def _pruned(self, fragment: Fragment) -> Fragment:
        """The fragment as it is to run: without what the keys of its filters rule out, which are known now."""
        narrow = self._keys.pruned(fragment)
        if narrow is not fragment:
            self._producers[narrow.output] = narrow
            self._facts[fragment.id] = FragmentFacts(narrow, self._producers)
            self._operators[fragment.id] = operator = self._operator(narrow)
            if isinstance(operator, DistributedFragment):
                for worker_id in list(self._excluded):
                    operator.exclude(worker_id)
            self._stopped.check()  # whoever stopped the query before has stopped another operator
        return narrow

    def _teller(self, exchange: int) -> Callable[[], None]:
        return lambda: self._events.put(ExchangeComplete(exchange))

    def _release(self, exchanges: Iterable[int]) -> None:
        """Nobody will read these hash exchanges again."""
        for exchange in exchanges:
            match self._producer(exchange):
                case DistributedFragment() as distributed:
                    distributed.release()
                case OnceFragment():
                    self._buckets.drop(self._hashes[exchange].name)

    def _kill(self) -> None:
        assert self._killed.error is not None
        self._stopped.cancel(self._killed.error)

    def _fail_operators(self) -> None:
        assert self._stopped.error is not None
        for operator in list(self._operators.values()):
            operator.fail(self._stopped.error)
        self._events.put(None)

    def _next_event(self) -> ExchangeComplete:
        event = self._events.get()
        self._stopped.check()
        assert event is not None, "nothing else wakes it"
        return event

    def _start(self, fragment: Fragment) -> None:
        """Starts a fragment that others wait for; does not wait for its end."""
        match self._operators[fragment.id]:
            case DistributedFragment() as distributed:
                distributed.start(self._broadcasts_to(fragment))
            case OnceFragment() as once if self._keys.gives_keys(fragment):
                self._keys.start(once)
            case OnceFragment() as once:
                name = f"{self._context.query_id[:8]}/{producer_name(fragment)}"
                threading.Thread(target=self._run_once, args=(once,), name=name, daemon=True).start()

    def _run_once(self, once: OnceFragment) -> None:
        try:
            with ExitStack() as acks:
                once.run_into_exchange(self._arrived(once.fragment, acks))
        except Exception as error:
            self._stopped.cancel(as_volley_error(error))

    def _run_root(self) -> None:
        match self._operators[self._root.id]:
            case DistributedFragment() as distributed:
                distributed.start(self._broadcasts_to(self._root))
                self._stream(distributed)
            case OnceFragment() as once:
                with ExitStack() as acks:
                    once.run(self._arrived(self._root, acks), self._append)

    def _stream(self, distributed: DistributedFragment) -> None:
        """Rows of a fragment that needs nothing more, in the order of its shares, as they come."""
        early: dict[str, list[Held[Output]]] = {}
        for key in distributed.keys:
            waiting = early.setdefault(str(key), [])
            while not (waiting and waiting[-1].payload.last):
                held = distributed.gathered.lease("result")
                assert held is not None, "the exchange ends after its last share"
                early.setdefault(held.key.input_key, []).append(held)
            for held in early.pop(str(key)):
                self._append(held.payload.batch)
                self._streamed_rows += held.record.rows
                self._streamed_bytes += held.record.bytes
                distributed.gathered.ack(held.key, held.lease.epoch)
            distributed.advance()

    def _append(self, batch: pa.RecordBatch) -> None:
        self._context.cancellation.check()
        if batch.num_rows:
            self._sink.append(batch)

    # -- what goes from one to the next ---------------------------------------------------------------------------------

    def _arrived(self, fragment: Fragment, acks: ExitStack) -> dict[str, pa.Table]:
        """What the exchanges hold that a fragment which runs once reads, by its names for them; acknowledged if ``acks`` ends well."""
        return {arm.name: self._table(arm.exchange, fragment, acks) for arm in fragment.inputs if isinstance(arm, ExchangeInput)}

    def _table(self, exchange: int, consumer: Fragment, acks: ExitStack) -> pa.Table:
        if exchange in self._kept:
            return self._broadcast(exchange)
        producer = self._producer(exchange)
        table, acknowledge = producer.gathering.lease_table(producer_name(consumer), producer.schema)
        acks.push(lambda kind, *_: acknowledge() if kind is None else None)
        return table

    def _broadcasts_to(self, fragment: Fragment) -> dict[int, pa.Table]:
        whole = [arm for arm in fragment.inputs if isinstance(arm, ExchangeInput) and not arm.bucketed]
        return {arm.exchange: self._broadcast(arm.exchange) for arm in whole}

    def _broadcast(self, exchange: int) -> pa.Table:
        """What a complete exchange holds, kept for all who read it until the query ends."""
        with self._lock:
            table = self._broadcasts.get(exchange)
            if table is None:
                producer = self._producer(exchange)
                table, acknowledge = producer.gathering.lease_table(self._exchanges[exchange].kind, producer.schema)
                acknowledge()
                self._broadcasts[exchange] = table
            return table

    def _producer(self, exchange: int) -> Operator:
        (producer,) = (operator for operator in self._operators.values() if operator.fragment.output == exchange)
        return producer

    # -- what it says of itself -----------------------------------------------------------------------------------------

    def _distributed(self) -> list[DistributedFragment]:
        return [operator for operator in list(self._operators.values()) if isinstance(operator, DistributedFragment)]

    def _peekable(self) -> list[Operator]:
        """The operators whose output waits in an exchange: all but a last fragment that runs once."""
        return [operator for operator in list(self._operators.values()) if operator.fragment.id != self._root.id or self._root.parallel]

    def exchange_names(self) -> list[str]:
        """The exchanges that can be peeked at."""
        outputs = [exchange_name(operator.fragment.output) for operator in self._peekable()]
        return outputs + [shares_name(distributed.fragment) for distributed in self._distributed()]

    def peek(self, name: str, records: int) -> PeekStream | None:
        """Up to ``records`` records that wait in an exchange now; None if there is none of that name."""
        for operator in self._peekable():
            if name == exchange_name(operator.fragment.output):
                if operator.hashed is not None:
                    return PeekStream(operator.schema, iter(self._buckets.peek(operator.hashed.name, records)))
                kept = self._broadcasts.get(operator.fragment.output)
                waiting = [item.batch for item in operator.gathered.peek(records)] if kept is None else kept.to_batches()
                return PeekStream(operator.schema, iter([batch for batch in waiting if batch.num_rows][:records]))
        for distributed in self._distributed():
            if name == shares_name(distributed.fragment):
                return PeekStream(SHARE_SCHEMA, iter([share_batch(share) for share in distributed.shares.peek(records)]))
        return None

    def statuses(self) -> list[OperatorStatus]:
        """Its operators, producers before consumers."""
        statuses = []
        for operator in list(self._operators.values()):
            facts = self._facts[operator.fragment.id]
            statuses.append(producer_status(operator, facts, self._keys.statuses(operator.fragment)))
            if operator.fragment.id != self._root.id:
                statuses.append(exchange_status(operator, self._exchanges[operator.fragment.output], facts))
        return [*statuses, self._result_status()]

    def _result_status(self) -> OperatorStatus:
        rows, size = self._streamed_rows, self._streamed_bytes
        match self._operators.get(self._root.id):
            case OnceFragment() as once:
                ((rows, size),) = ((instance.rows, instance.bytes) for instance in once.instances())
        return OperatorStatus(
            operator="result",
            kind="result",
            title="result",
            state="completed" if self._ended else "running",
            inputs=[producer_name(self._root)],
            rows=rows,
            bytes=size,
        )
