"""The ``flight`` command against a server, in this process: what it prints where, and its exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_server.cli import flight, main
from flight_server.client.output import BINARY, FORMATS, Format
from tests.flight_server.fake_service import Served

ROOT = Path(__file__).parents[3]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with Served() as served:
        monkeypatch.setenv("VOLLEY_URI", served.uri)
        yield served


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    context = click.Context(flight)
    for name in flight.list_commands(context):
        assert main([name, "--help"]) == 0
        command = flight.get_command(context, name)
        assert command is not None
        assert command.help is not None
        assert name in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["query"], ["bogus"], ["query", "--bogus", "SELECT 1"], ["run", "nowhere.sql"], ["kill"]])
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Error:" in said.err


def test_a_command_that_is_not_there_names_one_that_looks_like_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qurey", "SELECT 1"]) == 2
    assert capsys.readouterr().err.endswith("Error: No such command 'qurey'. Do you mean query?\n")


def test_a_table_with_types_and_row_count(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "SELECT n, name FROM numbers LIMIT 2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["│      n │ name    │", "│ bigint │ varchar │"]
    assert lines[-1].startswith("2 rows · ")


def test_a_table_says_how_many_rows_it_leaves_out(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "SELECT n FROM numbers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("… 1,500 more rows (1,000 shown")
    assert lines[-1].startswith("2,500 rows · ")


def test_sql_from_stdin(server: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 42 AS answer"))
    assert main(["query", "-", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "answer\n42\n"


def test_formats_on_stdout(server: Served, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    sql = "SELECT n, name FROM numbers LIMIT 2"
    assert main(["query", sql, "--format", "jsonl"]) == 0
    assert [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()] == [
        {"n": 0, "name": "row 0"},
        {"n": 1, "name": "row 1"},
    ]
    assert main(["query", sql, "--format", "json"]) == 0
    assert len(json.loads(capsysbinary.readouterr().out)) == 2
    assert main(["query", sql, "--format", "arrow"]) == 0
    assert pa.ipc.open_stream(capsysbinary.readouterr().out).read_all().num_rows == 2
    assert main(["query", sql, "--format", "parquet"]) == 0
    assert pq.read_table(pa.BufferReader(capsysbinary.readouterr().out)).num_rows == 2


def test_max_rows(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "SELECT n FROM numbers", "--format", "csv", "--max-rows", "2"]) == 0
    assert capsys.readouterr().out == "n\n0\n1\n"
    assert main(["query", "SELECT n FROM numbers", "--max-rows", "2"]) == 0
    assert "… more rows\n2 rows shown · " in capsys.readouterr().out


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "tsv", "md", "html.zst", "txt", "json", "jsonl", "arrow", "arrows", "parquet"])
def test_a_file_by_its_suffix(server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    target = tmp_path / f"result.{suffix}"
    assert main(["query", "SELECT n FROM numbers", "-o", str(target)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert f"wrote {target}: 2,500 rows" in said.err
    assert target.stat().st_size > 0


def test_a_table_in_a_file_has_all_rows(server: Served, tmp_path: Path) -> None:
    target = tmp_path / "result.txt"
    assert main(["query", "SELECT n FROM numbers", "-o", str(target)]) == 0
    assert target.read_text().splitlines()[1] == "│      n │"
    assert "│   2499 │" in target.read_text()
    assert main(["query", "SELECT n FROM numbers LIMIT 1", "-o", str(target), "-x", "--force"]) == 0
    assert target.read_text() == "n = 0\n"
    assert main(["query", "SELECT 1", "-o", str(tmp_path / "result.xlsx")]) == 2


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in BINARY])
def test_every_text_format_on_stdout_and_in_a_file_is_the_same(
    server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], format: Format
) -> None:
    sql = "SELECT n, name FROM numbers LIMIT 3"
    assert main(["query", sql, "--format", format]) == 0
    printed = capsys.readouterr().out
    assert main(["query", sql, "--format", format, "-o", str(tmp_path / "result")]) == 0
    written = (tmp_path / "result").read_text()
    assert "row 2" in written
    assert printed == written if format != "table" else printed.startswith(written)


def test_a_file_that_is_there_is_written_over_only_by_force(server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "result.csv"
    target.write_text("mine\n")
    assert main(["query", "SELECT 1 AS a", "-o", str(target)]) == 1
    assert capsys.readouterr().err == f"error: {target} exists\n--force writes over it\n"
    assert server.service.queries("") == []
    assert target.read_text() == "mine\n"
    assert main(["query", "SELECT 1 AS a", "-o", str(target), "--force"]) == 0
    assert target.read_text() == "a\n1\n"


def test_a_file_that_cannot_be_written(server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for suffix in ("csv", "table"):
        target = tmp_path / "nowhere" / f"result.{suffix}"
        assert main(["query", "SELECT 1", "-o", str(target), "--format", suffix]) == 1
        assert capsys.readouterr().err == f"error: cannot write {target}: No such file or directory\n"


def test_a_pager_is_for_terminals(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "SELECT n FROM numbers", "--pager"]) == 0
    assert "… 500 more rows (2,000 shown" in capsys.readouterr().out


def test_a_refused_statement_exits_with_1_and_says_why_on_stderr(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "SELECT * FROM nummers"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert "nummers" in said.err
    assert "Traceback" not in said.err


def test_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "SELECT 1", "--uri", "grpc://127.0.0.1:1"]) == 1
    assert "cannot reach a server at grpc://127.0.0.1:1" in capsys.readouterr().err
    assert main(["query", "SELECT 1", "--uri", "http://x"]) == 1
    assert "is not the URI of a server" in capsys.readouterr().err


def test_data_is_for_an_embedded_server(server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "SELECT 1", "--uri", server.uri, "--data", str(tmp_path)]) == 2
    assert "--data" in capsys.readouterr().err


def test_what_is_wrong_with_the_configuration_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--data", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err == f"error: the data root {tmp_path}/nowhere does not exist\n"
    (tmp_path / "volley.toml").write_text("[server]\nprot = 1\n")
    assert main(["serve", "--config", str(tmp_path / "volley.toml")]) == 2
    assert "unknown key 'server.prot'" in capsys.readouterr().err


def test_run_stops_at_the_first_that_fails(server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "three.sql"
    file.write_text("SELECT 1 AS one; -- a semicolon; in a comment\nSELECT * FROM nowhere;\nSELECT 'it''s; 3' AS three;")
    assert main(["run", str(file)]) == 1
    said = capsys.readouterr()
    assert f"[1/3] {file}:1 SELECT 1 AS one" in said.out
    assert "✓ completed · 1 row" in said.out
    assert "✗ failed" in said.out
    assert "it's; 3" not in said.out
    assert f"error: {file}:2:" in said.err
    assert "1 completed, 1 failed, 1 not run" in said.out


@pytest.mark.parametrize("parallel", ["1", "2", "8"])
def test_run_goes_on_when_asked_to_and_tells_in_order(
    server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], parallel: str
) -> None:
    file = tmp_path / "many.sql"
    file.write_text(";\n".join(["SELECT 'a' AS x", "SELECT * FROM nowhere", *(f"SELECT 'result {n}' AS x" for n in range(10))]))
    assert main(["run", str(file), "--keep-going", "--parallel", parallel]) == 1
    out = capsys.readouterr().out
    assert "11 completed, 1 failed" in out
    places = [out.index(f"│ result {n} │") for n in range(10)]
    assert places == sorted(places)


def test_run_succeeds(server: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1 AS x")
    (tmp_path / "b.sql").write_text("-- nothing here\n")
    assert main(["run", str(tmp_path / "a.sql"), str(tmp_path / "b.sql"), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "│" not in out
    assert "1 completed, 0 failed" in out


def test_queries_status_and_kill(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    query_id = server.service.submit("SELECT 'endless' AS x", "").query_id
    assert main(["queries", "--running", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["query_id"] == query_id
    assert main(["status", query_id[:8]]) == 0
    assert "state     running" in capsys.readouterr().out
    assert main(["kill", query_id[:8]]) == 0
    assert capsys.readouterr().out == f"killed {query_id}\n"
    assert main(["kill", query_id]) == 0
    assert "already" in capsys.readouterr().out
    assert main(["status", query_id, "--watch"]) == 0
    assert "CANCELLED: killed by its user" in capsys.readouterr().out
    assert main(["queries"]) == 0
    assert query_id in capsys.readouterr().out


def test_a_short_list_says_that_there_is_more(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(25):
        server.service.submit(f"SELECT {number} AS own", "")
    server.service.submit("SELECT 99 AS counted", "", purpose="count")

    def statements(*arguments: str) -> list[str]:
        assert main(["queries", "--format", "json", *arguments]) == 0
        return [json.loads(line)["sql"] for line in capsys.readouterr().out.splitlines()]

    assert statements() == [f"SELECT {number} AS own" for number in range(24, 4, -1)]
    assert statements("-n", "2") == ["SELECT 24 AS own", "SELECT 23 AS own"]
    assert len(statements("-n", "1000")) == 25
    assert statements("--all")[0] == "SELECT 99 AS counted"
    assert len(statements("--all")) == 26
    assert len(statements("--all", "-n", "3")) == 3
    assert main(["queries", "-n", "25"]) == 0
    said = capsys.readouterr()
    assert (said.out.count("AS own"), said.err) == (25, "")
    assert main(["queries"]) == 0
    said = capsys.readouterr()
    assert said.out.count("AS own") == 20
    assert said.err == "only the newest 20 are shown: -n N shows N, --all all of them\n"


def test_a_list_has_sizes_and_what_it_was_for(server: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    server.service.status(server.service.submit("FROM numbers", "").query_id, "").result.bytes = 54_321  # type: ignore[union-attr]
    assert main(["queries"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in lines[1].split("│")[2:8]] == ["state", "done", "rows", "bytes", "time", "started"]
    assert [cell.strip() for cell in lines[3].split("│")[4:6]] == ["2,500", "54 kB"]
    server.service.submit("SELECT 1", "", purpose="sample")
    assert main(["queries", "--all"]) == 0
    assert [line.split("│")[6].strip() for line in capsys.readouterr().out.splitlines() if "│" in line] == ["for", "sample", ""]


def test_dropping(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    first = server.service.submit("FROM numbers", "").query_id
    second = server.service.submit("SELECT 'endless' AS x", "", purpose="sample").query_id
    assert main(["drop", first, second[:8]]) == 0
    assert capsys.readouterr().out == f"dropped {first}: 2,500 rows, 0 B\nkilled and dropped {second}\n"
    assert main(["queries", "--all"]) == 0
    assert capsys.readouterr().err == "no queries\n"
    assert main(["drop", first]) == 1
    assert f"there is no query {first}" in capsys.readouterr().err


def test_a_query_that_is_not_there(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("status", "kill", "drop"):
        assert main([command, "0123456789"]) == 1
        assert "there is no query 0123456789" in capsys.readouterr().err


def test_workers(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["workers"]) == 0
    assert "│ w0     │ grpc://127.0.0.1:1 │" in capsys.readouterr().out
    assert main(["workers", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["worker_id"] == "w0"


def test_explain_prints_the_plan_as_it_is(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "SELECT 1"]) == 0
    assert "│" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_FLIGHT_COMPLETE" in capsys.readouterr().out


def test_sample_data_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample-data", "--to", str(tmp_path / "lake")]) == 0
    out = capsys.readouterr().out
    assert "│ sample    │ 100,000 │" in out
    assert f"--data {tmp_path}/lake\n" in out


def test_an_interrupted_query_is_killed_on_the_server(server: Served) -> None:
    command = [sys.executable, "-m", "flight_server.cli", "query", "SELECT 'endless' AS x", "--format", "csv"]
    environment = {**os.environ, "VOLLEY_URI": server.uri}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not server.service.queries(""):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"interrupted" in said
    assert b"Traceback" not in said
    assert server.service.queries("")[0].state == "killed"


def test_a_reader_that_goes_away_ends_the_command(server: Served) -> None:
    command = f"{sys.executable} -m flight_server.cli query \"SELECT n, repeat('x', 1000) FROM numbers\" --format csv | head -1"
    ended = subprocess.run(command, shell=True, cwd=ROOT, env={**os.environ, "VOLLEY_URI": server.uri}, capture_output=True, timeout=30)
    assert ended.stdout.count(b"\n") == 1
    assert ended.stderr == b""


def test_parameters_by_name_and_in_their_order(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    named = ["SELECT $a || $b || $a AS x", "-p", "b=2=2", "-p", "a=1"]
    in_order = ["SELECT ? || ? || ? AS x", "-p", "1", "-p", "2=2", "-p", "1"]
    for arguments in (named, in_order):
        assert main(["query", *arguments, "--format", "csv"]) == 0
        assert capsys.readouterr().out == "x\n12=21\n"
    assert main(["query", "SELECT 1", "-p", "1"]) == 1
    assert capsys.readouterr().err == "error: the statement has 0 parameters, and 1 value was given\n"
