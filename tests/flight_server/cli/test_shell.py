"""The shell: what is typed, what is shown. The line editing itself is prompt_toolkit's."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from flight_server.cli import main
from flight_server.cli.shell_completion import SqlCompleter, names_of
from flight_server.cli.shell_session import ends
from flight_server.client import Client
from flight_server.protocol.messages import ColumnStatus, TableStatus
from tests.flight_server.cli.typed_shell import TypedShell
from tests.flight_server.fake_service import Served


@pytest.fixture
def client() -> Iterator[Client]:
    with Served() as served, Client(served.uri) as connected:
        yield connected


@pytest.fixture
def typed(client: Client, tmp_path: Path) -> Iterator[TypedShell]:
    with TypedShell(client, tmp_path / "queries") as shell:
        yield shell


def test_statements(typed: TypedShell) -> None:
    shown = typed.run("SELECT 1 AS a; SELECT 'x;y' AS b;")
    assert "│       1 │" in shown
    assert "│ x;y     │" in shown


def test_errors_are_shown_and_counted(typed: TypedShell) -> None:
    assert typed.run("SELECT * FROM nope;").startswith("error: ")
    assert "there is no command \\bogus" in typed.run("\\bogus")
    assert typed.session.failures == 2


def test_tables(typed: TypedShell) -> None:
    assert "│ odd name   │" in typed.run("\\d")
    assert "│ table      │ rows │ columns │ files │ size │" in typed.run("\\dt")
    assert "│ n " in typed.run("\\d numbers")


def test_switches(typed: TypedShell) -> None:
    assert typed.run("\\x") == "rows are shown as lines\n"
    assert "n │ 0" in typed.run("SELECT 0 AS n;")
    assert typed.run("\\x off") == "rows are shown in a table\n"
    assert typed.run("\\timing on") == "timing is on\n"
    assert "planned" in typed.run("SELECT 1;")
    assert "on or off" in typed.run("\\timing perhaps")


def test_watch_runs_the_last_statement_until_it_is_interrupted(typed: TypedShell) -> None:
    assert "no statement to watch" in typed.run("\\watch")
    typed.run("SELECT 'again' AS a;")
    shown = typed.run("\\watch 5")
    assert shown.count("again") == 2
    assert shown.endswith("killed\n")
    assert typed.slept == [5.0, 5.0]
    assert "takes seconds" in typed.run("\\watch often")


def test_files_in_and_out(typed: TypedShell, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 'from a file' AS a;\n")
    assert "from a file" in typed.run(f"\\i {tmp_path}/a.sql")
    assert "cannot read" in typed.run(f"\\i {tmp_path}/b.sql")
    typed.run(f"\\o {tmp_path}/out.txt")
    assert f" → {tmp_path}/out.txt\n" in typed.run("SELECT 'to a file' AS a;")
    typed.run("\\o")
    assert "to a file" in (tmp_path / "out.txt").read_text()
    assert "here again" in typed.run("SELECT 'here again' AS a;")
    assert "cannot write" in typed.run(f"\\o {tmp_path}/nowhere/out.txt")


@pytest.mark.parametrize("text", ["\\q", "exit", "quit;"])
def test_leaving(typed: TypedShell, text: str) -> None:
    assert not typed.session.run(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("", True),
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT ';", False),
        ("\\d", True),
        ("SELECT 1 -- ;", False),
        ("exit", True),
        ("help", True),
        (".tables", True),
        ("SELECT 1 AS x,\n.5", False),
        ("SELECT 1 \\g", True),
        ("SELECT '\\g", False),
        ("SELECT 1 -- \\g", False),
    ],
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


def at(completer: SqlCompleter, text: str) -> list[str]:
    """What is offered where ``|`` stands."""
    before, _, after = text.partition("|")
    document = Document(before + after, len(before))
    return [found.text for found in completer.get_completions(document, CompleteEvent(completion_requested=True))]


class Tables:
    """A client that knows only tables."""

    def tables(self, details: bool = True) -> list[TableStatus]:
        return [
            TableStatus("orders", columns=[ColumnStatus("id", "BIGINT"), ColumnStatus("amount", "DOUBLE")]),
            TableStatus("customers", columns=[ColumnStatus("id", "BIGINT"), ColumnStatus("name", "VARCHAR")]),
        ]


@pytest.fixture
def completer(typed: TypedShell) -> SqlCompleter:
    made = SqlCompleter(cast(Client, Tables()), typed.session.commands, typed.session.query_names)
    made._ask()
    return made


def test_columns_of_the_tables_that_the_statement_reads_come_first(completer: SqlCompleter) -> None:
    assert at(completer, "SELECT | FROM customers")[:4] == ["id", "name", "orders", "customers"]
    assert at(completer, "SELECT | FROM orders o, customers AS c")[:3] == ["id", "amount", "name"]
    assert at(completer, "SELECT 1 FROM orders; SELECT | FROM customers;")[:2] == ["id", "name"]
    assert at(completer, "SELECT c.| FROM orders o JOIN main.customers c ON true") == ["id", "name"]
    assert at(completer, "SELECT o.am| FROM orders o") == ["amount"]
    assert at(completer, "SELECT x.| FROM orders o") == []


def test_commands_and_what_they_take_are_completed(completer: SqlCompleter, typed: TypedShell, tmp_path: Path) -> None:
    assert at(completer, "\\n|") == ["n", "ns", "nd"]
    assert at(completer, "SELECT 1 \\g|") == ["g", "gx"]
    assert at(completer, "\\d cu|") == ["customers"]
    assert at(completer, "\\pset for|") == ["format"]
    (tmp_path / "report.sql").touch()
    assert at(completer, f"\\i {tmp_path}/rep|") == ["ort.sql"]
    typed.run("\\ns daily SELECT 1")
    assert at(completer, "\\n da|") == ["daily"]


def test_paths_are_completed_where_they_may_stand_and_other_texts_are_left_alone(typed: TypedShell, tmp_path: Path) -> None:
    for name in ("sales.parquet", "salt.txt", "logs/a.csv.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    here = SqlCompleter(cast(Client, Tables()), typed.session.commands, typed.session.query_names, str(tmp_path))
    here._ask()
    for before in ("FROM '", "SELECT 1 FROM orders JOIN 'x.csv' USING (id) JOIN '", "SUMMARIZE '", "FROM read_files('", "describe '"):
        assert at(here, f"{before}sal|") == ["es.parquet"]
    assert at(here, "FROM 'logs/|") == ["a.csv.gz"]
    assert at(here, "FROM 'lo|") == ["gs"]
    for text in ("SELECT * FROM orders WHERE name = 'ord|", "SELECT regexp_matches(name, '\\d|", "SELECT 'cus|", "SELECT 'it''s cus|"):
        assert at(here, text) == []
    assert "customers" in at(here, "SELECT * FROM 'sales.parquet' JOIN cus|")


def test_paths_of_a_server_elsewhere_are_not_guessed(completer: SqlCompleter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sales.parquet").touch()
    monkeypatch.chdir(tmp_path)
    assert at(completer, "FROM 'sal|") == []
