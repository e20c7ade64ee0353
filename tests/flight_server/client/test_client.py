from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.flight as flight
import pytest

from flight_server.client.client import Client, normal_uri
from flight_server.endpoints.server import VolleyServer
from flight_server.errors import ClientError
from flight_server.protocol.client_errors import clean_message, from_flight_error
from flight_server.protocol.messages import Cursor
from planner.errors import Status
from tests.flight_server.fake_service import Served


def comes_back(client: Client, within_seconds: float) -> bool:
    """Whether a call gets through before the time is over."""
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        try:
            client.workers()
        except ClientError:
            continue
        return True
    return False


def test_a_query_in_one_call() -> None:
    with Served() as served, Client(served.uri) as client:
        assert client.query("SELECT 42 AS answer").to_pylist() == [{"answer": 42}]
        assert client.query("SELECT n FROM numbers WHERE false").schema == pa.schema([("n", pa.int64())])


def test_submitting_and_reading_with_places() -> None:
    with Served() as served, Client(served.uri) as client:
        submitted = client.submit("SELECT n FROM numbers ORDER BY n")
        assert submitted.schema.names == ["n"]
        read = [(batch.num_rows, place.next) for batch, place in client.read(submitted.ticket)]
        assert read == [(1000, Cursor(0, 1, 0)), (1000, Cursor(0, 2, 0)), (500, None)]
        assert sum(batch.num_rows for batch, _ in client.read(submitted.query_id, Cursor(0, 1, 500))) == 1000


def test_a_cursor_loop_reads_row_group_by_row_group() -> None:
    with Served() as served, Client(served.uri) as client:
        query_id = client.submit("SELECT n FROM numbers ORDER BY n").query_id
        cursor: Cursor | None = Cursor(0, 0, 0)
        found: list[int] = []
        while cursor is not None:
            group, cursor = client.row_group(query_id, cursor)
            found += group.column("n").to_pylist()
        assert found == list(range(2500))


def test_schema_tables_workers_and_peek() -> None:
    with Served() as served, Client(served.uri) as client:
        assert client.schema("SELECT 1 AS one").names == ["one"]
        assert [table.name for table in client.tables()] == ["numbers", "odd name", "unreadable"]
        assert client.tables(details=False)[0].columns == []
        assert [worker.worker_id for worker in client.workers()] == ["w0"]
        query_id = client.submit("FROM numbers").query_id
        assert [batch.num_rows for batch in client.peek(query_id, "exchange-0", 2)] == [1000, 1000]
        client.workers()


def test_status_list_and_kill() -> None:
    with Served() as served, Client(served.uri) as client:
        query_id = client.submit("SELECT 'endless' AS e").query_id
        status = client.status(query_id)
        assert status is not None
        assert status.state == "running"
        assert [query.query_id for query in client.queries()] == [query_id]
        killed = client.kill(query_id)
        assert killed is not None
        assert killed.state == "killed"
        assert client.status("nope") is None
        assert client.kill("nope") is None


def test_a_statement_with_parameters_can_be_looked_at() -> None:
    with Served() as served, Client(served.uri) as client:
        look = client.submit("SELECT n, ? AS v FROM numbers", ["x"], ahead=1)
        client.submit("SELECT n, ? AS v FROM numbers", ["x"])
        assert served.service.looks == {look.query_id: 1}
        assert client.row_group(look.query_id, Cursor(0, 0, 0))[0].num_rows > 0


def test_a_look_and_its_purpose_travel_with_the_statement() -> None:
    with Served() as served, Client(served.uri) as client:
        own = client.submit("SELECT 1 AS a, 'ü' AS b")
        look = client.submit("FROM numbers", ahead=1)
        count = client.submit("SELECT count(*) FROM numbers", purpose="count")
        assert served.service.looks == {look.query_id: 1}
        assert look.schema.names == ["n", "name"]
        assert [line.query_id for line in client.queries()] == [look.query_id, own.query_id]
        assert [(line.query_id, line.purpose) for line in client.queries(everything=True)] == [
            (count.query_id, "count"),
            (look.query_id, ""),
            (own.query_id, ""),
        ]
        assert [line.query_id for line in client.queries(limit=1)] == [look.query_id]
        with pytest.raises(ClientError, match="purpose"):
            client.submit("SELECT 1", purpose="not a word")
        with pytest.raises(ClientError, match="not valid Unicode"):
            client.submit("SELECT '\udcff'", ahead=1)


def test_what_is_dropped_is_gone() -> None:
    with Served() as served, Client(served.uri) as client:
        query_id = client.submit("SELECT 'endless' AS e").query_id
        dropped = client.drop(query_id)
        assert dropped is not None
        assert dropped.state == "killed"
        assert client.status(query_id) is None
        assert client.queries(everything=True) == []
        assert client.drop(query_id) is None


def test_watching_until_the_end() -> None:
    with Served() as served, Client(served.uri) as client:
        query_id = client.submit("SELECT 'endless' AS e").query_id
        states = client.watch(query_id)
        assert next(states).state == "running"
        client.kill(query_id)
        assert [status.state for status in states] == ["killed"]
        with pytest.raises(ClientError) as caught:
            list(client.watch("nope"))
        assert caught.value.status is Status.NOT_FOUND


def test_a_killed_query_is_an_error_for_its_reader_and_not_an_end() -> None:
    with Served() as served, Client(served.uri) as client:
        submitted = client.submit("SELECT 'endless' AS e")
        batches = client.read(submitted.ticket)
        assert next(batches)[0].num_rows == 1
        client.kill(submitted.query_id)
        with pytest.raises(ClientError, match=r"^the query was killed by its user$") as caught:
            next(batches)
        assert caught.value.status is Status.CANCELLED


def test_leaving_a_stream_early_leaves_the_query_and_the_client_alone() -> None:
    with Served() as served, Client(served.uri) as client:
        submitted = client.submit("SELECT 'endless' AS e")
        batches = client.read(submitted.ticket)
        next(batches)
        batches.close()
        status = client.status(submitted.query_id)
        assert status is not None
        assert status.state == "running"


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Client(f"grpc://127.0.0.1:{port}") as client:
        for call in (lambda: client.submit("SELECT 1"), client.queries, client.workers, lambda: list(client.read("q"))):
            with pytest.raises(ClientError, match=f"cannot reach a server at grpc://127.0.0.1:{port}\nis one running there") as caught:
                call()
            assert caught.value.status is Status.UNAVAILABLE


def test_the_client_comes_back_when_the_server_does() -> None:
    with Served() as served, Client(served.uri) as client:
        client.workers()
        port = served.server.port
        served.server.shutdown()
        with pytest.raises(ClientError, match="cannot reach"):
            client.workers()
        second = VolleyServer(served.services, port=port)
        try:
            assert comes_back(client, within_seconds=20)
            assert client.query("SELECT 1 AS one").num_rows == 1
        finally:
            second.shutdown()


def test_many_threads_share_a_client() -> None:
    with Served() as served, Client(served.uri) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: client.query(f"SELECT {n} AS n").column("n")[0].as_py(), range(40)))
        assert answers == list(range(40))


def test_a_call_ends_when_its_time_is_over() -> None:
    with Served() as served, Client(served.uri) as client:
        query_id = client.submit("SELECT 'endless' AS e").query_id
        with pytest.raises(ClientError) as caught:
            list(client.watch(query_id, timeout=0.1))
        assert caught.value.status is Status.DEADLINE_EXCEEDED


def test_an_interrupted_query_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Served() as served, Client(served.uri) as client:

        def interrupted(*_: object) -> object:
            raise KeyboardInterrupt

        monkeypatch.setattr(client, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.query("SELECT 'endless' AS e")
        assert served.service.queries("")[0].state == "killed"


def test_text_that_is_no_unicode_is_refused_by_the_server() -> None:
    with Served() as served, Client(served.uri) as client, pytest.raises(ClientError, match="not valid UTF-8"):
        client.submit("SELECT '\udcff'")


def test_a_token_travels_as_a_bearer() -> None:
    seen: list[object] = []

    class Watcher(flight.ServerMiddlewareFactory):
        def start_call(self, info: object, headers: dict[str, object]) -> None:
            seen.append(headers.get("authorization"))

    with Served(middleware={"watcher": Watcher()}) as served, Client(served.uri, token="t0ken") as client:
        client.workers()
        client.submit("SELECT 1")
    assert seen == [["Bearer t0ken"], ["Bearer t0ken"]]


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        ("localhost:8815", "grpc://localhost:8815"),
        (" grpc://h:1/ ", "grpc://h:1"),
        ("grpc+tls://h:1", "grpc+tls://h:1"),
    ],
)
def test_uris_are_completed(given: str, uri: str) -> None:
    assert normal_uri(given) == uri


@pytest.mark.parametrize("given", ["", "http://h:1", "grpc://", "flightsql://h:1", "grpc://h:port", "grpc://h"])
def test_what_is_no_uri_is_refused(given: str) -> None:
    with pytest.raises(ClientError, match="is not the URI of a server"):
        Client(given)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("bad sql. Detail: Python exception: INVALID_ARGUMENT", "bad sql"),
        (
            "bad sql\nhint. Detail: Python exception: NOT_FOUND. gRPC client debug context: NOT_FOUND:bad sql. Client context: OK",
            "bad sql\nhint",
        ),
        ("killed. Detail: Cancelled. gRPC client debug context: CANCELLED:killed. Detail: Cancelled. Client context: OK", "killed"),
        ("Flight returned unavailable error, with message: failed to connect to all addresses", "failed to connect to all addresses"),
        ("Details: none. Fine.", "Details: none. Fine."),
    ],
)
def test_messages_are_freed_of_what_grpc_adds(text: str, clean: str) -> None:
    assert clean_message(text) == clean


def test_our_own_errors_pass_through() -> None:
    error = ClientError("known", status=Status.NOT_FOUND)
    assert from_flight_error(error, "grpc://h:1") is error


def test_a_server_that_vanishes_in_the_middle_of_a_result_is_an_error() -> None:
    with Served() as served, Client(served.uri) as client:
        batches = client.read(client.submit("SELECT 'endless' AS e").ticket)
        next(batches)
        stopper = threading.Thread(target=served.server.shutdown)
        stopper.start()
        with pytest.raises(ClientError, match="shutting down") as caught:
            next(batches)
        assert caught.value.status is Status.UNAVAILABLE
        stopper.join(5)
