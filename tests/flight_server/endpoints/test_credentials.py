from __future__ import annotations

import logging
from collections.abc import Iterator

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow.flight as flight
import pytest

from flight_server.endpoints.credentials import UncheckedCallers, on_loopback
from tests.flight_server.fake_service import Served

WARNING = "accepted unchecked"


@pytest.fixture(name="served")
def _served() -> Iterator[Served]:
    with Served() as running:
        yield running


@pytest.fixture(name="open_to_all")
def _open_to_all() -> Iterator[str]:
    """The loopback address of a server that others can reach too."""
    with Served(host="0.0.0.0") as running:
        yield running.uri.replace("0.0.0.0", "127.0.0.1")


def one(client: flight.FlightClient, **headers: bytes) -> list[dict[str, object]]:
    options = flight.FlightCallOptions(headers=[(name.encode(), value) for name, value in headers.items()])
    info = client.get_flight_info(flight.FlightDescriptor.for_command("SELECT 1 AS one"), options)
    rows: list[dict[str, object]] = client.do_get(info.endpoints[0].ticket, options).read_all().to_pylist()
    return rows


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if WARNING in record.getMessage()]


def test_a_driver_that_sends_a_user_and_a_password_is_let_in_with_a_warning(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        with (
            dbapi.connect(served.uri, {"username": "ann", "password": "secret"}, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            assert cursor.execute("SELECT 1 AS one").fetchall() == [(1,)]
    (told,) = warnings_in(caplog)
    assert "user 'ann'" in told
    assert "secret" not in caplog.text


def test_pyarrow_logs_in_and_goes_on_with_the_token_that_it_was_given(served: Served) -> None:
    with flight.FlightClient(served.uri) as client:
        name, token = client.authenticate_basic_token("ann", "secret")
        assert one(client, **{name.decode(): token}) == [{"one": 1}]


def test_a_token_is_let_in_with_a_warning_that_does_not_tell_it(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with flight.FlightClient(served.uri) as client:
        assert one(client, authorization=b"Bearer s3cret-token") == [{"one": 1}]
    assert warnings_in(caplog) == [
        "a client came with a token: accepted unchecked, since this server knows no users and serves on loopback only"
    ]


def test_whoever_comes_without_is_not_warned_of(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with flight.FlightClient(served.uri) as client:
        assert one(client) == [{"one": 1}]
    assert warnings_in(caplog) == []


def test_elsewhere_names_and_tokens_are_refused(open_to_all: str) -> None:
    with flight.FlightClient(open_to_all) as client:
        assert one(client) == [{"one": 1}]
        for value in (b"Basic YW5uOnNlY3JldA==", b"Bearer token"):
            with pytest.raises(flight.FlightUnauthenticatedError, match="this server knows no users") as told:
                one(client, authorization=value)
            assert "Traceback" not in str(told.value)
        with pytest.raises(flight.FlightUnauthenticatedError, match="this server knows no users"):
            client.authenticate_basic_token("ann", "secret")
    with (
        pytest.raises(dbapi.Error, match="this server knows no users"),
        dbapi.connect(open_to_all, {"username": "ann", "password": "x"}) as connection,
    ):
        connection.adbc_get_info()


def test_queries_of_those_with_a_name_are_everybodys(served: Served) -> None:
    with flight.FlightClient(served.uri) as client:
        one(client, authorization=b"Basic YW5uOnNlY3JldA")
    assert [query.owner for query in served.service.queries("")] == [""]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("10.1.2.3", False)],
)
def test_what_loopback_is(host: str, loopback: bool) -> None:
    assert on_loopback(host) is loopback


def test_rubbish_for_a_name_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    UncheckedCallers(accepting=True).admit("Basic \x00%%%")
    UncheckedCallers(accepting=True).admit("")
    assert len(warnings_in(caplog)) == 2
