"""What tools send before their first query."""

from __future__ import annotations

import pyarrow as pa
import pytest

from planner import PlanOptions, plan
from planner.errors import NotReadOnly, NotSupported, PlannerError, Status, UnknownTable
from planner.physical import SessionChange
from planner.settings import SETTINGS
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN",
        "begin transaction read only;",
        "BEGIN ISOLATION LEVEL READ COMMITTED",
        "START TRANSACTION READ WRITE",
        "COMMIT",
        "COMMIT WORK AND CHAIN",
        "END",
        "ROLLBACK",
        "SET TimeZone = 'UTC'",
        "SET SESSION timezone TO 'Etc/UTC'",
        "SET TIME ZONE 'UTC'",
        "SET TIME ZONE LOCAL",
        "SET TIME ZONE 0",
        "SET TIME ZONE '+00:00'",
        "SET LOCAL TIME ZONE 'UTC'",
        "SET time_zone = 'UTC'",
        "RESET TimeZone",
        "DISCARD ALL",
        "DISCARD TEMP",
        "ABORT",
        "abort work;",
        "SET SCHEMA 'main'",
        "SET SESSION SCHEMA 'volley.main'",
        "RESET TIME ZONE",
        "RESET ROLE",
        "RESET SESSION AUTHORIZATION",
        "RESET TRANSACTION ISOLATION LEVEL",
        "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY, DEFERRABLE",
        "START TRANSACTION READ ONLY NOT DEFERRABLE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, NOT DEFERRABLE",
        "DEALLOCATE ALL",
        "DEALLOCATE PREPARE ALL;",
        "CLOSE ALL",
        "UNLISTEN *",
        "SET application_name = 'DBeaver 24.1 - Main'",
        "SET extra_float_digits = 3",
        "SET DateStyle TO 'ISO'",
        "SET datestyle = ISO, MDY",
        "SET IntervalStyle = postgres",
        "SET standard_conforming_strings = on",
        "SET default_transaction_isolation TO 'read committed'",
        "SET lock_timeout = 0",
        "SET SESSION AUTHORIZATION DEFAULT",
        "SET ROLE NONE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "RESET ALL",
        "SET search_path TO main",
        'SET search_path = "$user", public, main',
        "SET search_path = 'public, main'",
        "SET schema = 'volley.main'",
        "USE main",
        "USE Volley.Main",
        "USE volley",
        "SET NAMES 'utf8'",
        "SET client_encoding = 'UTF-8'",
        "SET statement_timeout = 0",
        "SET statement_timeout TO DEFAULT",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    ],
)
def test_what_is_so_anyway_is_accepted(sql: str, catalog: FolderCatalog) -> None:
    planned = plan(sql, catalog, PlanOptions())
    assert planned.schema == pa.schema([("Success", pa.bool_())])
    assert plan_rows(run_plan(planned)) == []


@pytest.mark.parametrize(
    ("sql", "kind", "told"),
    [
        ("BEGIN ISOLATION LEVEL SERIALIZABLE", NotSupported, "each statement reads the files as they are"),
        ("START TRANSACTION ISOLATION LEVEL REPEATABLE READ", NotSupported, "write READ COMMITTED"),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", NotSupported, "write READ COMMITTED"),
        ("SET TRANSACTION SNAPSHOT 'x'", NotSupported, "no snapshots"),
        ("ROLLBACK TO SAVEPOINT a", NotSupported, "there are no savepoints (line 1, column 23)"),
        ("SAVEPOINT a", NotSupported, "no savepoints"),
        ("DEALLOCATE p", NotSupported, "DEALLOCATE as a statement is not supported"),
        ("CLOSE c", NotSupported, "no cursors"),
        ("SET SCHEMA 'public'", UnknownTable, "there is no such catalog or schema (line 1, column 5)"),
        ("RESET TIME", NotReadOnly, "the setting 'time'"),
        ("SET TimeZone = 'Europe/Berlin'", NotSupported, "the time zone is UTC for a client that has no session (line 1, column 16)"),
        ("SET TIME ZONE 'Europe/Berlin'", NotSupported, "AT TIME ZONE"),
        ("SET TimeZone = 'Europe/Berln'", NotSupported, "there is no time zone 'Europe/Berln' (line 1, column 16)"),
        ("SET TIME ZONE 'berlin'", NotSupported, "Did you mean Europe/Berlin"),
        ("SET TIME ZONE INTERVAL '1' HOUR", NotSupported, "there is no time zone"),
        ("SET TIME ZONE 'UTC+2'", NotSupported, "whole hours like '+02:00'"),
        ("SET search_path = public", UnknownTable, "there is no such catalog or schema"),
        ("USE other.main", UnknownTable, "there is no such catalog or schema (line 1, column 5)"),
        ("USE volley.public", UnknownTable, "All tables are in volley.main"),
        ("SET statement_timeout = '10s'", NotSupported, "no time-out for a client that has no session (line 1, column 25)"),
        ("SET statement_timeout = 'soon'", NotSupported, "Write SET statement_timeout = '90s'"),
        ("SET extra_float_digits = -3", NotSupported, "always written exactly"),
        ("SET DateStyle = 'SQL, DMY'", NotSupported, "It is ISO, MDY"),
        ("SET default_transaction_read_only = off", NotSupported, "this server is read-only"),
        ("SET NAMES 'latin1'", NotSupported, "all text is UTF-8"),
        ("SET threads = 4", NotReadOnly, "changing the setting 'threads' is refused (line 1, column 5)"),
        ("SET a.b = DEFAULT", NotReadOnly, "the setting 'a.b'"),
        ("RESET threads", NotReadOnly, "configuration"),
        ("SET ROLE admin", NotReadOnly, "this SET is refused"),
    ],
)
def test_what_would_have_to_change_something_is_refused(sql: str, kind: type[PlannerError], told: str, catalog: FolderCatalog) -> None:
    with pytest.raises(kind) as caught:
        plan(sql, catalog, PlanOptions())
    assert told in str(caught.value)
    assert caught.value.status in (Status.UNIMPLEMENTED, Status.NOT_FOUND)


@pytest.mark.parametrize(
    ("sql", "column", "value"),
    [
        ("SHOW TimeZone", "timezone", "UTC"),
        ("SHOW TIME ZONE", "timezone", "UTC"),
        ("SHOW search_path", "search_path", "main"),
        ("SHOW TRANSACTION ISOLATION LEVEL", "transaction_isolation", "read committed"),
        ("SHOW server_version", "server_version", "1.2.3"),
        ("SHOW statement_timeout", "statement_timeout", "90s"),
        ("SHOW standard_conforming_strings", "standard_conforming_strings", "on"),
        ("SHOW extra_float_digits", "extra_float_digits", "1"),
        ("SELECT current_setting('TimeZone')", "current_setting('TimeZone')", "UTC"),
        ("SELECT upper(current_setting('search_path')) AS s GROUP BY current_setting('timezone')", "s", "MAIN"),
        ("SELECT version()", '"version"()', "Volley 1.2.3"),
    ],
)
def test_settings_are_shown(sql: str, column: str, value: str, catalog: FolderCatalog) -> None:
    planned = plan(sql, catalog, PlanOptions(server_version="1.2.3", timeout_seconds=90))
    assert planned.schema.names == [column]
    assert plan_rows(run_plan(planned)) == [(value,)]


def test_a_setting_set_to_what_it_is_is_accepted(catalog: FolderCatalog) -> None:
    for name, value in {name: setting.value for name, setting in SETTINGS.items()}.items():
        assert plan_rows(run_plan(plan(f"SET {name} = '{value}'", catalog, PlanOptions()))) == []


def test_a_table_called_as_a_setting_is_described(catalog: FolderCatalog) -> None:
    catalog.tables["timezone"] = catalog.tables["people"]
    assert plan("SHOW timezone", catalog, PlanOptions()).schema.names[0] == "column_name"


@pytest.mark.parametrize(
    ("sql", "change"),
    [
        ("SET TimeZone = 'europe/berlin'", SessionChange(time_zone="Europe/Berlin")),
        ("SET SESSION timezone TO 'Asia/Kathmandu'", SessionChange(time_zone="Asia/Kathmandu")),
        ("SET TIME ZONE -7", SessionChange(time_zone="Etc/GMT+7")),
        ("SET TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE", SessionChange(time_zone="Etc/GMT-2")),
        ("SET TIME ZONE 'UTC'", SessionChange(time_zone="UTC")),
        ("SET TIME ZONE LOCAL", SessionChange(time_zone="UTC")),
        ("RESET TimeZone", SessionChange(time_zone="UTC")),
        ("SET TimeZone = 'America/Lima'", None),
        ("SET statement_timeout = 2500", SessionChange(timeout_seconds=2.5)),
        ("SET statement_timeout = '2min'", SessionChange(timeout_seconds=120)),
        ("SET statement_timeout = 0", SessionChange(timeout_seconds=0)),
        ("RESET statement_timeout", SessionChange(timeout_seconds=0)),
        ("SET statement_timeout TO '90s'", None),
        ("RESET ALL", SessionChange(time_zone="UTC", timeout_seconds=0)),
        ("DISCARD ALL", SessionChange(time_zone="UTC", timeout_seconds=0)),
        ("SET application_name = 'x'", None),
    ],
)
def test_a_session_keeps_what_a_statement_sets(sql: str, change: SessionChange | None, catalog: FolderCatalog) -> None:
    catalog.time_zone = "America/Lima"
    planned = plan(sql, catalog, PlanOptions(in_session=True, timeout_seconds=90))
    assert planned.change == change
    assert plan_rows(run_plan(planned)) == []


def test_what_a_transaction_would_end_is_not_set(catalog: FolderCatalog) -> None:
    with pytest.raises(NotSupported, match="Write SET without LOCAL"):
        plan("SET LOCAL TIME ZONE 'Europe/Berlin'", catalog, PlanOptions(in_session=True))


def test_the_zone_of_the_session_is_told(catalog: FolderCatalog) -> None:
    catalog.time_zone = "Europe/Berlin"
    for sql in ("SHOW TimeZone", "SELECT current_setting('TIMEZONE')", "SELECT current_setting('time_zone') FROM people LIMIT 1"):
        assert plan_rows(run_plan(plan(sql, catalog, PlanOptions()))) == [("Europe/Berlin",)]
