"""Shares from another worker: whatever becomes of that worker, an instance gets a share, or an end, and never an exception for it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.cluster.peers import Peers
from flight_server.errors import ClientError
from flight_server.exchanges.exchange_service import SHARE_SCHEMA, share_batch
from flight_server.exchanges.remote_source import ATTEMPTS, RemoteSource
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
    RecordPlace,
    ReleaseRequest,
    StreamEnd,
)
from flight_server.protocol.messages import InstanceStatus, decode
from operators.cancellation import Cancellation
from operators.errors import FileUnreadable, OperatorError, StaleLease
from operators.exchange.leases import LEASE_SECONDS
from operators.exchange.records import RecordKey
from operators.run.producer import HeldShare, InstanceStatistics
from planner.catalog import DataFile
from planner.physical import Share, ShareInput, Split
from tests.flight_server.cluster.fake_flight import FakeNetwork, FakeStream, FakeWorker, timed_out, unavailable, uri_of

KEY = RecordKey("fragment-0", "events", 7)
SHARE = Share((ShareInput("in_0", (Split(DataFile("default:events/7.parquet", 100, "v1"), rows=5, bytes=100),)),))
HELD = HeldShare(KEY, 3, SHARE, LEASE_SECONDS)
NO_SHARE = pa.record_batch([pa.array([b"nonsense"], pa.binary())], schema=SHARE_SCHEMA)


def a_share() -> FakeStream:
    return FakeStream((share_batch(SHARE), PullFrame(record=RecordPlace(LeaseRef(KEY, 3), True))), schema=SHARE_SCHEMA)


def an_end(ended: bool) -> FakeStream:
    return FakeStream((NO_SHARE.slice(1), PullFrame(end=StreamEnd(ended))), schema=SHARE_SCHEMA)


def broken_off() -> FakeStream:
    return FakeStream(schema=SHARE_SCHEMA)


class Handler:
    """The worker that has the query: opens one stream after the other, and answers about leases."""

    def __init__(self, *streams: FakeStream | Exception, answer: msgspec.Struct | bytes | Exception | None = None) -> None:
        self.streams = list(streams)
        self.answer = LeaseReply() if answer is None else answer
        self.worker = FakeWorker(self._act, self._get)
        self.cancellation = Cancellation()
        self.source = RemoteSource(
            Peers(FakeNetwork(h=self.worker).connect),
            uri_of("h"),
            "shares",
            "me/0",
            self.cancellation,
            lambda done: InstanceStatus("me", records=done.records),
        )

    def _get(self, ticket: bytes) -> FakeStream:
        stream = self.streams.pop(0)
        if isinstance(stream, Exception):
            raise stream
        return stream

    def _act(self, name: str, body: bytes) -> msgspec.Struct | bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_share_comes_with_its_lease_by_a_call_that_cannot_last() -> None:
    handler = Handler(an_end(ended=False), a_share())
    assert handler.source.lease() == HELD
    ticket = decode(handler.worker.tickets[1], PullTicket)
    assert (ticket.exchange, ticket.consumer, ticket.max_records) == ("shares", "me/0", 1)
    assert all(seconds is not None and ticket.wait_seconds < seconds <= LEASE_SECONDS for seconds in handler.worker.deadlines)


def test_there_is_none_once_the_exchange_has_ended_or_the_query() -> None:
    assert Handler(an_end(ended=False), an_end(ended=True)).source.lease() is None
    killed = Handler(a_share())
    killed.cancellation.cancel(OperatorError("killed"))
    assert killed.source.lease() is None
    assert killed.worker.tickets == []


@pytest.mark.parametrize(
    "fault", [unavailable, timed_out, broken_off, lambda: FakeStream(timed_out())], ids=["away", "hangs", "broken off", "stalls"]
)
def test_what_may_pass_is_tried_again(fault: Callable[[], FakeStream | Exception]) -> None:
    handler = Handler(*(fault() for _ in range(ATTEMPTS - 1)), a_share())
    assert handler.source.lease() == HELD
    hopeless = Handler(*(fault() for _ in range(ATTEMPTS)), a_share())
    assert hopeless.source.lease() is None
    assert len(hopeless.worker.tickets) == ATTEMPTS


@pytest.mark.parametrize(
    "fault",
    [
        lambda: flight.FlightCancelledError("you take no more part"),
        lambda: FakeStream((share_batch(SHARE), b"nonsense")),
        lambda: FakeStream((share_batch(SHARE), b'{"record": 5}')),
        lambda: FakeStream((NO_SHARE, PullFrame(record=RecordPlace(LeaseRef(KEY, 3), True)))),
    ],
    ids=["not admitted", "nonsense", "wrong", "no share"],
)
def test_what_would_come_again_ends_the_instance(fault: Callable[[], FakeStream | Exception]) -> None:
    handler = Handler(fault(), a_share())
    assert handler.source.lease() is None
    assert len(handler.worker.tickets) == 1


def test_what_becomes_of_a_share_is_told_with_its_epoch() -> None:
    handler = Handler()
    handler.source.heartbeat(HELD)
    handler.source.ack(HELD, InstanceStatistics(records=4))
    handler.source.release(HELD, FileUnreadable("events/7.parquet is corrupt"), retry=False)
    (beat,), (ack,), (release,) = (handler.worker.did(name) for name in (EXCHANGE_HEARTBEAT, EXCHANGE_ACK, EXCHANGE_RELEASE))
    leases = [LeaseRef(KEY, 3)]
    assert decode(beat, HeartbeatRequest) == HeartbeatRequest("shares", "me/0", leases)
    assert decode(ack, AckRequest) == AckRequest("shares", "me/0", leases, InstanceStatus("me", records=4))
    assert decode(release, ReleaseRequest) == ReleaseRequest(
        "shares", "me/0", leases[0], "INVALID_ARGUMENT", "events/7.parquet is corrupt", False
    )


def test_a_lease_that_was_lost_is_told_to_whoever_acts_on_it() -> None:
    handler = Handler(answer=LeaseReply([KEY]))
    acts: list[Callable[[], None]] = [
        lambda: handler.source.heartbeat(HELD),
        lambda: handler.source.ack(HELD, InstanceStatistics()),
        lambda: handler.source.release(HELD, OperatorError("failed"), retry=True),
    ]
    for act in acts:
        with pytest.raises(StaleLease):
            act()


@pytest.mark.parametrize("answer", [unavailable(), b"nonsense"], ids=["away", "nonsense"])
def test_a_handler_that_cannot_be_told_takes_a_share_back_by_itself(answer: Exception | bytes) -> None:
    handler = Handler(answer=answer)
    handler.source.release(HELD, OperatorError("failed"), retry=True)
    with pytest.raises(ClientError):
        handler.source.ack(HELD, InstanceStatistics())
