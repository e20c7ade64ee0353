"""The shell in a real terminal: the pager, the editor, completion and questions, on a large screen and a small one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from flight_server.client import Client
from tests.e2e.waiting import eventually
from tests.tui.terminal import ServerProcess, Terminal, flight

MANY = 20_000
GROUP_ROWS = 1_000

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None or shutil.which("less") is None, reason="tmux or less is not installed")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options of a server over ``measures`` (wide) and ``many`` (long), whose results have small row groups."""
    folder, home = tmp_path_factory.mktemp("lake"), tmp_path_factory.mktemp("configured")
    names = ", ".join(f"range * {number} AS measure_{number:02d}" for number in range(1, 31))
    duckdb.connect().execute(f"COPY (SELECT {names} FROM range(500)) TO '{folder}/measures.parquet'")
    duckdb.connect().execute(f"COPY (SELECT range AS n FROM range({MANY})) TO '{folder}/many.parquet'")
    (home / "volley.toml").write_text(f"[results]\nrows_per_group = {GROUP_ROWS}\n")
    return ["--data", str(folder), "--config", str(home / "volley.toml")]


@pytest.fixture(scope="module")
def server(lake: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("server"), "--port", "0", "--threads", "1", *lake)
    yield process
    process.stop()


@pytest.fixture(params=[(120, 40), (80, 24)], ids=["120x40", "80x24"])
def terminal(request: pytest.FixtureRequest, server: ServerProcess, tmp_path: Path) -> Iterator[Terminal]:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/one/two/' \"$1\"\n")
    editor.chmod(0o755)
    columns, rows = request.param
    words = ["env", "-u", "PAGER", "-u", "LESS", f"EDITOR={editor}", *flight("shell", "--uri", server.uri)]
    opened = Terminal(tmp_path, words, columns=columns, rows=rows)
    opened.see("volley>")
    yield opened
    opened.close()


def test_a_wide_table_is_scrolled_sideways_and_down(terminal: Terminal) -> None:
    terminal.type("SELECT * FROM measures ORDER BY 1; ")
    terminal.keys("Enter")
    first = terminal.see("measure_01")
    assert "measure_30" not in first
    assert max(len(line) for line in first.split("\n")) <= 120
    terminal.keys("Escape", "}")  # to the end of the longest line
    terminal.see("measure_30")
    terminal.keys("G")
    terminal.see("14970")
    terminal.keys("q")
    terminal.see(r"500 rows · [^\n]*\n+volley>")


def test_the_editor_and_g(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type("SELECT 'number one' AS a \\g")
    terminal.keys("Enter")
    terminal.see("│ number one │")
    terminal.type("\\e")
    terminal.keys("Enter")
    terminal.see("volley> SELECT 'number two' AS a")
    terminal.type(f" \\g {tmp_path}/out.md")
    terminal.keys("Enter")
    terminal.see(r"1 row · [^\n]*→")
    assert (tmp_path / "out.md").read_text() == "| a |\n| --- |\n| number two |\n"


def test_a_file_is_asked_for_before_it_is_written_over(terminal: Terminal, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("mine\n")
    terminal.type(f"\\copy (SELECT 1 AS a) to {target}")
    terminal.keys("Enter")
    terminal.see(r"\[y/N\]:\s*$")
    terminal.keys("Enter")
    terminal.see("--force writes over it")
    assert target.read_text() == "mine\n"
    terminal.type(f"\\o {target}")
    terminal.keys("Enter")
    terminal.see(r"\[y/N\]:\s*$")
    terminal.keys("y", "Enter")
    terminal.see("results go to")
    assert target.read_text() == ""


def test_columns_in_scope_are_offered_first(terminal: Terminal) -> None:
    terminal.type("SELECT  FROM measures")
    terminal.keys(*["Left"] * len(" FROM measures"), "Tab")
    terminal.see(r"volley> SELECT +FROM measures *\n +measure_01 +bigint of measures")


def test_flight_query_asks_before_it_writes_over_a_file(server: ServerProcess, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("mine\n")
    terminal = Terminal(tmp_path, flight("query", "SELECT 1 AS a", "-o", str(target), "--uri", server.uri), columns=80, rows=24)
    try:
        terminal.see(r"\[y/N\]:\s*$")
        assert target.read_text() == "mine\n"
        terminal.keys("y", "Enter")
        terminal.see(r"(?m)^wrote ")  # the bar tells rows, too
        assert target.read_text() == "a\n1\n"
    finally:
        terminal.close()


def test_a_look_in_the_shell_leaves_nothing_and_a_file_has_everything(terminal: Terminal, server: ServerProcess, tmp_path: Path) -> None:
    with Client(server.uri) as client:
        before = {line.query_id for line in client.queries(everything=True)}
        terminal.type("FROM many; ")
        terminal.keys("Enter")
        terminal.see("│ +10 │")
        terminal.keys("G")
        terminal.see(r"… more rows \(2,000 shown; \\g FILE writes all, SELECT count\(\*\) counts them\)")
        eventually(lambda: {line.query_id for line in client.queries(everything=True)} == before or None, 20, "the look is dropped")
        terminal.keys("q")
        terminal.see(r"4,000\+ rows · [^\n]*\n+volley>")
        terminal.type(f"\\g {tmp_path}/many.parquet")
        terminal.keys("Enter")
        terminal.see(r"20,000 rows · [^\n]*→")
        assert pq.read_table(tmp_path / "many.parquet").column("n").to_pylist() == list(range(MANY))
        newest = client.queries(limit=1)[0]
        assert (newest.state, newest.result.rows, newest.query_id in before) == ("completed", MANY, False)


LOOK = r"… more rows \(40 shown; -o FILE writes all, SELECT count\(\*\) counts them\)\s+[12],000\+ rows · "


def test_a_server_of_its_own_looks_as_well(lake: list[str], tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, flight("query", "FROM many", *lake), columns=80, rows=24)
    try:
        terminal.see(LOOK)
        terminal.wait(lambda _: terminal.ended, "the end of the command")
    finally:
        terminal.close()


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_flight_query_looks_and_what_it_writes_is_whole(server: ServerProcess, tmp_path: Path, columns: int, rows: int) -> None:
    def see(pattern: str, *options: str) -> None:
        """What the command says in a terminal of its own, where it ends."""
        terminal = Terminal(tmp_path, flight("query", "FROM many", "--uri", server.uri, *options), columns=columns, rows=rows)
        try:
            terminal.see(pattern)
            terminal.wait(lambda _: terminal.ended, "the end of the command")
        finally:
            terminal.close()

    with Client(server.uri) as client:
        before = {line.query_id for line in client.queries(everything=True)}
        see(LOOK)
        see(r"… more rows\s+3 rows shown · ", "--max-rows", "3")
        assert {line.query_id for line in client.queries(everything=True)} == before
        see("(?m)^wrote ", "-o", str(tmp_path / "many.csv.gz"))
        assert duckdb.connect().sql(f"SELECT count(*), sum(n) FROM '{tmp_path}/many.csv.gz'").fetchall() == [(MANY, sum(range(MANY)))]
        see(rf"(?m)^{MANY - 1}$", "--format", "csv")
        assert [line.result.rows for line in client.queries(limit=2)] == [MANY, MANY]
