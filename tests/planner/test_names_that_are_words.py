"""Columns, aliases and tables that are called like words of SQL: as the kernel has them, or refused at their place."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner.errors import SqlSyntaxError
from planner.kernel_errors import RESERVED
from tests.planner.answers import check, refused_at
from tests.planner.memory_catalog import FolderCatalog, direct_kernel

CALLS = ["user", "current_user", "session_user", "current_catalog", "current_role", "current_date", "current_timestamp", "localtime"]
"""What the kernel takes for a call only where there is no such column."""
WANTING_MORE = ["exists", "trim", "interval", "top", "rlike"]
"""What the parser takes for the beginning of something else."""
FORMS = [
    "SELECT {w} FROM t",
    "SELECT {w}, x, {w} + 1 AS y FROM t WHERE {w} >= 1 AND x = 1 ORDER BY {w} DESC",
    "SELECT t.{w} FROM t WHERE {w} IN (1, 2) OR {w} IS NULL",
    "SELECT max({w}) AS m, x FROM t GROUP BY x HAVING max({w}) BETWEEN 0 AND 9",
    "FROM t SELECT {w}::VARCHAR AS y",
    "SELECT x AS {w} FROM t",
    "SELECT a.{w} FROM t AS a JOIN (SELECT 1 AS {w}) USING ({w})",
    "SELECT count(*) FILTER (WHERE {w} > 1) AS n FROM t WHERE NOT {w} = 3",
]


@pytest.fixture(name="words", scope="module")
def _words(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    root: Path = tmp_path_factory.mktemp("words")
    columns = {
        name: [number, number + 1] for number, name in enumerate([*CALLS, *WANTING_MORE, "union", "except", "intersect", "at", "left"])
    }
    pq.write_table(pa.table({**columns, "x": [1, 2]}), root / "t.parquet")
    return FolderCatalog(root)


@pytest.fixture(name="kernel", scope="module")
def _kernel(words: FolderCatalog) -> duckdb.DuckDBPyConnection:
    return direct_kernel(words)


@pytest.mark.parametrize("word", [*CALLS, *WANTING_MORE])
def test_a_column_that_is_a_word(words: FolderCatalog, kernel: duckdb.DuckDBPyConnection, word: str) -> None:
    for form in FORMS:
        check(form.format(w=word), words, kernel)


@pytest.mark.parametrize("word", ["union", "except", "intersect"])
def test_a_word_between_queries_behind_as_or_a_dot_is_a_name(words: FolderCatalog, kernel: duckdb.DuckDBPyConnection, word: str) -> None:
    check(f"SELECT t.{word}, x AS {word} FROM t", words, kernel)
    check(f"SELECT x AS {word} FROM t {word} FROM t SELECT x", words, kernel)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT EXISTS (SELECT 1 FROM t) AS e, NOT EXISTS (FROM t) AS n",
        "SELECT trim(' a ') AS a, trim(BOTH 'x' FROM 'xax') AS b",
        "SELECT INTERVAL 1 DAY AS a, INTERVAL '2 hours' AS b, INTERVAL (x) DAY AS c FROM t",
        "SELECT '1 day'::INTERVAL AS d, CAST('1 s' AS INTERVAL) AS e FROM t",
        "SELECT NULL::STRUCT(a INTERVAL) AS s, INTERVAL (x) MONTH AS m FROM t",
    ],
)
def test_what_these_words_begin_stays_what_it_is(words: FolderCatalog, kernel: duckdb.DuckDBPyConnection, sql: str) -> None:
    check(sql, words, kernel)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT x,\n  at FROM t", "at"),
        ("SELECT x FROM t WHERE x = 1 AND left = 2", "left"),
        ("SELECT max(at) AS m FROM t", "at"),
        ("SELECT default FROM t", "default"),
        ("SELECT at.x FROM t AS at", "at.x"),
    ],
)
def test_a_word_that_is_no_name_is_refused_at_its_place(words: FolderCatalog, sql: str, word: str) -> None:
    told = refused_at(sql, SqlSyntaxError, word, words)
    assert f'double quotes: "{word.partition(".")[0]}"' in told


@pytest.mark.parametrize("word", ["at", "left", "union", "user", "interval"])
def test_in_double_quotes_every_word_is_a_name(words: FolderCatalog, kernel: duckdb.DuckDBPyConnection, word: str) -> None:
    for form in FORMS[:4]:
        check(form.format(w=f'"{word}"'), words, kernel)


def test_the_words_are_the_kernels(kernel: duckdb.DuckDBPyConnection) -> None:
    told = kernel.sql("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')").fetchall()
    known = {word for (word,) in told}
    assert known >= RESERVED
    for word in known - RESERVED:
        kernel.sql(f'SELECT {word} FROM (SELECT 1 AS "{word}")')
