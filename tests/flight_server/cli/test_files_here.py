"""A server elsewhere lacks a table or a file, and this machine has one: the command that would read it is told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from flight_server.cli import main
from flight_server.cli.files_here import file_here
from planner.errors import UnknownTable
from tests.flight_server.fake_service import Served


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with some data in it."""
    here = tmp_path / "my data"
    for name in ("sales.parquet", "Visits.csv.gz", "logs/2024.jsonl", "empty/notes.txt", "people.txt", "deep/2024/a.parquet"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).touch()
    monkeypatch.chdir(here)
    return here


@pytest.fixture(name="server")
def _server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with Served() as served:
        monkeypatch.setenv("VOLLEY_URI", served.uri)
        yield served


@pytest.mark.parametrize(
    ("error", "found"),
    [
        ("there is no table 'sales' (line 1, column 15)\n  SELECT * FROM sales", ("sales.parquet", ".")),
        ("there is no table 'SALES'", ("sales.parquet", ".")),
        ("there is no table 'visits'", ("Visits.csv.gz", ".")),
        ("there is no table 'logs'", ("logs/", ".")),
        ("there is no table 'deep'", ("deep/", ".")),
        ("there is no table 'people'", None),
        ("there is no table 'empty'", None),
        ("there is no table 'nothing'", None),
        ("no data files match 'sales.parquet'", ("sales.parquet", ".")),
        ("no data files match 'logs/*.jsonl' (line 1, column 6)", ("logs/2024.jsonl", ".")),
        ("no data files match '../my data/sales.parquet'", None),
        ("no data files match 'people.txt'", None),
        ("there is no column 'sales' (line 1, column 8)", None),
        ("the scan of 'x' failed: there is no table 'sales'", None),
    ],
)
def test_what_a_server_lacks_is_looked_for_here(error: str, found: tuple[str, str] | None) -> None:
    assert file_here(error) == found


def test_a_path_from_the_root_is_in_a_folder_of_its_own(folder: Path) -> None:
    for pattern in (f"{folder}/sales.parquet", f"file://{folder}/sales.parquet", f"{folder}/sal*"):
        assert file_here(f"'{pattern}' is outside the connections (line 1, column 6)") == (f"{folder}/sales.parquet", str(folder))
    assert file_here(f"'{folder}/*/2024.jsonl' is outside the connections") == (f"{folder}/logs/2024.jsonl", str(folder))
    assert file_here(f"'{folder}/nothing.parquet' is outside the connections") is None
    assert file_here("'s3://bucket/sales.parquet' is outside the connections") is None


@pytest.mark.parametrize("words", [("query", '"…"'), ("explain", '"…"'), ("run", "FILE"), ("shell", "")])
def test_the_command_that_reads_it(
    server: Served, folder: Path, words: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command, rest = words
    server.service.fail = UnknownTable("there is no table 'sales'")
    (folder / "a.sql").write_text("FROM sales;")
    monkeypatch.setattr("sys.stdin", io.StringIO("FROM sales;"))
    argument = {"run": ["a.sql"], "shell": []}.get(command, ["FROM sales"])
    assert main([command, *argument]) == 1
    shown = f"`flight {command} --data . {rest}".strip() + "`"
    assert f"sales.parquet is on this machine, not at {server.uri}: {shown} reads it." in " ".join(capsys.readouterr().err.split())


def test_other_errors_are_told_as_they_are(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "SELECT sales FROM numbers"]) == 1
    assert "on this machine" not in capsys.readouterr().err
