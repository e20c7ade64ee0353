"""Files in FROM: paths in single quotes, and the options of read_files."""

from __future__ import annotations

import duckdb
import pytest

from planner import PlanOptions, plan
from planner.catalog import AS_NAMED, Column, ReadOptions, Table
from planner.errors import AccessRefused, InvalidQuery, PlannerError, UnknownTable
from planner.read_options import OPTIONS
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan, scalars, scans

NO_READER = {"columns", "types", "dtypes", "column_types", "null", "nullstr", "records"}
"""Options that the kernel's readers take values of several types for."""


def rows(sql: str, catalog: FolderCatalog, *parameters: object) -> list[tuple[object, ...]]:
    return plan_rows(run_plan(plan(sql, catalog, PlanOptions(), scalars(*parameters) or None)))


def told(arguments: str, catalog: FolderCatalog, *parameters: object) -> dict[str, str]:
    """The options that a scan of text is to read with."""
    planned = plan(f"SELECT count(*) FROM read_files({arguments})", TextCatalog(catalog.root), PlanOptions(), scalars(*parameters) or None)
    return dict(scans(planned)[0].options)


def refused(sql: str, catalog: FolderCatalog, kind: type[PlannerError] = InvalidQuery) -> PlannerError:
    with pytest.raises(kind) as caught:
        plan(sql, catalog, PlanOptions())
    return caught.value


class TextCatalog(FolderCatalog):
    """Takes every file for what it is said to be, of one column."""

    def columns(self, table: Table) -> tuple[Column, ...]:
        return ()


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT count(*) FROM 'orders.parquet'", [(1000,)]),
        ("SELECT count(*) FROM 'ord*.parquet'", [(1000,)]),
        ("SELECT people.name FROM 'people.parquet' WHERE people.id = 1", [("Ada",)]),
        ("SELECT main.orders.id FROM main.orders, 'people.parquet' AS p WHERE main.orders.id = p.id AND p.name = 'Bob'", [(2,)]),
        ("SELECT p.name, o.id FROM 'people.parquet' AS p JOIN 'orders.parquet' o ON o.id = p.id WHERE o.id = 2", [("Bob", 2)]),
        ("SELECT name FROM 'people.parquet' JOIN 'orders.parquet' USING (id) WHERE orders.amount = 1.0", [("Bob",)]),
        ("SELECT count(*) FROM 'people.parquet' SEMI JOIN 'orders.parquet' USING (id)", [(4,)]),
        ("WITH people AS (SELECT 1 AS x) SELECT count(*) FROM 'people.parquet'", [(5,)]),
        ("SELECT (SELECT max(age) FROM 'people.parquet')", [(58,)]),
        ("SELECT count(*) FROM 'people.parquet' AS t(a, b, c, d) WHERE a = 1", [(1,)]),
        ("SELECT count(*) FROM read_files(['people.parquet', 'orders.parquet'])", [(1005,)]),
    ],
)
def test_a_path_in_single_quotes_is_a_table(sql: str, answer: list[tuple[object, ...]], catalog: FolderCatalog) -> None:
    if "[" in sql:
        (scan,) = scans(plan(sql, TextCatalog(catalog.root), PlanOptions()))
        assert [split.file.path.rpartition("/")[2] for split in scan.splits] == ["people.parquet", "orders.parquet"]
    else:
        assert rows(sql, catalog) == answer


def test_describing_a_path(catalog: FolderCatalog) -> None:
    assert [row[0] for row in rows("DESCRIBE 'people.parquet'", catalog)] == ["id", "name", "age", "city"]


@pytest.mark.parametrize(
    ("path", "alias"), [("a.csv", "a"), ("x/y/logs.csv.gz", "logs"), ("lake:t.parquet", "t"), ("folder/", "folder"), ("l/*.csv", "l/*.csv")]
)
def test_a_path_is_called_as_the_kernel_calls_it(path: str, alias: str, catalog: FolderCatalog) -> None:
    planned = plan(f"SELECT count(*) FROM '{path}'", FixedCatalog(catalog.root), PlanOptions())
    assert f'AS "{alias}"' in planned.fragments[0].sql


class FixedCatalog(FolderCatalog):
    """Finds the same file behind every path."""

    def files(self, *patterns: str, options: ReadOptions = AS_NAMED) -> Table:
        return super().files("people.parquet")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("'people.parquet', format = 'csv', delim = ';'", {"delim": "';'"}),
        ("'people.parquet', format := 'CSV', delim := '''', header => false", {"delim": "''''", "header": "FALSE"}),
        ("'people.parquet', FORMAT = 'csv', HEADER = 1, skip = 2", {"header": "TRUE", "skip": "2"}),
        ("'people.parquet', format = 'csv', sample_size = -1, quote = E'\\t'", {"sample_size": "-1", "quote": "'\t'"}),
        ("'people.parquet', format = 'csv', types = {'a': 'DATE', b: 'INT'}", {"types": "{'a': 'DATE', 'b': 'INT'}"}),
        ("'people.parquet', format = 'csv', types = ['DATE'], names = ['it''s']", {"types": "['DATE']", "names": "['it''s']"}),
        ("'people.parquet', format = 'csv', nullstr = ['-', 'NA']", {"nullstr": "['-', 'NA']"}),
        ("'people.parquet', format = 'json', maximum_object_size = 1000", {"maximum_object_size": "1000"}),
        (
            "'people.parquet', format = 'array', field_appearance_threshold = 0.5",
            {"field_appearance_threshold": "0.5", "format": "'array'"},
        ),
        ("'people.parquet', format = 'parquet'", {}),
    ],
)
def test_options_travel_with_the_scan_as_literals(arguments: str, expected: dict[str, str], catalog: FolderCatalog) -> None:
    assert told(arguments, catalog) == expected


def test_options_may_be_parameters(catalog: FolderCatalog) -> None:
    arguments = "?, format = ?, delim = ?, header = ?, skip = ?"
    assert told(arguments, catalog, "people.parquet", "csv", "|", True, 3) == {"delim": "'|'", "header": "TRUE", "skip": "3"}


@pytest.mark.parametrize(
    ("arguments", "wrong", "message"),
    [
        ("'a.csv', delm = ';'", "delm = ';'", "no option 'delm'"),
        ("'a.csv', filename = true", "filename = true", "no option 'filename'"),
        ("'a.csv', rejects_table = 'x'", "rejects_table = 'x'", "no option 'rejects_table'"),
        ("'people.parquet', delim = ';'", "delim = ';'", "'delim' is not for Parquet files"),
        ("'people.parquet', format = 'json', delim = ';'", "delim = ';'", "'delim' is not for JSON files"),
        ("'people.parquet', format = 'csv', maximum_depth = 3", "maximum_depth = 3", "'maximum_depth' is not for CSV files"),
        ("'a.csv', format = 'xml'", "format = 'xml'", "no format of files"),
        ("'a.csv', header = 'x'", "header = 'x'", "'header' takes true or false"),
        ("'a.csv', header = NULL", "header = NULL", "'header' takes true or false"),
        ("'a.csv', delim = chr(9)", "delim = chr(9)", "'delim' takes text"),
        ("'a.csv', delim = ',' || ';'", "delim = ',' || ';'", "'delim' takes text"),
        ("'a.csv', delim = (SELECT ';')", "delim = (SELECT ';')", "'delim' takes text"),
        ("'a.csv', delim = other", "delim = other", "'delim' takes text"),
        ("'a.csv', skip = 1.5", "skip = 1.5", "'skip' takes a whole number"),
        ("'a.csv', names = 'a'", "names = 'a'", "'names' takes a list"),
        ("'a.csv', names = ['a', 1]", "names = ['a', 1]", "'names' takes a list"),
        ("'a.csv', columns = {a: 1}", "columns = {a: 1}", "'columns' takes types"),
        ("'a.csv', skip = 1, skip = 2", "skip = 2", "'skip' is there twice"),
        ("skip = 1, 'a.csv'", "'a.csv'", "one string"),
        ("[]", "read_files", "one string"),
        ("['a.csv', 2]", "'a.csv', 2", "one string"),
    ],
)
def test_other_options_are_refused_where_they_stand(arguments: str, wrong: str, message: str, catalog: FolderCatalog) -> None:
    sql = f"SELECT * FROM read_files({arguments})"
    error = refused(sql, catalog)
    assert message in error.message
    assert error.position is not None
    assert abs(error.position.column - 1 - sql.index(wrong)) <= len("skip = ")  # `=` has no place of its own, its sides have
    assert error.remedy


def test_an_unknown_option_is_told_what_there_is(catalog: FolderCatalog) -> None:
    remedy = refused("SELECT * FROM read_files('a.csv', delm = ';')", catalog).remedy or ""
    assert "Did you mean delim?" in remedy
    assert all(name in remedy for name in ("encoding", "ignore_errors", "maximum_object_size", "format"))


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_the_kernel_knows_every_option_by_that_type(format: str) -> None:
    sql = f"SELECT parameters, parameter_types FROM duckdb_functions() WHERE function_name = 'read_{format}'"
    found = duckdb.connect().execute(sql).fetchone()
    assert found is not None
    types = dict(zip(*found, strict=True))
    ours = {"text": "VARCHAR", "true or false": "BOOLEAN", "a number": "DOUBLE", "a list of texts": "VARCHAR[]"}
    for name, kind in OPTIONS[format].items():  # type: ignore[index]
        if name in ("force_not_null", "auto_type_candidates") or name in NO_READER:
            assert name in types
        elif kind == "a whole number":
            assert types[name] in ("BIGINT", "UINTEGER")
        else:
            assert types[name] == ours[kind], name


@pytest.mark.parametrize(
    ("sql", "kind", "remedy"),
    [
        ("SELECT * FROM sales.csv", UnknownTable, "FROM 'sales.csv'"),
        ('SELECT * FROM "sales.csv"', AccessRefused, "FROM 'sales.csv'"),
        ('SELECT * FROM "logs/*.parquet"', AccessRefused, "FROM 'logs/*.parquet'"),
        ("SELECT * FROM main.'sales.csv'", AccessRefused, "FROM 'sales.csv'"),
        ("SELECT * FROM read_csv('sales.csv')", AccessRefused, "FROM 'folder/*.parquet' or read_files('…', option = value)"),
        ("SELECT * FROM peopel", UnknownTable, "Did you mean people?"),
    ],
)
def test_what_is_no_table_is_told_what_would_work(sql: str, kind: type[PlannerError], remedy: str, catalog: FolderCatalog) -> None:
    assert remedy in (refused(sql, catalog, kind).remedy or "")
