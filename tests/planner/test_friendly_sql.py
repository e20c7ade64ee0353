"""What DuckDB's pages call friendly SQL, and what the parser knew not or took for something else: the kernel's answers."""

from __future__ import annotations

import duckdb
import pytest

from planner import PlanOptions, plan
from planner.errors import NotSupported, PlannerError, Position, SqlSyntaxError, UnknownColumn, UnknownTable
from planner.spellings.printed import STAND_INS
from tests.planner.answers import ALONE, SPLIT_UP, check, refused_at
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan, scans

COMPREHENSIONS = [
    "SELECT [x for x in [1, 2, 3] if x > 1]",
    "SELECT [lower(x) for x in ['A', 'B'] if x = 'A']",
    "SELECT [x + i for x, i in [10, 20]], [x for x, i in [5, 6] if i > 1], [x * age for x in [1, 2]] FROM people",
    "SELECT name, [upper(n) for n in [name, city] if n IS NOT NULL] FROM people WHERE len([n for n in [name, city] if n IS NOT NULL]) > 1",
    "SELECT [[y for y in x] for x in [[1, 2], [3]]], [x for x in range(5) if (x % 2) = 0]",
]
IN_LISTS = [
    "SELECT id FROM people WHERE id IN [1, 2] AND 'Ada' NOT IN [name, 'x'] ORDER BY id",
    "SELECT a: id IN [1, 2], b: 3 FROM people",
    "SELECT 1 IN l, 2 NOT IN t.l, 3 IN list_value(3), 'k' IN MAP {'k': 1} FROM (SELECT [1, 2] AS l) t",
    "SELECT id FROM people WHERE id IN () OR id NOT IN ()",
    "SELECT id IN () AS n FROM people",
    "SELECT position('d' IN name), extract(year FROM DATE '2024-01-01') FROM people",
]
STARS = [
    "SELECT * LIKE 'n%', age FROM people",
    "SELECT * NOT LIKE 'n%' FROM people",
    "SELECT id, * GLOB '*a*' FROM people",
    "SELECT DISTINCT * NOT GLOB '*a*' FROM people",
    "SELECT * NOT SIMILAR TO '(id|name)' FROM people",
    "FROM people SELECT * SIMILAR TO '.a.*' ORDER BY 1",
]
COLUMN_CHOICES = [
    "SELECT max(COLUMNS(* EXCLUDE (name, city))) + 1, min(COLUMNS(* EXCLUDE id)) FROM people",
    "SELECT coalesce(*COLUMNS('name|city')) AS c, 2 *age AS d FROM people",
    "SELECT greatest(1, *COLUMNS(['id', 'age'])) AS g FROM people",
]
NAMED_RELATIONS = [
    "FROM p: people SELECT p.id",
    "FROM p: people JOIN o: orders ON p.id = o.id SELECT p.name, o.note",
    "FROM p: people, o: (FROM orders WHERE id < 3) SELECT p.name, o.note",
    "SELECT * FROM r: range(3)",
    "SELECT x.unnest FROM x: unnest([1]) WITH ORDINALITY",
]
JOINS = [
    "SELECT p.id, q.id FROM people p POSITIONAL JOIN orders q WHERE q.id > 2",
    "SELECT people.id, q.note FROM people POSITIONAL JOIN orders AS q",
]
KEYS = [
    "WITH RECURSIVE tbl(a, b) USING KEY (a) AS (SELECT a, b FROM (VALUES (1, 3), (2, 4)) t(a, b) UNION SELECT a + 1, b "
    "FROM tbl WHERE a < 3) SELECT * FROM tbl",
    "WITH RECURSIVE tbl USING KEY (a) AS (SELECT 1 AS a, 2 AS b UNION SELECT a + 1, b FROM tbl WHERE a < 3) FROM tbl",
    "WITH RECURSIVE tbl(a, b) USING KEY (a) AS (SELECT * FROM (VALUES (1, 3), (2, 4)) t(a, b) UNION SELECT tbl.a + 1, "
    "rec.b FROM tbl, recurring.tbl AS rec WHERE tbl.a < 3) SELECT * FROM tbl",
    "WITH RECURSIVE cc(id, comp) USING KEY (id) AS (SELECT id, id FROM people UNION SELECT o.id, min(c.comp) FROM cc c "
    "JOIN orders o ON o.person_id = c.id AND o.id < 5 JOIN recurring.cc r ON r.id = o.id WHERE c.comp < r.comp GROUP BY "
    "o.id) FROM cc ORDER BY id",
]
TEXTS = [
    "SELECT TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS a, TIMESTAMP_S '2024-01-01 00:00:00' AS b, TIMESTAMP_MS '2024-01-01'::DATE c",
    "SELECT 1 AS x WHERE TIMESTAMP_NS '2024-01-01' > TIMESTAMP '2023-01-01'",
    "SELECT 'a'\n'b' AS x, 'c'\n 'd' -- z\n 'e' y FROM people",
    "SELECT id FROM people WHERE name = 'A'\n'da'",
    "SELECT E'a\\n'\n'b' AS x",
]
ASKED = [
    "SELECT column_name FROM (DESCRIBE people) WHERE column_type = 'BIGINT'",
    "SELECT column_name FROM (DESCRIBE SELECT id, name FROM people)",
    "WITH d AS (DESCRIBE orders) SELECT column_name FROM d",
    "SELECT * FROM (SHOW TABLES)",
]
ROWS_AND_UNITS = [
    "SELECT (id,) FROM people",
    "SELECT count(DISTINCT (id,)), (1, 2,), ((1),) FROM people",
    "SELECT id FROM people WHERE (id,) IN ((1,), (2,)) AND id IN (1, 2,) ORDER BY id",
    "SELECT coalesce(id, 1,), [1, 2,] FROM people",
    "SELECT 1 + 2 AS year, id AS day FROM people",
    "SELECT DATE '2024-01-01' + INTERVAL 1 YEAR, DATE '2024-01-01' - INTERVAL '3' MONTHS, INTERVAL (-1) DAY, INTERVAL (1 + 2) DAYS",
    "SELECT year, extract(day FROM DATE '2024-01-02') FROM events",
    "SELECT * FROM (VALUES (1,), (2,)) t(x)",
]
GROUPS = [
    "SELECT city, GROUPING(city), sum(age) FROM people GROUP BY GROUPING SETS (city, ())",
    "SELECT city, name, count(*) FROM people GROUP BY GROUPING SETS (upper(city), city, (city, name), name)",
    "SELECT year, count(*) FROM events GROUP BY GROUPING SETS ((year), year)",
]
NAMES = [
    "SELECT (SELECT count(*) FROM orders), (p.*) FROM people p",
    "SELECT *, (SELECT max(id) FROM orders) FROM people",
    "SELECT (SELECT max(id) FROM orders), COLUMNS('i.*'), (SELECT min(id) FROM orders o) FROM people",
    "SELECT unnest({'a': 1, 'b': 2}), (SELECT min(id) FROM orders) FROM people",
    "SELECT id, (SELECT min(id) FROM orders) FROM people UNION ALL SELECT 1, 2",
    "SELECT (SELECT count(*) FROM people), (SELECT count(DISTINCT kind) FROM events) + 1",
    "SELECT 1 + (SELECT count(*) FROM people), count(*), (SELECT 1 FROM people LIMIT 1) AS x FROM orders",
    "SELECT (p.*), (*) FROM people p",
]
SMALL = [
    "/* block /* nested */ comment */ SELECT 1",
    "SELECT age ISNULL, name NOTNULL FROM people WHERE city ISNULL OR age IS NULL",
    "PIVOT_WIDER people ON city IN ('Rome') USING sum(age)",
    "PIVOT_LONGER people ON id, age",
]


CHOSEN = [*STARS, *COLUMN_CHOICES, *NAMES]
LISTED = [*COMPREHENSIONS, *IN_LISTS, *GROUPS, *ROWS_AND_UNITS]


@pytest.mark.parametrize("sql", [*LISTED, *CHOSEN, *NAMED_RELATIONS, *JOINS, *KEYS, *TEXTS, *ASKED, *SMALL])
def test_answers_are_the_kernels(sql: str, catalog: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    check(sql, catalog, direct)


@pytest.mark.parametrize(
    ("sql", "error", "place"),
    [
        ("SELECT [x for x in nope if x > 1] FROM people", UnknownColumn, "nope"),
        ("SELECT id IN [1, 2], nope FROM people", UnknownColumn, "nope"),
        ("SELECT id FROM people WHERE id IN () AND nope", UnknownColumn, "nope"),
        ("SELECT * LIKE 'n%', nope FROM people", UnknownColumn, "nope"),
        ("SELECT p.* LIKE 'n%' FROM people p", NotSupported, "LIKE"),
        ("SELECT COLUMNS(* REPLACE (1 AS id)) FROM people", NotSupported, "REPLACE"),
        ("SELECT max(COLUMNS(* EXCLUDE (id))), nope FROM people", UnknownColumn, "nope"),
        ("SELECT age ISNULL, nope FROM people", UnknownColumn, "nope"),
        ("FROM p: people JOIN o: nobody ON true", UnknownTable, "nobody"),
        ("FROM p: people SELECT p.nope", UnknownColumn, "nope"),
        ("SELECT id FROM people POSITIONAL JOIN nobody", UnknownTable, "nobody"),
        ("WITH RECURSIVE t(a) USING KEY (a) AS (SELECT 1 UNION SELECT a + nope FROM t) FROM t", UnknownColumn, "nope"),
        ("SELECT TIMESTAMP_NS '2024-01-01', nope FROM people", UnknownColumn, "nope"),
        ("SELECT 'a' 'b' FROM people", SqlSyntaxError, "'b'"),
        ("SELECT 'a'\n  'b' /*\n*/ 'c'", SqlSyntaxError, "'c'"),
        ("SELECT 'a'\n'b', nope FROM people", UnknownColumn, "nope"),
        ("SELECT DATE '2024-02-29' + 1 YEAR", SqlSyntaxError, "YEAR"),
        ("SELECT id,\n  id - '3' months FROM people", SqlSyntaxError, "months"),
        ("SELECT (id,), nope FROM people", UnknownColumn, "nope"),
        ("SELECT * FROM (DESCRIBE nobody)", UnknownTable, "nobody"),
        ("SELECT * FROM (SHOW DATABASES)", NotSupported, "SHOW"),
    ],
)
def test_errors_point_into_the_users_text(sql: str, error: type[PlannerError], place: str, catalog: FolderCatalog) -> None:
    assert "volley_" not in refused_at(sql, error, place, catalog)


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT 0b101, 0B1_1, 0o17, 0xFF", [(5, 3, 15, 255)]),
        ("SELECT 'x' AS a\n, 'b'", [("x", "b")]),
        ("SELECT NULL ISNULL, 1 ISNULL", [(True, False)]),
        ("FROM (DESCRIBE people) LIMIT 1", [("id", "BIGINT", "YES")]),
    ],
)
def test_what_was_taken_for_something_else(sql: str, answer: list[tuple[object, ...]], catalog: FolderCatalog) -> None:
    assert plan_rows(run_plan(plan(sql, catalog, PlanOptions()))) == answer


@pytest.mark.parametrize("name", sorted(STAND_INS))
def test_names_that_stand_for_something_are_refused_unless_quoted(name: str, catalog: FolderCatalog) -> None:
    with pytest.raises(NotSupported, match="double quotes") as caught:
        plan(f"SELECT id,\n  NULL COLLATE {name} FROM people", catalog, PlanOptions())
    assert caught.value.position == Position(2, 16)
    quoted = plan(f"""SELECT id AS "{name}", '{name}' AS s FROM people WHERE id IN [1]""", catalog, PlanOptions())
    assert plan_rows(run_plan(quoted)) == [(1, name)]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT 1 LIMIT 10%%", "found % ("),
        ("SELECT 1 IN [", "found [ ("),
        ("SELECT 1, a: (2", "found the end"),
        ("SELECT id FROM people WHERE id IN () 7", "found 7 ("),
        ("FROM p: people WHERE )", "found ) ("),
    ],
)
def test_errors_tell_the_users_words(sql: str, found: str, catalog: FolderCatalog) -> None:
    with pytest.raises(SqlSyntaxError) as caught:
        plan(sql, catalog, PlanOptions())
    assert found in str(caught.value)


def test_position_has_no_list_behind_in(catalog: FolderCatalog) -> None:
    made = plan("SELECT position('d' IN name) AS p FROM people WHERE id = 1", catalog, SPLIT_UP)
    assert made.fragments[-1].parallel
    assert plan_rows(run_plan(made)) == [(2,)]


def test_what_is_only_described_is_not_gathered(catalog: FolderCatalog) -> None:
    made = plan("SELECT count(*) FROM (DESCRIBE SELECT * FROM orders)", catalog, SPLIT_UP)
    assert len(made.fragments) == 1
    beside = plan("SELECT count(*) FROM (DESCRIBE orders), orders", catalog, SPLIT_UP)
    assert [fragment.parallel for fragment in beside.fragments] == [True, False]
    assert plan_rows(run_plan(beside)) == [(4000,)]


def test_a_name_for_rows_found_so_far_is_no_schema(catalog: FolderCatalog) -> None:
    with pytest.raises(UnknownTable, match="no schema 'recurring'"):
        plan("FROM recurring.people", catalog, PlanOptions())
    keyed = "WITH RECURSIVE t(i) USING KEY (i) AS (SELECT id FROM people UNION SELECT i FROM t WHERE i < 0) FROM t"
    (scan,) = scans(plan(keyed, catalog, ALONE))
    assert [column.name for column in scan.columns] == ["id"]


def test_a_star_of_a_table_in_parentheses_may_have_the_schema_before_it(catalog: FolderCatalog) -> None:
    made = plan("SELECT (main.people.*), 1 AS one FROM people WHERE id = 1", catalog, ALONE)
    assert plan_rows(run_plan(made)) == [(1, "Ada", 36, "Rome", 1)]


def test_items_between_two_stars_are_called_as_the_kernel_calls_them(catalog: FolderCatalog) -> None:
    made = plan("SELECT (SELECT 1 FROM orders LIMIT 1), *, 2, p.*, (SELECT 3 FROM orders LIMIT 1) FROM people p", catalog, ALONE)
    assert (made.schema.names[0], made.schema.names[-1]) == ("(SELECT 1 FROM orders LIMIT 1)", "(SELECT 3 FROM orders LIMIT 1)")
    assert made.schema.names[5] == "2"
