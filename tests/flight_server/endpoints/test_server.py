from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.flight as flight
import pytest
from google.protobuf.any_pb2 import Any

from flight_server.endpoints import server
from flight_server.endpoints.server import VolleyServer, check_port
from flight_server.errors import PortInUse, ServerError
from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.any_message import pack
from tests.flight_server.fake_service import Served

TEA = Any(type_url="type.googleapis.com/arrow.flight.protocol.sql.CommandMakeTea").SerializeToString()


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as running:
        yield running


@pytest.fixture
def client(served: Served) -> Iterator[flight.FlightClient]:
    with flight.FlightClient(served.uri) as connected:
        yield connected


def command(text: str | bytes) -> flight.FlightDescriptor:
    return flight.FlightDescriptor.for_command(text)


def ticket(**parts: object) -> flight.Ticket:
    return flight.Ticket(json.dumps(parts).encode())


def rows_of(reader: flight.FlightStreamReader) -> int:
    return sum(chunk.data.num_rows for chunk in reader)


def submit(client: flight.FlightClient, sql: str) -> str:
    return str(json.loads(client.get_flight_info(command(sql)).app_metadata)["query_id"])


def test_a_sql_text_becomes_a_query_with_one_endpoint_that_reads_all_of_it(client: flight.FlightClient) -> None:
    info = client.get_flight_info(command("SELECT n FROM numbers ORDER BY n"))
    assert info.schema == pa.schema([("n", pa.int64())])
    (endpoint,) = info.endpoints
    assert endpoint.locations == []
    assert endpoint.expiration_time is not None
    read = json.loads(endpoint.ticket.ticket)
    assert read == {"query_id": json.loads(info.app_metadata)["query_id"], "cursor": [0, 0, 0], "follow": True, "limit": None}
    assert client.do_get(endpoint.ticket).read_all().column("n").to_pylist() == list(range(2500))


def test_each_batch_says_its_place_and_the_next(client: flight.FlightClient) -> None:
    reader = client.do_get(ticket(query_id=submit(client, "FROM numbers"), follow=True))
    places = [json.loads(chunk.app_metadata.to_pybytes()) for chunk in reader]
    assert [place["cursor"] for place in places] == [[0, 0, 0], [0, 1, 0], [0, 2, 0]]
    assert [place["next"] for place in places] == [[0, 1, 0], [0, 2, 0], None]


def test_one_row_group_from_a_row_on(client: flight.FlightClient) -> None:
    reader = client.do_get(ticket(query_id=submit(client, "SELECT n FROM numbers ORDER BY n"), cursor=[0, 1, 990]))
    assert reader.read_all().column("n").to_pylist() == list(range(1990, 2000))


def forwarded(owner: str, abandon: bool, **parts: object) -> flight.Ticket:
    return ticket(forwarded=parts, owner=owner, abandon=abandon)


def test_a_ticket_that_another_worker_passes_on_is_read_for_its_owner(served: Served, client: flight.FlightClient) -> None:
    """Two owners at another worker; here the caller is that worker, which is neither."""
    query_id = served.service.submit("FROM numbers", "ada").query_id
    assert rows_of(client.do_get(forwarded("ada", False, query_id=query_id, follow=True))) == 2500
    assert rows_of(client.do_get(forwarded("ada", False, query_id=query_id, exchange="exchange-0", peek=1))) == 1000
    for mine in (
        forwarded("bob", False, query_id=query_id, follow=True),
        forwarded("bob", False, query_id=query_id, exchange="exchange-0", peek=1),
        ticket(query_id=query_id, follow=True),
    ):
        with pytest.raises(pa.ArrowKeyError, match="there is no query"):
            client.do_get(mine).read_all()


@pytest.mark.parametrize("abandon", [True, False])
def test_a_reader_passed_on_takes_its_query_along_if_it_cannot_come_back(
    served: Served, client: flight.FlightClient, abandon: bool
) -> None:
    query_id = served.service.submit("SELECT 'endless' AS e", "ada").query_id
    reader = client.do_get(forwarded("ada", abandon, query_id=query_id, follow=True))
    assert reader.read_chunk().data.num_rows == 1
    reader.cancel()
    assert served.service.let_go(query_id)
    status = served.service.status(query_id, "ada")
    assert status is not None
    assert status.state == ("killed" if abandon else "running")


def test_only_do_get_takes_a_ticket_that_is_passed_on(served: Served, client: flight.FlightClient) -> None:
    query_id = served.service.submit("FROM numbers", "ada").query_id
    passed = forwarded("ada", False, query_id=query_id, follow=True).ticket
    with pytest.raises(pa.ArrowInvalid, match="must be a result's"):
        client.get_flight_info(command(passed))
    statement = flight.Ticket(pack(pb.TicketStatementQuery(statement_handle=passed)))
    with pytest.raises(pa.ArrowInvalid, match="not one that this server made"):
        client.do_get(statement)


def test_a_path_is_a_table(client: flight.FlightClient) -> None:
    info = client.get_flight_info(flight.FlightDescriptor.for_path("odd name"))
    assert client.do_get(info.endpoints[0].ticket).read_all().column_names == ["a", "b"]
    with pytest.raises(pa.ArrowKeyError, match="there is no table 'nope'"):
        client.get_flight_info(flight.FlightDescriptor.for_path("nope"))
    with pytest.raises(pa.ArrowInvalid, match="has 2 parts"):
        client.get_flight_info(flight.FlightDescriptor.for_path("a", "b"))


def test_a_table_is_looked_up_once_for_a_path(served: Served, client: flight.FlightClient) -> None:
    client.get_flight_info(flight.FlightDescriptor.for_path("odd name"))
    client.get_schema(flight.FlightDescriptor.for_path("numbers"))
    assert served.service.planned == ['SELECT * FROM "odd name"', 'SELECT * FROM "numbers"']


def test_get_schema_plans_only(served: Served, client: flight.FlightClient) -> None:
    assert client.get_schema(command("SELECT 1 AS one")).schema.names == ["one"]
    assert client.get_schema(command('{"sql": "SELECT 1 AS one", "ahead": 1}')).schema.names == ["one"]
    assert client.get_schema(flight.FlightDescriptor.for_path("numbers")).schema.names == ["n", "name"]
    assert served.service.queries("") == []


def test_a_finished_result_can_be_looked_up_by_its_ticket(client: flight.FlightClient) -> None:
    query_id = submit(client, "FROM numbers")
    info = client.get_flight_info(command(json.dumps({"query_id": query_id})))
    assert (info.total_records, info.schema.names) == (2500, ["n", "name"])
    assert client.get_schema(command(json.dumps({"query_id": query_id}))).schema == info.schema
    with pytest.raises(pa.ArrowKeyError, match="there is no query 'nope'"):
        client.get_flight_info(command(b'{"query_id": "nope"}'))


def test_flights_are_the_tables_and_the_finished_results(client: flight.FlightClient) -> None:
    submit(client, "SELECT 1 AS one")
    submit(client, "SELECT 'endless' AS running")
    flights = list(client.list_flights())
    assert [info.descriptor.path for info in flights[:2]] == [[b"numbers"], [b"odd name"]]
    (result,) = flights[2:]
    assert result.schema.names == ["one"]
    assert client.do_get(result.endpoints[0].ticket).read_all().num_rows == 1
    assert [info.descriptor.path for info in client.list_flights(b"num%")] == [[b"numbers"]]


def test_finished_results_are_listed_page_by_page(client: flight.FlightClient) -> None:
    ids = [submit(client, f"SELECT {number} AS n") for number in range(5)]
    lines = [json.loads(line.body.to_pybytes()) for line in client.do_action("query.list")]
    submitted_at = {line["query_id"]: line["submitted_at"] for line in lines}

    def page(**asked: object) -> list[str]:
        return [json.loads(info.app_metadata)["query_id"] for info in client.list_flights(json.dumps(asked).encode())]

    assert page() == ids[::-1]
    assert page(limit=2) == [ids[4], ids[3]]
    assert page(limit=2, before=submitted_at[ids[3]]) == [ids[2], ids[1]]
    assert page(before=submitted_at[ids[0]]) == []
    with pytest.raises(pa.ArrowInvalid, match="the criteria"):
        page(limit="many")


def test_a_listing_of_results_has_a_bound_whatever_is_asked_for(client: flight.FlightClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_LISTED_RESULTS", 2)
    ids = [submit(client, f"SELECT {number} AS n") for number in range(4)]
    for criteria in (b"", b"{}", b'{"limit": 3}'):
        results = [info for info in client.list_flights(criteria) if info.app_metadata]
        assert [json.loads(info.app_metadata)["query_id"] for info in results] == [ids[3], ids[2]]


def test_peeking_takes_the_records_that_wait(client: flight.FlightClient) -> None:
    query_id = submit(client, "FROM numbers")
    assert rows_of(client.do_get(ticket(query_id=query_id, exchange="exchange-0", peek=2))) == 2000


def test_an_exchange_ticket_goes_to_the_exchange_as_it_is(client: flight.FlightClient) -> None:
    body = b'{"exchange": "e-1", "consumer": "w1"}'
    (chunk,) = list(client.do_get(flight.Ticket(body)))
    assert chunk.data.column(0).to_pylist() == [body.decode()]
    assert chunk.app_metadata.to_pybytes() == b"lease"


def test_actions_answer_one_json_for_each_item(client: flight.FlightClient) -> None:
    query_id = submit(client, "FROM numbers")

    def act(name: str, body: bytes = b"") -> list[dict[str, object]]:
        return [json.loads(result.body.to_pybytes()) for result in client.do_action(flight.Action(name, body))]

    ref = json.dumps({"query_id": query_id}).encode()
    assert [item["query_id"] for item in act("query.list")] == [query_id]
    assert [item["query_id"] for item in act("query.list", b'{"all": true, "limit": 1}')] == [query_id]
    with pytest.raises(pa.ArrowInvalid, match="limit"):
        act("query.list", b'{"limit": 0}')
    assert act("query.status", ref)[0]["state"] == "completed"
    assert act("query.kill", ref)[0]["state"] == "completed"
    assert [item["state"] for item in act("query.watch", ref)] == ["completed"]
    assert act("worker.list")[0]["worker_id"] == "w0"
    assert [item["name"] for item in act("table.list")] == ["numbers", "odd name", "unreadable"]
    assert act("query.drop", ref)[0]["state"] == "completed"
    assert act("query.list") == []
    assert act("table.list", b'{"details": false}')[0]["columns"] == []
    names = {action.type for action in client.list_actions()}
    assert {"query.kill", "table.list", "CreatePreparedStatement", "CancelFlightInfo"} <= names


def test_actions_between_workers_pass_through(served: Served, client: flight.FlightClient) -> None:
    (answer,) = client.do_action(flight.Action("exchange.ack", b"body"))
    assert answer.body.to_pybytes() == b"done"
    assert served.service.actions == [("exchange.ack", b"body")]


def test_watching_ends_when_the_query_is_killed(client: flight.FlightClient) -> None:
    ref = json.dumps({"query_id": submit(client, "SELECT 'endless' AS e")}).encode()
    states = client.do_action(flight.Action("query.watch", ref))
    assert json.loads(next(states).body.to_pybytes())["state"] == "running"
    list(client.do_action(flight.Action("query.kill", ref)))
    assert json.loads(next(states).body.to_pybytes())["state"] == "killed"
    assert next(states, None) is None


def test_a_reader_of_a_ticket_can_leave_without_killing_the_query(served: Served, client: flight.FlightClient) -> None:
    query_id = submit(client, "SELECT 'endless' AS e")
    reader = client.do_get(ticket(query_id=query_id, follow=True))
    assert reader.read_chunk().data.num_rows == 1
    reader.cancel()
    with pytest.raises(flight.FlightCancelledError):
        reader.read_chunk()
    status = served.service.status(query_id, "")
    assert status is not None
    assert status.state == "running"


BAD_CALLS: list[tuple[str, Callable[[flight.FlightClient], object], type[Exception], str]] = [
    ("empty ticket", lambda c: rows_of(c.do_get(flight.Ticket(b""))), pa.ArrowInvalid, "ticket cannot be read"),
    ("ticket of binary", lambda c: rows_of(c.do_get(flight.Ticket(b"\xff\x00"))), pa.ArrowInvalid, "ticket cannot be read"),
    ("unknown query", lambda c: rows_of(c.do_get(ticket(query_id="nope"))), pa.ArrowKeyError, "there is no query 'nope'"),
    ("invalid utf-8", lambda c: c.get_flight_info(command(b"SELECT '\xff'")), pa.ArrowInvalid, "byte 8 is 0xff"),
    ("schema of invalid utf-8", lambda c: c.get_schema(command(b"\xff")), pa.ArrowInvalid, "not valid UTF-8"),
    ("bad body", lambda c: list(c.do_action(flight.Action("query.status", b"{"))), pa.ArrowInvalid, "body cannot be read"),
    ("no body", lambda c: list(c.do_action(flight.Action("query.kill", b""))), pa.ArrowInvalid, "body cannot be read"),
    ("unknown in status", lambda c: list(c.do_action(flight.Action("query.status", b'{"query_id":"x"}'))), pa.ArrowKeyError, "no query"),
    ("unknown in watch", lambda c: list(c.do_action(flight.Action("query.watch", b'{"query_id":"x"}'))), pa.ArrowKeyError, "no query"),
    ("unknown action", lambda c: list(c.do_action(flight.Action("make.tea", b""))), pa.ArrowNotImplementedError, "no action 'make.tea'"),
    ("savepoint", lambda c: list(c.do_action(flight.Action("BeginSavepoint", b""))), pa.ArrowNotImplementedError, "leave savepoints out"),
    ("unknown command", lambda c: c.get_flight_info(command(TEA)), NotImplementedError, "Tea"),
    ("schema of it", lambda c: c.get_schema(command(TEA)), NotImplementedError, "Tea"),
]


@pytest.mark.parametrize(("call", "kind", "told"), [bad[1:] for bad in BAD_CALLS], ids=[bad[0] for bad in BAD_CALLS])
def test_bad_requests_are_told_what_is_wrong(
    client: flight.FlightClient, call: Callable[[flight.FlightClient], object], kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind, match=told):
        call(client)


def put(client: flight.FlightClient, descriptor: flight.FlightDescriptor) -> None:
    batch = pa.record_batch({"a": [1]})
    writer, reader = client.do_put(descriptor, batch.schema)
    writer.write_batch(batch)
    writer.done_writing()
    reader.read()
    writer.close()


def exchange(client: flight.FlightClient) -> None:
    writer, reader = client.do_exchange(command(b"x"))
    writer.done_writing()
    reader.read_chunk()


def acting(name: str, body: bytes) -> Callable[[flight.FlightClient], object]:
    return lambda client: list(client.do_action(flight.Action(name, body)))


ENDPOINTS: dict[str, Callable[[flight.FlightClient], object]] = {
    "info": lambda c: c.get_flight_info(command("SELECT 1")),
    "info of a path": lambda c: c.get_flight_info(flight.FlightDescriptor.for_path("numbers")),
    "info of a ticket": lambda c: c.get_flight_info(command(b'{"query_id": "q"}')),
    "info of a statement": lambda c: c.get_flight_info(command(pack(pb.CommandStatementQuery(query="SELECT 1")))),
    "schema": lambda c: c.get_schema(command("SELECT 1")),
    "schema of a path": lambda c: c.get_schema(flight.FlightDescriptor.for_path("numbers")),
    "schema of a statement": lambda c: c.get_schema(command(pack(pb.CommandStatementQuery(query="SELECT 1")))),
    "get": lambda c: rows_of(c.do_get(ticket(query_id="q"))),
    "peek": lambda c: rows_of(c.do_get(ticket(query_id="q", exchange="e", peek=1))),
    "pull": lambda c: rows_of(c.do_get(ticket(exchange="e"))),
    "get of tables": lambda c: rows_of(c.do_get(flight.Ticket(pack(pb.CommandGetTables())))),
    "put": lambda c: put(c, command(pack(pb.CommandStatementUpdate(query="SELECT 1")))),
    "plain put": lambda c: put(c, command(b"x")),
    "exchange": exchange,
    "flights": lambda c: list(c.list_flights()),
    "prepare": lambda c: list(
        c.do_action(flight.Action("CreatePreparedStatement", pack(pb.ActionCreatePreparedStatementRequest(query="SELECT 1"))))
    ),
    **{name: acting(name, b"") for name in ("query.list", "worker.list", "table.list", "x")},
    **{name: acting(name, b'{"query_id": "q"}') for name in ("query.status", "query.kill", "query.drop", "query.watch")},
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "error",
    [RuntimeError("at /srv/volley/secret.py"), KeyError("/srv/x.py"), flight.FlightServerError("/srv/x.py"), pa.ArrowInvalid("/srv/x.py")],
    ids=lambda error: type(error).__name__,
)
def test_no_endpoint_lets_a_traceback_or_a_path_out(served: Served, client: flight.FlightClient, endpoint: str, error: Exception) -> None:
    served.service.fail = error
    with pytest.raises((pa.ArrowException, flight.FlightError, NotImplementedError)) as caught:
        ENDPOINTS[endpoint](client)
    for leak in ("Traceback", ".py", "/srv", "File ", "pyarrow/"):
        assert leak not in str(caught.value)


def test_errors_in_the_middle_of_a_stream_are_clean_too(client: flight.FlightClient) -> None:
    reader = client.do_get(ticket(query_id=submit(client, "SELECT 'endless' AS e"), follow=True))
    assert reader.read_chunk().data.num_rows == 1
    (query,) = client.do_action(flight.Action("query.list", b""))
    list(client.do_action(flight.Action("query.kill", query.body.to_pybytes())))
    with pytest.raises(flight.FlightCancelledError, match=r"^the query was killed by its user\. Detail: Cancelled"):
        reader.read_chunk()


def test_a_taken_port_is_refused(served: Served) -> None:
    with pytest.raises(PortInUse, match=f"port {served.server.port} of 127.0.0.1 is in use"):
        VolleyServer(served.services, port=served.server.port)


def test_a_port_is_free_again_after_its_server_is_gone() -> None:
    with Served() as first:
        port = first.server.port
    check_port("127.0.0.1", port)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortInUse):
        check_port("127.0.0.1", port)


def test_a_host_that_is_not_here_is_refused() -> None:
    with pytest.raises(ServerError, match=r"cannot listen on 192\.0\.2\.1"):
        check_port("192.0.2.1", 8815)
    with pytest.raises(ServerError, match="there is no host"):
        check_port("no.such.host.invalid", 8815)


def test_a_draining_server_takes_no_new_queries_and_answers_everything_else(served: Served, client: flight.FlightClient) -> None:
    query_id = submit(client, "FROM numbers")
    served.service.draining = True
    with pytest.raises(flight.FlightUnavailableError, match="shutting down"):
        client.get_flight_info(command("SELECT 1"))
    read = ticket(query_id=query_id, follow=True)
    info = client.get_flight_info(command(read.ticket))
    assert info.total_records == 2500
    assert rows_of(client.do_get(info.endpoints[0].ticket)) == 2500
    assert query_id in {json.loads(each.app_metadata)["query_id"] for each in client.list_flights() if each.app_metadata}
    assert client.get_schema(command("SELECT 1 AS one")).schema.names == ["one"]
    tables = flight.FlightDescriptor.for_command(pack(pb.CommandGetTables()))
    assert client.do_get(client.get_flight_info(tables).endpoints[0].ticket).read_all().num_rows > 0


def test_shutdown_cuts_off_readers_that_wait_too_long_with_an_error(served: Served, client: flight.FlightClient) -> None:
    reader = client.do_get(ticket(query_id=submit(client, "SELECT 'endless' AS e"), follow=True))
    assert reader.read_chunk().data.num_rows == 1
    stopper = threading.Thread(target=served.server.shutdown, args=(0.05,))
    stopper.start()
    with pytest.raises(flight.FlightUnavailableError, match="shutting down"):
        reader.read_chunk()
    stopper.join(20)
    assert not stopper.is_alive()
