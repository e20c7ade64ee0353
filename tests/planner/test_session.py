"""What tools send before their first query."""

from __future__ import annotations

import pyarrow as pa
import pytest

from planner import PlanOptions, plan
from planner.errors import NotReadOnly, NotSupported, PlannerError, Status, UnknownTable
from planner.session import SETTINGS
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
        "RESET TimeZone",
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
        ("SET TimeZone = 'Europe/Berlin'", NotSupported, "the time zone is UTC, for every statement (line 1, column 16)"),
        ("SET TIME ZONE 'Europe/Berlin'", NotSupported, "AT TIME ZONE"),
        ("SET TIME ZONE INTERVAL '1' HOUR", NotSupported, "the time zone is UTC"),
        ("SET search_path = public", UnknownTable, "there is no such catalog or schema"),
        ("USE other.main", UnknownTable, "there is no such catalog or schema (line 1, column 5)"),
        ("USE volley.public", UnknownTable, "All tables are in volley.main"),
        ("SET statement_timeout = '10s'", NotSupported, "Set the session option statement_timeout"),
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
    ],
)
def test_settings_are_shown(sql: str, column: str, value: str, catalog: FolderCatalog) -> None:
    planned = plan(sql, catalog, PlanOptions())
    assert planned.schema.names == [column]
    assert plan_rows(run_plan(planned)) == [(value,)]


def test_a_setting_set_to_what_it_is_is_accepted(catalog: FolderCatalog) -> None:
    for name, value in SETTINGS.items():
        if name != "transaction_isolation":
            assert plan_rows(run_plan(plan(f"SET {name} = '{value}'", catalog, PlanOptions()))) == []


def test_a_table_called_as_a_setting_is_described(catalog: FolderCatalog) -> None:
    catalog.tables["timezone"] = catalog.tables["people"]
    assert plan("SHOW timezone", catalog, PlanOptions()).schema.names[0] == "column_name"
