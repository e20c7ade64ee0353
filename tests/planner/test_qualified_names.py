"""Names with the catalog or the schema before the table: they mean what they mean to the kernel, or are refused; never something else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import ClassVar

import duckdb
import pytest

from planner import PlanOptions, plan
from planner.catalog import ReadOptions, Table
from planner.errors import InvalidQuery, UnknownColumn, VolleyError
from planner.physical import ScanInput
from tests.planner.memory_catalog import FolderCatalog, direct_kernel, plan_rows, run_plan

TABLES = {
    "t": """SELECT 1 AS k, {'b': 't.a.b', 'k': 't.a.k'} AS a, {'k': 't.t.k', 'z': 't.t.z'} AS t,
                   {'t': {'z': 't.main.t.z', 'k': 't.main.t.k'}, 'a': 't.main.a'} AS main""",
    "u": "SELECT 1 AS k, 'u.b' AS b, {'k': 'u.t.k'} AS t",
    "w": "SELECT 1 AS k, 'w.x' AS x",
    "a": "SELECT 1 AS k, 'a.b' AS b",
    "main": "SELECT 1 AS k, {'k': 'main.t.k'} AS t, 'main.x' AS x",
    "volley": "SELECT 1 AS k, {'t': {'k': 'volley.main.t.k'}, 'k': 'volley.main.k'} AS main",
}
OPTIONS = (PlanOptions(), PlanOptions(workers=3, distribute_rows=0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> FolderCatalog:
    """Tables whose names, columns and fields are called like each other, and like the catalog and the schema."""
    root = tmp_path_factory.mktemp("names")
    for name, sql in TABLES.items():
        duckdb.connect().execute(f"COPY ({sql}) TO '{root / name}.parquet'")
    return FolderCatalog(Path(root))


@pytest.fixture(scope="module")
def kernel(folder: FolderCatalog) -> duckdb.DuckDBPyConnection:
    """The kernel over the same files, with a catalog and a schema of our names."""
    return direct_kernel(folder)


def answers(sql: str, folder: FolderCatalog) -> list[list[tuple[object, ...]]]:
    """The rows with one worker and with three."""
    return [plan_rows(run_plan(plan(sql, folder, options))) for options in OPTIONS]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT main.a.b FROM t AS main JOIN u AS a USING (k)", "t.a.b"),
        ("SELECT main.a.b FROM t AS main JOIN a USING (k)", "a.b"),
        ("SELECT main.a.k FROM t AS main JOIN volley.a USING (k)", 1),
        ("SELECT main.t.z FROM t", "t.main.t.z"),
        ("SELECT main.t.k FROM t AS x", "t.main.t.k"),
        ("SELECT main.t.k FROM t AS t", "t.main.t.k"),
        ("SELECT main.t.k FROM t, w", 1),
        ("SELECT volley.t.k FROM t", 1),
        ("SELECT volley.t.t.k FROM volley.t", "t.t.k"),
        ("SELECT volley.main.t.t.k FROM t", "t.t.k"),
        ("SELECT volley.main.t.main.t.z FROM main.t", "t.main.t.z"),
        ('SELECT "VOLLEY"."Main"."T".K FROM t', 1),
        ("SELECT main.w.x[3] FROM w", "x"),
        ("SELECT volley.w.x[1:1] FROM w", "w"),
        ("SELECT volley.main.t.k FROM main, t", 1),
        ("SELECT volley.main.t.k FROM main", "main.t.k"),
        ("SELECT volley.main.k FROM volley", "volley.main.k"),
        ("SELECT main.main.x FROM main", "main.x"),
        ("SELECT main.k FROM t AS main", 1),
        ("SELECT main.w.x FROM (t JOIN w USING (k))", "w.x"),
        ("SELECT main.t.k FROM (t JOIN w USING (k)) AS j", "t.main.t.k"),
        ("SELECT (SELECT main.w.x FROM u) FROM w", "w.x"),
        ("SELECT (SELECT main.a.b FROM t AS main) FROM a", "t.a.b"),
        ("SELECT (SELECT max(d.b) FROM (SELECT b, k FROM u) AS d WHERE d.k = main.w.k) FROM w", "u.b"),
        ("SELECT (main.w).x FROM w", "w.x"),
        ("SELECT main.u.b FROM w SEMI JOIN a ON main.w.k = volley.a.k JOIN u ON volley.main.u.k = main.w.k", "u.b"),
        ("SELECT x FROM w GROUP BY main.w.x HAVING min(main.w.k) = 1 ORDER BY volley.w.x", "w.x"),
        ("SELECT x FROM w UNION SELECT main.w.x FROM w ORDER BY main.w.x", "w.x"),
        ("SELECT x FROM w QUALIFY row_number() OVER (PARTITION BY main.w.k ORDER BY volley.main.w.x) = 1", "w.x"),
        ("SELECT q.n FROM w, unnest([main.w.x]) AS q(n)", "w.x"),
        ("SELECT q.x FROM w, (SELECT volley.w.x) AS q", "w.x"),
        ("WITH w AS (SELECT 2 AS k) SELECT main.w.x FROM main.w", "w.x"),
        ("SELECT list_transform([{'x': 1}], lambda w: main.w.x)[1] FROM w", "w.x"),
        ("SELECT * REPLACE (volley.main.w.k + 1 AS k) FROM w WHERE main.w.k = 1", 2),
    ],
)
def test_a_name_means_what_it_means_to_the_kernel(
    sql: str, value: object, folder: FolderCatalog, kernel: duckdb.DuckDBPyConnection
) -> None:
    # The parser has no struct literals; the kernel, which has, is asked the same.
    sql = sql.replace("{'x': 1}", "struct_pack(x := 1)")
    assert kernel.execute(sql).fetchall()[0][0] == value
    assert [rows[0][0] for rows in answers(sql, folder)] == [value, value]


@pytest.mark.parametrize("sql", ["SELECT main.w FROM w", "SELECT volley.w FROM w", "SELECT volley.main.w FROM main.w GROUP BY main.w"])
def test_a_whole_row(sql: str, folder: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    assert kernel.execute(sql).fetchall() == [({"k": 1, "x": "w.x"},)]
    assert answers(sql, folder) == [[({"k": 1, "x": "w.x"},)]] * 2


@pytest.mark.parametrize("star", ["main.w.*", "volley.w.*", "volley.main.w.*"])
def test_a_star_behind_a_qualified_table(star: str, folder: FolderCatalog) -> None:
    assert answers(f"SELECT {star} FROM w, u", folder) == [[(1, "w.x")]] * 2
    assert answers(f"SELECT COLUMNS({star}) FROM w", folder) == [[(1, "w.x")]] * 2
    assert answers(f"SELECT count({star}) FROM w", folder) == [[(1,)]] * 2


@pytest.mark.parametrize("star", ["main.a.*", "t.a.*", "volley.a.*", "main.x.*", "other.w.*", "main.t.a.*"])
def test_a_star_behind_anything_else_is_refused(star: str, folder: FolderCatalog) -> None:
    with pytest.raises(InvalidQuery, match="is not the name of a table in FROM") as caught:
        plan(f"SELECT {star} FROM t, t AS main, u AS a, w AS x", folder, PlanOptions())
    assert "unnest" in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT (SELECT main.t.k FROM u AS t) FROM t",
        "SELECT (SELECT main.t.k FROM u) FROM t",
        "SELECT (SELECT main.w.k FROM (SELECT t AS w FROM u) AS d) FROM w",
        "SELECT (SELECT volley.a FROM main.volley AS a) FROM a",
        "SELECT 5 AS w FROM w ORDER BY main.w",
        "SELECT list_transform([7], lambda w: main.w) FROM w",
        "SELECT main.w FROM w, u AS w",
    ],
)
def test_what_cannot_be_said_in_a_fragment_is_refused(sql: str, folder: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    assert kernel.execute(sql).fetchall()
    with pytest.raises(InvalidQuery, match="may mean several things here") as caught:
        plan(sql, folder, PlanOptions())
    assert caught.value.position is not None
    assert "alias" in str(caught.value.remedy)


@pytest.mark.parametrize("name", ["main.w.nope", "volley.w.nope", "volley.main.w.nope"])
def test_a_column_that_a_qualified_table_lacks(name: str, folder: FolderCatalog) -> None:
    with pytest.raises(UnknownColumn, match="there is no column 'nope' in w") as caught:
        plan(f"SELECT {name} FROM w", folder, PlanOptions())
    assert caught.value.remedy == "Columns: k, x."


@pytest.mark.parametrize("sql", ["SELECT main.w.x FROM w AS y", "SELECT main.d.k FROM (SELECT k FROM w) d", "SELECT system.w.x FROM w"])
def test_what_the_kernel_refuses_is_refused(sql: str, folder: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.BinderException):
        kernel.execute(sql)
    with pytest.raises(VolleyError):
        plan(sql, folder, PlanOptions())


@pytest.mark.parametrize("prefix", ["", "events.", "main.events.", "volley.events.", "volley.main.events."])
def test_qualified_names_prune_and_move_as_others_do(prefix: str, catalog: FolderCatalog) -> None:
    made = plan(f"SELECT {prefix}value FROM events WHERE {prefix}year = 2024 AND {prefix}id > 20241", catalog, PlanOptions())
    (scan,) = made.fragments[0].inputs
    assert isinstance(scan, ScanInput)
    assert [len(table.files) for table in catalog.opened] == [2], "what the partition rules out is never opened"
    assert scan.predicate == "(year = 2024) AND (id > 20241)"
    assert [column.name for column in scan.columns] == ["id", "value", "year"]


def test_a_table_is_listed_once(catalog: FolderCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str] = []
    files = catalog.files

    def noted(*patterns: str, options: ReadOptions) -> Table:
        listed.extend(patterns)
        return files(*patterns, options=options)

    monkeypatch.setattr(catalog, "files", noted)
    plan("SELECT main.people.id FROM people, read_files('ord*.parquet') AS o WHERE main.people.id = o.id", catalog, PlanOptions())
    assert listed == ["ord*.parquet"]


class Statements:
    """Random FROMs and names out of few words, most of which mean something in several ways."""

    words: ClassVar = ("main", "volley", "t", "a", "w", "k", "x", "u")
    columns: ClassVar = {
        "t": ("k", "a", "t", "main", "a.b", "t.k", "main.t.k", "main.a"),
        "u": ("k", "b", "t", "t.k"),
        "w": ("k", "x"),
        "a": ("k", "b"),
        "main": ("k", "t", "t.k", "x"),
        "volley": ("k", "main", "main.t", "main.t.k"),
    }

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)

    def query(self, outer: tuple[str, ...] = (), depth: int = 0) -> str:
        pick = self.pick
        sources = [self.source() for _ in range(pick.randint(1, 2))]
        names = (*(source.rpartition(" AS ")[2].rpartition(".")[2] for source in sources), *outer)
        value = f"({self.query(names, depth + 1)} LIMIT 1)" if depth < 2 and pick.random() < 0.4 else self.name(names)
        where = f" WHERE {self.name(names)} IS NOT NULL" if pick.random() < 0.3 else ""
        return f"SELECT {value} FROM {', '.join(sources)}{where}"

    def source(self) -> str:
        pick = self.pick
        table = pick.choice(list(self.columns))
        if pick.random() < 0.1:
            return f"(SELECT {pick.choice(['*', 'k', f'main.{table}.k', 'main'])} FROM {table}) AS {pick.choice(self.words)}"
        alias = f" AS {pick.choice(self.words)}" if pick.random() < 0.35 else ""
        return f"{pick.choice(['', '', 'main.', 'volley.', 'volley.main.'])}{table}{alias}"

    def name(self, names: tuple[str, ...]) -> str:
        pick = self.pick
        prefix = pick.choice(["", "main.", "volley.", "volley.main."])
        if pick.random() < 0.2:
            return prefix + ".".join(pick.choice(self.words) for _ in range(pick.randint(1, 3)))
        relation = pick.choice(names)
        return f"{prefix}{relation}.{pick.choice(self.columns.get(relation, ('k',)))}"


@pytest.mark.parametrize("seed", range(80))
def test_random_names(seed: int, folder: FolderCatalog, kernel: duckdb.DuckDBPyConnection) -> None:
    sql = Statements(seed).query()
    try:
        wanted = kernel.execute(sql).fetchall()
    except duckdb.Error:
        with pytest.raises((VolleyError, duckdb.Error)):
            answers(sql, folder)
        return
    try:
        assert answers(sql, folder) == [wanted] * 2
    except InvalidQuery:
        assert "main" in sql or "volley" in sql
