"""What the terminal UI promises, in a real terminal of 120×40 and one of 80×24, against a real server.

One terminal of each size serves all tests of this module; each test begins in a tab of its own.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from flight_server.client import Client
from tests.tui.terminal import ServerProcess, Terminal, flight

SIZES = [(120, 40), (80, 24)]
ROWS = 300_000
# Goes on until it is killed.
ENDLESS = "SELECT count(*) AS pairs FROM big AS a, big AS b WHERE a.id * 3 + b.id * 7 = 11"
# Takes long enough to be looked at while it runs.
SLOW = "SELECT grp % 3 AS part, count(*) AS n FROM big WHERE md5(repeat(name, 20)) < 'f' GROUP BY 1 ORDER BY 1"
JOINED = "SELECT label, count(*) AS n FROM big JOIN labels ON big.grp = labels.id GROUP BY label ORDER BY label"

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    connection = duckdb.connect()
    big = f"SELECT range AS id, CAST(range % 100 AS INTEGER) AS grp, 'customer ' || range AS name FROM range({ROWS})"
    connection.execute(f"COPY ({big}) TO '{folder}/big.parquet'")
    connection.execute(f"COPY (SELECT range AS id, 'label ' || range AS label FROM range(100)) TO '{folder}/labels.parquet'")
    return folder


@pytest.fixture(scope="module")
def server(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("server"), "--port", "0", "--data", str(data))
    yield process
    process.stop()


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def opened(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    columns, rows = request.param
    made = Terminal(tmp_path_factory.mktemp("home"), flight("tui", "--uri", server.uri), columns=columns, rows=rows)
    made.see("● 127.0.0.1")
    made.keys("F6")
    made.see("2 tables")
    made.keys("F2")
    yield made
    made.close()


@pytest.fixture
def terminal(opened: Terminal) -> Terminal:
    """The terminal of the module, in the text of a new tab, wherever the test before has left it."""
    opened.keys("F8", "F6")
    opened.see("2 tables")
    opened.keys("q", "F2", "C-t")
    opened.see("-- Write SQL here")
    return opened


def wide(terminal: Terminal) -> bool:
    return "Tables  Alt-C" in terminal.screen()


def run(terminal: Terminal, sql: str, shown: str) -> str:
    terminal.type(sql)
    terminal.keys("F5")
    return terminal.see(shown)


# -- nothing lost, nothing swapped, without a word ------------------------------------------------------------------


def test_an_export_onto_a_file_that_is_there_asks(terminal: Terminal, tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    target.write_text("mine")
    run(terminal, "SELECT 42 AS answer", r"✓.* 1 row")
    terminal.keys("F7", "e")
    terminal.see("Export the whole result")
    terminal.keys("C-u")
    terminal.type(str(target))
    terminal.keys("Enter")
    terminal.see("is there. Write over it")
    terminal.keys("n")
    terminal.wait(lambda screen: "Write over it" not in screen, "the end of the question")
    assert target.read_text() == "mine"
    terminal.keys("e")
    terminal.see("Export the whole result")
    terminal.keys("C-u")
    terminal.type(str(target))
    terminal.keys("Enter")
    terminal.see("is there. Write over it")
    terminal.keys("y")
    terminal.see("wrote 1 row")
    assert pq.read_table(target).to_pydict() == {"answer": [42]}


@pytest.mark.parametrize("told", ["F5", "--run"])
@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_a_file_is_listed_and_runs_when_told(server: ServerProcess, tmp_path: Path, told: str, columns: int, rows: int) -> None:
    file = tmp_path / "report.sql"
    file.write_text("SELECT 1 AS one;\n\nSELECT idd\nFROM labels;\n")
    command = flight("tui", str(file), "--uri", server.uri, *([told] if told == "--run" else []))
    terminal = Terminal(tmp_path, command, columns=columns, rows=rows)
    try:
        if told == "F5":
            terminal.see("✓ 0 completed  ✗ 0 failed  ▶ 0 running  ○ 2 waiting")
            terminal.keys("F5")
        terminal.see("✓ 1 completed  ✗ 1 failed")
        terminal.keys("Down")
        # The error once, at the line of the file, above the statement.
        screen = terminal.see(r"there is no column 'idd' \(line 3, column 8\)")
        assert screen.count("no column") == 1
        terminal.see(r"3 SELECT idd\s*\n\s+4 FROM labels")
        terminal.keys("E")
        screen = terminal.see("▶3 SELECT idd")
        assert screen.count("no column") == 1
        terminal.keys("Escape")
        terminal.see("✓ 1 completed  ✗ 1 failed")
    finally:
        terminal.close()


def test_a_file_that_was_changed_elsewhere_is_not_written_over_without_a_word(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "shared.sql"
    file.write_text("SELECT 1\n")
    terminal.keys("C-o")
    terminal.see("Open a file")
    terminal.type(str(tmp_path / "sha"))
    terminal.keys("Tab")
    terminal.see(r"\.sql +│")
    terminal.keys("Enter")
    terminal.see(r"shared\.sql +.*1:1")
    file.write_text("SELECT 2 -- theirs\n")
    terminal.see("SELECT 2 -- theirs")
    terminal.type("/* mine */ ")
    file.write_text("SELECT 3 -- theirs again\n")
    terminal.keys("C-s")
    terminal.see("was changed elsewhere since. Write over it")
    terminal.keys("n")
    terminal.wait(lambda screen: "Write over it" not in screen, "the end of the question")
    assert file.read_text() == "SELECT 3 -- theirs again\n"
    terminal.see("/\\* mine \\*/ SELECT 2")


# -- a forgiving UI -------------------------------------------------------------------------------------------------


def test_f5_runs_from_every_pane(terminal: Terminal) -> None:
    run(terminal, "SELECT 1 AS one, random() AS r", r"✓.* 1 row")
    terminal.keys("F3", "End")
    listed = r"✓ +(\d+) +completed .*SELECT 1 AS one"
    before = int(re.findall(listed, terminal.see(listed))[-1]) - 1
    terminal.keys("F2")
    ways: dict[str, tuple[str, ...]] = {
        "results": ("F7",),
        "plan": ("2",),
        "chart": ("3",),
        "statement": ("4",),
        "cluster": ("F4",),
        "catalog": ("F6",),
    }
    if wide(terminal):
        ways["tables"] = ("F2", "M-c")
    runs = 1
    for pane, keys in ways.items():
        terminal.keys(*keys)
        if pane in ("cluster", "catalog"):
            terminal.see("1 worker" if pane == "cluster" else "2 tables")
        terminal.keys("F5")
        runs += 1
        terminal.see("F2 Editor")
        terminal.keys("F3")
        terminal.keys("End")
        terminal.see(rf"✓ +{before + runs} +completed")
        terminal.keys("F2")
    assert runs == len(ways) + 1


def test_a_prompt_is_edited_as_a_shell_s_line_is(terminal: Terminal) -> None:
    run(terminal, "SELECT id FROM labels ORDER BY id", r"✓.* 100 rows")
    terminal.keys("F7", "f")
    terminal.see("Keep rows where")
    terminal.keys("C-u")
    terminal.type("idd id < 3 nonsense")
    terminal.keys("C-w", "C-a", "M-d", "C-d")
    terminal.keys("Enter")
    terminal.see(r"✓.* 3 rows")
    terminal.see("where id < 3")


def test_a_large_paste_goes_in_at_once_and_as_it_is(terminal: Terminal, tmp_path: Path) -> None:
    text = "\n".join(f"  SELECT {number}, 'a\tb' AS text;" for number in range(20_000))
    assert len(text) > 500_000
    terminal.paste_large(text, tmp_path)
    terminal.see(r"20000   SELECT 19999, 'a    b' AS text;", 10)
    terminal.keys("F5")
    terminal.see(r"19999 +a→b")
    terminal.keys("C-a", "C-x")
    terminal.see("-- Write SQL here")


def test_tables_beside_the_editor_are_reached_by_a_key(terminal: Terminal) -> None:
    terminal.type("SELECT  FROM labels")
    terminal.keys(*["Left"] * len(" FROM labels"))
    terminal.keys("M-c")
    if not wide(terminal):
        terminal.see("2 tables")
        terminal.keys("i", "F2")
        terminal.see("SELECT big FROM")
        return
    terminal.see("Enter insert")
    terminal.keys("Down", "Enter", "Down", "Enter")
    terminal.see("SELECT id, label FROM labels")
    terminal.keys("Escape")
    terminal.see("Alt-R run all")
    terminal.type(" AS name")
    terminal.see("SELECT id, label AS name FROM labels")


def test_completion_knows_the_queries_of_the_statement(terminal: Terminal) -> None:
    terminal.type("WITH totals AS (SELECT grp, count(*) AS how_many FROM big GROUP BY grp) SELECT * FROM tot")
    terminal.see("totals +query")
    terminal.keys("Tab")
    terminal.type(" WHERE how")
    terminal.see("how_many +column +totals")
    terminal.keys("Tab")
    terminal.type(" > 1")
    terminal.keys("F5")
    terminal.see(r"✓.* 100 rows")


def test_a_chart_that_is_opened_while_the_query_runs_fills_itself(terminal: Terminal) -> None:
    run(terminal, SLOW, "running|submitting|queued")
    terminal.keys("F7", "3")
    terminal.see(r"part integer all 3 rows|n bigint all 3 rows")


def test_a_chart_is_of_all_rows(terminal: Terminal) -> None:
    run(terminal, "SELECT * FROM big", r"▷ held +20,480\+ rows")
    terminal.keys("F7", "Right", "h")
    terminal.see("grp integer all 300,000 rows")
    terminal.keys("Right")
    terminal.see("name varchar all 300,000 rows")
    terminal.see("and 299,[0-9]+ values more")


def test_chips_tell_what_was_asked_and_a_click_takes_them_away(terminal: Terminal) -> None:
    run(terminal, "SELECT id, label FROM labels", r"✓.* 100 rows")
    terminal.keys("F7", "s")
    terminal.see(r"▲ id ×\s[^✗]*id ▲ .*\n[^✗]* 1 +0 +label 0")
    terminal.keys("s")
    line = terminal.see("▼ id ×").split("\n")
    row = next(number for number, text in enumerate(line) if "▼ id ×" in text)
    terminal.click(line[row].index("▼ id"), row)
    terminal.wait(lambda screen: "▼ id" not in screen, "the rows as they were")
    terminal.see(r"✓.* 100 rows")


def test_esc_goes_where_one_came_from(terminal: Terminal, server: ServerProcess) -> None:
    terminal.keys("F6")
    terminal.see("2 tables")
    terminal.keys("Down", "q")
    terminal.see(r"FROM labels")
    terminal.keys("Escape")
    terminal.see("2 tables")
    terminal.keys("Escape")
    terminal.see("FROM labels")
    terminal.keys("F4")
    terminal.see("1 worker")
    with Client(server.uri) as client:
        client.query("SELECT 'other' AS text")
    terminal.see("SELECT 'other'")
    terminal.keys("/")
    terminal.see("Show queries with")
    terminal.type("other")
    terminal.keys("Enter")
    terminal.see("match 'other'")
    terminal.keys("Enter")
    terminal.see(r"\n +1 other")
    terminal.keys("Escape")
    terminal.see("1 worker")
    terminal.keys("Escape")
    terminal.see("FROM labels")


def test_what_failed_or_was_killed_shows_its_statement_and_what_runs_is_never_done(terminal: Terminal) -> None:
    terminal.type("SELECT nothing FROM labels")
    terminal.keys("F5")
    terminal.see("there is no column 'nothing'")
    terminal.keys("C-a")
    run(terminal, ENDLESS, r"running")
    screen = terminal.see(r"running +[\d,]+ rows? so far|running +\S+ +\d+ %")
    assert "100 %" not in screen
    terminal.keys("F3", "End")
    terminal.see(r"✗ +\d+ +failed .*SELECT nothing FROM labels")
    terminal.keys("F2", "F8")
    terminal.see("■ killed")
    terminal.keys("F3", "End")
    terminal.see(r"■ +\d+ +killed .*SELECT count")
    terminal.see(r"1 SELECT count\(\*\) AS pairs")
    terminal.keys("Escape")


def test_a_plan_is_called_by_what_it_does(terminal: Terminal) -> None:
    run(terminal, JOINED, r"✓.* 100 rows")
    terminal.keys("F7", "2")
    terminal.see("join, aggregate, sort: big, labels|join, aggregate, sort: labels, big")


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_own_files_are_answered_drawn_and_exported(tmp_path: Path, columns: int, rows: int) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    duckdb.execute(f"COPY (SELECT range AS n, range % 3 AS kind FROM range(5000)) TO '{folder}/sales.parquet'")
    (folder / "orte.csv").write_bytes("ort;n\nMünchen;4217\n".encode("latin-1"))
    duckdb.execute(f"COPY (SELECT 4711 AS n, 'x' AS s) TO '{folder}/logs.json.gz'")
    terminal = Terminal(tmp_path, ["env", "-C", str(folder), *flight("tui")], columns=columns, rows=rows)
    try:
        terminal.see("● 127.0.0.1")
        # As it is pasted: the terminal is not asked whether it can mark that.
        terminal.paste("FROM read_files('orte.csv',\n  encoding = 'latin-1')")
        terminal.see("2   encoding")
        terminal.keys("F5")
        terminal.see("München +4217")
        terminal.keys("C-a")
        run(terminal, "FROM 'logs.json.gz'", "4711 +x")
        terminal.keys("C-a")
        run(terminal, "SELECT n, kind FROM sales", "5,000 rows")
        terminal.keys("F7", "Right", "h")
        terminal.see("kind bigint all 5,000 rows")
        terminal.keys("1", "e")
        terminal.see("Export the whole result")
        terminal.keys("C-u")
        terminal.type("out.csv")
        terminal.keys("Enter")
        terminal.see("wrote 5,000 rows")
        assert (folder / "out.csv").read_text().splitlines()[-1] == "4999,1"
    finally:
        terminal.close()


def test_in_a_locale_without_utf_8_it_opens_all_the_same(server: ServerProcess, tmp_path: Path) -> None:
    locale = ["env", "LC_ALL=POSIX", "PYTHONCOERCECLOCALE=0", "PYTHONUTF8=0"]
    terminal = Terminal(tmp_path, [*locale, *flight("tui", "--uri", server.uri)], columns=80, rows=24)
    try:
        terminal.see("● 127.0.0.1")
        run(terminal, "SELECT chr(228) || chr(8364) AS text", "✓ 1 row")
        terminal.see("ä€")
    finally:
        terminal.close()
