"""Whatever the planner prunes, pushes and splits: the answer is the one that the kernel gives to the user's own text."""

from __future__ import annotations

import random

import duckdb
import pytest

from tests.planner.answers import check
from tests.planner.memory_catalog import FolderCatalog

COUNTED = "r(n) AS (SELECT min(id) FROM orders UNION SELECT n + 1 FROM r WHERE n < 5)"
HAND_PICKED = [
    "SELECT people FROM people",
    "SELECT p.* EXCLUDE (city) FROM people p",
    "SELECT COLUMNS('n.*') FROM people",
    "SELECT #2 FROM people",
    "SELECT a.n FROM people AS a(i, n)",
    "SELECT id FROM people NATURAL JOIN orders",
    "SELECT id, name, note FROM people FULL JOIN orders USING (id) WHERE id < 3",
    "SELECT id FROM people LEFT JOIN orders USING (id) WHERE id > 2",
    "SELECT id FROM people RIGHT JOIN orders USING (id) WHERE id > 2 AND note IS NOT NULL",
    "SELECT x.id FROM people x LEFT JOIN (orders y JOIN people z ON y.id = z.id AND z.age > 30) ON x.id = y.id WHERE x.age > 1",
    "SELECT x.id, y.id FROM people x LEFT JOIN orders y ON x.id = y.id RIGHT JOIN people z ON z.id = y.id WHERE z.age > 30",
    "SELECT name FROM people ANTI JOIN orders ON person_id = people.id AND amount > 2",
    "SELECT name, o.id FROM people POSITIONAL JOIN orders o WHERE o.id > 2 AND people.age > 1",
    "SELECT p.id, q.m FROM people p, LATERAL (SELECT max(amount) m FROM orders o WHERE o.person_id = p.id AND age > 30) q WHERE p.age > 1",
    "SELECT name FROM people WHERE id IN (SELECT person_id FROM orders WHERE amount > age)",
    "SELECT (SELECT count(*) FROM orders WHERE person_id = people.id) FROM people",
    "SELECT age + 1 AS age, age FROM people WHERE age > 35",
    "SELECT id AS x, x + 1 FROM people",
    "SELECT count(*) FROM people, orders",
    "SELECT count(*) FROM (SELECT 1 FROM orders)",
    "SELECT DISTINCT ON (person_id) person_id, id FROM orders ORDER BY person_id, id",
    "SELECT person_id, sum(amount) FROM orders GROUP BY GROUPING SETS ((person_id), ()) ORDER BY ALL",
    "SELECT id, row_number() OVER (PARTITION BY person_id ORDER BY id) AS r FROM orders QUALIFY r = 1",
    "WITH people AS (SELECT id FROM people WHERE age > 30) SELECT * FROM people",
    "WITH a AS (SELECT * FROM orders), b AS (SELECT id FROM a WHERE id < 5) SELECT count(*) FROM a, b WHERE a.id = b.id",
    "WITH RECURSIVE t(n) AS (SELECT min(id) FROM orders UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t JOIN orders ON id = n",
    "SELECT year, kind, sum(value) FROM events WHERE year > 2023 AND kind = 'view' GROUP BY ALL",
    "SELECT e.year FROM events e LEFT JOIN events f ON e.id = f.id AND f.year = 2024 WHERE e.year <= 2024",
    "SELECT id FROM events WHERE year = 1900",
    "SELECT count(*), max(x) FROM empty",
    "SELECT * FROM empty e FULL JOIN people p ON e.id = p.id",
    "SELECT name FROM people WHERE NOT (age > 30 OR city = 'Rome')",
    "SELECT id FROM orders WHERE id BETWEEN 3 AND 7 OR note LIKE '%9'",
    "SELECT id FROM orders WHERE 'note 0990' <= note",
    "SELECT id FROM orders WHERE id = 5.0 OR id = '6'",
    "SELECT id FROM orders WHERE id IN (5, NULL)",
    "SELECT id FROM people WHERE id IS NULL",
    "SELECT id FROM orders WHERE person_id IS NULL AND amount < 9",
    "SELECT * FROM people PIVOT (count(*) FOR city IN ('Rome', 'Oslo'))",
    "SELECT city, v FROM people UNPIVOT (v FOR n IN (id, age))",
    "SELECT sum(amount) FILTER (WHERE id % 2 = 0), list(id ORDER BY id DESC)[:2] FROM orders",
    "SELECT id, unnest([1, 2]) FROM people",
    "SELECT - -id, -(-age), + - id FROM people",
    "SELECT main.people.name, volley.main.people.id, people.* FROM volley.main.people",
    'SELECT "NAME", PEOPLE."Id" FROM "People"',
    "SELECT id FROM people UNION SELECT person_id FROM orders ORDER BY id LIMIT 3 OFFSET 1",
    "(SELECT id FROM people ORDER BY age LIMIT 1) UNION ALL (SELECT id FROM orders ORDER BY amount DESC LIMIT 1)",
    "SELECT EXISTS (SELECT 1 FROM orders WHERE id > 2000), 3 > ALL (SELECT id FROM people WHERE id < 3)",
    "SELECT in_0.name FROM people AS in_0 WHERE in_0.age > 30",
    "SELECT p.name FROM people p WHERE p.age > 30 ORDER BY p.city, p.id",
    "SELECT name FROM people ORDER BY (SELECT max(amount) FROM orders WHERE person_id = people.id), id",
    "SELECT ROW(id, name) FROM people WHERE id = 1",
    "SELECT {'id': age}.id FROM people",
    "SELECT CASE city WHEN 'Rome' THEN 1 ELSE 0 END AS r, count(*) FROM people GROUP BY r ORDER BY r",
    "SELECT count(*) FROM people WHERE name.lower() <> city",
    "SELECT o.note.upper() AS loud FROM people p JOIN orders o ON p.id = o.id AND o.note.length() > p.age WHERE p.name.lower() < city",
    "SELECT people.name.upper() AS loud, main.upper(name) AS louder FROM people WHERE main.upper(name) = 'ADA'",
    "SELECT * FROM orders ORDER BY 3 DESC, 1 LIMIT 5",
    "SELECT * EXCLUDE (id) FROM orders ORDER BY 2 DESC, 1, 3 LIMIT 5",
    "SELECT *, amount FROM orders ORDER BY 2 NULLS FIRST, 1 DESC LIMIT 3",
    "SELECT COLUMNS('.*id'), amount FROM orders ORDER BY 2, 1 DESC LIMIT 3",
    f"WITH RECURSIVE {COUNTED} SELECT city, count(*) FROM people LEFT JOIN r ON n = id GROUP BY city",
    f"WITH RECURSIVE {COUNTED} SELECT n, count(*), max(amount) FROM orders, r WHERE n = id GROUP BY n",
    "SELECT 7 / 2, 7 % 2, 7 // 2, 2 ** 3 AS power, 'a' || 1",
]


@pytest.mark.parametrize("sql", HAND_PICKED)
def test_hand_picked_queries(sql: str, catalog: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    check(sql, catalog, direct)


COLUMNS = {"people": ["id", "age", "city"], "orders": ["id", "person_id", "amount", "note"], "events": ["id", "value", "year", "kind"]}
LITERALS = {"city": "'Oslo'", "note": "'note 0003'", "kind": "'view'"}
JOINS = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", ", "]


class QueryMaker:
    """Random joins of few rows with random conjuncts: what pushdown and pruning could get wrong."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def query(self) -> str:
        pick = self.random
        tables = [pick.choice(list(COLUMNS)) for _ in range(pick.randint(1, 3))]
        aliases = {f"t{place}": table for place, table in enumerate(tables)}
        visible = ["t0"]
        where: list[str] = []
        source = f"{self.source(tables[0])} AS t0"
        for alias, table in list(aliases.items())[1:]:
            join = pick.choice(JOINS)
            source += f" {join} {self.source(table)} AS {alias}"
            if join == ", ":
                where.append(f"{alias}.id = {visible[-1]}.id")
            else:
                on = [f"{alias}.id = {visible[-1]}.id", *self.conjuncts([visible[-1], alias], aliases)]
                source += f" ON {' AND '.join(on)}"
            if join not in ("SEMI JOIN", "ANTI JOIN"):
                visible.append(alias)
        where += self.conjuncts(visible, aliases)
        selected = [f"{alias}.{pick.choice(COLUMNS[aliases[alias]])}" for alias in visible]
        tail = f" WHERE {' AND '.join(where)}" if where else ""
        if pick.random() < 0.3:
            return f"SELECT count(*), max({selected[0]}) FROM {source}{tail}"
        return f"SELECT {', '.join(selected)} FROM {source}{tail}"

    def source(self, table: str) -> str:
        return f"(SELECT * FROM {table} WHERE id < 12)" if self.random.random() < 0.2 else table

    def conjuncts(self, names: list[str], aliases: dict[str, str]) -> list[str]:
        return [self.conjunct(self.random.choice(names), aliases) for _ in range(self.random.randint(0, 2))]

    def conjunct(self, alias: str, aliases: dict[str, str]) -> str:
        pick = self.random
        column = pick.choice(COLUMNS[aliases[alias]])
        name, literal = f"{alias}.{column}", LITERALS.get(column, str(pick.choice([0, 2, 3, 7, 36, 2024, 20240])))
        return pick.choice(
            [
                f"{name} {pick.choice(['=', '<', '<=', '>', '>=', '<>'])} {literal}",
                f"{literal} {pick.choice(['=', '<', '>='])} {name}",
                f"{name} IS NULL",
                f"{name} IS NOT NULL",
                f"{name} IN ({literal}, NULL)",
                f"{name} NOT IN ({literal})",
                f"coalesce({name}, {literal}) = {literal}",
                f"({name} = {literal} OR {name} IS NULL)",
                f"NOT {name} = {literal}",
            ]
        )


@pytest.mark.parametrize("seed", range(60))
def test_random_joins(seed: int, catalog: FolderCatalog, direct: duckdb.DuckDBPyConnection) -> None:
    check(QueryMaker(seed).query(), catalog, direct)
