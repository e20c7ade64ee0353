"""The actions that workers send each other: about leases, operators, membership, and each other's queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from flight_server.cluster.cluster import Cluster
from flight_server.errors import ServerClosing
from flight_server.exchanges.exchange_service import ExchangeRegistry
from flight_server.exchanges.remote_operators import RemoteOperators
from flight_server.protocol.exchange_messages import (
    EXCHANGE_ACK,
    EXCHANGE_DROP,
    EXCHANGE_HEARTBEAT,
    EXCHANGE_LOCATE,
    EXCHANGE_RELEASE,
    LOCAL_DROP,
    LOCAL_KILL,
    LOCAL_QUERIES,
    LOCAL_STATUS,
    OPERATOR_START,
    OPERATOR_STOP,
    WORKER_BEAT,
    AckRequest,
    Beat,
    DropExchange,
    HeartbeatRequest,
    LocateRequest,
    OwnedQueries,
    OwnedQuery,
    QueryLines,
    QueryList,
    ReleaseRequest,
    StartOperator,
    StopOperators,
)
from flight_server.protocol.messages import QueryStatus, encode
from flight_server.protocol.tickets import read_message
from flight_server.queries.query_handler import QueryHandler

Handle = Callable[[Any], msgspec.Struct | None]


class WorkerActions:
    """Runs an action of another worker. Thread-safe."""

    def __init__(self, handler: QueryHandler, registry: ExchangeRegistry, guests: RemoteOperators, cluster: Cluster) -> None:
        self._handler = handler
        self._guests = guests
        self._actions: dict[str, tuple[type[msgspec.Struct], Handle]] = {
            EXCHANGE_ACK: (AckRequest, registry.ack),
            EXCHANGE_DROP: (DropExchange, lambda drop: guests.drop(drop.query_id, drop.exchange)),
            EXCHANGE_LOCATE: (LocateRequest, registry.locate),
            EXCHANGE_HEARTBEAT: (HeartbeatRequest, registry.heartbeat),
            EXCHANGE_RELEASE: (ReleaseRequest, registry.release),
            OPERATOR_START: (StartOperator, self._start),
            OPERATOR_STOP: (StopOperators, lambda stop: guests.stop(stop.query_id)),
            WORKER_BEAT: (Beat, cluster.receive),
            LOCAL_STATUS: (OwnedQuery, lambda question: _one(handler.local_status(question.query_id, question.owner))),
            LOCAL_KILL: (OwnedQuery, lambda question: _one(handler.local_kill(question.query_id, question.owner))),
            LOCAL_DROP: (OwnedQuery, lambda question: _one(handler.local_drop(question.query_id, question.owner))),
            LOCAL_QUERIES: (
                OwnedQueries,
                lambda question: QueryLines(handler.local_queries(question.owner, question.all, question.limit, question.before)),
            ),
        }

    def run(self, name: str, body: bytes) -> Iterator[bytes] | None:
        """The answers to an action; None if there is none of that name. Raises ``BadRequest`` for a body that cannot be read."""
        known = self._actions.get(name)
        if known is None:
            return None
        kind, handle = known
        answer = handle(read_message(body, kind, "the action's body"))
        return iter([] if answer is None else [encode(answer)])

    def _start(self, start: StartOperator) -> None:
        if self._handler.draining:
            raise ServerClosing("the worker is shutting down and takes no new operators")
        self._guests.start(start)


def _one(status: QueryStatus | None) -> QueryList:
    return QueryList(queries=[] if status is None else [status])
