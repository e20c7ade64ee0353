"""What names mean, by the kernel's own binder: a statement with each name written out as it was bound has the plan of the statement.

``written out``: each relation has an alias of its own, each column stands behind its relation's, and in place of an alias of the select
list stands the expression that it is called after.
"""

from __future__ import annotations

import duckdb
import pytest

from planner.distribute.scopes import BoundColumn, Columns, bind_names
from planner.errors import PlannerError
from planner.logical import DerivedTable, QueryBlock, Scan, Select
from tests.planner.distribute.bound import TableCatalog, all_known, bound, plan_of, printed, repeats, write_out
from tests.planner.distribute.random_names import COLUMNS, Statements


@pytest.fixture(scope="module")
def tables() -> TableCatalog:
    return TableCatalog(COLUMNS)


def check(sql: str, tables: TableCatalog) -> None:
    """All names have a meaning, and it is the kernel's."""
    query = bound(sql, tables)
    names = bind_names(query)
    plain = printed(query)
    assert all_known(names, query)
    assert plan_of(write_out(query, names), tables.connection) == plan_of(plain, tables.connection)


CLAUSES = """
SELECT b AS a, a FROM two WHERE a = 10
SELECT b AS z, a FROM two WHERE z = 10
SELECT b AS a, a AS q, count(*) FROM two GROUP BY a, b
SELECT b AS z, count(*) FROM two GROUP BY z
SELECT b AS z, count(*) AS n FROM two GROUP BY z HAVING n > 1 AND z = 2 AND max(k) > 0
SELECT b AS a, k, sum(k) OVER () FROM two QUALIFY a = 10
SELECT b AS z, k, sum(k) OVER (PARTITION BY a ORDER BY b) FROM two QUALIFY z = 10
SELECT b AS a, k FROM two ORDER BY a
SELECT b AS a, k FROM two ORDER BY (a)
SELECT b AS a, k FROM two ORDER BY a + 0
SELECT b AS z, k FROM two ORDER BY -z, two.a, 1
SELECT b AS a, k, sum(a) OVER (ORDER BY a) AS r FROM two ORDER BY a, sum(a) OVER (ORDER BY b)
SELECT b AS a, a + 1 AS y FROM two
SELECT b AS z, z + 1 AS y, y + z AS v FROM two
SELECT DISTINCT ON (a) b AS a, a AS b FROM two
SELECT sum(a) OVER w FROM two WINDOW w AS (PARTITION BY b ORDER BY k)
SELECT count(*) FILTER (WHERE a > 1), max(b ORDER BY k) FROM two
SELECT a, b, sum(k) FROM two GROUP BY ROLLUP (a, b), GROUPING SETS ((a), (b, k))
SELECT k AS a, sum(b) AS s FROM two GROUP BY k HAVING max(b + a) > 23 AND max(k) > 1
SELECT b AS a, (SELECT max(x + a) FROM w) FROM two
SELECT b AS a FROM two ORDER BY a + (SELECT max(x) FROM w WHERE x > a)
SELECT b AS a, sum(k) OVER () AS s FROM two QUALIFY EXISTS (SELECT 1 FROM w WHERE x > a)
SELECT t.a FROM t, u ORDER BY a
SELECT t.* FROM t, u ORDER BY a
SELECT s.a, k FROM t ORDER BY a
SELECT s.x FROM t, w ORDER BY x
""".strip().split("\n")

JOINS = """
SELECT t.a, u.a, b, c FROM t, u WHERE t.k = u.k
SELECT k FROM t JOIN u USING (k)
SELECT k, t.k, u.k FROM t LEFT JOIN u USING (k)
SELECT k FROM t RIGHT JOIN u USING (k) WHERE c > k
SELECT t.k, u.k, * FROM t FULL JOIN u USING (k)
SELECT k, b FROM (t JOIN u USING (k)) JOIN two AS v USING (k, b)
SELECT k, c FROM two NATURAL JOIN u
SELECT x, c FROM w JOIN u ON x = c AND w.k = u.k LEFT JOIN two AS v ON v.a = x
SELECT a FROM t SEMI JOIN w ON a = x WHERE b = 1
SELECT a, t.b FROM t ANTI JOIN w USING (k) JOIN w AS v ON x = a WHERE t.b = v.b
SELECT j.k, j.a, a_1 FROM (t JOIN u USING (k)) AS j
SELECT c FROM w, u JOIN two AS v ON w.x = v.a AND u.k = v.k
SELECT q.a, v.b FROM w AS v, t AS w JOIN u AS q ON w.k = v.k
""".strip().split("\n")

SUBQUERIES = """
SELECT a FROM t WHERE EXISTS (SELECT * FROM w WHERE x = a AND b = t.b)
SELECT a FROM t WHERE a IN (SELECT x FROM w WHERE w.k = t.k) AND NOT EXISTS (SELECT 1 FROM w WHERE k = t.k)
SELECT (SELECT max(x) FROM w WHERE b = two.b AND EXISTS (SELECT 1 FROM u WHERE c = x AND u.a = two.a)) FROM two
SELECT (SELECT x AS z FROM w WHERE z = 31) FROM (SELECT 5 AS z) q
SELECT z FROM t, (SELECT a AS z FROM (SELECT 5 AS b) q) q2
SELECT * FROM two, LATERAL (SELECT two.a AS z, x FROM w WHERE w.b = two.b) q WHERE z = x
SELECT z FROM (SELECT 1 AS a) v, LATERAL (SELECT a AS z FROM w) q
SELECT a FROM t JOIN w ON t.a = w.x AND w.b IN (SELECT c FROM u WHERE u.k = w.k AND u.a = t.a)
SELECT a FROM two GROUP BY a HAVING sum(b) > (SELECT avg(x) FROM w WHERE w.k = two.a)
SELECT a FROM two ORDER BY (SELECT max(x) FROM w WHERE w.k = two.b)
""".strip().split("\n")

DERIVED = """
SELECT a, a_1 FROM (SELECT a, a FROM t) q
SELECT q.a, k_1, c FROM (SELECT * FROM t, u) q
SELECT a, b_1, x FROM (SELECT * FROM t JOIN w USING (k)) q
SELECT p, b FROM (SELECT a, b FROM t) q(p)
SELECT p, k FROM t AS v(p, q)
SELECT col1, m FROM (VALUES (1, 2)) v(m)
SELECT n FROM (SELECT a AS n FROM t UNION ALL SELECT c FROM u) q ORDER BY n
SELECT a AS z FROM t UNION ALL SELECT c FROM u ORDER BY z
SELECT a AS z, b FROM t UNION ALL SELECT c, k AS z FROM u ORDER BY b
WITH c AS (SELECT a, b AS y FROM t) SELECT y FROM c WHERE a IN (SELECT a FROM c AS d WHERE d.y = c.y)
WITH c(p) AS (SELECT a, b FROM t) SELECT p, b FROM c
WITH c AS (SELECT 1 AS x), d AS (WITH c AS (SELECT 2 AS y) SELECT y FROM c) SELECT x, y FROM c, d
WITH t AS (SELECT a AS z FROM t) SELECT z FROM t
WITH RECURSIVE r(n) AS (SELECT a FROM t UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r
SELECT range, g, v FROM range(3), generate_series(1, 2) g, unnest([1]) x(v)
SELECT c, v FROM lists, unnest(l) x(v)
SELECT b, q.k FROM (SELECT * EXCLUDE (a, s) FROM t) q
SELECT n, q.* FROM (SELECT a AS n, max(b) FROM t GROUP BY a) q
""".strip().split("\n")

PARTS = """
SELECT s.a, t.s.x, t.a FROM t
SELECT t.a FROM u
SELECT t.a FROM u, t
SELECT t.a, t.t FROM u AS t
SELECT s.x FROM t, w AS s
SELECT l[c], lists.l[1:2] FROM lists
SELECT list_transform([1], lambda a: a + b) FROM t
SELECT [a + b FOR a IN l IF a > c] FROM lists, w
SELECT struct_pack(a := 1, b := a) FROM t
SELECT current_date, now() FROM t
SELECT A, "B", T.K FROM t
""".strip().split("\n")


@pytest.mark.parametrize("sql", [*CLAUSES, *JOINS, *SUBQUERIES, *DERIVED, *PARTS])
def test_names_mean_what_the_kernel_means(sql: str, tables: TableCatalog) -> None:
    check(sql, tables)


UNCERTAIN = """
SELECT b AS a, sum(k) FROM two GROUP BY b HAVING a = 10
SELECT b AS z, (SELECT z) FROM two
SELECT (SELECT x AS z FROM w QUALIFY row_number() OVER () < 3 AND z = 31) FROM (SELECT 5 AS z) q
SELECT x FROM (SELECT COLUMNS('a'), k AS x FROM two) v
SELECT (SELECT max(y) FROM (SELECT z + 1 AS y, a AS z FROM two) p) FROM (SELECT 5 AS z) q
SELECT (SELECT sum(two.a) FROM w) FROM two
SELECT (SELECT max(k) FROM two, (SELECT max(c.k) FROM w AS c GROUP BY two.a HAVING sum(two.b) > 1) AS v) FROM two
SELECT (SELECT max(b) FROM json_each('{}') AS j) FROM two
SELECT (SELECT max(q) FROM w AS q) FROM (SELECT 5 AS q) p
SELECT a FROM (SELECT * REPLACE (b AS a) FROM two) q
SELECT b AS z, a AS z FROM two ORDER BY z
SELECT b AS a, k AS a FROM two ORDER BY a
SELECT a AS z, b FROM t UNION ALL SELECT c, k AS z FROM u ORDER BY z
SELECT k FROM t FULL JOIN u USING (k)
SELECT k FROM t JOIN u USING (k) JOIN w ON true
SELECT t FROM t
SELECT COLUMNS('a') FROM t
SELECT t.b.upper() FROM t
SELECT rowid FROM t
SELECT list_transform([1], lambda two: two.b) FROM two
SELECT * FROM (PIVOT two ON a IN (1) USING sum(b)) WHERE k = 1
SELECT a FROM t WHERE a = #1
""".strip().split("\n")


@pytest.mark.parametrize("sql", UNCERTAIN)
def test_what_names_do_not_tell_has_no_meaning(sql: str, tables: TableCatalog) -> None:
    query = bound(sql, tables)
    assert not all_known(bind_names(query), query)


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_random_statements(first: int, tables: TableCatalog) -> None:
    compared = 0
    for seed in range(first, first + 50):
        sql = Statements(seed).statement()
        try:
            query = bound(sql, tables)
            plain = printed(query)
            wanted = plan_of(plain, tables.connection)
        except (PlannerError, duckdb.Error):
            continue
        names = bind_names(query)
        if all_known(names, query) and not repeats(query, names):
            compared += 1
            assert plan_of(write_out(query, names), tables.connection) == wanted, plain
    assert compared >= 4


def test_depths_count_the_blocks_around(tables: TableCatalog) -> None:
    query = bound("SELECT a FROM t AS o WHERE EXISTS (SELECT 1 FROM w WHERE EXISTS (SELECT 1 FROM u WHERE c = x AND u.a = o.b))", tables)
    names = bind_names(query)
    select = body(query)
    (outer,) = select.queries
    (inner,) = body(outer).queries
    assert mentioned(names.columns(body(inner), *body(inner).conjuncts)) == {("c", 0), ("x", 1), ("a", 0), ("b", 2)}
    assert mentioned(names.columns(body(outer), *body(outer).conjuncts)) == {("x", 0), ("b", 1)}
    assert mentioned(names.columns(select, *select.conjuncts)) == mentioned(names.outer_columns(outer)) == {("b", 0)}
    assert [names.correlated(block) for block in (query, outer, inner)] == [False, True, True]


def body(query: QueryBlock) -> Select:
    assert isinstance(query.body, Select)
    return query.body


def mentioned(columns: Columns) -> set[tuple[str, int]]:
    found, sure = columns
    assert sure
    return {(column.name, column.depth) for column in found}


def test_relations_beside_a_subquery_in_from_are_of_the_block_around_it(tables: TableCatalog) -> None:
    query = bound("SELECT z FROM two, w JOIN (SELECT two.a + x AS z) q ON true", tables)
    names = bind_names(query)
    (inner,) = (join.relation for join in body(query).items[1].joins)
    assert isinstance(inner, DerivedTable)
    assert mentioned(names.columns(body(inner.query), *body(inner.query).ast["projection"])) == {("a", 1), ("x", 1)}
    assert names.correlated(inner.query) is True
    assert names.correlated(query) is False


def test_origins_go_through_derived_tables_and_ctes(tables: TableCatalog) -> None:
    query = bound("WITH c AS (SELECT a AS y, b + 1 AS z FROM t) SELECT p, z FROM (SELECT y AS p, z FROM c) q", tables)
    names = bind_names(query)
    (item,) = body(query).items
    assert isinstance(item.relation, DerivedTable)
    scan, name = names.origin(BoundColumn(item.relation, "p")) or (None, "")
    assert isinstance(scan, Scan)
    assert (scan.alias, name) == ("t", "a")
    assert names.origin(BoundColumn(item.relation, "z")) is None


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT * FROM t JOIN u USING (k)", ["t.a", "t.b", "t.k", "t.s", "u.a", "u.c", "u.t"]),
        ("SELECT * FROM w RIGHT JOIN two USING (k)", ["w.x", "w.b", "two.k", "two.a", "two.b"]),
        ("SELECT * FROM w FULL JOIN two USING (k)", ["w.x", "w.b", "k", "two.a", "two.b"]),
        ("SELECT * FROM w SEMI JOIN two USING (k)", ["w.x", "w.b", "w.k"]),
        ("SELECT * FROM w NATURAL JOIN two", ["w.x", "w.b", "w.k", "two.a"]),
    ],
)
def test_a_star_is_the_columns_of_the_relations_in_order(sql: str, wanted: list[str], tables: TableCatalog) -> None:
    query = bound(sql, tables)
    outputs = bind_names(query).star(body(query)) or ()
    assert [output.name for output in outputs] == tables.connection.sql(sql).columns
    found = [output.name if output.column is None else f"{output.column.relation.alias}.{output.column.name}" for output in outputs]
    assert found == wanted
