"""Calls to other workers: what goes wrong is a ``ClientError``, and nobody's connection is closed while it is used."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.cluster.peers import Peers
from flight_server.errors import ClientError
from flight_server.protocol.exchange_messages import LeaseReply, OwnedQuery, PullTicket
from flight_server.protocol.messages import QueryRef
from planner.errors import Status
from tests.flight_server.cluster.fake_flight import SCHEMA, SOON_SECONDS, FakeNetwork, FakeStream, FakeWorker, batch, timed_out, uri_of

QUESTION = OwnedQuery("q", "ada")


def test_a_question_has_one_answer() -> None:
    other = FakeWorker(lambda name, body: QueryRef("found"))
    peers = Peers(FakeNetwork(a=other).connect)
    assert peers.ask(uri_of("a"), "look", QUESTION, QueryRef) == QueryRef("found")
    assert other.actions == [("look", b'{"query_id":"q","owner":"ada"}')]


@pytest.mark.parametrize("answer", [None, b"", b"nonsense", b"{}", b"\xff"])
def test_an_answer_that_cannot_be_read_is_an_error_with_the_worker_s_name(answer: bytes | None) -> None:
    peers = Peers(FakeNetwork(a=FakeWorker(lambda name, body: answer)).connect)
    with pytest.raises(ClientError, match=r"a\.invalid:1 does not speak as Volley does") as told:
        peers.ask(uri_of("a"), "look", QUESTION, QueryRef)
    assert told.value.status is Status.INTERNAL


def test_who_is_not_there_is_unavailable() -> None:
    peers = Peers(FakeNetwork().connect)
    calls: list[Callable[[], object]] = [
        lambda: peers.ask(uri_of("a"), "look", QUESTION, QueryRef),
        lambda: peers.tell(uri_of("a"), "look", QUESTION),
        lambda: peers.pull(uri_of("a"), QUESTION, timeout_seconds=1),
    ]
    for call in calls:
        with pytest.raises(ClientError) as told:
            call()
        assert told.value.status is Status.UNAVAILABLE


def test_a_stream_gives_batches_with_their_messages_and_clean_errors() -> None:
    streams = iter([FakeStream((batch(1), QueryRef("x")), timed_out()), FakeStream((batch(1), b"nonsense")), FakeStream((batch(1), b""))])
    peers = Peers(FakeNetwork(a=FakeWorker(get=lambda ticket: next(streams))).connect)
    frames = peers.pull(uri_of("a"), QUESTION, timeout_seconds=5).frames(QueryRef)
    assert next(frames) == (batch(1), QueryRef("x"))
    for stream, status in ((frames, Status.DEADLINE_EXCEEDED), (None, Status.INTERNAL), (None, Status.INTERNAL)):
        with pytest.raises(ClientError) as told:
            next(stream or peers.pull(uri_of("a"), QUESTION, timeout_seconds=5).frames(QueryRef))
        assert told.value.status is status


def test_a_worker_that_is_forgotten_while_it_is_called_can_still_answer() -> None:
    asked, answering = threading.Event(), threading.Event()

    def act(name: str, body: bytes) -> LeaseReply:
        asked.set()
        assert answering.wait(SOON_SECONDS)
        return LeaseReply()

    network = FakeNetwork(a=FakeWorker(act, lambda ticket: FakeStream((batch(1), QueryRef("x")))))
    peers = Peers(network.connect)
    stream = peers.pull(uri_of("a"), QUESTION, timeout_seconds=5)
    answers: list[LeaseReply] = []
    calling = threading.Thread(target=lambda: answers.append(peers.ask(uri_of("a"), "slow", QUESTION, LeaseReply)))
    calling.start()
    assert asked.wait(SOON_SECONDS)
    peers.forget(uri_of("a"))
    assert [client.closed for client in network.clients] == [False]
    answering.set()
    calling.join(SOON_SECONDS)
    assert answers == [LeaseReply()]
    assert list(stream.frames(QueryRef)) == [(batch(1), QueryRef("x"))]
    peers.ask(uri_of("a"), "slow", QUESTION, LeaseReply)
    assert len(network.clients) == 2, "the next call makes a connection anew"


def test_a_forgotten_connection_that_nobody_uses_goes() -> None:
    network = FakeNetwork(a=FakeWorker())
    peers = Peers(network.connect)
    peers.tell(uri_of("a"), "look", QUESTION)
    client = weakref.ref(network.clients.pop())
    peers.forget(uri_of("a"))
    gc.collect()
    assert client() is None


def test_a_worker_that_closes_calls_nobody_any_more() -> None:
    network = FakeNetwork(a=FakeWorker())
    peers = Peers(network.connect)
    peers.close()
    with pytest.raises(ClientError) as told:
        peers.tell(uri_of("a"), "look", QUESTION)
    assert told.value.status is Status.UNAVAILABLE
    assert network.clients == []


class Hanging(flight.FlightServerBase):  # type: ignore[misc, unused-ignore]
    """A real server that gives one batch and then hangs until it is let go."""

    def __init__(self) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self.released = threading.Event()

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.GeneratorStream:
        def batches() -> Iterator[tuple[pa.RecordBatch, pa.Buffer]]:
            yield batch(1), pa.py_buffer(b'{"query_id":"x"}')
            self.released.wait(SOON_SECONDS)

        return flight.GeneratorStream(SCHEMA, batches())


def test_a_stream_that_hangs_ends_at_its_deadline_or_when_another_thread_cancels_it() -> None:
    server = Hanging()
    peers = Peers()
    uri = f"grpc://127.0.0.1:{server.port}"
    try:
        frames = peers.pull(uri, PullTicket("e", "c"), timeout_seconds=0.2).frames(QueryRef)
        assert next(frames)[0] == batch(1)
        with pytest.raises(ClientError) as late:
            next(frames)
        assert late.value.status is Status.DEADLINE_EXCEEDED
        stream = peers.pull(uri, PullTicket("e", "c"), timeout_seconds=SOON_SECONDS)
        frames = stream.frames(QueryRef)
        next(frames)
        canceller = threading.Timer(0.01, stream.cancel)
        canceller.start()
        with pytest.raises(ClientError) as cancelled:
            next(frames)
        assert cancelled.value.status is Status.CANCELLED
    finally:
        server.released.set()
        server.shutdown()
