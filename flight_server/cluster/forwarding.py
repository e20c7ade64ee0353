"""Any worker answers for any query: what this one does not know, it asks the worker that does.

A query belongs to the worker that accepted it. Another worker that gets its ticket, or is asked for its status, finds the owner
with one small call to each peer and passes the answer through. Peers answer such calls from what they have themselves, so a
question never goes round.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TypeVar

import pyarrow as pa

from flight_server.cluster.cluster import Cluster
from flight_server.cluster.peers import Peers
from flight_server.protocol.client_errors import from_flight_error
from flight_server.protocol.exchange_messages import LOCAL_KILL, LOCAL_QUERIES, LOCAL_STATUS, OwnedQuery, QueryLines, QueryList
from flight_server.protocol.messages import BatchPlace, PeekTicket, QueryLine, QueryStatus, ResultTicket, decode, encode
from flight_server.protocol.service import Cancelled, PeekStream, ResultStream
from planner.errors import VolleyError

Answer = TypeVar("Answer", QueryList, QueryLines)

log = logging.getLogger(__name__)


class Forwarding:
    """Questions about queries, put to the other workers. Thread-safe."""

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

    def queries(self, owner: str) -> list[QueryLine]:
        """The queries of all other workers that answer."""
        question = OwnedQuery(query_id="", owner=owner)
        return [line for _, answer in self._ask(LOCAL_QUERIES, question, QueryLines) for line in answer.queries]

    def read(self, ticket: ResultTicket, owner: str, cancelled: Cancelled) -> ResultStream | None:
        """The result, passed through from the worker that has it, or None."""
        found = self._find(LOCAL_STATUS, ticket.query_id, owner)
        if found is None:
            return None
        uri, _ = found
        reader = self._peers.pull(uri, encode(ticket))

        def batches() -> Iterator[tuple[pa.RecordBatch, BatchPlace]]:
            try:
                while not cancelled():
                    chunk = reader.read_chunk()
                    yield chunk.data, decode(chunk.app_metadata, BatchPlace)
            except StopIteration:
                return
            except pa.ArrowException as error:
                raise from_flight_error(error, uri) from error
            finally:
                reader.cancel()

        return ResultStream(reader.schema, batches())

    def peek(self, ticket: PeekTicket, owner: str) -> PeekStream | None:
        """Records of an exchange of a query that another worker has, or None."""
        found = self._find(LOCAL_STATUS, ticket.query_id, owner)
        if found is None:
            return None
        uri, _ = found
        try:
            table = self._peers.pull(uri, encode(ticket)).read_all()
        except pa.ArrowException as error:
            raise from_flight_error(error, uri) from error
        return PeekStream(table.schema, iter(table.to_batches()))

    def _find(self, action: str, query_id: str, owner: str) -> tuple[str, QueryStatus] | None:
        for uri, answer in self._ask(action, OwnedQuery(query_id=query_id, owner=owner), QueryList):
            if answer.queries:
                return uri, answer.queries[0]
        return None

    def _ask(self, action: str, question: OwnedQuery, kind: type[Answer]) -> Iterator[tuple[str, Answer]]:
        for worker in self._cluster.up():
            try:
                yield worker.uri, decode(self._peers.action(worker.uri, action, encode(question)), kind)
            except VolleyError as error:
                # The cluster decides who is lost; a query of a worker that does not answer cannot be read anyway.
                log.warning("worker %s did not answer %s: %s", worker.worker_id, action, error)
