"""Which columns of a block are equal in all its rows."""

from __future__ import annotations

import pytest

from planner.distribute.classes import Classes, equivalences, join_equalities, subquery_correlations
from planner.distribute.scopes import BoundColumn, Names, bind_names
from planner.logical import Select
from tests.planner.distribute.bound import TableCatalog, bound

TABLES = {
    "r": ["k", "a", "n VARCHAR", "big BIGINT"],
    "s": ["k", "b", "n VARCHAR"],
    "t": ["k", "c"],
}


@pytest.fixture(scope="module")
def tables() -> TableCatalog:
    return TableCatalog(TABLES)


def opened(sql: str, tables: TableCatalog) -> tuple[Names, Select]:
    query = bound(sql, tables)
    assert isinstance(query.body, Select)
    return bind_names(query), query.body


def named(column: BoundColumn) -> str:
    return f"{getattr(column.relation, 'alias', None)}.{column.name}"


def shown(classes: Classes) -> set[str]:
    return {" = ".join(sorted(map(named, each))) for each in classes.classes}


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT 1 FROM r, s WHERE r.k = s.k", {"r.k = s.k"}),
        ("SELECT 1 FROM r, s, t WHERE r.k = s.k AND (t.k = s.k AND r.a = s.b)", {"r.k = s.k = t.k", "r.a = s.b"}),
        ("SELECT 1 FROM r JOIN s ON r.k = s.k AND r.a > s.b", {"r.k = s.k"}),
        ("SELECT 1 FROM r JOIN s USING (k) JOIN t USING (k)", {"r.k = s.k = t.k"}),
        ("SELECT 1 FROM r NATURAL JOIN s", {"r.k = s.k", "r.n = s.n"}),
        ("SELECT 1 FROM r LEFT JOIN s ON r.k = s.k", set()),
        ("SELECT 1 FROM r LEFT JOIN s ON r.k = s.k WHERE r.a = s.b", {"r.a = s.b"}),
        ("SELECT 1 FROM r JOIN s ON r.k = s.k LEFT JOIN t ON t.k = s.k", {"r.k = s.k"}),
        ("SELECT 1 FROM r JOIN s ON r.k = s.k RIGHT JOIN t ON t.k = s.k", set()),
        ("SELECT 1 FROM r JOIN s ON r.k = s.k FULL JOIN t ON t.k = s.k", set()),
        ("SELECT 1 FROM t RIGHT JOIN (r JOIN s ON r.k = s.k) ON t.c = r.a", {"r.k = s.k"}),
        ("SELECT 1 FROM t LEFT JOIN (r JOIN s ON r.k = s.k) ON t.c = r.a", set()),
        ("SELECT 1 FROM r SEMI JOIN s USING (k)", set()),
        ("SELECT 1 FROM r, s WHERE r.k = s.k OR r.a = s.b", set()),
        ("SELECT 1 FROM r, s WHERE (r.k = s.k AND a = 1) OR (s.k = r.k AND b = 2 AND r.n = s.n)", {"r.k = s.k"}),
        ("SELECT 1 FROM r, s WHERE NOT (r.k = s.k)", set()),
        ("SELECT 1 FROM r, s WHERE r.k = s.k + 0", set()),
        ("SELECT 1 FROM r, (SELECT k AS y, max(b) AS m FROM s GROUP BY k) q WHERE r.k = y AND r.a = m", {"q.y = r.k = s.k"}),
        ("SELECT 1 FROM r, (SELECT s.k AS y FROM s, t WHERE s.k = t.k) q WHERE r.k = y", {"q.y = r.k = s.k = t.k"}),
        ("SELECT 1 FROM r, (SELECT k AS y, max(b) AS m FROM s GROUP BY ROLLUP (k)) q WHERE r.k = y", set()),
        ("SELECT 1 FROM r, (SELECT k + 1 AS y FROM s) q WHERE r.k = y", set()),
        ("SELECT 1 FROM r LEFT JOIN (SELECT s.k AS y, c FROM s, t WHERE s.k = t.k) q ON r.k = y", {"q.y = s.k", "q.c = t.c"}),
        ("WITH q AS (SELECT k AS y FROM s) SELECT 1 FROM r, q WHERE r.k = y", {"q.y = r.k = s.k"}),
        ("WITH q AS (SELECT k AS y FROM s) SELECT 1 FROM r, q, q AS p WHERE r.k = q.y AND q.y = p.y", {"p.y = q.y = r.k"}),
        ("SELECT 1 FROM r, LATERAL (SELECT b FROM s WHERE s.k = r.k) q", {"r.k = s.k", "q.b = s.b"}),
        ("SELECT 1 FROM (t JOIN s USING (k)) AS j, r WHERE j.k = r.k", {"j.k = r.k = s.k = t.k", "j.c = t.c", "j.b = s.b", "j.n = s.n"}),
    ],
)
def test_the_classes_of_a_block(sql: str, wanted: set[str], tables: TableCatalog) -> None:
    assert shown(equivalences(*opened(sql, tables))) == wanted


@pytest.mark.parametrize("sql", ["SELECT 1 FROM r, s WHERE big = b", "SELECT 1 FROM r, (SELECT max(b) AS m FROM s) q WHERE a = m"])
def test_columns_of_other_or_unknown_types_are_refused(sql: str, tables: TableCatalog) -> None:
    names, select = opened(sql, tables)
    classes = equivalences(names, select)
    assert len(classes.refused) == 1
    ((left, right),) = classes.refused
    assert not classes.equal(left, right)


def test_constants_are_noted(tables: TableCatalog) -> None:
    names, select = opened("SELECT 1 FROM r JOIN s USING (k) WHERE r.k = 5 AND 'x' = s.n AND a = b", tables)
    assert [named(column) for column, _ in equivalences(names, select).constants] == ["r.k", "s.n"]


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        ("SELECT 1 FROM r LEFT JOIN s ON r.k = s.k AND r.a = 1", ["r.k = s.k"]),
        ("SELECT 1 FROM r FULL JOIN s USING (k, n)", ["r.k = s.k", "r.n = s.n"]),
        ("SELECT 1 FROM r ANTI JOIN s ON r.k = s.k", ["r.k = s.k"]),
        ("SELECT 1 FROM r ASOF JOIN s USING (n, k)", ["r.n = s.n"]),
        ("SELECT 1 FROM r ASOF JOIN s ON r.n = s.n AND r.k >= s.k", ["r.n = s.n"]),
        ("SELECT 1 FROM r POSITIONAL JOIN s", []),
    ],
)
def test_what_one_join_compares(sql: str, wanted: list[str], tables: TableCatalog) -> None:
    names, select = opened(sql, tables)
    pairs = join_equalities(names, select.items[0].joins[0]).pairs
    assert [f"{named(left)} = {named(right)}" for left, right in pairs] == wanted


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("EXISTS (SELECT 1 FROM s WHERE s.k = r.k AND s.b > r.a)", ["s.k = r.k"]),
        ("NOT EXISTS (SELECT 1 FROM s, t WHERE s.k = t.k AND t.k = r.k)", ["t.k = r.k"]),
        ("a < (SELECT avg(b) FROM s WHERE r.k = s.k)", ["s.k = r.k"]),
        ("r.k IN (SELECT s.k FROM s WHERE s.n = r.n)", ["s.k = r.k", "s.n = r.n"]),
        ("big IN (SELECT s.k FROM s)", []),
        ("EXISTS (SELECT 1 FROM s LEFT JOIN t ON t.k = r.k)", []),
        ("EXISTS (SELECT 1 FROM s WHERE s.k = r.k UNION ALL SELECT 1 FROM t WHERE t.k = r.k)", []),
    ],
)
def test_what_a_subquery_compares_with_the_block_around(condition: str, wanted: list[str], tables: TableCatalog) -> None:
    names, select = opened(f"SELECT 1 FROM r WHERE {condition}", tables)
    (query,) = select.queries
    membership = select.conjuncts[0].get("InSubquery")
    found = subquery_correlations(names, query, None if membership is None else membership["expr"])
    assert [f"{named(each.inner)} = {named(each.outer)}" for each in found] == wanted
    assert all(each.outer.depth == 0 for each in found)
