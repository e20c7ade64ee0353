"""By the keys of which tables a scan may be pruned."""

from __future__ import annotations

import pytest

from planner.distribute.key_sources import KeySource, KeySources
from planner.distribute.scopes import bind_names
from planner.optimize import RULES, apply
from tests.planner.distribute.bound import TableCatalog, bound

TABLES = {
    "f": ["k", "d DATE", "n VARCHAR", "x DOUBLE", "big BIGINT"],
    "s": ["k", "d DATE", "n VARCHAR", "x DOUBLE", "y", "up"],
    "u": ["k", "up", "z"],
}


@pytest.fixture(name="tables", scope="module")
def _tables() -> TableCatalog:
    return TableCatalog(TABLES)


def shown(source: KeySource) -> str:
    inside = ", ".join(f"{column} in {shown(other)}" for column, other in source.narrowed)
    return f"{source.scan.table.name}.{source.key}{'*' if source.scan.predicates else ''}{f' ({inside})' if inside else ''}"


def links(sql: str, tables: TableCatalog, target: str = "f") -> set[str]:
    """``column: keys`` of the filters that scans of a table may have; a star stands where conditions select."""
    found = KeySources(bind_names(apply(RULES, bound(sql, tables))))
    small = frozenset(link.source.name for links in found.links.values() for link in links)
    sources = [(link, found.source(link, small)) for links in found.links.values() for link in links if link.target.table.name == target]
    return {f"{link.column}: {shown(source)}" for link, source in sources if source.selects}


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        # joins
        ("SELECT 1 FROM f, s WHERE f.k = s.k AND s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM f JOIN s USING (k) WHERE y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM f NATURAL JOIN s WHERE s.y = 1", {"k: s.k*", "d: s.d*", "n: s.n*"}),
        ("SELECT 1 FROM f JOIN s ON f.k = s.k AND s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM f, s WHERE f.k = s.k", set()),
        ("SELECT 1 FROM f, s WHERE f.x = s.x AND s.y = 1", set()),
        ("SELECT 1 FROM f, s WHERE f.k < s.k AND s.y = 1", set()),
        ("SELECT 1 FROM f, s WHERE (f.k = s.k OR f.d = s.d) AND s.y = 1", set()),
        ("SELECT 1 FROM f, s WHERE NOT (f.k = s.k) AND s.y = 1", set()),
        ("SELECT 1 FROM f, s WHERE f.k IS NOT DISTINCT FROM s.k AND s.y = 1", set()),
        # types: whole numbers compare as what they are
        ("SELECT 1 FROM f, s WHERE f.big = s.k AND s.y = 1", {"big: s.k*"}),
        ("SELECT 1 FROM f JOIN s ON f.big = s.k WHERE s.y = 1", {"big: s.k*"}),
        ("SELECT 1 FROM f, s WHERE f.n = s.k AND s.y = 1", set()),
        ("SELECT 1 FROM f, s WHERE f.x = s.k AND s.y = 1", set()),
        # outer joins: only where rows without partners vanish
        ("SELECT 1 FROM f LEFT JOIN s ON f.k = s.k AND s.y = 1", set()),
        ("SELECT 1 FROM f LEFT JOIN s ON f.k = s.k AND s.y = 1 WHERE f.k = s.k", {"k: s.k*"}),
        ("SELECT 1 FROM s LEFT JOIN f ON f.k = s.k WHERE s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM f RIGHT JOIN s ON f.k = s.k WHERE s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM s RIGHT JOIN f ON f.k = s.k AND s.y = 1", set()),
        ("SELECT 1 FROM f FULL JOIN s ON f.k = s.k WHERE s.y = 1", set()),
        ("SELECT 1 FROM u FULL JOIN (f JOIN s ON f.k = s.k AND s.y = 1) ON u.k = f.k", {"k: s.k*"}),
        ("SELECT 1 FROM s LEFT JOIN (u LEFT JOIN f ON u.z = f.k) ON f.k = s.k WHERE s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM f LEFT JOIN u ON f.k = u.k JOIN s ON s.k = u.k WHERE s.y = 1", set()),
        # kinds of joins in which other rows count
        ("SELECT 1 FROM f ASOF JOIN s ON f.k = s.k AND f.d >= s.d WHERE s.y = 1", set()),
        ("SELECT 1 FROM f POSITIONAL JOIN s WHERE f.k = s.k AND s.y = 1", set()),
        ("SELECT 1 FROM f TABLESAMPLE 10%, s WHERE f.k = s.k AND s.y = 1", set()),
        ("SELECT 1 FROM f, s TABLESAMPLE 10% WHERE f.k = s.k AND s.y = 1", set()),
        ("SELECT 1 FROM f AS q(a, b), s WHERE q.a = s.k AND s.y = 1", set()),
        # what is behind one more join
        ("SELECT 1 FROM f, s, u WHERE f.k = s.k AND s.up = u.up AND u.z = 1", {"k: s.k (up in u.up*)"}),
        ("SELECT 1 FROM f, s, u WHERE f.k = s.k AND s.up = u.up AND u.z = 1 AND s.y = 2", {"k: s.k* (up in u.up*)"}),
        ("SELECT 1 FROM f, s LEFT JOIN u ON s.up = u.up AND u.z = 1 WHERE f.k = s.k", set()),
        ("SELECT 1 FROM f, s, u WHERE f.k = s.k AND s.k = u.k AND u.z = 1", {"k: s.k (k in u.k*)", "k: u.k*"}),
        # subqueries in FROM
        ("SELECT 1 FROM f, (SELECT k AS a FROM s WHERE y = 1) q WHERE f.k = a", {"k: s.k*"}),
        ("SELECT 1 FROM f, (SELECT k AS a, count(*) FROM s WHERE y = 1 GROUP BY k) q WHERE f.k = a", {"k: s.k*"}),
        ("SELECT 1 FROM f, (SELECT k + 1 AS a FROM s WHERE y = 1) q WHERE f.k = a", set()),
        ("WITH c AS (SELECT k FROM s WHERE y = 1) SELECT 1 FROM f, c, c AS e WHERE f.k = c.k AND e.k = 2", {"k: s.k*"}),
        # … and out of them
        ("SELECT 1 FROM (SELECT k FROM f) q, s WHERE q.k = s.k AND s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM (SELECT DISTINCT k AS a, x FROM f ORDER BY x) q JOIN s ON q.a = s.k WHERE s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM (SELECT k, sum(x) FROM f GROUP BY k HAVING sum(x) > 1) q JOIN s USING (k) WHERE s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM (SELECT k, d, sum(x) FROM f GROUP BY d, k) q JOIN s USING (k) WHERE s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM (SELECT k FROM f LEFT JOIN u USING (k)) q RIGHT JOIN s ON q.k = s.k WHERE s.y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM s LEFT JOIN (SELECT k FROM (SELECT k FROM f) p) q ON q.k = s.k WHERE s.y = 1", {"k: s.k*"}),
        ("WITH c AS (SELECT k FROM f) SELECT 1 FROM c JOIN s USING (k) WHERE y = 1", {"k: s.k*"}),
        ("WITH c AS (SELECT k FROM f) SELECT 1 FROM c JOIN s USING (k), c AS e WHERE y = 1", set()),
        ("SELECT 1 FROM (SELECT k FROM f) q LEFT JOIN s ON q.k = s.k AND s.y = 1", set()),
        ("SELECT 1 FROM (SELECT k FROM f ORDER BY x LIMIT 5) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT k, row_number() OVER (ORDER BY x) FROM f) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT k FROM f ORDER BY row_number() OVER (ORDER BY x)) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT k FROM f QUALIFY rank() OVER (ORDER BY x) < 3) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT DISTINCT ON (d) k, d FROM f) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT max(k) AS k FROM f) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT any_value(k) AS k, d FROM f GROUP BY d) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT k, d FROM f GROUP BY ROLLUP (k, d)) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT k FROM f UNION ALL SELECT k FROM u) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT k FROM f TABLESAMPLE 10%) q JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM (SELECT k FROM f) q TABLESAMPLE 10% JOIN s USING (k) WHERE s.y = 1", set()),
        ("SELECT 1 FROM s, LATERAL (SELECT max(x) FROM f WHERE f.k = s.k) q WHERE s.y = 1", {"k: s.k*"}),
        # subqueries in WHERE
        ("SELECT 1 FROM f WHERE k IN (SELECT k FROM s WHERE y = 1)", {"k: s.k*"}),
        ("SELECT 1 FROM f WHERE k IN (SELECT k FROM s WHERE y = 1 ORDER BY d LIMIT 3)", {"k: s.k*"}),
        ("SELECT 1 FROM f WHERE k NOT IN (SELECT k FROM s WHERE y = 1)", set()),
        ("SELECT 1 FROM f WHERE k IN (SELECT k FROM s WHERE y = 1) OR d IS NULL", set()),
        ("SELECT 1 FROM f WHERE EXISTS (SELECT 1 FROM s WHERE s.k = f.k AND y = 1)", {"k: s.k*"}),
        ("SELECT 1 FROM f WHERE NOT EXISTS (SELECT 1 FROM s WHERE s.k = f.k AND y = 1)", set()),
        ("SELECT 1 FROM f WHERE EXISTS (SELECT count(*) FROM s WHERE s.k = f.k AND y = 1)", set()),
        ("SELECT 1 FROM f WHERE EXISTS (SELECT 1 FROM s WHERE s.k = f.k AND y = 1 GROUP BY ALL)", set()),
        ("SELECT 1 FROM s WHERE y = 1 AND EXISTS (SELECT 1 FROM f WHERE s.k = f.k)", {"k: s.k*"}),
        ("SELECT 1 FROM s WHERE y = 1 AND NOT EXISTS (SELECT 1 FROM f WHERE s.k = f.k)", {"k: s.k*"}),
        ("SELECT 1 FROM s WHERE y = 1 AND up < (SELECT avg(x) FROM f WHERE s.k = f.k)", {"k: s.k*"}),
        ("SELECT (SELECT max(x) FROM f WHERE s.k = f.k) FROM s WHERE y = 1", {"k: s.k*"}),
        ("SELECT 1 FROM s WHERE y = 1 AND EXISTS (SELECT 1 FROM f WHERE s.k = f.k OR f.d IS NULL)", set()),
        ("SELECT 1 FROM s WHERE y = 1 AND k IN (SELECT k FROM f)", {"k: s.k*"}),
        ("SELECT 1 FROM s WHERE y = 1 AND k IN (SELECT k FROM f GROUP BY k HAVING sum(x) > 3)", {"k: s.k*"}),
        ("SELECT 1 FROM s WHERE y = 1 AND k IN (SELECT k FROM f LIMIT 3)", set()),
        ("SELECT 1 FROM s WHERE y = 1 AND k NOT IN (SELECT k FROM f)", set()),
        ("SELECT 1 FROM s WHERE y = 1 AND EXISTS (SELECT 1 FROM u LEFT JOIN f ON s.k = f.k)", {"k: s.k*"}),
        ("SELECT 1 FROM s WHERE y = 1 AND EXISTS (SELECT 1 FROM f LEFT JOIN u ON s.k = f.k)", set()),
    ],
)
def test_a_scan_may_be_pruned_by_the_keys_of(sql: str, wanted: set[str], tables: TableCatalog) -> None:
    assert links(sql, tables) == wanted
