"""SQL as people type it: what the parser does not know gives the kernel's answers all the same, and errors point into the user's text."""

from __future__ import annotations

import duckdb
import pytest

from planner import PlanOptions, plan
from planner.errors import InvalidQuery, LimitExceeded, NotSupported, PlannerError, SqlSyntaxError, UnknownColumn, UnknownTable
from planner.limits import SqlLimits
from tests.planner.answers import ALONE, SPLIT_UP, check, refused_at
from tests.planner.memory_catalog import FolderCatalog, plan_rows, run_plan, scalars, scans

FROM_FIRST = [
    "FROM people",
    "FROM people WHERE age > 30 ORDER BY id LIMIT 2",
    "FROM people SELECT name WHERE age > 30",
    "FROM people p JOIN orders o ON p.id = o.person_id SELECT count(*), max(o.amount) WHERE o.id < 100",
    "FROM people, orders WHERE people.id = orders.id",
    "(FROM people)",
    "SELECT count(*) FROM (FROM orders WHERE id < 10)",
    "SELECT name FROM people WHERE id IN (FROM orders SELECT person_id WHERE id < 3)",
    "FROM people SELECT id UNION ALL FROM orders SELECT id WHERE id < 3",
    "WITH a AS (FROM orders WHERE id < 5), b(i) AS (FROM a SELECT id) FROM a JOIN b ON a.id = b.i",
    "FROM (FROM orders SELECT person_id, amount) SELECT person_id, sum(amount) GROUP BY ALL",
    "SELECT trim(both 'A' FROM name) FROM people WHERE age IS DISTINCT FROM 36",
    "SELECT extract(year FROM DATE '2024-01-01' + id::INT) FROM people WHERE id > 0",
    "TABLE people",
    "TABLE people ORDER BY id DESC LIMIT 2",
    "SELECT count(*) FROM (TABLE main.people)",
    "WITH a AS (FROM orders WHERE id < 5) FROM a SELECT id UNION ALL SELECT 7 ORDER BY id DESC LIMIT 2",
    "SELECT * FROM (WITH a AS (FROM orders) FROM a SELECT max(id))",
    "TABLE people EXCEPT TABLE people",
    "WITH t AS (TABLE people) TABLE t",
]
SUMMARIES = [  # of what they say, quantiles and means hang on the order in which threads bring rows
    "SUMMARIZE people",
    "SUMMARIZE main.orders -- of everything",
    "SUMMARIZE SELECT id, amount FROM orders WHERE id > 500;",
    "SUMMARIZE (FROM orders SELECT id)",
    "SUMMARIZE FROM people",
    "SUMMARIZE SELECT id FROM people UNION ALL SELECT id FROM orders",
    "SUMMARIZE events",
]
PIVOTS = [
    "PIVOT people ON city IN ('Rome', 'Oslo') USING count(*)",
    "PIVOT people ON city IN ('Rome', 'Oslo') USING sum(age) AS s, count(*) AS n GROUP BY name ORDER BY name LIMIT 3",
    "PIVOT (SELECT city, age FROM people) ON city IN ('Rome', 'Lima') USING max(age)",
    "PIVOT (FROM events WHERE year > 2023) ON kind IN ('view', 'click') USING sum(value) GROUP BY year",
    "PIVOT events ON year IN (2023, 2024), kind IN ('view') USING max(id)",
    "PIVOT people ON city IN ('Rome') GROUP BY age",
    "PIVOT people ON (city || '!') IN ('Rome!'), upper(name) IN ('ADA') USING count(*)",
    "PIVOT people ON city::VARCHAR IN ('Rome') USING count(*)",
    "PIVOT people p JOIN orders o USING (id) ON city IN ('Rome', 'Oslo') USING sum(amount)",
    "PIVOT people p JOIN (FROM orders SELECT person_id, amount) o ON p.id = o.person_id ON city IN ('Rome', 'Oslo') USING sum(amount)",
    "WITH a AS (FROM people SELECT city, age) PIVOT a ON city IN ('Rome', 'Oslo') USING sum(age)",
    "SELECT * FROM (PIVOT people ON city IN ('Rome', 'Oslo') USING count(*) GROUP BY age) WHERE age > 30",
    "FROM (PIVOT people ON city IN ('Rome') USING any_value(id) GROUP BY age) AS p JOIN people q ON p.age = q.age SELECT q.name, p.Rome",
    "UNPIVOT people ON id, age",
    "UNPIVOT people ON id, age INTO NAME what VALUE number ORDER BY what, number LIMIT 5",
    "UNPIVOT (SELECT id, age FROM people) ON COLUMNS(*)",
    "UNPIVOT orders ON * EXCLUDE (note) INTO NAME n VALUE v",
    "UNPIVOT orders ON COLUMNS(* EXCLUDE (note)) INTO NAME n VALUE v",
    "FROM (UNPIVOT orders ON COLUMNS(* EXCLUDE (note)))",
    "UNPIVOT (FROM people SELECT id, age) ON COLUMNS('i.*')",
    "UNPIVOT people ON (id, age), (age, id) INTO NAME n VALUE a, b",
    "SELECT n, sum(v) FROM (UNPIVOT orders ON id, person_id INTO NAME n VALUE v) GROUP BY n",
]
ASOF = [
    "SELECT p.id, o.id FROM people p ASOF JOIN orders o ON p.age >= o.amount",
    "SELECT p.id, o.id FROM people p ASOF LEFT JOIN orders o ON p.id = o.person_id AND p.age >= o.amount WHERE p.id > 1",
    "FROM people AS p ASOF LEFT OUTER JOIN orders AS o ON p.id = o.person_id AND p.age < o.amount SELECT p.name, o.amount, o.note",
    "SELECT people.id, orders.id FROM people ASOF LEFT JOIN orders ON people.age >= orders.amount WHERE orders.id > 3",
    "SELECT id, x.age, note FROM people x ASOF INNER JOIN (SELECT * FROM orders WHERE id < 700) y USING (id)",
    "SELECT people.id, orders.id FROM people ASOF JOIN orders ON people.age >= orders.amount JOIN events e ON e.id > orders.id",
    "SELECT count(*) FROM (SELECT * FROM people) a JOIN people b ON a.id = b.id ASOF JOIN orders o ON a.age > o.amount",
    "SELECT 'RIGHT ANTI JOIN', p.id FROM people p ASOF JOIN orders o ON p.age >= o.amount AND o.note <> 'RIGHT SEMI JOIN'",
]
SAMPLES = [
    "SELECT count(*) FROM orders TABLESAMPLE 100%",
    "SELECT count(*) FROM orders TABLESAMPLE 10 ROWS",
    "SELECT count(*) FROM orders TABLESAMPLE 10",
    "SELECT count(*) FROM orders AS o TABLESAMPLE reservoir(1_0 ROWS) REPEATABLE (42) JOIN people TABLESAMPLE (100 PERCENT) ON TRUE",
    "SELECT count(*) FROM orders TABLESAMPLE reservoir(20%)",
    "SELECT count(*) FROM orders TABLESAMPLE 100% (bernoulli, 3)",
    "SELECT count(*) FROM orders USING SAMPLE 7",
    "SELECT count(*) FROM orders WHERE id >= 0 USING SAMPLE 7 ROWS",
    "SELECT id >= 0, count(*) FROM orders WHERE id >= 0 GROUP BY ALL USING SAMPLE reservoir(5) ORDER BY 1",
    "SELECT * FROM people USING SAMPLE 100 PERCENT (system)",
    "SELECT count(*) FROM (SELECT * FROM orders JOIN people ON TRUE) AS j USING SAMPLE 12",
    "FROM orders SELECT count(*) WHERE id IS NOT NULL USING SAMPLE 3 ROWS",
    "FROM range(10) t(i) SELECT count(*) USING SAMPLE 3",
]
NAMED = [
    'SELECT a: id, "b c": age + 1, city FROM people',
    "FROM people SELECT n: count(*), city GROUP BY city",
    "SELECT x: (SELECT y: max(id) FROM orders), z: age IS DISTINCT FROM 36 FROM people",
    "SELECT DISTINCT c: city FROM people ORDER BY c LIMIT 2",
    "SELECT a: 1",
    "SELECT a: {'k': 1}, b: [1, 2][1:1], c: list_filter([1, 2], lambda x: x > 1) -- named",
    "SELECT a: 1 UNION ALL SELECT b: 2;",
    "SELECT s FROM (SELECT s: sum(amount), p: person_id FROM orders GROUP BY ALL)",
    "SUMMARIZE SELECT v: 3",
]
SHARES = [
    "SELECT id FROM orders ORDER BY id LIMIT 10%",
    "SELECT id FROM orders ORDER BY id LIMIT 1_0 PERCENT OFFSET 3",
    "SELECT id FROM orders ORDER BY id OFFSET 3 LIMIT 0.5%",
    "SELECT id FROM orders ORDER BY id LIMIT (2+3)% OFFSET 2",
    "SELECT id FROM orders ORDER BY id LIMIT 10 % 3",
    "SELECT id FROM orders ORDER BY id LIMIT 5+5%",
    "SELECT count(*) FROM (SELECT * FROM orders LIMIT 10%)",
    "(FROM people ORDER BY id LIMIT 40%) UNION ALL FROM people",
    "FROM people ORDER BY id LIMIT 40% -- forty",
    "SELECT id % 3, name FROM people ORDER BY id LIMIT 2",
]
GLOBS = [
    "SELECT name FROM people WHERE name GLOB '*o*'",
    "SELECT name NOT GLOB 'A*', name glob 'A' || '*', NOT name GLOB '?ob' FROM people",
    "SELECT count(*) FROM orders WHERE note GLOB 'note 00[0-4]?' AND id > 3 OR note GLOB ('note 9*')",
    "SELECT name, 'x' AS \"RLIKE\" FROM people WHERE name GLOB '*o*'",
]
EXCLUSIONS = [
    "SELECT id, sum(amount) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM orders WHERE id < 50",
    "SELECT id, sum(amount) OVER (PARTITION BY person_id ORDER BY id % 3 DESC NULLS LAST GROUPS BETWEEN 1 PRECEDING AND 1 "
    "FOLLOWING EXCLUDE TIES) AS s FROM orders WHERE id < 50",
    "SELECT id, sum(amount) OVER w AS s, count(*) OVER (ORDER BY person_id RANGE UNBOUNDED PRECEDING EXCLUDE GROUP) c FROM "
    "orders WHERE id < 50 WINDOW w AS (ORDER BY id ROWS BETWEEN (1+1) PRECEDING AND CURRENT ROW EXCLUDE NO OTHERS)",
    "SELECT id, count(*) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) AS n FROM people",
    "SELECT id, count(*) OVER (PARTITION BY city ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) FROM people",
    "SELECT max(s) FROM (SELECT sum(amount) OVER (ORDER BY id ROWS 3 PRECEDING EXCLUDE TIES) FROM orders) t(s)",
    "SELECT id, sum(age) OVER (w ROWS 2 PRECEDING EXCLUDE TIES) FROM people WINDOW w AS (ORDER BY id)",
]
SMALL = [
    "SELECT count(*) FILTER (age > 30), count(*) FILTER (WHERE age > 30) FROM people",
    'SELECT column_name, "min", "count" FROM (SUMMARIZE people) WHERE column_type = \'BIGINT\'',
    "SELECT s.column_name FROM (SUMMARIZE (SUMMARIZE people)) AS s",
    "SELECT list_filter([1, 2], lambda x: x > 1) FROM people",
]


@pytest.mark.parametrize("sql", [*FROM_FIRST, *PIVOTS, *ASOF, *SAMPLES, *NAMED, *SHARES, *GLOBS, *EXCLUSIONS, *SMALL])
def test_answers_are_the_kernels(sql: str, catalog: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    check(sql, catalog, direct)


@pytest.mark.parametrize("sql", SUMMARIES)
def test_summaries_are_the_kernels(sql: str, catalog: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    wanted = direct.sql(sql).to_arrow_table()
    exact = ["column_name", "column_type", "min", "max", "approx_unique", "count", "null_percentage"]
    for options in (ALONE, SPLIT_UP):
        made = plan(sql, catalog, options)
        got = run_plan(made)
        assert made.schema.names == got.schema.names == wanted.schema.names
        assert made.schema.types == got.schema.types == wanted.schema.types
        assert plan_rows(got.select(exact)) == plan_rows(wanted.select(exact))


@pytest.mark.parametrize(
    ("sql", "error", "place"),
    [
        ("FROM people WHERE nope > 1", UnknownColumn, "nope"),
        ("SELECT 1 FROM (TABLE people) AS p WHERE p.nope = 1", UnknownColumn, "nope"),
        ("WITH a AS (\n  FROM people)\nFROM a SELECT id,\n  nope", UnknownColumn, "nope"),
        ("TABLE nobody", UnknownTable, "nobody"),
        ("SUMMARIZE nobody", UnknownTable, "nobody"),
        ("SUMMARIZE SELECT nope FROM people", UnknownColumn, "nope"),
        ("SUMMARIZE people people people", SqlSyntaxError, "people"),
        ("DESCRIBE TABLE nobody", UnknownTable, "nobody"),
        ("FROM people USING SAMPLE 10% ORDER BY nope", UnknownColumn, "nope"),
        ("SELECT id FROM people\nWHERE nope > 2 USING SAMPLE reservoir(1_0 ROWS)", UnknownColumn, "nope"),
        ("SELECT 1 FROM people, orders USING SAMPLE 10%", NotSupported, "USING"),
        ("SELECT 1 USING SAMPLE 10%", NotSupported, "USING"),
        ("FROM people USING SAMPLE many", SqlSyntaxError, "USING"),
        ("FROM people TABLESAMPLE block (10%)", SqlSyntaxError, "block"),
        ("FROM people p ASOF JOIN orders o ON p.nope > o.id", UnknownColumn, "nope"),
        ("FROM people p ASOF LEFT JOIN nobody o ON p.id > o.id", UnknownTable, "nobody"),
        ("SELECT a: id, b: nope, c: 3 FROM people", UnknownColumn, "nope"),
        ("SELECT a: id,\n  b: age FROM nobody", UnknownTable, "nobody"),
        ("FROM people p ASOF RIGHT JOIN orders o ON p.id >= o.id", NotSupported, "ASOF"),
        ("FROM people ASOF FULL OUTER JOIN orders ON people.id >= orders.id", NotSupported, "ASOF"),
        ("FROM people RIGHT SEMI JOIN orders USING (id)", NotSupported, "RIGHT"),
        ("FROM people LEFT ANTI JOIN orders USING (id)", NotSupported, "LEFT"),
        ("FROM people p ASOF JOIN orders o MATCH_CONDITION (p.id >= o.id)", SqlSyntaxError, "MATCH_CONDITION"),
        ("PIVOT nobody ON city IN ('a')", UnknownTable, "nobody"),
        ("PIVOT people ON city IN ('a') USING sum(nope)", UnknownColumn, "nope"),
        ("PIVOT people ON city IN ('a')\nUSING sum(age) GROUP BY nope", UnknownColumn, "nope"),
        ("PIVOT people ON city USING sum(age)", InvalidQuery, "city"),
        ("PIVOT people ON city NOT IN ('a') USING sum(age)", InvalidQuery, "city"),
        ("PIVOT people ON age, city || '!' IN ('a!') USING sum(age)", InvalidQuery, "age"),
        ("PIVOT people ON city || '!' IN ('a!') USING sum(age)", InvalidQuery, "city"),
        ("PIVOT people ON age + 1 IN (3) USING sum(age)", InvalidQuery, "age"),
        ("PIVOT people ON city IN (SELECT note FROM orders) USING sum(age)", NotSupported, "SELECT"),
        ("PIVOT people ON city IN ('a') USING sum((SELECT age))", NotSupported, "SELECT"),
        ("PIVOT people USING sum(age)", SqlSyntaxError, "PIVOT"),
        ("SELECT name GLOB 'A*',\n  nope FROM people", UnknownColumn, "nope"),
        ("SELECT name rlike 'A' FROM people", NotSupported, "rlike"),
        ("SELECT sum(id) OVER (ORDER BY id ROWS 1 PRECEDING EXCLUDE TIES), nope FROM people", UnknownColumn, "nope"),
        ("SELECT sum(id) OVER (ORDER BY nope ROWS 1 PRECEDING EXCLUDE CURRENT ROW) FROM people", UnknownColumn, "nope"),
        ("SELECT sum(id) OVER (ROWS 1 PRECEDING EXCLUDE CURRENT) FROM people", SqlSyntaxError, "EXCLUDE"),
        ("SELECT id FROM people ORDER BY nope LIMIT 10%", UnknownColumn, "nope"),
        ("UNPIVOT people ON id, nope", InvalidQuery, "nope"),
        ("UNPIVOT people ON id INTO nope VALUE v", SqlSyntaxError, "INTO"),
    ],
)
def test_errors_point_into_the_users_text(sql: str, error: type[PlannerError], place: str, catalog: FolderCatalog) -> None:
    assert "reshape" not in refused_at(sql, error, place, catalog)


def test_pivot_without_values_tells_how_to_write_them(catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match=r"PIVOT t ON c IN \('a', 'b'\)"):
        plan("PIVOT people ON city", catalog, PlanOptions())


@pytest.mark.parametrize(
    ("sql", "listing"),
    [
        ("PIVOT people ON city USING sum(age)", "SELECT DISTINCT city FROM people"),
        ("PIVOT (FROM people WHERE age > 30) AS p ON city", "SELECT DISTINCT city FROM (SELECT * FROM people WHERE age > 30) AS p"),
        (
            "FROM (PIVOT people p JOIN orders o USING (id) ON upper(note))",
            "SELECT DISTINCT upper(note) FROM people p JOIN orders o USING(id)",
        ),
    ],
)
def test_pivot_without_values_names_the_query_that_lists_them(sql: str, listing: str, catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery) as caught:
        plan(sql, catalog, PlanOptions())
    assert f"They are what {listing} gives." in str(caught.value)
    assert run_plan(plan(listing, catalog, PlanOptions())).num_columns == 1


def test_pivot_on_a_star_is_refused_as_without_values(catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match="before it runs"):
        plan("PIVOT people ON * USING count(city)", catalog, PlanOptions())


def test_pivot_tells_to_put_operations_in_parentheses(catalog: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match="needs parentheses"):
        plan("PIVOT people ON city || '!' IN ('Rome!')", catalog, PlanOptions())


def test_what_takes_no_where_says_so(catalog: FolderCatalog) -> None:
    with pytest.raises(SqlSyntaxError, match="Write PIVOT"):
        plan("PIVOT people ON city IN ('a') WHERE age > 3", catalog, PlanOptions())


def test_values_stand_in_all_places(catalog: FolderCatalog) -> None:
    def answer(sql: str, *values: object) -> list[tuple[object, ...]]:
        return plan_rows(run_plan(plan(sql, catalog, PlanOptions(), scalars(*values))))

    assert answer("FROM people SELECT name WHERE age > ? AND city = ?", 30, "Rome") == [("Ada",)]
    assert answer("PIVOT people ON city IN (?) USING sum(age + ?) GROUP BY id ORDER BY id LIMIT ?", "Rome", 1, 1) == [(1, 37)]
    assert answer("FROM people SELECT name WHERE name GLOB ? ORDER BY name LIMIT ?%", "*[ob]", 50) == [("Bob",)]
    assert answer("SELECT count(*) FILTER (age > ?), ? FROM people", 30, "x") == [(3, "x")]
    assert answer('SELECT "max" FROM (SUMMARIZE SELECT id FROM orders WHERE id < ?)', 5) == [("4",)]


def test_from_first_prunes_as_any_other_query(catalog: FolderCatalog) -> None:
    (scan,) = scans(plan("FROM orders SELECT note WHERE id = 7", catalog, PlanOptions()))
    assert (scan.row_groups_kept, scan.row_groups_total) == (1, 10)
    assert [column.name for column in scan.columns] == ["id", "note"]
    (scan,) = scans(plan("FROM (SUMMARIZE SELECT note FROM orders WHERE id = 7)", catalog, SPLIT_UP))
    assert (scan.row_groups_kept, scan.row_groups_total) == (1, 10)


@pytest.mark.parametrize(
    "sql", ["SUMMARIZE people", "FROM people", "TABLE people", "PIVOT people ON city IN ('Rome')", "UNPIVOT people ON id"]
)
def test_each_can_be_described_and_explained(sql: str, catalog: FolderCatalog) -> None:
    made = plan(sql, catalog, PlanOptions())
    described = plan_rows(run_plan(plan(f"DESCRIBE {sql}", catalog, PlanOptions())))
    assert [row[0] for row in described] == made.schema.names
    explained = plan_rows(run_plan(plan(f"EXPLAIN (FORMAT TEXT) {sql}", catalog, PlanOptions())))
    assert explained == [(line,) for line in made.text.split("\n")]
    assert plan(f"EXPLAIN ANALYZE {sql}", catalog, PlanOptions()).analyze


@pytest.mark.parametrize(
    ("sample", "printed"),
    [
        ("USING SAMPLE 10%", "TABLESAMPLE SYSTEM (10 PERCENT)"),
        ("USING SAMPLE 10 PERCENT (bernoulli)", "TABLESAMPLE BERNOULLI (10 PERCENT)"),
        ("USING SAMPLE 10% (system, 377)", "TABLESAMPLE SYSTEM (10 PERCENT) REPEATABLE (377)"),
        ("USING SAMPLE 1_000", "TABLESAMPLE RESERVOIR (1000 ROWS)"),
        ("USING SAMPLE reservoir(50 ROWS) REPEATABLE (100)", "TABLESAMPLE RESERVOIR (50 ROWS) REPEATABLE (100)"),
        ("TABLESAMPLE reservoir(1.5%)", "TABLESAMPLE RESERVOIR (1.5 PERCENT)"),
        ("TABLESAMPLE (1%)", "TABLESAMPLE SYSTEM (1 PERCENT)"),
    ],
)
def test_samples_are_taken_as_the_kernel_would(sample: str, printed: str, catalog: FolderCatalog) -> None:
    assert plan(f"FROM orders {sample}", catalog, SPLIT_UP).fragments[-1].sql == f'SELECT * FROM in_0 AS "orders" {printed}'


def test_a_sample_is_taken_before_where(catalog: FolderCatalog) -> None:
    sql = plan("SELECT id FROM orders AS o WHERE id > 3 USING SAMPLE 10%", catalog, SPLIT_UP).fragments[-1].sql
    assert sql == "SELECT id FROM in_0 AS o TABLESAMPLE SYSTEM (10 PERCENT) WHERE id > 3"


def test_relations_that_are_typed_in_other_words_count_as_joins(catalog: FolderCatalog) -> None:
    for sql in ("TABLE people, people", "PIVOT people, people ON id IN (1)", "FROM people, people"):
        with pytest.raises(LimitExceeded):
            plan(sql, catalog, PlanOptions(limits=SqlLimits(joins=0)))


def test_marks_have_names_that_the_statement_has_not(catalog: FolderCatalog) -> None:
    answer = run_plan(
        plan(
            "SELECT reshape_pivot, Reshape_summarize.count FROM (SELECT 1 AS reshape_pivot), (SUMMARIZE people) AS reshape_summarize",
            catalog,
            ALONE,
        )
    )
    assert answer.num_rows == 4
