"""Shares from an exchange in this process."""

from __future__ import annotations

from collections.abc import Callable

from flight_server.exchanges.site import instance_status
from flight_server.protocol.messages import InstanceStatus
from operators.exchange.bucket_places import BucketSizes
from operators.exchange.exchange import Exchange
from operators.exchange.records import RecordKey
from operators.run.producer import HeldShare, InstanceStatistics
from planner.errors import VolleyError
from planner.physical import Share

OnAck = Callable[[RecordKey, int, str, InstanceStatus | None, BucketSizes | None], None]
OnFailure = Callable[[RecordKey, int, VolleyError, bool], None]


class LocalSource:
    """The shares of ``exchange``, for the instance of that ``name`` on the query handler; what acks and failures mean, its owner says."""

    def __init__(self, exchange: Exchange[Share], name: str, on_ack: OnAck, on_failure: OnFailure) -> None:
        self._exchange = exchange
        self._name = name
        self._on_ack = on_ack
        self._on_failure = on_failure

    def lease(self) -> HeldShare | None:
        """The next share; None once the exchange has ended."""
        held = self._exchange.lease(self._name)
        return None if held is None else HeldShare(held.key, held.lease.epoch, held.payload, self._exchange.lease_seconds)

    def heartbeat(self, held: HeldShare) -> None:
        """Extends the lease."""
        self._exchange.heartbeat(held.key, held.epoch)

    def ack(self, held: HeldShare, statistics: InstanceStatistics, sizes: BucketSizes | None = None) -> None:
        """The share's outputs are here."""
        self._on_ack(held.key, held.epoch, self._name, instance_status(self._name.partition("/")[0], statistics), sizes)

    def release(self, held: HeldShare, error: VolleyError, *, retry: bool) -> None:
        """The share could not be run."""
        self._on_failure(held.key, held.epoch, error, retry)
