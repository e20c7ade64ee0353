from __future__ import annotations

import json
from collections.abc import Iterator

import adbc_driver_flightsql.dbapi as dbapi
import pyarrow.flight as flight
import pytest

from flight_server.endpoints.sessions import Sessions
from flight_server.protocol import flight_sql_pb2 as pb
from flight_server.protocol.messages import SESSION_COOKIE
from flight_server.protocol.service import DEFAULT_SETTINGS, StatementSettings
from planner.physical import SessionChange
from tests.flight_server.fake_service import Served

FIXED = {"catalog": "volley", "schema": "main"}
COOKIES = {"adbc.flight.sql.rpc.with_cookie_middleware": "true"}


@pytest.fixture(name="served", scope="module")
def _served() -> Iterator[Served]:
    with Served() as running:
        yield running


@pytest.fixture(name="kept")
def _kept(served: Served) -> Iterator[dbapi.Connection]:
    """A connection that keeps cookies."""
    with dbapi.connect(served.uri, COOKIES, autocommit=True) as connection:
        yield connection


@pytest.fixture(name="plain")
def _plain(served: Served) -> Iterator[dbapi.Connection]:
    """A connection that keeps none, as ADBC's do unless they are told to."""
    with dbapi.connect(served.uri, autocommit=True) as connection:
        yield connection


def set_option(connection: dbapi.Connection, name: str, value: str | int | float) -> None:
    connection.adbc_connection.set_options(**{f"adbc.flight.sql.session.option.{name}": value})


def options(connection: dbapi.Connection) -> dict[str, object]:
    told: dict[str, object] = json.loads(connection.adbc_connection.get_option("adbc.flight.sql.session.options"))
    return told


def settings_of_a_statement(served: Served, connection: dbapi.Connection, *parameters: object) -> StatementSettings:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ? AS a" if parameters else "SELECT 1 AS a", parameters or None)
        cursor.fetchall()
    return served.service.settings


def test_statements_run_as_their_session_says(served: Served, kept: dbapi.Connection) -> None:
    assert settings_of_a_statement(served, kept) == DEFAULT_SETTINGS
    set_option(kept, "statement_timeout", "90s")
    set_option(kept, "distribute", "never")
    assert options(kept) == {**FIXED, "timezone": "UTC", "statement_timeout": 90, "distribute": "never"}
    assert settings_of_a_statement(served, kept) == StatementSettings(90.0, "never")
    assert settings_of_a_statement(served, kept, 1) == StatementSettings(90.0, "never")
    with kept.cursor() as cursor:
        cursor.executemany("SELECT ? AS a", [(1,), (2,)])
    assert served.service.settings == StatementSettings(90.0, "never")
    set_option(kept, "statement_timeout", 0)
    assert settings_of_a_statement(served, kept) == StatementSettings(None, "never")


@pytest.mark.parametrize("way", ["statement", "update", "prepared"])
def test_what_a_statement_sets_holds_for_those_after_it(served: Served, kept: dbapi.Connection, way: str) -> None:
    sql = f"SELECT '{way}' AS a"
    served.service.changes[sql] = SessionChange(time_zone="Asia/Kathmandu", timeout_seconds=7)
    set_option(kept, "distribute", "never")
    with kept.cursor() as cursor:
        match way:
            case "statement":
                cursor.execute(sql)
            case "update":
                cursor.adbc_statement.set_sql_query(sql)
                assert cursor.adbc_statement.execute_update() == 0
            case "prepared":
                cursor.adbc_prepare(sql)
                assert json.loads(kept.adbc_connection.get_option("adbc.flight.sql.session.options"))["timezone"] == "UTC"
                cursor.execute(sql)
    assert settings_of_a_statement(served, kept) == StatementSettings(7, "never", "Asia/Kathmandu")
    served.service.changes[sql] = SessionChange(time_zone="UTC", timeout_seconds=0)
    with kept.cursor() as cursor:
        cursor.execute(sql)
    assert settings_of_a_statement(served, kept) == StatementSettings(None, "never")


def test_sessions_are_apart(served: Served, kept: dbapi.Connection, plain: dbapi.Connection) -> None:
    set_option(kept, "distribute", "always")
    with dbapi.connect(served.uri, COOKIES, autocommit=True) as other:
        assert settings_of_a_statement(served, other) == DEFAULT_SETTINGS
    assert settings_of_a_statement(served, plain) == DEFAULT_SETTINGS
    assert settings_of_a_statement(served, kept) == StatementSettings(None, "always")


def test_what_would_be_forgotten_at_once_is_refused(plain: dbapi.Connection) -> None:
    for name, value in (("statement_timeout", "90s"), ("distribute", "never"), ("timezone", "Europe/Berlin")):
        with pytest.raises(dbapi.Error, match=f"'{name}' \\(error"):
            set_option(plain, name, value)
    set_option(plain, "statement_timeout", 0)
    set_option(plain, "distribute", "auto")
    assert options(plain) == {**FIXED, "timezone": "UTC", "statement_timeout": 0, "distribute": "auto"}


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("timezone", "UTC", None),
        ("timezone", "Europe/Berlin", None),
        ("timezone", "Europe/Berln", "invalid value"),
        ("timezone", 0, "invalid value"),
        ("catalog", "volley", None),
        ("catalog", "other", "invalid value"),
        ("schema", "public", "invalid value"),
        ("statement_timeout", 2.5, None),
        ("statement_timeout", -1, "invalid value"),
        ("statement_timeout", "soon", "invalid value"),
        ("statement_timeout", float("nan"), "invalid value"),
        ("distribute", "sometimes", "invalid value"),
        ("distribute", 1, "invalid value"),
        ("colour", "blue", "invalid name"),
    ],
)
def test_options_have_the_values_that_they_can_have(kept: dbapi.Connection, name: str, value: str | float, refused: str | None) -> None:
    if refused is None:
        set_option(kept, name, value)
        return
    with pytest.raises(dbapi.ProgrammingError, match=f"'{name}' \\({refused}\\)"):
        set_option(kept, name, value)
    assert options(kept) == {**FIXED, "timezone": "UTC", "statement_timeout": 0, "distribute": "auto"}


def test_a_closed_session_is_forgotten(served: Served) -> None:
    def act(name: str, body: bytes) -> bytes:
        cookie = flight.FlightCallOptions(headers=[(b"cookie", f"other=1; {SESSION_COOKIE}=mine".encode())])
        (answer,) = client.do_action(flight.Action(name, body), cookie)
        written: bytes = answer.body.to_pybytes()
        return written

    request = pb.SetSessionOptionsRequest()
    request.session_options["statement_timeout"].int64_value = 7
    with flight.FlightClient(served.uri) as client:
        assert not pb.SetSessionOptionsResult.FromString(act("SetSessionOptions", request.SerializeToString())).errors
        told = pb.GetSessionOptionsResult.FromString(act("GetSessionOptions", b"")).session_options
        assert told["statement_timeout"].double_value == 7
        closed = pb.CloseSessionResult.FromString(act("CloseSession", b""))
        assert closed.status == pb.CloseSessionResult.CLOSED
        told = pb.GetSessionOptionsResult.FromString(act("GetSessionOptions", b"")).session_options
        assert told["statement_timeout"].double_value == 0


def test_the_longest_unused_sessions_are_forgotten() -> None:
    sessions = Sessions(lambda _name: None, 2)
    request = pb.SetSessionOptionsRequest()
    request.session_options["distribute"].string_value = "never"
    for session_id in "abc":
        sessions.set_options(request.SerializeToString(), session_id)
    assert [sessions.settings(session_id).distribute for session_id in "abc"] == ["auto", "never", "never"]


def test_the_session_knows_its_catalog(plain: dbapi.Connection) -> None:
    assert (plain.adbc_current_catalog, plain.adbc_current_db_schema) == ("volley", "main")
    plain.adbc_current_catalog = "volley"
    with pytest.raises(dbapi.ProgrammingError, match="invalid value"):
        plain.adbc_current_catalog = "other"
