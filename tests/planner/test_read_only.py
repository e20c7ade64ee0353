"""Statements that change something, and every way to reach outside the tables, are refused."""

from __future__ import annotations

import duckdb
import pytest

from planner import PlanOptions, plan
from planner.errors import AccessRefused, NotReadOnly, NotSupported, SqlSyntaxError, UnknownTable
from planner.functions import TABLE_FUNCTIONS
from tests.planner.memory_catalog import FolderCatalog

WRITES = [
    "INSERT INTO people VALUES (1)",
    "UPDATE people SET id = 1",
    "DELETE FROM people",
    "MERGE INTO people USING orders ON TRUE WHEN MATCHED THEN DELETE",
    "CREATE TABLE x AS SELECT 1",
    "CREATE OR REPLACE VIEW x AS SELECT 1",
    "DROP TABLE people",
    "ALTER TABLE people ADD COLUMN x INT",
    "TRUNCATE people",
    "COPY people TO 'x.parquet'",
    "COPY (SELECT 1) TO 'x' (FORMAT parquet, COMPRESSION zstd)",
    "ATTACH 'x.db'",
    "DETACH x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "RESET threads",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "EXPORT DATABASE 'x'",
    "VACUUM",
    "CHECKPOINT",
    "  /* hidden */ -- twice\n insert into people values (1)",
    "EXPLAIN DELETE FROM people",
    "EXPLAIN ANALYZE INSERT INTO people VALUES (1)",
    "WITH x AS (INSERT INTO people VALUES (1) RETURNING *) SELECT * FROM x",
    "SELECT * INTO x FROM people",
]


@pytest.mark.parametrize("sql", WRITES)
def test_writes_are_refused(sql: str, catalog: FolderCatalog) -> None:
    with pytest.raises(NotReadOnly):
        plan(sql, catalog, PlanOptions())


@pytest.mark.parametrize("sql", ["SAVEPOINT a", "DEALLOCATE q", "PREPARE q AS SELECT 1"])
def test_what_is_not_run_says_what_to_write_instead(sql: str, catalog: FolderCatalog) -> None:
    with pytest.raises(NotSupported) as caught:
        plan(sql, catalog, PlanOptions())
    assert caught.value.remedy


REACHING = [
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "people.parquet"',
    'SELECT * FROM "s3://bucket/x.parquet"',
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM lateral read_text('/etc/passwd')",
    "SELECT * FROM TABLE(read_text('/etc/passwd'))",
    "SELECT * FROM main.read_text('/etc/passwd')",
    "SELECT * FROM \"read_text\"('/etc/passwd')",
    "SELECT * FROM READ_TEXT('/etc/passwd')",
    "SELECT * FROM people, read_blob('/etc/passwd')",
    "SELECT * FROM people JOIN glob('/*') ON TRUE",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT 1 FROM people GROUP BY (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT 1 FROM people GROUP BY current_setting('threads')",
    "SELECT 1 ORDER BY (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT 1 LIMIT (SELECT count(*) FROM glob('/*'))",
    "SELECT * FROM people WHERE id IN (SELECT 1 FROM duckdb_settings())",
    "WITH x AS (SELECT * FROM duckdb_secrets()) SELECT * FROM x",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('people')",
    "SELECT * FROM histogram('people', name)",
    "SELECT * FROM sniff_csv('x')",
    "SELECT * FROM range((SELECT count(*)::INT FROM glob('/*')))",
    "VALUES ((SELECT content FROM read_text('/etc/passwd')))",
    "SELECT sum(id) OVER (ORDER BY current_setting('threads')) FROM people",
    "SELECT list_transform([1], lambda x: current_setting('threads'))",
    "SELECT ('threads').current_setting()",
    "SELECT system.main.current_setting('threads')",
    "SELECT getvariable('x')",
    "SELECT getenv('HOME')",
    "SELECT write_log('x')",
    "SELECT current_query()",
    "SELECT nextval('x')",
    "SELECT * FROM people PIVOT (count(*) FOR id IN (SELECT 1 FROM read_text('/etc/passwd')))",
    "SELECT * FROM (people JOIN read_text('/etc/passwd') ON TRUE)",
    "FROM '/etc/passwd'",
    "FROM read_text('/etc/passwd') SELECT content",
    "SUMMARIZE '/etc/passwd'",
    "SUMMARIZE FROM read_text('/etc/passwd')",
    "DESCRIBE '/etc/passwd'",
    "PIVOT read_text('/etc/passwd') ON content IN ('a')",
    "PIVOT people ON city IN ('a') USING max(getenv('HOME'))",
    "PIVOT people ON city IN (getenv('HOME'))",
    "PIVOT people ON city IN ('a') GROUP BY getenv('HOME')",
    "UNPIVOT people ON current_setting('threads')",
    "SELECT * FROM people ASOF JOIN read_text('/etc/passwd') ON TRUE",
]


@pytest.mark.parametrize("sql", REACHING)
def test_reaching_outside_is_refused(sql: str, catalog: FolderCatalog) -> None:
    with pytest.raises((AccessRefused, SqlSyntaxError)):
        plan(sql, catalog, PlanOptions())


@pytest.mark.parametrize("name", ["sqlite_master", "duckdb_settings", "pg_class", '"/etc/passwd"'])
def test_no_table_is_reached_behind_a_cte(name: str, catalog: FolderCatalog) -> None:
    with pytest.raises((UnknownTable, AccessRefused)):
        plan(f"WITH a AS (SELECT 1) FROM {name} SELECT *", catalog, PlanOptions())


@pytest.mark.parametrize(
    "name", ["information_schema.routines", "pg_catalog.pg_class", "duckdb_tables", "sqlite_master", "system.main.people"]
)
def test_the_kernels_own_tables_are_not_there(name: str, catalog: FolderCatalog) -> None:
    with pytest.raises(UnknownTable):
        plan(f"SELECT * FROM {name}", catalog, PlanOptions())


def test_every_table_function_of_the_kernel_is_refused_unless_listed(catalog: FolderCatalog) -> None:
    names = duckdb.connect().execute("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type LIKE 'table%'").fetchall()
    assert len(names) > 100
    for (name,) in names:
        if name not in TABLE_FUNCTIONS:
            with pytest.raises(AccessRefused):
                plan(f"SELECT * FROM {name}('x')", catalog, PlanOptions())
