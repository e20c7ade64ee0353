"""What the shell shows is looked at, and made no further; what it writes or prints is whole."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flight_server.cli.shell_results import SHOWN_FORMATS
from flight_server.client import Client
from tests.flight_server.cli.typed_shell import TypedShell
from tests.flight_server.fake_service import Served


def test_a_look_makes_no_more_than_is_looked_at_and_leaves_nothing(served: Served, client: Client, tmp_path: Path) -> None:
    with TypedShell(client, tmp_path / "queries", size=(80, 24), ask=lambda _: False) as typed:
        typed.run("\\pset pager off")
        shown = typed.run("SELECT n FROM numbers;")
        told = "… more rows (40 shown; \\g FILE writes all, SELECT count(*) counts them)\n"
        assert any(f"{told}{made},000+ rows · " in shown for made in (1, 2))
        assert list(served.service.looks.values()) == [1]
        assert client.queries(everything=True) == []
        typed.run("\\timing on")
        assert " · shown " in typed.run("SELECT n FROM numbers;")
        counted = typed.run("SELECT n FROM numbers LIMIT 1500;")
        assert "… 1,460 more rows (40 shown; \\g FILE writes all)\n1,500 rows · " in counted
        assert " · all " in counted
        assert [(line.state, line.result.rows) for line in client.queries()] == [("completed", 1_500)]


def test_a_pager_shows_all_that_it_has_room_for(served: Served, client: Client, tmp_path: Path) -> None:
    with TypedShell(client, tmp_path / "queries", size=(80, 24), ask=lambda _: False) as typed:
        assert typed.run("SELECT n FROM numbers UNION ALL SELECT n FROM numbers;").startswith("4,000+ rows · ")
        assert "│   1999 │\n" in typed.paged[0]
        assert "… more rows (2,000 shown; \\g FILE writes all, SELECT count(*) counts them)" in typed.paged[0]
        assert client.queries() == []


@pytest.mark.parametrize("format", [name for name in SHOWN_FORMATS if name != "table"])
def test_every_other_format_prints_all_rows_on_a_terminal(served: Served, client: Client, tmp_path: Path, format: str) -> None:
    with TypedShell(client, tmp_path / "queries", size=(80, 24), ask=lambda _: False) as typed:
        typed.run(f"\\pset format {format}")
        shown = typed.run("SELECT n FROM numbers;")
    assert all(str(number) in shown for number in (0, 1_999, 2_000, 2_499))
    assert "2,500 rows · " in shown
    assert served.service.looks == {}


@pytest.mark.parametrize(
    "command",
    ["\\o {}\nFROM numbers;", "FROM numbers \\g {}", "\\copy numbers to {}", "\\copy (FROM numbers) to {}", "FROM numbers; \\g {}"],
)
def test_what_goes_to_a_file_has_all_rows(served: Served, client: Client, tmp_path: Path, command: str) -> None:
    target = tmp_path / "out.parquet"
    with TypedShell(client, tmp_path / "queries", size=(80, 24), ask=lambda _: False) as typed:
        assert "2,500 rows · " in typed.run(command.format(target))
    assert pq.read_table(target).column("n").to_pylist() == list(range(2_500))
    assert served.service.looks == {}


def test_what_goes_to_a_command_has_all_rows(served: Served, client: Client, tmp_path: Path) -> None:
    with TypedShell(client, tmp_path / "queries", size=(80, 24), ask=lambda _: False) as typed:
        typed.run(f"FROM numbers \\g |cat > {tmp_path}/out")
        typed.run(f"\\o | tail -3 > {tmp_path}/tail\nFROM numbers;")
    assert "│   2499 │ row 2499 │" in (tmp_path / "out").read_text()
    assert "│   2499 │ row 2499 │" in (tmp_path / "tail").read_text()
    assert served.service.looks == {}


def test_statements_from_a_pipe_run_to_their_end_and_are_counted(served: Served, client: Client, tmp_path: Path) -> None:
    for size in (None, (80, 24)):
        with TypedShell(client, tmp_path / "queries", size=size) as typed:
            assert "2,500 rows · " in typed.run("FROM numbers;")
    assert served.service.looks == {}
