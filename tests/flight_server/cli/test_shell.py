"""The shell: what is typed, what is shown. The line editing itself is prompt_toolkit's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from rich.console import Console

from flight_server.cli import main
from flight_server.cli.shell import ends
from flight_server.cli.shell_completion import SqlCompleter, names_of
from flight_server.cli.shell_session import ShellSession
from flight_server.client import Client
from flight_server.protocol.messages import ColumnStatus, TableStatus
from tests.flight_server.fake_service import Served


class Typed:
    """A session that prints to a text."""

    def __init__(self, client: Client) -> None:
        self._out = io.StringIO()
        self.slept: list[float] = []
        console = Console(file=self._out, width=200, highlight=False, markup=False)
        self.session = ShellSession(client, console, console, sleep=self._sleep)

    def run(self, text: str) -> str:
        before = len(self._out.getvalue())
        assert self.session.run(text)
        return self._out.getvalue()[before:]

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == 2:
            raise KeyboardInterrupt


@pytest.fixture
def client() -> Iterator[Client]:
    with Served() as served, Client(served.uri) as connected:
        yield connected


@pytest.fixture
def typed(client: Client) -> Typed:
    return Typed(client)


def test_statements(typed: Typed) -> None:
    shown = typed.run("SELECT 1 AS a; SELECT 'x;y' AS b;")
    assert "│       1 │" in shown
    assert "│ x;y     │" in shown


def test_errors_are_shown_and_counted(typed: Typed) -> None:
    assert typed.run("SELECT * FROM nope;").startswith("error: ")
    assert "there is no command \\bogus" in typed.run("\\bogus")
    assert typed.session.failures == 2


def test_tables(typed: Typed) -> None:
    assert "│ odd name   │" in typed.run("\\d")
    assert "│ table      │ rows │ columns │ files │ size │" in typed.run("\\dt")
    assert "│ n " in typed.run("\\d numbers")


def test_switches(typed: Typed) -> None:
    assert typed.run("\\x") == "rows are shown as lines\n"
    assert "n │ 0" in typed.run("SELECT 0 AS n;")
    assert typed.run("\\x off") == "rows are shown in a table\n"
    assert typed.run("\\timing on") == "timing is on\n"
    assert "planned" in typed.run("SELECT 1;")
    assert "on or off" in typed.run("\\timing perhaps")


def test_watch_runs_the_last_statement_until_it_is_interrupted(typed: Typed) -> None:
    assert "no statement to watch" in typed.run("\\watch")
    typed.run("SELECT 'again' AS a;")
    shown = typed.run("\\watch 5")
    assert shown.count("again") == 2
    assert shown.endswith("killed\n")
    assert typed.slept == [5.0, 5.0]
    assert "takes seconds" in typed.run("\\watch often")


def test_files_in_and_out(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 'from a file' AS a;\n")
    assert "from a file" in typed.run(f"\\i {tmp_path}/a.sql")
    assert "cannot read" in typed.run(f"\\i {tmp_path}/b.sql")
    typed.run(f"\\o {tmp_path}/out.txt")
    assert typed.run("SELECT 'to a file' AS a;") == ""
    typed.run("\\o")
    assert "to a file" in (tmp_path / "out.txt").read_text()
    assert "here again" in typed.run("SELECT 'here again' AS a;")
    assert "cannot write" in typed.run(f"\\o {tmp_path}/nowhere/out.txt")


@pytest.mark.parametrize("text", ["\\q", "exit", "quit;"])
def test_leaving(client: Client, text: str) -> None:
    assert not Typed(client).session.run(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [("", True), ("SELECT 1", False), ("SELECT 1;", True), ("SELECT ';", False), ("\\d", True), ("SELECT 1 -- ;", False), ("exit", True)],
)
def test_when_enter_runs_what_was_typed(text: str, whole: bool) -> None:
    assert ends(text) is whole


def test_a_pipe_is_read_to_its_end(client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 1\nAS a;\nSELECT * FROM nope;\n\\timing\nSELECT 2 AS b"))
    assert main(["shell", "--uri", client.uri]) == 1
    said = capsys.readouterr()
    assert "│       1 │" in said.out
    assert "│       2 │" in said.out
    assert "nope" in said.err


def completions(completer: SqlCompleter, text: str) -> list[str]:
    return [found.text for found in completer.get_completions(Document(text), CompleteEvent())]


def test_completion_knows_tables_columns_functions_and_keywords(client: Client) -> None:
    completer = SqlCompleter(client)
    completer._ask()
    assert completions(completer, "SELECT * FROM nu") == ["numbers", "nullif(", "null", "nulls", "numeric"]
    assert completions(completer, 'SELECT * FROM "od') == ['"odd name"']
    assert completions(completer, "SEL") == ["SELECT"]
    assert completions(completer, "SELECT ") == []


def test_columns_say_where_they_are_from() -> None:
    tables = [TableStatus("a", columns=[ColumnStatus("id", "INTEGER")]), TableStatus("b", columns=[ColumnStatus("id", "BIGINT")])]
    assert names_of(tables) == [("a", "table"), ("b", "table"), ("id", "integer of a")]
