"""Shares from an exchange on another worker: pulled, kept alive, acknowledged and given back through Flight."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from flight_server.cluster.peers import CALL_SECONDS, Peers
from flight_server.errors import ClientError, WorkerLost
from flight_server.exchanges.exchange_service import share_from
from flight_server.protocol.client_errors import translating
from flight_server.protocol.exchange_messages import (
    EXCHANGE_ACK,
    EXCHANGE_HEARTBEAT,
    EXCHANGE_RELEASE,
    AckRequest,
    HeartbeatRequest,
    LeaseRef,
    LeaseReply,
    PullFrame,
    PullTicket,
    ReleaseRequest,
)
from flight_server.protocol.messages import InstanceStatus
from operators.cancellation import Cancellation
from operators.errors import StaleLease
from operators.exchange.bucket_places import BucketSizes
from operators.exchange.leases import LEASE_SECONDS
from operators.run.producer import HeldShare, InstanceStatistics
from planner.errors import Status, VolleyError

ATTEMPTS = 3
WAIT_SECONDS = 0.5
PULL_SECONDS = LEASE_SECONDS
"""A handler that has not answered by then hangs; what it may have leased is free again by then."""
PASSING = (Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED)
HEARTBEAT_CALL_SECONDS = LEASE_SECONDS / 5
"""A heartbeat that takes longer is given up: the next one is due soon."""

log = logging.getLogger(__name__)


class RemoteSource:
    """The shares of a query handler's exchange, for one instance on this worker. Used by that instance's thread and by heartbeats."""

    def __init__(
        self,
        peers: Peers,
        uri: str,
        exchange: str,
        consumer: str,
        cancellation: Cancellation,
        report: Callable[[InstanceStatistics], InstanceStatus],
    ) -> None:
        self._peers = peers
        self._uri = uri
        self._exchange = exchange
        self._consumer = consumer
        self._cancellation = cancellation
        self._report = report

    def lease(self) -> HeldShare | None:
        """The next share; None once the exchange has ended, or the query, or its handler."""
        failures = 0
        while not self._cancellation.cancelled:
            try:
                held, more = self._pull()
            except VolleyError as error:
                failures += 1
                if error.status not in PASSING or failures == ATTEMPTS:
                    log.info("%s stops: %s", self._consumer, error)
                    return None
                continue
            failures = 0
            if held is not None or not more:
                return held
        return None

    def heartbeat(self, held: HeldShare) -> None:
        """Extends the lease."""
        request = HeartbeatRequest(self._exchange, self._consumer, [_ref(held)])
        self._fenced(EXCHANGE_HEARTBEAT, request, HEARTBEAT_CALL_SECONDS)

    def ack(self, held: HeldShare, statistics: InstanceStatistics, sizes: BucketSizes | None = None) -> None:
        """The share's outputs can be pulled from this worker."""
        request = AckRequest(self._exchange, self._consumer, [_ref(held)], self._report(statistics), sizes)
        self._fenced(EXCHANGE_ACK, request)

    def release(self, held: HeldShare, error: VolleyError, *, retry: bool) -> None:
        """The share could not be run."""
        request = ReleaseRequest(self._exchange, self._consumer, _ref(held), error.status.value, str(error), retry)
        try:
            self._fenced(EXCHANGE_RELEASE, request)
        except ClientError as unheard:
            # The handler takes the share back by itself when the lease expires.
            log.info("%s could not give back %s: %s", self._consumer, held.key, unheard)

    def _pull(self) -> tuple[HeldShare | None, bool]:
        """A share, or None with whether more may come."""
        ticket = PullTicket(self._exchange, self._consumer, max_records=1, wait_seconds=WAIT_SECONDS)
        with translating(self._uri):
            stream = self._peers.pull(self._uri, ticket, timeout_seconds=PULL_SECONDS)
            for batch, frame in stream.frames(PullFrame):
                if frame.record is None:
                    return None, frame.end is None or not frame.end.ended
                lease = frame.record.lease
                return HeldShare(lease.key, lease.epoch, share_from(batch), LEASE_SECONDS), True
        raise WorkerLost(f"the worker at {self._uri} broke off")

    def _fenced(self, action: str, request: msgspec.Struct, timeout_seconds: float = CALL_SECONDS) -> None:
        reply = self._peers.ask(self._uri, action, request, LeaseReply, timeout_seconds=timeout_seconds)
        if reply.stale:
            raise StaleLease(f"the lease on {reply.stale[0]} was lost")


def _ref(held: HeldShare) -> LeaseRef:
    return LeaseRef(held.key, held.epoch)
