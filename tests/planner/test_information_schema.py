"""``information_schema`` tells the truth of the catalog, in the kernel's columns."""

from __future__ import annotations

import duckdb
import pytest

from operators.errors import FileUnreadable
from planner import PlanOptions, plan
from planner.catalog import Column, DataFile, Table
from planner.errors import UnknownColumn, UnknownTable
from planner.information_schema import VIEWS
from tests.planner.answers import ALONE, SPLIT_UP, check
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan


def rows(sql: str, catalog: FolderCatalog, options: PlanOptions = ALONE) -> list[tuple[object, ...]]:
    return plan_rows(run_plan(plan(sql, catalog, options)))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM information_schema.columns WHERE table_catalog = 'volley'",
        "SELECT * EXCLUDE (table_type, is_insertable_into) FROM information_schema.tables WHERE table_catalog = 'volley'",
        "SELECT * EXCLUDE (schema_owner) FROM information_schema.schemata WHERE catalog_name = 'volley' AND schema_name = 'main'",
        "FROM INFORMATION_SCHEMA.Columns AS c SELECT c.table_name, c.data_type WHERE c.table_schema = 'main' AND c.column_name = 'id'",
        "SELECT columns.data_type FROM information_schema.columns WHERE table_name = 'orders'",
        "SELECT p.name, c.column_name FROM people p, information_schema.columns c WHERE c.table_name = 'people' AND p.age > 30",
        "SELECT count(*) FROM information_schema.columns c JOIN information_schema.tables t USING (table_catalog, table_name)"
        " WHERE table_catalog = 'volley'",
        "SELECT (SELECT max(ordinal_position) FROM information_schema.columns WHERE table_name = 'orders') AS n, max(id) FROM orders",
        "SELECT table_name FROM information_schema.tables SEMI JOIN people ON table_name = name || 'x' WHERE table_catalog = 'volley'",
        'SELECT "min", "max" FROM (SUMMARIZE SELECT table_name FROM information_schema.tables WHERE table_catalog = \'volley\')',
    ],
)
def test_answers_are_the_kernels(sql: str, catalog: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    check(sql, catalog, direct)


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_the_views_are_the_kernels(view: str, catalog: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    told = plan(f"SELECT * FROM information_schema.{view}", catalog, ALONE)
    wanted = direct.sql(f"SELECT * FROM information_schema.{view} LIMIT 0").to_arrow_table().schema
    assert told.schema == wanted


def test_there_is_every_view_of_the_kernels(direct: duckdb.DuckDBPyConnection) -> None:
    found = direct.sql("SELECT view_name FROM duckdb_views() WHERE schema_name = 'information_schema'").fetchall()
    assert set(VIEWS) == {name for (name,) in found}


def test_there_are_no_views_no_keys_and_no_constraints(catalog: FolderCatalog) -> None:
    empty = set(VIEWS) - {"tables", "columns", "schemata", "character_sets"}
    assert {view: rows(f"SELECT * FROM information_schema.{view}", catalog) for view in empty} == {view: [] for view in empty}
    joined = (
        "SELECT k.column_name FROM information_schema.table_constraints t JOIN information_schema.key_column_usage k"
        " ON t.constraint_name = k.constraint_name AND t.table_name = k.table_name WHERE t.constraint_type = 'PRIMARY KEY'"
    )
    assert rows(joined, catalog) == []


def test_text_is_utf8(catalog: FolderCatalog) -> None:
    asked = "SELECT character_set_name, default_collate_catalog, default_collate_name FROM information_schema.character_sets"
    assert rows(asked, catalog) == [("UTF8", "volley", "ucs_basic")]


def test_what_is_volleys_own(catalog: FolderCatalog) -> None:
    assert rows("SELECT table_name, table_type, is_insertable_into FROM information_schema.tables LIMIT 1", catalog) == [
        ("empty", "BASE TABLE", "NO")
    ]
    assert rows("SELECT catalog_name, schema_name FROM volley.information_schema.schemata", catalog) == [
        ("volley", "main"),
        ("volley", "information_schema"),
    ]


def test_precisions_are_the_kernels(catalog: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    kinds = ["BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "UBIGINT", "FLOAT", "DOUBLE"]
    kinds += ["DECIMAL(9,2)", "DECIMAL(38,0)", "VARCHAR", "DATE"]
    columns = tuple(Column(f"c{place}", kind) for place, kind in enumerate(kinds))
    catalog.columns = lambda table: columns  # type: ignore[method-assign]
    asked = "SELECT data_type, numeric_precision, numeric_precision_radix, numeric_scale FROM information_schema.columns"
    direct.execute(f"CREATE TABLE kinds ({', '.join(f'{column.name} {column.type}' for column in columns)})")
    wanted = direct.sql(f"{asked} WHERE table_name = 'kinds' ORDER BY ordinal_position").fetchall()
    direct.execute("DROP TABLE kinds")
    assert rows(f"{asked} WHERE table_name = 'people' ORDER BY ordinal_position", catalog) == wanted


def test_without_tables_there_are_no_rows(catalog: FolderCatalog) -> None:
    catalog.tables.clear()
    for view in ("tables", "columns"):
        assert rows(f"SELECT * FROM information_schema.{view}", catalog) == []


def test_a_table_that_cannot_be_read_is_listed_without_columns(catalog: FolderCatalog) -> None:
    catalog.tables["broken"] = Table("broken", (DataFile("default:broken", 0, "1"),))
    columns = catalog.columns

    def some(table: Table) -> tuple[Column, ...]:
        if table.name == "broken":
            raise FileUnreadable("no Parquet file")
        return columns(table)

    catalog.columns = some  # type: ignore[method-assign]
    names = {name for (name,) in rows("SELECT table_name FROM information_schema.tables", catalog)}
    described = {name for (name,) in rows("SELECT table_name FROM information_schema.columns", catalog, SPLIT_UP)}
    assert names - described == {"broken"}


def test_only_the_columns_open_tables(catalog: FolderCatalog) -> None:
    rows("SELECT * FROM information_schema.tables, information_schema.schemata", catalog)
    assert catalog.opened == []


def test_other_views_are_not_there(catalog: FolderCatalog) -> None:
    with pytest.raises(UnknownTable) as caught:
        plan("SELECT * FROM information_schema.routines", catalog, PlanOptions())
    assert caught.value.remedy is not None
    assert caught.value.remedy.startswith("There are character_sets, check_constraints, columns, ")


def test_a_wrong_column_is_pointed_at(catalog: FolderCatalog) -> None:
    with pytest.raises(UnknownColumn) as caught:
        plan("SELECT table_name FROM information_schema.tables\nWHERE nope = 1", catalog, PlanOptions())
    assert caught.value.position is not None
    assert (caught.value.position.line, caught.value.position.column) == (2, 7)
    assert "VALUES" not in str(caught.value)


def test_they_can_be_described(catalog: FolderCatalog) -> None:
    described = rows("DESCRIBE information_schema.tables", catalog)
    assert described[:2] == [("table_catalog", "VARCHAR", "YES"), ("table_schema", "VARCHAR", "YES")]
    assert rows("DESCRIBE FROM information_schema.columns", catalog) == rows("DESCRIBE information_schema.columns", catalog)


def test_a_column_is_called_after_the_users_text(catalog: FolderCatalog) -> None:
    made = plan("SELECT 1, (SELECT count(*) FROM information_schema.tables WHERE table_name < 'o')", catalog, SPLIT_UP)
    assert made.schema.names == ["1", "(SELECT count(*) FROM information_schema.tables WHERE table_name < 'o')"]
    assert plan_rows(run_plan(made)) == [(1, 2)]
