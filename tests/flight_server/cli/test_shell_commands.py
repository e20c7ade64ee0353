"""The shell's commands as people of psql and pgcli know them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flight_server.cli.shell_variables import interpolated
from flight_server.client import Client
from tests.flight_server.cli.typed_shell import TypedShell
from tests.flight_server.fake_service import Served


@pytest.fixture
def typed(client: Client, tmp_path: Path) -> Iterator[TypedShell]:
    with TypedShell(client, tmp_path / "queries") as shell:
        yield shell


def test_results_go_to_a_file_one_behind_another(typed: TypedShell, tmp_path: Path) -> None:
    said = typed.run(f"\\o {tmp_path}/out.csv")
    assert said == f"results go to {tmp_path}/out.csv as csv, one behind another, until \\o\n"
    assert "2,500 rows" in typed.run("SELECT n FROM numbers; SELECT 'x' AS a;")
    typed.run("\\o")
    lines = (tmp_path / "out.csv").read_text().split("\n")
    assert lines[:3] == ["n", "0", "1"]
    assert lines[2_500:] == ["2499", "", "a", "x", ""]


def test_results_go_to_a_compressed_file(typed: TypedShell, tmp_path: Path) -> None:
    typed.run(f"\\o {tmp_path}/out.jsonl.gz")
    typed.run("SELECT 1 AS a; SELECT 2 AS a;")
    typed.run("\\o")
    assert gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()) == b'{"a":1}\n{"a":2}\n'


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "json"])
def test_a_format_of_one_result_takes_one_and_says_so(typed: TypedShell, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"out.{suffix}"
    assert typed.run(f"\\o {target}") == f"the next result goes to {target} as {suffix}\n"
    assert "1 row" in typed.run("SELECT 1 AS a;")
    written = target.read_bytes()
    assert f"error: {target} has its result, and {suffix} holds one" in typed.run("SELECT 2 AS a;")
    assert target.read_bytes() == written


def test_a_file_that_is_there_is_written_over_by_force_only(typed: TypedShell, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("mine\n")
    for command in (f"\\o {target}", f"SELECT 1 AS a \\g {target}", f"\\copy (SELECT 1 AS a) to '{target}'"):
        assert typed.run(command) == f"error: {target} exists\n--force writes over it\n"
        assert target.read_text() == "mine\n"
    typed.run(f"SELECT 1 AS a \\g {target} --force")
    assert target.read_text() == "a\n1\n"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_on_a_terminal_one_is_asked_instead(client: Client, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"out.{suffix}"
    target.write_text("mine\n")
    answers = [False, True]
    asked: list[str] = []

    def ask(question: str) -> bool:
        asked.append(question)
        return answers.pop(0)

    with TypedShell(client, tmp_path / "queries", ask=ask) as typed:
        assert "exists" in typed.run(f"\\copy numbers to {target}")
        assert target.read_text() == "mine\n"
        assert "2,500 rows" in typed.run(f"\\copy numbers to {target}")
    assert asked == [f"{target} exists. Write over it?"] * 2
    assert target.read_bytes()[:4] == {"csv": b"n,na", "parquet": b"PAR1"}[suffix]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "md", "jsonl", "txt", "parquet"])
def test_a_file_of_one_result_is_whole_or_as_it_was(typed: TypedShell, tmp_path: Path, suffix: str) -> None:
    new, old = tmp_path / f"new.{suffix}", tmp_path / f"old.{suffix}"
    old.write_text("mine\n")
    bad = "SELECT CASE WHEN n = 2400 THEN error('broken') ELSE n END AS n FROM numbers"
    for sql in ("SELECT nothing FROM numbers", bad):
        for command in (f"\\copy ({sql}) to {new}", f"{sql} \\g {new}", f"\\copy ({sql}) to {old} --force", f"{sql} \\g {old} --force"):
            assert typed.run(command).startswith("error: ")
    assert old.read_text() == "mine\n"
    assert sorted(path.name for path in tmp_path.glob("*.*")) == [old.name]
    assert list(tmp_path.glob(".*")) == []
    assert f" → {new}\n" in typed.run(f"\\copy numbers to {new}")
    assert new.stat().st_size > 1_000


def test_what_is_compressed_already_is_not_compressed_again(typed: TypedShell, tmp_path: Path) -> None:
    for command in ("\\o {}", "SELECT 1 AS a \\g {}", "\\copy numbers to {}"):
        for name in ("out.parquet.gz", "out.arrow.zst"):
            said = typed.run(command.format(tmp_path / name))
            assert said == f"error: {tmp_path / name}: {name.split('.')[1]} is not compressed once more\nleave out .{name.split('.')[2]}\n"
    assert list(tmp_path.glob("out*")) == []


def test_a_file_that_cannot_be_ended_is_told(typed: TypedShell) -> None:
    typed.run("\\o /dev/full")
    assert typed.run("SELECT 1 AS a;") == "error: cannot write /dev/full: No space left on device\n"
    assert typed.run("\\o") in ("", "error: cannot write /dev/full: No space left on device\n")
    assert "here again" in typed.run("SELECT 'here again' AS a;")


def test_how_a_command_ended_is_told(typed: TypedShell) -> None:
    assert typed.run("SELECT 1 AS a \\g |cat >/dev/null; exit 3").endswith(" → | cat >/dev/null; exit 3 (ended with status 3)\n")
    assert typed.run("SELECT 1 AS a \\g |cat >/dev/null").endswith(" → | cat >/dev/null\n")


def test_a_query_with_a_name_is_the_last_one_with_its_values(typed: TypedShell, tmp_path: Path) -> None:
    typed.run("SELECT 'before' AS a;")
    typed.run("\\ns least SELECT n FROM numbers WHERE n::VARCHAR = $what;")
    typed.run("\\n least what=2498")
    assert "│   2498 │" in typed.run("\\g")
    typed.run(f"\\g {tmp_path}/out.csv")
    assert (tmp_path / "out.csv").read_text() == "n\n2498\n"
    assert typed.run("\\watch 1").count("2498") == 2
    assert typed.session.last == "SELECT n FROM numbers WHERE n::VARCHAR = $what"


def test_tables_are_described_by_any_name(typed: TypedShell) -> None:
    for name in ("numbers", "main.numbers", "MAIN.numbers", '"numbers"', "odd name", '"odd name"', 'main."odd name"'):
        assert "│ " in typed.run(f"\\d {name}"), name
    assert "error: " in typed.run("\\d other.numbers")


def test_all_columns_of_a_wide_table_are_described(served: Served, client: Client, tmp_path: Path) -> None:
    columns = ", ".join(f"{number} AS c{number}" for number in range(2_100))
    served.service.add_table(f"CREATE TABLE wide AS SELECT {columns}")
    with TypedShell(client, tmp_path / "queries", size=(80, 24), ask=lambda _: False) as typed:
        typed.run("\\d wide")
        assert "c2099" in typed.paged[0]
        assert "more rows" not in typed.paged[0]
        typed.run("\\pset pager off")
        assert "│ c2099 " in typed.run("\\d wide")


def test_a_file_to_run_has_to_be_named(typed: TypedShell) -> None:
    for command in ("\\i", "\\ir"):
        assert typed.run(command).startswith("error: which file is to be run?\n\\i FILE")


def test_a_file_may_begin_with_a_mark_of_its_encoding(typed: TypedShell, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1 AS a;\n", encoding="utf-8-sig")
    assert "│       1 │" in typed.run(f"\\i {tmp_path}/a.sql")


def test_words_of_other_shells_say_what_works_here(typed: TypedShell) -> None:
    assert typed.run("help") == typed.run("help;") == typed.run("\\?")
    assert typed.run(".tables") == "error: commands begin with a backslash, not .tables\nit is \\d here; \\? lists all\n"
    assert typed.run(".sparks on") == "error: commands begin with a backslash, not .sparks\n\\? lists all\n"
    assert ".5" in typed.run("SELECT\n.5 AS a;")


def test_g_runs_what_stands_before_it_or_the_last(typed: TypedShell, tmp_path: Path) -> None:
    assert "no statement to run yet" in typed.run("\\g")
    assert "│       7 │" in typed.run("SELECT 7 AS a \\g")
    assert "a │ 7" in typed.run("\\gx")
    typed.run(f"SELECT 1 AS one; SELECT 2 AS two \\g {tmp_path}/two.parquet")
    assert pq.read_table(tmp_path / "two.parquet").to_pydict() == {"two": [2]}
    assert "here again" in typed.run("SELECT 'here again' AS a;")


def test_g_gives_a_result_to_a_command(typed: TypedShell, tmp_path: Path) -> None:
    typed.run("\\pset format csv")
    assert "2,500 rows" in typed.run(f"SELECT n FROM numbers \\g | tail -2 > {tmp_path}/tail")
    assert (tmp_path / "tail").read_text() == "2498\n2499\n"


def test_copy_takes_a_query_with_anything_in_it_or_a_table(typed: TypedShell, tmp_path: Path) -> None:
    typed.run(f"\\copy (SELECT ')' AS a, (1 + 2) * 3 AS b) TO '{tmp_path}/it''s.csv'")
    assert (tmp_path / "it's.csv").read_text() == "a,b\n),9\n"
    typed.run(f'\\copy "odd name" to {tmp_path}/odd.json')
    assert json.loads((tmp_path / "odd.json").read_text()) == [{"a": 1, "b": "2026-11-24"}]
    assert "\\copy wants a query" in typed.run("\\copy numbers")
    assert "\\copy only writes files" in typed.run("\\copy numbers from 'a.csv'")


def test_pset_says_how_results_are_shown(typed: TypedShell) -> None:
    assert typed.run("\\pset format markdown") == "format is markdown\n"
    assert typed.run("SELECT 1 AS a, 'x|y' AS b;") == "| a | b |\n| ---: | --- |\n| 1 | x\\|y |\n"
    typed.run("\\pset format table")
    typed.run("\\pset null '(none)'")
    assert "│ (none)  │" in typed.run("SELECT NULL::VARCHAR AS a;")
    typed.run("\\pset border 0")
    assert "│" not in typed.run("SELECT 1 AS a;")
    assert "format is table\nnull is (none)\nborder is 0\npager is on" in typed.run("\\pset")
    assert "do you mean format?" in typed.run("\\pset fromat csv")
    assert "there is no format xml here" in typed.run("\\pset format xml")
    assert "border is 0, 1 or 2" in typed.run("\\pset border 9")


def test_variables(typed: TypedShell) -> None:
    typed.run("\\set least 2498")
    typed.run("\\set who 'O''Hara'")
    assert "2499" in typed.run("SELECT n FROM numbers WHERE n > :least;")
    assert "O'Hara :least" in typed.run("SELECT :'who' || ' :least' AS a;")
    assert typed.run("\\set") == "least = 2498\nwho = O'Hara\n"
    typed.run("\\unset least")
    assert "do you mean who?" in typed.run("\\unset whom")
    assert "is no name" in typed.run("\\set 1a x")


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("SELECT :a, :\"a\", :'a'", "SELECT x y, \"x y\", 'x y'"),
        ("SELECT ':a', \":a\" -- :a", "SELECT ':a', \":a\" -- :a"),
        ("SELECT 1::a, l[1:n], {'k':b}", "SELECT 1::a, l[1:n], {'k':b}"),
    ],
)
def test_variables_stand_outside_of_strings_and_only_where_there_are_some(text: str, becomes: str) -> None:
    assert interpolated(text, {"a": "x y"}) == becomes


def test_files_may_include_others_beside_them_and_hold_commands(typed: TypedShell, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.sql").write_text("\\set x 5\n\\ir b.sql\nSELECT :x\n  AS from_a;\n")
    (tmp_path / "sub" / "b.sql").write_text("SELECT 'from b' AS b;\n")
    shown = typed.run(f"\\i {tmp_path}/sub/a.sql")
    assert shown.index("from b") < shown.index("from_a")
    (tmp_path / "loop.sql").write_text("\\ir loop.sql\n")
    assert "does one include itself?" in typed.run(f"\\i {tmp_path}/loop.sql")


def test_an_error_in_a_file_is_told_with_its_line(typed: TypedShell, tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("\\timing off\n\nSELECT 1 AS a;\n\nSELECT *\nFROM nowhere;\n")
    assert f"error: {tmp_path}/a.sql:5: " in typed.run(f"\\i {tmp_path}/a.sql")


def test_queries_have_names_that_last(typed: TypedShell, client: Client, tmp_path: Path) -> None:
    assert "no query has a name" in typed.run("\\n")
    typed.run("\\ns least SELECT n FROM numbers WHERE n::VARCHAR = $what;")
    assert "there is a query least already" in typed.run("\\ns least SELECT 1")
    with TypedShell(client, tmp_path / "queries") as another:
        assert "SELECT n FROM numbers WHERE" in another.run("\\n")
        assert "│   2498 │" in another.run("\\n least what=2498")
        assert "the parameter $what has no value" in another.run("\\n least")
        another.run("\\ns both SELECT $a AS first; SELECT $b AS second")
        assert "│ two     │" in another.run("\\n both b=two a=one")
        assert "do you mean \\n least?" in another.run("\\n lest")
        assert another.run("\\nd least") == ""
        assert "there is no query least" in another.run("\\nd least")


def test_the_editor_gets_the_statement_and_gives_it_back(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/one/two/' \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    with TypedShell(client, tmp_path / "queries", ask=lambda _: False) as typed:
        typed.run("SELECT 'one' AS a;")
        typed.run("\\e")
        assert typed.session.take_edited() == "SELECT 'two' AS a"
        assert typed.session.take_edited() == ""
        (tmp_path / "a.sql").write_text("SELECT 'one' AS a;\n")
        assert "│ two     │" in typed.run(f"\\e {tmp_path}/a.sql")
        monkeypatch.setenv("EDITOR", "false")
        assert "the editor false ended with status 1" in typed.run("\\e")


def test_the_editor_wants_a_terminal(typed: TypedShell) -> None:
    assert typed.run("\\e") == "error: \\e wants a terminal\n"


def test_what_exceeds_the_screen_goes_to_the_pager(client: Client, tmp_path: Path) -> None:
    with TypedShell(client, tmp_path / "queries", size=(80, 24)) as typed:
        assert "│       1 │" in typed.run("SELECT 1 AS a;")
        assert typed.paged == []
        assert typed.run("SELECT n FROM numbers;").startswith("2,500 rows · ")
        assert "1999" in typed.paged[0]
        assert typed.paged[0].endswith("… 500 more rows (2,000 shown; \\g FILE writes all)\x1b[0m\n")  # the footer is told once, behind it
        wide = ", ".join(f"'{'x' * 30}' AS column_{number}" for number in range(5))
        typed.run(f"SELECT {wide};")
        assert typed.paged[1].count("x" * 30) == 5
        typed.run("\\pset pager off")
        assert "more columns: \\x shows rows as lines" in typed.run(f"SELECT {wide}, {wide};")
        assert len(typed.paged) == 2


def test_what_is_watched_waits_in_no_pager(client: Client, tmp_path: Path) -> None:
    with TypedShell(client, tmp_path / "queries", size=(80, 24)) as typed:
        assert typed.run("SELECT n FROM numbers \\watch 1").count("2,500 rows") == 2
        assert typed.paged == []
        typed.run("\\g")
        assert len(typed.paged) == 1


def test_hints_are_true_where_one_stands(typed: TypedShell, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "do you mean \\timing?" in typed.run("\\timin")
    assert "there is no command \\zzzzz\n\\? lists them" in typed.run("\\zzzzz")
    assert "\\x cannot stand behind an unfinished statement" in typed.run("SELECT 1 \\x")
    monkeypatch.setattr(client, "tables", lambda details: [])
    assert typed.run("\\d").startswith("no tables here: ")
    assert "\\g FILE writes all" in typed.run("SELECT n FROM numbers;")


def test_help_lists_every_command(typed: TypedShell) -> None:
    shown = typed.run("\\?")
    for name in typed.session.commands:
        assert f"\n\\{name} " in shown
