"""A worker as a whole: what it refuses while it drains, what it still answers, and what it survives."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.client import Client
from flight_server.errors import ClientError, PortInUse, ServerClosing
from flight_server.process.worker import Worker
from flight_server.protocol.exchange_messages import LOCAL_STATUS, OPERATOR_START, OwnedQuery, QueryList, StartOperator
from flight_server.protocol.messages import START, PeekTicket, ResultTicket, decode, encode
from flight_server.settings.config import Config, ResultsConfig
from planner.errors import Status
from planner.physical import ScanInput
from tests.e2e.waiting import eventually

MakeWorker = Callable[..., Worker]
GUEST = StartOperator(
    "q", "fragment-0", 0, "SELECT 1", [ScanInput("s", "t", (), (), ())], pa.schema([]).serialize().to_pybytes(), "", "", "", "o"
)


@pytest.fixture(name="make")
def _make(tmp_path: Path) -> Iterator[MakeWorker]:
    """Makes workers of one state folder, not started yet; closes those that the test leaves open."""
    made: list[Worker] = []

    def make(port: int = 0, join: tuple[str, ...] = (), results: ResultsConfig | None = None) -> Worker:
        made.append(Worker(Config(port=port, join=join, memory_bytes=256 << 20, results=results or ResultsConfig()), tmp_path))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


def finished(client: Client) -> str:
    """A query that has ended, by its id."""
    submitted = client.submit("SELECT 42 AS answer")
    list(client.read(submitted.ticket))
    list(client.watch(submitted.query_id))
    return submitted.query_id


def test_a_worker_that_drains_takes_nothing_new_and_answers_for_what_it_has(make: MakeWorker) -> None:
    worker = make()
    worker.start()
    with Client(worker.uri) as client:
        query_id = finished(client)
        assert worker.own_status().state == "up"
        worker.drain(0.0)
        assert worker.own_status().state == "draining"
        with pytest.raises(ClientError, match="takes no new queries") as refused:
            client.submit("SELECT 1")
        assert refused.value.status is Status.UNAVAILABLE
        with flight.connect(worker.uri) as plain:
            ticket = flight.FlightDescriptor.for_command(encode(ResultTicket(query_id, START, True)))
            assert plain.get_flight_info(ticket).total_records == 1, "a finished result is nothing new"
        with pytest.raises(ServerClosing, match="takes no new operators"):
            worker.services.between_workers.run(OPERATOR_START, encode(GUEST))
        assert [batch.to_pylist() for batch, _ in client.read(query_id)] == [[{"answer": 42}]]
        answers = worker.services.between_workers.run(LOCAL_STATUS, encode(OwnedQuery(query_id, "")))
        assert answers is not None
        assert [status.state for status in decode(next(answers), QueryList).queries] == ["completed"]


def test_the_others_are_told_at_once_that_a_worker_drains(make: MakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flight_server.cluster.cluster.BEAT_SECONDS", 3600.0)
    first = make()
    first.start()
    second = make(join=(first.uri,))
    second.start()
    assert [status.state for status in first.services.workers()] == ["up", "up"]
    second.drain(0.0)
    eventually(lambda: [status.state for status in first.services.workers()] == ["up", "draining"], 5, "the first knows")
    with Client(first.uri) as client:
        assert client.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_draining_waits_for_other_workers_queries_too(make: MakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = make()
    worker.start()
    waited: list[float] = []
    monkeypatch.setattr(worker._guests, "wait_gone", waited.append)
    worker.drain(5.0)
    assert len(waited) == 1
    assert 4.0 < waited[0] <= 5.0, "one deadline for all"


def test_what_another_worker_passes_on_is_answered_from_here_alone(make: MakeWorker) -> None:
    worker = make()
    worker.start()
    with Client(worker.uri) as client:
        query_id = finished(client)
    queries = worker.services.queries
    stream = queries.local_read(ResultTicket(query_id, START, True), "", lambda: False, False)
    assert stream is not None
    assert [batch.to_pylist() for batch, _ in stream.batches] == [[{"answer": 42}]]
    assert queries.local_read(ResultTicket(query_id, START, True), "bob", lambda: False, False) is None
    assert queries.local_read(ResultTicket("f" * 32, START, True), "", lambda: False, False) is None
    assert queries.local_peek(PeekTicket(query_id, "exchange-0", 1), "bob") is None


def test_the_configured_quota_holds_for_all_results(make: MakeWorker) -> None:
    before = make()
    before.start()
    with Client(before.uri) as client:
        older, newer = finished(client), finished(client)
        size = client.queries()[0].result.bytes
    before.close()
    worker = make(results=ResultsConfig(total_bytes=size))
    worker.start()
    with Client(worker.uri) as client:
        assert [line.query_id for line in client.queries()] == [newer]
        with pytest.raises(ClientError) as told:
            list(client.read(older))
        assert told.value.status is Status.NOT_FOUND
        assert [batch.to_pylist() for batch, _ in client.read(newer)] == [[{"answer": 42}]]


def test_a_loss_reaches_other_workers_operators_though_the_queries_failed_to_deal_with_it(
    make: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make()
    told: list[str] = []

    def broken(worker_id: str) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(worker._handler, "on_worker_lost", broken)
    monkeypatch.setattr(worker._guests, "on_worker_lost", told.append)
    with pytest.raises(ValueError, match="a bug"):
        worker._on_lost("w")
    assert told == ["w"]


def test_a_worker_can_be_closed_at_any_point_of_its_life(make: MakeWorker) -> None:
    make().close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        unlucky = make(port=port)
        with pytest.raises(PortInUse):
            unlucky.start()
        unlucky.close()
    lonely = make(join=(f"grpc://127.0.0.1:{port}",))
    with pytest.raises(ClientError, match="cannot reach a server"):
        lonely.start()
    lonely.close()
