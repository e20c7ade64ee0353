from __future__ import annotations

import logging
import traceback

import pyarrow.flight as flight
import pytest

from flight_server.client import Client
from flight_server.errors import ClientError, NoRoom, QueryKilled, UnknownExchange
from flight_server.protocol.status import MAX_METADATA_BYTES, _cost, incident, status_of, wire_error
from planner.errors import Status, VolleyError
from tests.flight_server.fake_service import Served


def error_of(status: Status, message: str = "the thing is wrong") -> VolleyError:
    error = VolleyError(message, remedy="mend the thing")
    error.status = status
    return error


@pytest.mark.parametrize("status", list(Status))
def test_our_client_gets_every_status_and_the_whole_message(status: Status) -> None:
    with Served() as served, Client(served.uri) as client:
        served.service.fail = error_of(status)
        for call in (lambda: client.submit("SELECT 1"), lambda: client.schema("SELECT 1"), client.queries, client.workers):
            with pytest.raises(ClientError) as caught:
                call()
            assert caught.value.status is status
            assert str(caught.value) == "the thing is wrong\nmend the thing"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.INVALID_ARGUMENT, "ArrowInvalid"),
        (Status.NOT_FOUND, "ArrowKeyError"),
        (Status.UNIMPLEMENTED, "ArrowNotImplementedError"),
        (Status.PERMISSION_DENIED, "FlightUnauthorizedError"),
        (Status.UNAUTHENTICATED, "FlightUnauthenticatedError"),
        (Status.RESOURCE_EXHAUSTED, "FlightUnavailableError"),
        (Status.CANCELLED, "FlightCancelledError"),
        (Status.UNAVAILABLE, "FlightUnavailableError"),
        (Status.DEADLINE_EXCEEDED, "FlightTimedOutError"),
        (Status.INTERNAL, "FlightInternalError"),
    ],
)
def test_pyarrow_gets_the_right_kind_of_error(status: Status, kind: str) -> None:
    with Served() as served, flight.FlightClient(served.uri) as client:
        served.service.fail = error_of(status)
        with pytest.raises(Exception, match="the thing is wrong\nmend the thing") as caught:
            client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 1"))
        assert type(caught.value).__name__ == kind
        assert "Traceback" not in str(caught.value)


def test_no_room_is_told_by_its_own_name() -> None:
    with Served() as served, flight.FlightClient(served.uri) as client:
        served.service.fail = error_of(Status.RESOURCE_EXHAUSTED)
        with pytest.raises(flight.FlightUnavailableError, match=r"^RESOURCE_EXHAUSTED: the thing") as caught:
            client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 1"))
        assert status_of(caught.value.extra_info) is Status.RESOURCE_EXHAUSTED


def test_unexpected_errors_become_an_incident(caplog: pytest.LogCaptureFixture) -> None:
    with Served() as served, Client(served.uri) as client, caplog.at_level(logging.ERROR):
        served.service.fail = RuntimeError("secret at /srv/secret/place.py")
        with pytest.raises(ClientError, match=r"^internal error, incident [0-9a-f]{6}; see the server's log$") as caught:
            client.submit("SELECT 1")
        assert caught.value.status is Status.INTERNAL
    incident = str(caught.value).split()[3].rstrip(";")
    logged = next(record for record in caplog.records if incident in record.getMessage())
    assert logged.exc_info is not None
    assert "secret at" in str(logged.exc_info[1])


def test_an_incident_outside_of_a_call_is_logged_under_its_number(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise RuntimeError("a bug")
    except RuntimeError:
        told = incident("query q1")
    assert told.status is Status.INTERNAL
    (record,) = caplog.records
    assert record.getMessage() == f"incident {str(told).split()[3].rstrip(';')} in query q1"
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "a bug"


def test_what_people_are_told_of_room_kills_and_exchanges() -> None:
    assert "4 run and 8 wait" in str(NoRoom(4, 8))
    assert NoRoom(4, 8).status is Status.RESOURCE_EXHAUSTED
    assert str(QueryKilled("its client went away")) == "the query was stopped: its client went away"
    assert "its exchanges are: exchange-0, exchange-1" in str(UnknownExchange("x", "running", ["exchange-0", "exchange-1"]))
    assert str(UnknownExchange("x")).startswith("there is no exchange 'x'")


@pytest.mark.parametrize("text", ["x" * 50_000, "é\n" * 50_000, "💥" * 20_000])
@pytest.mark.parametrize("status", [Status.NOT_FOUND, Status.RESOURCE_EXHAUSTED, Status.INTERNAL])
def test_long_messages_are_cut_and_arrive(text: str, status: Status) -> None:
    with Served() as served, Client(served.uri) as client:
        served.service.fail = VolleyError(text)
        served.service.fail.status = status
        with pytest.raises(ClientError) as caught:
            client.submit("SELECT 1")
        assert caught.value.status is status
        assert str(caught.value)[:200] == text[:200]
        assert str(caught.value).endswith("…")


def test_cut_messages_use_the_room_that_there_is() -> None:
    for text in ("x" * 50_000, "💥" * 20_000):
        cost = _cost(str(wire_error(error_of(Status.NOT_FOUND, text))), 2)
        assert MAX_METADATA_BYTES - 100 < cost <= MAX_METADATA_BYTES


def test_plain_wire_errors_cannot_be_formatted_by_traceback() -> None:
    error = wire_error(error_of(Status.INVALID_ARGUMENT))
    with pytest.raises(AttributeError):
        traceback.format_exception(error)


def test_foreign_details_are_no_status_of_ours() -> None:
    assert status_of(None) is None
    assert status_of(b"") is None
    assert status_of(b"\xff\xff\xff") is None
