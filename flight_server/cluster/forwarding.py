"""Any worker answers for any query: what this one does not know, it asks the worker that does.

A query belongs to the worker that accepted it. Another worker that gets its ticket, or is asked for its status, finds the owner
with one small call to each peer and passes the answer through. Peers answer such calls from what they have themselves, so a
question never goes round.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from flight_server.cluster.cluster import Cluster
from flight_server.cluster.passage import Passage
from flight_server.cluster.peers import CALL_SECONDS, Peers, PeerStream
from flight_server.errors import WorkerLost, shorten
from flight_server.protocol.exchange_messages import (
    LOCAL_DROP,
    LOCAL_KILL,
    LOCAL_QUERIES,
    LOCAL_STATUS,
    ForwardedTicket,
    OwnedQueries,
    OwnedQuery,
    QueryLines,
    QueryList,
)
from flight_server.protocol.messages import PeekTicket, QueryLine, QueryStatus, ResultTicket, WorkerStatus, encode
from flight_server.protocol.service import Cancelled, PeekStream, ResultStream
from planner.errors import VolleyError

QUERY_ID_CHARS = 32
"""What is shorter or longer is nobody's query."""

Answer = TypeVar("Answer", QueryList, QueryLines)

log = logging.getLogger(__name__)


class Forwarding:
    """Questions about queries, put to the other workers, those that drain included. Thread-safe.

    Where nobody knows a query, but a worker that may have had it was lost or does not answer, ``WorkerLost`` is raised: that the query
    does not exist is not known then.
    """

    def __init__(self, peers: Peers, cluster: Cluster) -> None:
        self._peers = peers
        self._cluster = cluster

    def status(self, query_id: str, owner: str) -> QueryStatus | None:
        """The status of a query that another worker has, or None."""
        found = self._find(LOCAL_STATUS, query_id, owner)
        return None if found is None else found[1]

    def kill(self, query_id: str, owner: str) -> QueryStatus | None:
        """Kills a query that another worker has; its status, or None."""
        found = self._find(LOCAL_KILL, query_id, owner)
        return None if found is None else found[1]

    def drop(self, query_id: str, owner: str, *, known: bool) -> QueryStatus | None:
        """Has all other workers drop a query, since each may keep rows of its result; its status, or None if none of them had it.

        ``known``: it was found already, so that nothing is missed where a worker does not answer.
        """
        question = OwnedQuery(query_id=query_id, owner=owner)
        answers = [(worker, answer) for worker, answer in self._ask(LOCAL_DROP, question, QueryList)]
        found = [answer.queries[0] for _, answer in answers if answer is not None and answer.queries]
        if not found and not known and len(query_id) == QUERY_ID_CHARS:
            _admit_losses(query_id, [worker for worker, answer in answers if answer is None], self._cluster.missed())
        return found[0] if found else None

    def queries(self, owner: str, everything: bool = False, limit: int | None = None, before: float | None = None) -> list[QueryLine]:
        """The queries of all other workers that answer."""
        question = OwnedQueries(owner, everything, limit, before)
        return [line for _, answer in self._ask(LOCAL_QUERIES, question, QueryLines) if answer is not None for line in answer.queries]

    def read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled, abandon: bool) -> ResultStream | None:
        """The result, passed through from the worker that has it, or None. ``abandon`` is that worker's to heed."""
        found = self._find(LOCAL_STATUS, ticket.query_id, owner)
        if found is None:
            return None
        worker, _ = found
        passed = Passage(
            lambda: self._pull(worker, ticket, owner, abandon, None),
            there=lambda: any(other.worker_id == worker.worker_id for other in self._cluster.present()),
            cancelled=cancelled,
        )
        return ResultStream(passed.schema, passed)

    def peek(self, ticket: PeekTicket, owner: str) -> PeekStream | None:
        """Records of an exchange of a query that another worker has, or None."""
        found = self._find(LOCAL_STATUS, ticket.query_id, owner)
        if found is None:
            return None
        stream = self._pull(found[0], ticket, owner, False, CALL_SECONDS)
        return PeekStream(stream.schema, iter(stream.batches()))

    def _pull(
        self, worker: WorkerStatus, ticket: ResultTicket | PeekTicket, owner: str, abandon: bool, timeout_seconds: float | None
    ) -> PeerStream:
        forwarded = ForwardedTicket(msgspec.Raw(encode(ticket)), owner, abandon)
        return self._peers.pull(worker.uri, forwarded, timeout_seconds=timeout_seconds)

    def _find(self, action: str, query_id: str, owner: str) -> tuple[WorkerStatus, QueryStatus] | None:
        silent = []
        for worker, answer in self._ask(action, OwnedQuery(query_id=query_id, owner=owner), QueryList):
            if answer is None:
                silent.append(worker)
            elif answer.queries:
                return worker, answer.queries[0]
        if len(query_id) == QUERY_ID_CHARS:
            _admit_losses(query_id, silent, self._cluster.missed())
        return None

    def _ask(self, action: str, question: OwnedQuery | OwnedQueries, kind: type[Answer]) -> Iterator[tuple[WorkerStatus, Answer | None]]:
        """Each other worker with its answer, None where it gave none."""
        for worker in self._cluster.present():
            answer = None
            try:
                answer = self._peers.ask(worker.uri, action, question, kind)
            except VolleyError as error:
                # The cluster decides who is lost.
                log.warning("worker %s did not answer %s: %s", worker.worker_id, action, error)
            yield worker, answer


def _admit_losses(query_id: str, silent: Iterable[WorkerStatus], missed: Iterable[WorkerStatus]) -> None:
    """Raises ``WorkerLost`` if the query may have been that of a worker which cannot be asked."""
    for worker in missed:
        raise WorkerLost(
            f"no worker that is up knows query {shorten(query_id)!r}; worker {worker.worker_id}, which is gone, may have owned it",
            remedy="run the query again",
        )
    for worker in silent:
        raise WorkerLost(
            f"no worker that answers knows query {shorten(query_id)!r}; worker {worker.worker_id}, which does not answer, may own it",
            remedy="try again in a moment",
        )
