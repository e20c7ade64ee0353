"""The keys of a running plan's runtime filters: read first, for so long as is worth it, and used where they came in time.

A filter only ever spares work. So whatever goes wrong with its keys (a cast that fails in a row which the query would never have looked
at, a file out of reach) is the query's own affair only if the query meets it too: without keys, everything is read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from flight_server.errors import QueryKilled
from flight_server.exchanges.names import producer_name
from flight_server.exchanges.once_fragment import OnceFragment
from flight_server.exchanges.site import Site
from flight_server.protocol.messages import FilterStatus
from operators.cancellation import Cancellation
from operators.run.fragments import ExecutionContext
from planner.errors import VolleyError
from planner.key_pruning import KeySet, Spared, keys_of, pruned
from planner.physical import Fragment, PhysicalPlan, RuntimeFilter

FILTER_SECONDS = 10.0
"""So long a scan waits for keys; then it begins without them."""

log = logging.getLogger(__name__)


class KeyFragments:
    """Runs the fragments of ``plan`` that put out keys, each on this worker. ``told`` is called once for each of their exchanges, when its
    keys are there or nobody should wait for them any more, from any thread. Thread-safe.
    """

    def __init__(
        self, plan: PhysicalPlan, context: ExecutionContext, site: Site, told: Callable[[int], None], seconds: float | None = None
    ) -> None:
        self._exchanges = {exchange.id for exchange in plan.exchanges if exchange.kind == "filter"}
        self._site = site
        self._told = told
        self._seconds = FILTER_SECONDS if seconds is None else seconds
        self._context = context
        self._keys: dict[int, KeySet] = {}
        self._spared: dict[int, tuple[Spared, ...]] = {}
        self._waited_for: dict[int, OnceFragment] = {}
        self._lock = threading.Lock()

    def gives_keys(self, fragment: Fragment) -> bool:
        """Whether a fragment is one of these."""
        return fragment.output in self._exchanges

    def operator(self, fragment: Fragment) -> OnceFragment:
        """The operator that runs such a fragment."""
        # With a cancellation of its own: what fails or is late here stops nothing else.
        return OnceFragment(fragment, replace(self._context, cancellation=Cancellation()), self._site)

    def start(self, once: OnceFragment) -> None:
        """Starts one; does not wait for its end."""
        exchange = once.fragment.output
        with self._lock:
            self._waited_for[exchange] = once
        late = threading.Timer(self._seconds, self._drop, (exchange, QueryKilled("its keys came too late")))
        late.daemon = True
        name = f"{self._context.query_id[:8]}/{producer_name(once.fragment)}"
        threading.Thread(target=self._run, args=(once, late), name=name, daemon=True).start()
        late.start()

    def pruned(self, fragment: Fragment) -> Fragment:
        """A fragment that is about to start, without what its filters rule out by the keys that are there."""
        if not fragment.filters:
            return fragment
        with self._lock:
            keys = dict(self._keys)
        narrow, spared = pruned(fragment, keys)
        self._spared[fragment.id] = spared
        return narrow

    def statuses(self, fragment: Fragment) -> list[FilterStatus]:
        """What its filters spared a fragment, once it has started."""
        spared = {id(each.filter): each for each in self._spared.get(fragment.id, ())}
        return [_status(each, spared.get(id(each))) for each in fragment.filters] if fragment.id in self._spared else []

    def stop(self, error: VolleyError) -> None:
        """The query is stopped: nobody waits for keys any more."""
        with self._lock:
            running = list(self._waited_for.values())
        for once in running:
            once.fail(error)

    def _run(self, once: OnceFragment, late: threading.Timer) -> None:
        exchange = once.fragment.output
        try:
            once.run_into_exchange({})
            table, acknowledge = once.gathering.lease_table("filter", once.schema)
            acknowledge()
            keys = keys_of(table)
        except Exception as error:
            if not self._context.cancellation.cancelled:
                log.warning("query %s goes on without the keys of %s: %s", self._context.query_id, once.fragment.sql, error)
            self._drop(exchange, QueryKilled("its keys are not to be had"))
        else:
            with self._lock:
                waiting = self._waited_for.pop(exchange, None)
                if waiting is not None:
                    self._keys[exchange] = keys
            if waiting is not None:
                self._told(exchange)
        finally:
            late.cancel()

    def _drop(self, exchange: int, why: VolleyError) -> None:
        """Nobody waits for these keys any more."""
        with self._lock:
            once = self._waited_for.pop(exchange, None)
        if once is not None:
            once.dropped = True
            once.fail(why)
            self._told(exchange)


def _status(planned: RuntimeFilter, spared: Spared | None) -> FilterStatus:
    told = FilterStatus(planned.input, planned.column, planned.source)
    if spared is not None:
        told.used, told.keys = True, spared.keys
        told.files, told.row_groups, told.rows, told.bytes = spared.files, spared.row_groups, spared.rows, spared.bytes
    return told
