"""JDBC as DBeaver, DataGrip and Spark use it, call by call: what JdbcTools.java prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.conftest import BIG_ROWS
from tests.clients.endless import states_of_endless
from tests.clients.jdbc_driver import Sections, sections
from tests.clients.large_results import LARGE, ONE_LARGE_ROW, summary

BIG_COLUMNS = (
    "volley|main|big|i|-5|BIGINT|19|null|0|10|1|null|null|null|null|null|1|YES|null|null|null|null|NO|; "
    "volley|main|big|s|12|VARCHAR|65536|null|null|null|1|null|null|null|null|null|2|YES|null|null|null|null|NO|"
)
TABLES = "volley|main|big|TABLE|null|null|null|null|null|null; volley|main|kinds|TABLE|null|null|null|null|null|null"
I_COLUMNS = ["big i BIGINT", "kinds id INTEGER", "kinds i8 TINYINT", "kinds i16 SMALLINT", "kinds i64 BIGINT"]


@pytest.fixture(name="told", scope="module")
def _told(uri: str) -> Sections:
    """What the program printed, by section: one run of it for all tests."""
    return sections(Path(__file__).with_name("JdbcTools.java"), uri, *LARGE, ONE_LARGE_ROW)


def _answers(lines: list[str]) -> list[tuple[str, str]]:
    """Each call with what it answered; one that failed would have ``!`` instead of ``:``."""
    return [(name, answer) for name, _, answer in (line.partition(": ") for line in lines)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("getDatabaseProductName", "Volley"),
        ("getIdentifierQuoteString", '"'),
        ("getSearchStringEscape", "\\"),
        ("getSchemaTerm", "schema"),
        ("getCatalogTerm", "catalog"),
        ("isCatalogAtStart", "true"),
        ("supportsCatalogsInDataManipulation", "true"),
        ("supportsSchemasInDataManipulation", "true"),
        ("supportsMixedCaseIdentifiers", "false"),
        ("supportsMixedCaseQuotedIdentifiers", "true"),
        ("supportsSubqueriesInExists", "true"),
        ("supportsUnionAll", "true"),
        ("supportsGroupBy", "true"),
        ("supportsFullOuterJoins", "true"),
        ("supportsTransactions", "true"),
        ("supportsSelectForUpdate", "false"),
        ("supportsStoredProcedures", "false"),
        ("isReadOnly", "true"),
        ("getUserName", "tool"),
    ],
)
def test_what_the_server_says_of_itself(told: Sections, name: str, answer: str) -> None:
    assert dict(_answers(told["scalars"]))[name] == answer


def test_dbeaver_connects_lists_and_shows_a_table(told: Sections) -> None:
    assert _answers(told["dbeaver"]) == [
        *(("isValid", "true"), ("getCatalog", "null"), ("getSchema", "null"), ("getAutoCommit", "true")),
        *(("getTransactionIsolation", "0"), ("getWarnings", "null"), ("getTypeInfo", "")),
        *(("getCatalogs", "volley"), ("getSchemas", "main|volley"), ("getTableTypes", "TABLE"), ("getTables", TABLES)),
        ("getColumns", BIG_COLUMNS),
        *(("getPrimaryKeys", ""), ("getIndexInfo", ""), ("getImportedKeys", ""), ("getExportedKeys", "")),
        *(("getProcedures", ""), ("getFunctions", "")),
        *(("setMaxRows", "null"), ("setFetchSize", "null"), ("setQueryTimeout", "null"), ("execute", "true")),
        *(("getResultSet", "0|row 0; 1|row 1"), ("getMoreResults", "false"), ("getUpdateCount", "-1"), ("getWarnings", "null")),
        ("executeQuery", str(BIG_ROWS)),
        *(("setAutoCommit", "null"), ("commit", "null"), ("rollback", "null"), ("setAutoCommit", "null")),
    ]


def test_datagrip_introspects(told: Sections) -> None:
    schemas, tables, (_, columns), *nothing, rows, here = _answers(told["datagrip"])
    assert (schemas, tables) == (("getSchemas", "main|volley"), ("getTables", TABLES))
    cells = [column.split("|") for column in columns.split("; ")]
    assert [f"{table} {name} {type_name}" for _, _, table, name, _, type_name, *_ in cells] == I_COLUMNS
    assert [answer for _, answer in nothing] == [""] * 7, "keys, types, procedures, privileges: there are none"
    assert (rows, here) == (("executeQuery", "0|row 0; 1|row 1; 2|row 2"), ("executeQuery", "main|volley"))


def test_spark_finds_the_schema_and_reads_partitions(told: Sections) -> None:
    *schema, first, second, third = told["spark"]
    # The driver says of all columns that they are unsigned and never NULL, whatever the server tells it.
    assert schema == [
        *("i -5 BIGINT 19 0 false false", "s 12 VARCHAR 0 0 false false"),
        *("even 16 BOOLEAN 1 0 false false", "price 3 DECIMAL 12 2 false false"),
    ]
    for part, (start, stop) in zip((first, second, third), ((0, 100_000), (100_000, 300_000), (300_000, BIG_ROWS)), strict=True):
        numbers = range(start, stop)
        assert part == f"{len(numbers)} {sum(numbers)} {len(numbers) // 2} {sum(i // 4 for i in numbers)}.00"


def test_a_time_out_and_a_cancel_end_the_query(told: Sections, uri: str) -> None:
    timed_out, cancelled, after = told["limits"]
    assert "Query timed out after 1 SECONDS" in timed_out
    assert cancelled.startswith("executeQuery! java.sql.SQLException: Error while executing SQL")
    assert after == "executeQuery: 42"
    assert states_of_endless(uri, "jdbc") == ["killed", "killed"]


def test_results_of_any_size_are_read_with_the_defaults(told: Sections) -> None:
    assert told["large"] == [summary(sql) for sql in (*LARGE, ONE_LARGE_ROW)], "the driver has no limit"
