"""The real command, started as people start it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_server.cli.sample_data import write_sample_data
from flight_server.client import Client
from flight_server.settings.config import Config
from tests.e2e.running_server import RunningServer, command, environment, run

JOIN = (
    "SELECT country, count(*) AS n, sum(amount) AS total FROM orders JOIN customers USING (customer_id) GROUP BY country ORDER BY country"
)
ENDLESS = "SELECT count(*) FROM sample AS a, sample AS b, sample AS c WHERE a.value1 || b.value1 < c.value1"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lake")
    write_sample_data(str(root), "small", Config())
    return root


@pytest.fixture(scope="module")
def server(lake: Path) -> Iterator[RunningServer]:
    with RunningServer("--data", str(lake), "--threads", "2", "--memory", "1GB") as running:
        yield running
        assert running.stop() == 0


def expected(lake: Path, sql: str) -> pa.Table:
    connection = duckdb.connect()
    for name in ("sample", "wide", "customers", "orders"):
        connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{lake}/{name}/*.parquet')")
    return connection.sql(sql).to_arrow_table()


def test_an_embedded_server_answers_and_leaves_nothing_behind(lake: Path, tmp_path: Path) -> None:
    ended = run("query", JOIN, "--data", str(lake), "--format", "jsonl", TMPDIR=str(tmp_path), HOME=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(row["country"], row["n"]) for row in rows] == [(row["country"], row["n"]) for row in expected(lake, JOIN).to_pylist()]
    assert list(tmp_path.iterdir()) == []
    assert ended.stderr == ""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_embedded_server_that_is_stopped_leaves_nothing_behind(lake: Path, tmp_path: Path, number: signal.Signals, status: int) -> None:
    asked = command("query", ENDLESS, "--data", str(lake), "--config", str(_small(tmp_path)))
    with subprocess.Popen(asked, env=environment(TMPDIR=str(tmp_path / "temporary")), stderr=subprocess.PIPE) as process:
        while not any(path.is_dir() for path in (tmp_path / "temporary").iterdir()):  # there is a server
            assert process.poll() is None
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == status, said
    assert b"Traceback" not in said
    assert list((tmp_path / "temporary").iterdir()) == []


def _small(folder: Path) -> Path:
    (folder / "temporary").mkdir()
    (folder / "volley.toml").write_text('[server]\nthreads = 1\nmemory = "1GB"\n')
    return folder / "volley.toml"


def test_relative_data_roots(lake: Path) -> None:
    ended = run("query", "SELECT count(*) AS n FROM orders", "--data", lake.name, "--format", "csv", folder=lake.parent)
    assert (ended.returncode, ended.stdout) == (0, "n\n20000\n")


def test_nothing_but_sql(tmp_path: Path) -> None:
    ended = run("query", "-", "--format", "csv", stdin="SELECT 42 AS answer;\n")
    assert (ended.returncode, ended.stdout) == (0, "answer\n42\n")


IDS: dict[str, Callable[[str], list[int]]] = {
    "csv": lambda text: [int(row[0]) for row in list(csv.reader(io.StringIO(text)))[1:]],
    "json": lambda text: [row["id"] for row in json.loads(text)],
    "jsonl": lambda text: [json.loads(line)["id"] for line in text.splitlines()],
}


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "arrow", "parquet"])
def test_every_format_has_the_whole_result(server: RunningServer, lake: Path, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"sample.{suffix}"
    ended = run("query", "SELECT * FROM sample", "--uri", server.uri, "-o", str(target))
    assert ended.returncode == 0, ended.stderr
    whole = expected(lake, "SELECT * FROM sample")
    if suffix == "parquet":
        assert pq.read_table(target).sort_by("id").equals(whole)
    elif suffix == "arrow":
        assert pa.ipc.open_file(target).read_all().sort_by("id").equals(whole)
    else:
        assert sorted(IDS[suffix](target.read_text())) == whole["id"].to_pylist()


def test_bad_sql_exits_with_1_and_shows_where(server: RunningServer) -> None:
    ended = run("query", "SELECT id FROM sampel", VOLLEY_URI=server.uri)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "sampel" in ended.stderr
    assert "^" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert str(Path(__file__).parents[2]) not in ended.stderr


def test_run_with_several_at_a_time(server: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "many.sql"
    file.write_text("\n".join(f"SELECT count(*) AS n_{n} FROM sample WHERE id % 10 = {n};" for n in range(10)))
    ended = run("run", str(file), "--parallel", "4", VOLLEY_URI=server.uri)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("10000") == 10
    assert "10 completed, 0 failed" in ended.stdout


def test_explain_shows_fragments(server: RunningServer) -> None:
    planned = run("explain", JOIN, VOLLEY_URI=server.uri)
    assert planned.returncode == 0, planned.stderr
    assert "fragment 0" in planned.stdout
    assert "scan orders" in planned.stdout
    measured = run("explain", "--analyze", JOIN, VOLLEY_URI=server.uri)
    assert measured.returncode == 0, measured.stderr
    assert "rows" in measured.stdout


def test_an_interrupt_kills_the_query_on_the_server(server: RunningServer) -> None:
    asked = command("query", ENDLESS)
    process = subprocess.Popen(asked, env=environment(VOLLEY_URI=server.uri), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with Client(server.uri) as client:
        while not any(query.sql == ENDLESS and query.state == "running" for query in client.queries()):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        query = next(query for query in client.queries() if query.sql == ENDLESS)
        ended = list(client.watch(query.query_id))[-1]
    assert (process.returncode, said.strip()) == (130, b"interrupted")
    assert ended.state == "killed"


def test_an_interrupted_run_kills_all_its_queries(server: RunningServer, tmp_path: Path) -> None:
    statements = [f"{ENDLESS} AND a.id > {n}" for n in range(3)]
    (tmp_path / "endless.sql").write_text(";\n".join(statements))
    asked = command("run", str(tmp_path / "endless.sql"), "--parallel", "3")
    with (
        subprocess.Popen(asked, env=environment(VOLLEY_URI=server.uri), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        Client(server.uri) as client,
    ):
        while len(mine := [query for query in client.queries() if query.sql in statements]) < 3:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert [list(client.watch(query.query_id))[-1].state for query in mine] == ["killed"] * 3


def test_an_interrupt_ends_a_shell_that_reads_from_a_pipe(server: RunningServer) -> None:
    with (
        subprocess.Popen(
            command("shell"), env=environment(VOLLEY_URI=server.uri), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        Client(server.uri) as client,
    ):
        assert process.stdin is not None
        process.stdin.write(f"{ENDLESS} AND a.id = -1;\nSELECT 'what comes next' AS a;\n".encode())
        process.stdin.flush()
        while not (mine := [query for query in client.queries() if "a.id = -1" in query.sql]):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"what comes next" not in said
        assert list(client.watch(mine[0].query_id))[-1].state == "killed"


def test_kill_from_another_terminal(server: RunningServer) -> None:
    with Client(server.uri) as client:
        query_id = client.submit(ENDLESS).query_id
        killed = run("kill", query_id[:12], VOLLEY_URI=server.uri)
        assert (killed.returncode, killed.stdout) == (0, f"killed {query_id}\n")
        assert list(client.watch(query_id))[-1].state == "killed"
        status = run("status", query_id, VOLLEY_URI=server.uri)
        assert "killed" in status.stdout


def test_workers_of_one_machine(lake: Path) -> None:
    with RunningServer("--data", str(lake), "--workers", "2", "--threads", "2", "--memory", "1GB") as running:
        listed = run("workers", "--format", "json", VOLLEY_URI=running.uri)
        workers = [json.loads(line) for line in listed.stdout.splitlines()]
        assert len({worker["pid"] for worker in workers}) == 2
        for worker in workers:
            ended = run("query", JOIN, "--format", "csv", "--uri", worker["uri"])
            assert ended.returncode == 0, ended.stderr
            assert len(ended.stdout.splitlines()) == 13
        assert running.stop(signal.SIGINT) == 0
        assert len(running.lines) == 1
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker["pid"], 0)


def test_a_second_signal_ends_a_server_at_once(lake: Path) -> None:
    with RunningServer("--data", str(lake), "--memory", "1GB") as running:
        with Client(running.uri) as client:
            client.submit(ENDLESS)
        running.process.send_signal(signal.SIGTERM)
        while "draining" not in running.log:
            assert running.process.poll() is None
        assert running.stop(signal.SIGTERM) != 0


def test_what_a_server_cannot_start_with_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("serve", "--port", str(port))
        assert (ended.returncode, ended.stdout) == (1, "")
        assert f"port {port}" in ended.stderr
        assert "Traceback" not in ended.stderr
    ended = run("serve", "--data", str(tmp_path / "nowhere"))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    ended = run("serve", "--port", "0", VOLLEY_LOG="quiet")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: VOLLEY_LOG must be DEBUG, INFO, WARNING or ERROR, not 'quiet'\n"


@pytest.mark.parametrize(
    ("where", "parameters", "same"),
    [
        ("status = $status AND amount > $least", ["status=open", "least=250.5"], "status = 'open' AND amount > 250.5"),
        ("customer_id < ? AND ordered_at > ?", ["99", "2022-06-01"], "customer_id < 99 AND ordered_at > '2022-06-01'"),
        ("$2 IS NULL AND order_id < $1", ["12", "NULL"], "order_id < 12"),
    ],
)
def test_parameters_mean_what_their_values_would_where_they_stand(
    server: RunningServer, lake: Path, where: str, parameters: list[str], same: str
) -> None:
    options = [word for parameter in parameters for word in ("-p", parameter)]
    ended = run("query", f"SELECT order_id FROM orders WHERE {where}", *options, "--format", "jsonl", VOLLEY_URI=server.uri)
    assert ended.returncode == 0, ended.stderr
    found = [json.loads(line)["order_id"] for line in ended.stdout.splitlines()]
    wanted = expected(lake, f"SELECT order_id FROM orders WHERE {same}")["order_id"].to_pylist()
    assert sorted(found) == sorted(wanted)
    assert found


def test_a_parameter_that_is_no_value_of_its_place(server: RunningServer) -> None:
    ended = run("query", "SELECT * FROM orders WHERE customer_id = $who", "-p", "who=Ada", VOLLEY_URI=server.uri)
    assert (ended.returncode, ended.stderr) == (1, "error: the value 'Ada' of parameter 1 is no bigint\n")


def test_a_plan_of_a_statement_with_parameters(server: RunningServer) -> None:
    sql = "SELECT order_id FROM orders\nWHERE amount > $least AND customer_id = $who"
    options = ("-p", "who=7", "-p", "least=10")
    for words in (("explain",), ("explain", "--analyze")):
        ended = run(*words, sql, *options, VOLLEY_URI=server.uri)
        assert ended.returncode == 0, ended.stderr
        assert "WHERE amount > (CAST(10 AS BIGINT)) AND customer_id = (CAST(7 AS BIGINT))" in ended.stdout
    missing = run("explain", sql, "-p", "who=7", VOLLEY_URI=server.uri)
    assert (missing.returncode, missing.stderr) == (1, "error: the parameter $least has no value\ngive least=value\n")


@pytest.mark.parametrize("words", [("explain",), ("explain", "--analyze")])
def test_errors_of_a_plan_stand_at_their_places_in_the_statement(server: RunningServer, words: tuple[str, ...]) -> None:
    ended = run(*words, "SELECT order_id, nothing\nFROM orders", VOLLEY_URI=server.uri)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: there is no column 'nothing' (line 1, column 18)\n  SELECT order_id, nothing\n")
    ended = run(*words, "SELECT *\nFROM nowhere", VOLLEY_URI=server.uri)
    assert "there is no table 'nowhere' (line 2, column 6)\n  FROM nowhere\n" in ended.stderr


def test_each_statement_of_a_file_takes_its_own_parameters(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 'first ' || $a AS x;\nSELECT 'second' AS x;\nSELECT 'third ' || $b || $a AS x;\n")
    ended = run("run", "a.sql", "-p", "a=A", "-p", "b=B", "--parallel", "2", folder=tmp_path, VOLLEY_URI=server.uri)
    assert ended.returncode == 0, ended.stderr
    assert [said in ended.stdout for said in ("│ first A │", "│ second  │", "│ third BA │")] == [True] * 3
    ended = run("run", "a.sql", "-p", "a=A", "--keep-going", folder=tmp_path, VOLLEY_URI=server.uri)
    assert (ended.returncode, ended.stderr) == (1, "error: a.sql:3: the parameter $b has no value\ngive b=value\n")
    assert "2 completed, 1 failed" in ended.stdout
    ended = run("run", "a.sql", "-p", "a=A", "-p", "c=C", folder=tmp_path, VOLLEY_URI=server.uri)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "error: there is no parameter $c\nthere are $a, $b\n")


def test_a_file_of_statements_may_begin_with_a_mark_of_its_encoding(server: RunningServer, tmp_path: Path) -> None:
    text = "\ufeffSELECT 1 AS a;"
    (tmp_path / "a.sql").write_text(text, encoding="utf-8")
    for words, stdin in ((("run", "a.sql"), None), (("run", "-"), text), (("query", "-"), text.rstrip(";")), (("shell",), text)):
        ended = run(*words, folder=tmp_path, stdin=stdin, VOLLEY_URI=server.uri, PYTHONUTF8="1")
        assert ended.returncode == 0, ended.stderr
        assert "│       1 │" in ended.stdout


def test_output_that_cannot_be_written_is_no_internal_error(server: RunningServer) -> None:
    words = command("query", "SELECT * FROM sample", "--format", "csv", "--uri", server.uri)
    with open("/dev/full", "w") as full:
        ended = subprocess.run(words, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (1, "error: the output cannot be written: No space left on device\n")
    reader = subprocess.Popen(["head", "-1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    words = command("query", "SELECT * FROM sample", "--format", "csv", "-o", "/dev/stdout", "--uri", server.uri)
    ended = subprocess.run(words, env=environment(), stdout=reader.stdin, stderr=subprocess.PIPE, text=True, timeout=120)
    said, _ = reader.communicate(timeout=60)
    assert (said.count("\n"), ended.returncode, ended.stderr) == (1, 1, "")


def test_errors_of_a_file_stand_at_their_lines_of_the_file(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "report.sql").write_text("-- a report\nSELECT 1;\n\nSELECT order_id,\n  amuont\nFROM orders;\n SELECT * FROM order;\n")
    ended = run("run", "report.sql", "--keep-going", folder=tmp_path, VOLLEY_URI=server.uri)
    assert ended.returncode == 1
    assert "report.sql:5:3: " in ended.stderr
    assert "report.sql:7:" in ended.stderr
    assert "(line" not in ended.stderr
    assert ended.stderr.count("amuont'") == 1
    assert "amuont'" not in ended.stdout
