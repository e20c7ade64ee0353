"""End to end: the real program in a real terminal, against a real server over six million rows."""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from flight_server.client import Client
from tests.tui.relay import Relay
from tests.tui.terminal import ServerProcess, Terminal, flight

ROWS = 6_000_000
LAST = f"{ROWS:,}/{ROWS:,}"
MAX_RSS_BYTES = 300 << 20
# Queries that nobody waits for the end of: they go on until they are killed.
SLOW = "SELECT count(*) AS pairs FROM big AS a, big AS b WHERE a.id * 3 + b.id * 7 = 11"
# The second scan is quick up to its millionth row and takes minutes for the others: what it put out first waits in its exchange.
SECOND = "SELECT id FROM big WHERE md5(repeat(name, id / 1000000 * 1000)) LIKE 'd4%'"
WAITING = f"SELECT count(*) FROM big JOIN ({SECOND}) AS few USING (id)"

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    connection = duckdb.connect()
    big = f"""SELECT range AS id, CAST(range % 1000 AS INTEGER) AS grp, range * 0.25 AS price, 'customer ' || (range % 977) AS name,
        DATE '2020-01-01' + CAST(range % 1500 AS INTEGER) AS day FROM range({ROWS})"""
    connection.execute(f"COPY ({big}) TO '{folder}/big.parquet'")
    connection.execute(f"COPY (SELECT range AS id, 'label ' || range AS label FROM range(1000)) TO '{folder}/labels.parquet'")
    return folder


@pytest.fixture(scope="module")
def server(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("server"), "--port", "0", "--data", str(data))
    yield process
    process.stop()


@pytest.fixture
def terminal(server: ServerProcess, tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path, flight("tui", "--uri", server.uri))
    opened.see("● 127.0.0.1")
    opened.keys("F6")
    opened.see("2 tables")
    opened.keys("F2")
    yield opened
    opened.close()


def test_write_complete_run_and_scroll_six_million_rows_to_the_end_and_back(terminal: Terminal) -> None:
    terminal.type("SELECT * FROM bi")
    terminal.keys("Tab")
    terminal.see("SELECT \\* FROM big")
    terminal.keys("F5")
    terminal.see(r"▷ held +20,480\+ rows")
    terminal.keys("F7")
    terminal.see("1/20,480\\+")
    terminal.keys("G")
    terminal.see(LAST, 90)
    terminal.see(f"{ROWS:,} rows")
    terminal.see("5,?999,?999")
    highest = terminal.rss_bytes
    for _ in range(30):
        terminal.keys("PPage")
    terminal.keys(":")
    terminal.type("3000000")
    terminal.keys("Enter")
    terminal.see(f"3,000,000/{ROWS:,}")
    terminal.see("2999999")
    for _ in range(30):
        terminal.keys("NPage")
    highest = max(highest, terminal.rss_bytes)
    terminal.keys("g")
    terminal.see(f" 1/{ROWS:,}")
    highest = max(highest, terminal.rss_bytes)
    print(f"\nresident memory over six million rows: {highest / 1e6:.0f} MB")
    assert highest < MAX_RSS_BYTES


def test_a_query_is_killed_on_the_server(terminal: Terminal, server: ServerProcess) -> None:
    sql = SLOW.replace("pairs", "pairs_killed")
    terminal.type(sql)
    terminal.keys("F5")
    terminal.see("running")
    terminal.keys("F8")
    terminal.see("■ killed")
    with Client(server.uri) as client:
        states = [query.state for query in client.queries() if query.sql == sql]
    assert states == ["killed"]


def test_an_export_is_what_another_client_reads(terminal: Terminal, server: ServerProcess, tmp_path: Path) -> None:
    sql = "SELECT id, price, name FROM big WHERE grp < 20 ORDER BY id"
    terminal.type(sql)
    terminal.keys("F5")
    terminal.see(r"▷ held +20,480\+ rows")
    terminal.keys("F7", "e")
    terminal.see("Export the whole result")
    terminal.keys(*["BSpace"] * 20)
    terminal.type(str(tmp_path / "out.parquet"))
    terminal.keys("Enter")
    terminal.see("wrote 120,000 rows")
    with Client(server.uri) as client:
        expected = client.query(sql)
    written = pq.read_table(tmp_path / "out.parquet")
    assert written.to_pydict() == expected.to_pydict()


def test_a_file_of_queries_of_which_some_fail_and_several_run_together(server: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "report.sql"
    statements = [f"SELECT {number} AS part, count(*) AS n FROM big WHERE grp % 4 = {number}" for number in range(4)]
    file.write_text(";\n".join([SLOW, *statements[:2], "SELECT nothing FROM big", *statements[2:]]) + ";\n")
    terminal = Terminal(tmp_path, flight("tui", str(file), "--uri", server.uri))
    try:
        terminal.see("6 queries")
        terminal.see("▶ 0 running  ○ 6 waiting")
        terminal.keys("F5")
        terminal.see("○ 5 waiting")
        terminal.keys("t")
        terminal.see("✓ 4 completed  ✗ 1 failed  ▶ 1 running  ○ 0 waiting", 60)
        for number in range(2):
            terminal.keys("Down")
            terminal.see(rf"\n\s+1\s+{number}\s+1500000")
        terminal.keys("Down")
        terminal.see("nothing")
        terminal.keys("Home", "k")
        terminal.see("✓ 4 completed  ✗ 2 failed  ▶ 0 running")
    finally:
        terminal.close()


def test_the_server_is_lost_and_comes_back_and_results_go_on(data: Path, tmp_path: Path) -> None:
    options = ["--port", "0", "--state", str(tmp_path / "state-of-server"), "--data", str(data)]
    process = ServerProcess(tmp_path, *options)
    relay = Relay(process.port)
    terminal = Terminal(tmp_path, flight("tui", "--uri", relay.uri))
    try:
        terminal.see("● 127.0.0.1")
        terminal.type("SELECT id FROM big WHERE id < 1000000 ORDER BY id")
        terminal.keys("F5")
        terminal.see(r"▷ held +20,480\+ rows")
        terminal.keys("F7", "G")
        terminal.see("✓ .*1,000,000 rows")
        terminal.see("999999")
        relay.target = None
        process.stop(signal.SIGKILL)
        terminal.see("no server at")
        terminal.keys(":")
        terminal.type("500000")
        terminal.keys("Enter")
        terminal.see("these rows cannot be read")
        process = ServerProcess(tmp_path, *options)
        relay.target = process.port
        terminal.see("● 127.0.0.1")
        terminal.see("500,000 +499999")
    finally:
        terminal.close()
        relay.close()
        process.stop()


def fits(mark: str, screen: str) -> bool:
    """Whether a view with ``mark`` fills 24 rows, the title in the first and keys in the last."""
    lines = screen.rstrip("\n").split("\n")
    return len(lines) == 24 and mark in screen and "F2 Editor" in lines[0] and re.search("F1 keys|F5 run|Enter", lines[23]) is not None


def test_every_view_fits_after_resizing_to_80_by_24(terminal: Terminal) -> None:
    terminal.type("SELECT * FROM labels ORDER BY id")
    terminal.keys("F5")
    terminal.see("1,000 rows")
    terminal.resize(80, 24)
    for key, mark in (("F3", "1 query"), ("F4", "1 worker"), ("F6", "2 tables"), ("F2", "label 3")):
        terminal.keys(key)
        terminal.wait(functools.partial(fits, mark), f"{mark!r} on 24 rows between title and footer")
    terminal.resize(160, 50)
    terminal.see("label 20")


def test_the_program_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.keys("C-q")
    terminal.wait(lambda _screen: terminal.ended, "the end of the program")
    assert "Traceback" not in terminal.screen()


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_what_was_typed_is_there_again_after_a_crash_and_after_leaving(
    server: ServerProcess, tmp_path: Path, columns: int, rows: int
) -> None:
    command = flight("tui", "--uri", server.uri)
    for end in ("crash", "leave", "nothing"):
        terminal = Terminal(tmp_path, command, columns=columns, rows=rows)
        try:
            terminal.see("● 127.0.0.1")
            if end == "crash":
                terminal.type("SELECT 'kept' AS text")
                terminal.wait(lambda _screen: "kept" in _kept(tmp_path), "the text in the state folder", 10)
                os.kill(terminal.pid, signal.SIGKILL)
                continue
            terminal.see("SELECT 'kept' AS text")
            if end == "leave":
                terminal.keys("C-q")
                terminal.see("Not saved: query 1")
                terminal.see("leave; they come back at the next start")
                terminal.keys("Enter")
                terminal.wait(lambda _screen, opened=terminal: opened.ended, "the end of the program")  # type: ignore[misc]
        finally:
            terminal.close()


WIDE_RESULT = (
    "SELECT id, TIMESTAMP '2024-01-01 00:00:00.123456' + to_seconds(id) AS moment, label AS text, "
    + ", ".join(f"id * {number} AS amount_{number:02}" for number in range(14))
    + " FROM labels ORDER BY id"
)


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])
def test_a_result_is_looked_at_and_a_condition_that_fails_is_mended(server: ServerProcess, tmp_path: Path, columns: int, rows: int) -> None:
    terminal = Terminal(tmp_path, flight("tui", "--uri", server.uri), columns=columns, rows=rows)
    try:
        terminal.see("● 127.0.0.1")
        terminal.keys("F6")
        terminal.see("2 tables")
        terminal.keys("F2")
        terminal.type("SELECT 1 FROM labels WHERE lab")
        terminal.see("label +column  labels")
        assert ("Tables  Alt-C" in terminal.see("SELECT 1 FROM labels").split("\n")[1]) == (columns >= 120)
        terminal.keys("Tab", "Enter")
        terminal.see(r"WHERE label\s")
        terminal.keys("C-a")
        terminal.type(WIDE_RESULT)
        terminal.keys("F5")
        terminal.see("1,000 rows")
        terminal.keys("F7")
        terminal.see("column 1/17")
        terminal.see(r"2024-01-01 00:00:01.123456 +label 1 ")
        terminal.see(r"\d+›")
        terminal.keys("#")
        terminal.see("Go to column")
        terminal.type("amount_13")
        terminal.keys("Enter")
        terminal.see(r"‹\d+.*amount_13")
        terminal.keys("Home", "f")
        terminal.see("Keep rows where")
        terminal.keys("C-u")
        terminal.type("idd < 3")
        terminal.keys("Enter")
        mended = ("there is no column 'idd'", "│ idd < 3", "label 9 ")
        terminal.wait(lambda screen: all(text in screen for text in mended), "the condition to be mended, over the rows")
        terminal.keys("C-w", "C-w", "C-w")
        terminal.type("id < 3")
        terminal.keys("Enter")
        terminal.see(r"✓.* 3 rows")
        terminal.keys("s")
        terminal.see("▲ id × +where id < 3")
        terminal.keys("F3")
        terminal.see(r"✗ +2 +failed .*query 1  where idd")
        terminal.keys("F5")
        terminal.see(r"✓ +5 +completed")
        terminal.keys("Escape")
        terminal.see("query 1 ●")
    finally:
        terminal.close()


def _kept(home: Path) -> str:
    """What the state folder of a user holds of tabs."""
    file = home / "state" / "volley" / "tabs.json"
    return file.read_text() if file.exists() else ""


def test_embedded_it_needs_no_server(data: Path, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, flight("tui", "--data", str(data)))
    try:
        terminal.see("● 127.0.0.1")
        terminal.type("SELECT count(*) AS n FROM big")
        terminal.keys("F5")
        terminal.see("✓ completed  1 row")
        terminal.see("6000000")
        terminal.keys("C-q")
        terminal.see("Not saved: query 1")
        terminal.keys("Enter")
        terminal.wait(lambda _screen: terminal.ended, "the end of the program")
        assert "Traceback" not in terminal.screen()
    finally:
        terminal.close()


def test_records_that_wait_in_an_exchange_of_a_running_query_are_looked_at(data: Path, tmp_path: Path) -> None:
    process = ServerProcess(tmp_path, "--port", "0", "--data", str(data), "--workers", "2", "--threads", "1", "--distribute", "always")
    terminal = Terminal(tmp_path, flight("tui", "--uri", process.uri), columns=120, rows=40)
    try:
        terminal.see("● 127.0.0.1")
        terminal.type(WAITING)
        terminal.keys("F5")
        terminal.see("running")
        terminal.keys("F7", "2")
        lines = terminal.see(r"● ⇄ gather big +0/[1-9][^⇄]*$").split("\n")
        header = next(number for number, line in enumerate(lines) if line.startswith("operator"))
        exchange = max(number for number, line in enumerate(lines) if "⇄" in line)
        terminal.keys(*["Down"] * (exchange - header - 1))
        terminal.see("Enter: look at its records")
        terminal.keys("Down")
        terminal.see("big.* by ranges of id")
        terminal.keys("Up")
        terminal.see("Enter: look at its records")
        terminal.keys("Enter")
        terminal.see(r"\d records?, [\d,]+ rows? waiting")
        terminal.resize(80, 24)  # it stays open, in a terminal of the other size as well
        terminal.wait(lambda screen: len(screen.split("\n")) == 25 and " waiting" in screen, "what waits, on 24 rows")
        terminal.dismiss(" waiting")
        terminal.keys("F8")
        terminal.see("■ killed")
    finally:
        terminal.close()
        process.stop()
