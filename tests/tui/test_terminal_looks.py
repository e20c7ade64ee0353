"""End to end: what the real program has a real server make and store of a result, in a real terminal."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from flight_server.client import Client
from flight_server.protocol.messages import QueryLine
from tests.e2e.waiting import eventually
from tests.tui.terminal import ServerProcess, Terminal, flight

ROWS = 400_000
GROUP_ROWS = 4_000  # less than a look begins with: all are of one size
GROUPS = ROWS // GROUP_ROWS
GROUPS_PER_FILE = 4
PATIENCE = 30.0
CONFIG = f"""
[results]
rows_per_group = {GROUP_ROWS}
groups_per_file = {GROUPS_PER_FILE}
[limits]
queries = 3
abandon = "5s"
"""
SIZES = pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24)])

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@dataclass
class Served:
    """A server of small row groups, at most three queries at a time, and the folder that it keeps results in."""

    process: ServerProcess
    results: Path

    def folder(self, query_id: str) -> Path | None:
        return next(self.results.glob(f"**/results/{query_id}"), None)

    def files(self) -> list[Path]:
        return list(self.results.glob("**/results/*/*.parquet"))

    def stored_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.files())

    def queries(self, *, everything: bool = False) -> list[QueryLine]:
        with Client(self.process.uri) as client:
            return client.queries(everything=everything)

    def states(self) -> list[str]:
        """Of all queries, the oldest first."""
        return [line.state for line in reversed(self.queries())]

    def drop_all(self) -> None:
        with Client(self.process.uri) as client:
            for line in client.queries(everything=True):
                client.drop(line.query_id)


@pytest.fixture(name="served", scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("looks")
    (home / "volley.toml").write_text(CONFIG)
    (home / "lake").mkdir()
    made = f"SELECT range AS id, range * 7919 % {ROWS} AS mixed, 'event ' || range AS name FROM range({ROWS})"
    duckdb.connect().execute(f"COPY ({made}) TO '{home}/lake/events.parquet' (ROW_GROUP_SIZE 20000)")
    options = ["--port", "0", "--data", f"{home}/lake", "--state", f"{home}/state", "--config", f"{home}/volley.toml"]
    process = ServerProcess(home, *options)
    yield Served(process, home / "state")
    process.stop()


Open = Callable[[int, int], Terminal]


@pytest.fixture(name="open_terminal")
def _open_terminal(served: Served, tmp_path: Path) -> Iterator[Open]:
    """Opens the program on so many columns and rows; what the test leaves at the server is dropped."""
    opened: list[Terminal] = []

    def open_terminal(columns: int, rows: int) -> Terminal:
        opened.append(Terminal(tmp_path, flight("tui", "--uri", served.process.uri), columns=columns, rows=rows))
        opened[-1].see("● 127.0.0.1")
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()
    served.drop_all()


def run(terminal: Terminal, sql: str) -> None:
    """Runs a statement in the editor, in the place of what stood there."""
    terminal.keys("C-a")
    terminal.type(sql)
    terminal.keys("F5")


@SIZES
def test_only_what_is_looked_at_is_made_and_the_end_when_it_is_gone_to(
    served: Served, open_terminal: Open, columns: int, rows: int
) -> None:
    terminal = open_terminal(columns, rows)
    run(terminal, "SELECT * FROM events")
    terminal.see(r"▷ held +8,000\+ rows")
    terminal.see(r"\n +1 +0 +0 +event 0 ")
    assert served.stored_bytes() == 0
    terminal.keys("F7", ":")
    terminal.type("6000")
    terminal.keys("Enter")
    terminal.see(r"▷ held +12,000\+ rows")
    terminal.see(r"6,000 +5999 ")
    assert served.stored_bytes() == 0, "a file has four row groups"
    for _ in range(3):
        terminal.keys("NPage")
    assert re.search(r"▷ held +12,000\+ rows", terminal.screen()), "nothing more was looked at"
    terminal.keys(":")
    terminal.type("38000")
    terminal.keys("Enter")
    terminal.see(r"38,000 +37999 ")
    terminal.see(r"▷ held +4[04],000\+ rows")
    eventually(lambda: len(served.files()) == 2, PATIENCE, "the two files that are full")
    looked_at = served.stored_bytes()
    terminal.keys("G")
    terminal.see(r"✓.* 400,000 rows", 60)
    terminal.see(r"400,000 +399999 .*event 399999")
    (line,) = served.queries()
    assert (line.state, line.result.rows, line.result.held) == ("completed", ROWS, False)
    assert (len(served.files()), served.stored_bytes() > 4 * looked_at) == (GROUPS / GROUPS_PER_FILE, True)


@SIZES
def test_scrolling_on_has_more_made(open_terminal: Open, columns: int, rows: int) -> None:
    terminal = open_terminal(columns, rows)
    run(terminal, "SELECT * FROM events ORDER BY mixed")
    terminal.see(r"▷ held +8,000\+ rows")
    terminal.keys("F7", ":")
    terminal.type("7995")
    terminal.keys("Enter")
    terminal.see(r"7,995 +\d+ +\d+ +event \d+")
    for row in (8_003, 8_011):
        terminal.keys(*["Down"] * 8)
        terminal.see(rf"{row:,} +\d+ +\d+ +event \d+")
    terminal.see(r"▷ held +12,000\+ rows|▷ held +16,000\+ rows")


def test_an_export_of_what_is_held_is_whole(open_terminal: Open, tmp_path: Path) -> None:
    terminal = open_terminal(120, 40)
    run(terminal, "SELECT id FROM events ORDER BY id DESC")
    terminal.see(r"▷ held +8,000\+ rows")
    terminal.keys("F7", "e")
    terminal.see("Export the whole result")
    terminal.keys("C-u")
    terminal.type(str(tmp_path / "out.parquet"))
    terminal.keys("Enter")
    terminal.see("wrote 400,000 rows")
    assert pq.read_table(tmp_path / "out.parquet").column(0).to_pylist() == list(range(ROWS - 1, -1, -1))


def test_unsorting_shows_the_first_rows_that_are_still_there(served: Served, open_terminal: Open) -> None:
    terminal = open_terminal(80, 24)
    run(terminal, "SELECT mixed, id FROM events")
    terminal.see(r"▷ held +8,000\+ rows")
    terminal.keys("F7", "s")
    terminal.see(r"▲ mixed[\s\S]*\n +2 +1 ")
    terminal.keys("s")
    terminal.see(r"▼ mixed[\s\S]*\n +2 +399998 ")
    terminal.keys("s")
    terminal.see(r"▷ held +8,000\+ rows[\s\S]*\n +2 +7919 +1 ")
    assert len(served.queries()) == 3, "the statement, up and down: nothing ran again"
    assert served.stored_bytes() == 0


def test_what_is_dropped_is_gone_from_the_list_and_from_the_disk(served: Served, open_terminal: Open) -> None:
    terminal = open_terminal(80, 24)
    run(terminal, "SELECT name FROM events WHERE id < 90000")
    terminal.see(r"▷ held +8,000\+ rows")
    terminal.keys("F7", "G")
    terminal.see(r"✓.* 90,000 rows")
    (line,) = served.queries()
    folder = served.folder(line.query_id)
    assert folder is not None
    terminal.keys("F3")
    terminal.see(r"✓ +1 +completed +90.0K .* [0-9.]+ MB  SELECT name")
    terminal.keys("d")
    terminal.see("No query yet")
    eventually(lambda: not folder.exists(), PATIENCE, "the folder is gone")
    assert served.queries() == []
    terminal.keys("F2")
    terminal.see("Results show here")


def test_samples_and_counts_of_the_program_leave_nothing_behind(served: Served, open_terminal: Open) -> None:
    terminal = open_terminal(120, 40)
    terminal.keys("F6", "Tab")
    terminal.see(r"event 0")
    terminal.keys("F2")
    run(terminal, "SELECT id FROM events")
    terminal.see(r"▷ held +8,000\+ rows")
    terminal.keys("F7", "h", "a")
    terminal.see("bigint all 400,000 rows")
    eventually(lambda: len(served.queries(everything=True)) == 1, PATIENCE, "the user's own query is the only one")


def test_more_looks_than_may_run_keep_no_query_waiting(served: Served, open_terminal: Open) -> None:
    terminal = open_terminal(120, 40)
    for number in range(5):
        run(terminal, f"SELECT id + {number} AS a{number} FROM events")
        terminal.see(rf"\n +a{number} [\s\S]*\n +2 +{number + 1} ")
    run(terminal, "SELECT count(*) AS n FROM events")
    terminal.see(r"✓.* 1 row ")
    made_room = ["completed"] * 2 + ["running"] * 3 + ["completed"]
    eventually(lambda: served.states() == made_room, PATIENCE, "those that were held first run to their end")


def test_what_is_held_stays_while_the_program_is_open_and_goes_with_it(served: Served, open_terminal: Open) -> None:
    terminal = open_terminal(80, 24)
    run(terminal, "SELECT 7 AS small")
    terminal.see(r"✓.* 1 row ")
    run(terminal, "SELECT name FROM events")
    terminal.see(r"▷ held +8,000\+ rows")
    terminal.keys("C-t")
    look, _small = served.queries()
    begun = look.submitted_at
    # `limits.abandon` is five seconds here: the program's asking has kept it for longer.
    eventually(lambda: _seconds_since(served, begun) > 8, PATIENCE, "eight seconds")
    assert [line.state for line in served.queries()] == ["running", "completed"]
    terminal.keys("C-q")
    terminal.see("Not saved")
    terminal.keys("Enter")
    terminal.wait(lambda _screen: terminal.ended, "the end of the program")
    assert [line.sql for line in served.queries()] == ["SELECT 7 AS small"]


def _seconds_since(served: Served, begun: float) -> float:
    """Time by the server's own clock: each look at it is a query of its own."""
    with Client(served.process.uri) as client:
        submitted = client.submit("SELECT 1", purpose="clock")
        status = client.drop(submitted.query_id)
    assert status is not None
    return status.submitted_at - begun
