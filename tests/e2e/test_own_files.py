"""A user's own files, through the command as people type it: no server, no options, only SQL."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flight_server.client import Client
from flight_server.errors import ClientError
from tests.e2e.running_server import RunningServer, run

ROWS = 1000


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet file, a CSV file in Latin-1, a gz JSON file, and a log: what lies in a folder of somebody's."""
    folder = tmp_path_factory.mktemp("own")
    duckdb.connect().execute(f"COPY (SELECT range AS id, range * 1.5 AS amount FROM range({ROWS})) TO '{folder}/sales.parquet'")
    (folder / "kunden.csv").write_bytes("name;ort\nJosé;Köln\nMüller;Düsseldorf\n".encode("latin-1"))
    (folder / "events.json.gz").write_bytes(gzip.compress(b'{"id": 1, "kind": "a"}\n{"id": 2, "kind": "b"}\n'))
    (folder / "access.log").write_text("path|ms\n/|12\n/a|7\n")
    (folder / "notes").mkdir()
    return folder


def asked(folder: Path, sql: str, *options: str, **variables: str) -> list[dict[str, object]]:
    """The rows of one command, which must not fail."""
    ended = run("query", sql, "--format", "jsonl", *options, folder=folder, **variables)
    assert (ended.returncode, ended.stderr) == (0, "")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def refused(folder: Path, sql: str, *options: str) -> str:
    ended = run("query", sql, *options, folder=folder)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT count(*) AS n FROM sales", [{"n": ROWS}]),
        ("SELECT count(*) AS n FROM 'sales.parquet' WHERE sales.id < 10", [{"n": 10}]),
        (
            "SELECT * FROM read_files('kunden.csv', encoding = 'latin-1') ORDER BY name",
            [{"name": "José", "ort": "Köln"}, {"name": "Müller", "ort": "Düsseldorf"}],
        ),
        ("SELECT * FROM 'events.json.gz' ORDER BY id", [{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}]),
        ("SELECT e.kind, s.amount FROM events AS e JOIN 'sales.parquet' AS s USING (id) WHERE id = 2", [{"kind": "b", "amount": 3.0}]),
        ("SELECT sum(ms) AS ms FROM read_files('access.log', format = 'csv', delim = '|')", [{"ms": 19}]),
        ("SELECT count(*) AS n FROM '{folder}/sales.parquet'", [{"n": ROWS}]),
    ],
)
def test_files_of_the_current_folder_are_there_in_one_command(folder: Path, sql: str, rows: list[dict[str, object]]) -> None:
    assert asked(folder, sql.format(folder=folder)) == rows


def test_the_other_commands_see_the_current_folder_too(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one.sql").write_text("SELECT count(*) AS n FROM 'sales.parquet';\nSELECT count(*) AS n FROM events;\n")
    ran = run("run", str(tmp_path / "one.sql"), folder=folder)
    assert ran.returncode == 0, ran.stderr
    assert "2 completed, 0 failed" in ran.stdout
    planned = run("explain", "SELECT id FROM 'sales.parquet'", folder=folder)
    assert planned.returncode == 0, planned.stderr
    assert "scan sales.parquet: 1 of 2 columns (id)" in planned.stdout
    shell = run("shell", folder=folder, stdin="SELECT count(*) AS n FROM 'sales.parquet';\n")
    assert shell.returncode == 0, shell.stderr
    assert f"{ROWS}" in shell.stdout


def test_a_file_as_data_root_is_one_table(folder: Path) -> None:
    names = asked(folder, "SHOW TABLES", "--data", "events.json.gz", "--data", "sales.parquet")
    assert [row["name"] for row in names] == ["events", "sales"]
    assert asked(folder, "SELECT count(*) AS n FROM sales", "--data", "events.json.gz", "--data", "sales.parquet") == [{"n": ROWS}]
    assert asked(folder, "SELECT count(*) AS n FROM 'sales.parquet'", "--data", str(folder / "sales.parquet")) == [{"n": ROWS}]


def test_nothing_beside_a_file_that_is_a_data_root_can_be_read(folder: Path) -> None:
    for path in ("access.log", "./kunden.csv", f"{folder}/access.log", f"{folder}/*", "notes/*"):
        said = refused(folder, f"SELECT * FROM read_files('{path}', format = 'csv')", "--data", "sales.parquet")
        assert "outside the connections" in said
    assert asked(folder, "SELECT count(*) AS n FROM '**'", "--data", "sales.parquet") == [{"n": ROWS}]


def test_data_and_a_configuration_say_what_else_is_seen(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "volley.toml").write_text(f'[connections.default]\nurl = "file://{tmp_path}"\n')
    assert "there is no table 'sales'" in refused(folder, "SELECT * FROM sales", "--data", str(tmp_path))
    assert "there is no table 'sales'" in refused(folder, "SELECT * FROM sales", "--config", str(tmp_path / "volley.toml"))
    (tmp_path / "volley.toml").write_text("[server]\nthreads = 1\n")
    assert asked(folder, "SELECT count(*) AS n FROM sales", "--config", str(tmp_path / "volley.toml")) == [{"n": ROWS}]


def test_a_server_of_the_environment_is_asked_instead_of_the_current_folder(folder: Path, tmp_path: Path) -> None:
    with RunningServer("--data", str(tmp_path), "--memory", "1GB") as server:
        ended = run("query", "SELECT * FROM sales", folder=folder, VOLLEY_URI=server.uri)
        assert ended.returncode == 1
        assert "there is no table 'sales'" in ended.stderr
        assert f'sales.parquet is on this machine, not at {server.uri}: `flight query --data . "…"` reads it.' in ended.stderr
        assert asked(folder, "SELECT count(*) AS n FROM sales", "--data", ".", VOLLEY_URI=server.uri) == [{"n": ROWS}]
        assert server.stop() == 0, server.log


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FROM kunden", "read_files('kunden.csv', encoding = 'latin-1')"),
        ("SELECT * FROM sales.parquet", "FROM 'sales.parquet'"),
        (
            "SELECT * FROM 'sale.parquet'",
            "(line 1, column 15)\n  SELECT * FROM 'sale.parquet'\n                ^^^^^^^^^^^^^^\nDid you mean 'sales.parquet'?",
        ),
        ("SELECT * FROM 'access.log'", "read_files('access.log', format = 'csv')"),
        ("SELECT * FROM access", "read_files('access.log', format = 'csv')"),
        ("SELECT * FROM salse", "Did you mean sales?"),
        ("SELECT * FROM '/etc/passwd'", "--data /etc"),
        ("SELECT * FROM 'lake:t.parquet'", "[connections.lake]"),
        ("SELECT * FROM 'sales.parquet' AS s JOIN '../x.parquet' AS x USING (id)", "leaves the connection 'default'"),
    ],
)
def test_what_is_not_there_is_told_with_what_would_work(folder: Path, sql: str, told: str) -> None:
    assert told in refused(folder, sql)


@pytest.fixture(scope="module", name="several")
def _several(folder: Path) -> Iterator[RunningServer]:
    with RunningServer("--data", str(folder), "--workers", "2", "--memory", "1GB", "--threads", "2") as server:
        yield server
        assert server.stop() == 0, server.log


def test_options_reach_every_worker(several: RunningServer) -> None:
    with Client(several.uri) as client:
        uris = [worker.uri for worker in client.workers()]
    assert len(uris) == 2
    for uri in uris:
        with Client(uri) as client:
            found = client.query("SELECT ort FROM read_files('kunden.csv', encoding = 'latin-1') ORDER BY ort")
            assert found.column(0).to_pylist() == ["Düsseldorf", "Köln"]
            with pytest.raises(ClientError, match="is not UTF-8"):
                client.query("SELECT * FROM kunden")


def test_folders_of_the_current_folder_are_listed_where_they_are_tables_and_read_where_they_are_named(tmp_path: Path) -> None:
    for path in ("plain/a.csv", "parts/year=2024/a.csv", "projects/one/deep/a.csv", "code/main.c"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("n\n1\n")
    assert [row["name"] for row in asked(tmp_path, "SHOW TABLES")] == ["parts", "plain"]
    assert [row["name"] for row in asked(tmp_path, "SHOW TABLES", "--data", ".")] == ["code", "parts", "plain", "projects"]
    assert asked(tmp_path, "SELECT n, year FROM parts JOIN projects USING (n)") == [{"n": 1, "year": 2024}]
