"""Amounts, cells, derived queries, history, keys, themes, files: the rooms without a widget."""

from __future__ import annotations

import datetime
import decimal
import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner.errors import VolleyError
from tests.tui.fake_server import FakeServer
from tui import keys
from tui.draw import amounts, cells
from tui.draw.themes import THEMES, choose_theme, count_colours, palette
from tui.editor.documents import FileError, read_text, write_text
from tui.editor.history import History
from tui.link import derived
from tui.link.derived import Derived
from tui.link.export import Export, ExportError, Stopped
from tui.link.row_source import Piece
from tui.log import stderr_aside
from tui.actions.search import find


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0 B"), (999, "999 B"), (1_000, "1.00 KB"), (12_345_678, "12.3 MB"), (999_000_000_000, "999 GB")]
)
def test_sizes(value: int, expected: str) -> None:
    assert amounts.size(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0031, "3 ms"), (1.254, "1.25 s"), (59.94, "59.9 s"), (125, "2 m 05 s"), (7800, "2 h 10 m")]
)
def test_times(value: float, expected: str) -> None:
    assert amounts.seconds(value) == expected


def test_counts_and_bars() -> None:
    assert [amounts.short_count(n) for n in (9_999, 12_345, 6_001_215)] == ["9,999", "12.3K", "6.00M"]
    assert [amounts.plural(n, "query") for n in (1, 2)] == ["1 query", "2 queries"]
    assert [amounts.bar(share, 4) for share in (0, 0.5, 1, 7, -1)] == ["    ", "██  ", "████", "████", "    "]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.int64(), "bigint"),
        (pa.decimal128(15, 2), "decimal(15,2)"),
        (pa.timestamp("us", "UTC"), "timestamptz"),
        (pa.list_(pa.string()), "varchar[]"),
        (pa.dictionary(pa.int8(), pa.string()), "varchar"),
        (pa.struct([("a", pa.int8())]), "struct"),
    ],
)
def test_types_have_their_sql_names(kind: pa.DataType, name: str) -> None:
    assert cells.type_name(kind) == name


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "NULL"),
        (True, "true"),
        (1.0, "1"),
        (1e300, "1e+300"),
        (decimal.Decimal("1.50"), "1.50"),
        (datetime.datetime(2024, 1, 2, 3, 4, 5), "2024-01-02 03:04:05"),
        (b"\x00\xff", "\\x00ff"),
        ("a\tb\x1b[31m", "a→b·[31m"),
        ([{"a": decimal.Decimal("1.5"), "b": None}], '[{"a": "1.5", "b": null}]'),
    ],
)
def test_values_are_one_line_without_control_characters(value: object, expected: str) -> None:
    assert cells.one_line(value) == expected


def test_long_values_are_cut_in_a_cell_and_whole_in_a_popup() -> None:
    assert len(cells.one_line("x" * 10_000)) == cells.MAX_CELL_CHARS
    assert cells.many_lines("x" * 10_000) == "x" * 10_000
    assert cells.many_lines('{"a":1}') == '{\n  "a": 1\n}'
    assert cells.many_lines(b"ab").endswith("ab")


def test_times_that_python_cannot_hold_come_as_text() -> None:
    nanoseconds = pa.array([1], pa.timestamp("ns"))
    assert cells.values(nanoseconds) == ["1970-01-01 00:00:00.000000001"]
    assert len(cells.values(pa.array([2**60], pa.timestamp("us")))) == 1


def test_sorting_goes_up_down_and_away() -> None:
    base = Derived("SELECT 1 AS a")
    up = base.sorted_by(1)
    down = up.sorted_by(1)
    assert "ORDER BY 1 ASC NULLS LAST" in up.sql
    assert "ORDER BY 1 DESC NULLS LAST" in down.sql
    assert down.sorted_by(1).sql == base.sql


@pytest.mark.parametrize("base", ["SELECT * FROM t ORDER BY a DESC LIMIT 3", "SELECT a, a FROM t -- note", "VALUES (2), (1), (3)"])
def test_derived_statements_run(base: str) -> None:
    connection = duckdb.connect()
    connection.register("t", pa.table({"a": [3, 1, 2]}))
    found = connection.sql(Derived(base).sorted_by(1).sql).fetchall()
    assert [row[0] for row in found] == [1, 2, 3]


def test_filters_add_up_and_an_empty_one_takes_them_away() -> None:
    wanted = Derived("SELECT * FROM t").filtered(derived.equals("a b", "it's", number=False)).filtered('"n" > 3')
    assert "WHERE (\"a b\" = 'it''s') AND (\"n\" > 3)" in wanted.sql
    assert wanted.filtered(" ").sql == "SELECT * FROM t"
    assert derived.equals("n", None, number=True) == '"n" IS NULL'


def test_history_survives_the_program_and_lists_each_statement_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history.jsonl"
    first = History(path)
    first.add("SELECT 1", "completed", 1, 0.5)
    first.add("SELECT 2", "failed", 0, 0.1)
    first.add("SELECT   1", "completed", 1, 0.4)
    with path.open("ab") as file:
        file.write(b'{"sql": "cut of')
    assert [entry.sql for entry in History(path).newest()] == ["SELECT   1", "SELECT 2"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_history_that_cannot_be_written_is_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "history.jsonl")
    history.add("SELECT 1", "completed", 1, 0.5)
    assert len(history.newest()) == 1


def test_what_is_written_to_stderr_goes_to_a_file_for_a_while(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "state" / "tui.log"
    with stderr_aside(log):
        os.write(2, b"noise\n")
    os.write(2, b"seen\n")
    assert log.read_bytes() == b"noise\n"
    assert capfd.readouterr().err == "seen\n"


def test_every_key_does_one_thing_in_its_place() -> None:
    seen = [(key.context, name) for key in keys.KEYS for name in key.keys]
    assert len(seen) == len(set(seen))
    everywhere = {name for key in keys.KEYS if key.context == "everywhere" for name in key.keys}
    assert not [item for item in seen if item[0] != "everywhere" and item[1] in everywhere]


def test_the_documentation_of_keys_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "tui.md"
    assert keys.markdown() in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_themes_have_the_same_names_and_are_valid(theme: str) -> None:
    assert THEMES[theme].keys() == THEMES["dark"].keys()
    import urwid

    for name, foreground, background, mono, high, high_background in palette(theme):
        urwid.AttrSpec(foreground, background, 16)
        urwid.AttrSpec(high, high_background, 256)
        assert mono, name


def test_the_theme_and_the_colours_are_chosen_by_the_terminal() -> None:
    assert choose_theme(None, {"COLORFGBG": "0;15"}) == "light"
    assert choose_theme(None, {}) == "dark"
    assert choose_theme("light", {}) == "light"
    assert [count_colours(None, {"TERM": term}) for term in ("xterm-256color", "xterm", "vt100", "dumb")] == [256, 16, 1, 1]
    assert count_colours(None, {"TERM": "xterm", "NO_COLOR": "1"}) == 1
    assert count_colours("mono", {"TERM": "xterm"}) == 1


def test_files_are_read_and_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.sql"
    write_text(path, "SELECT 'ä';\n")
    assert read_text(path) == "SELECT 'ä';\n"
    assert [item.name for item in tmp_path.iterdir()] == ["a.sql"]
    with pytest.raises(FileError, match="cannot open"):
        read_text(tmp_path / "none.sql")
    with pytest.raises(FileError, match="cannot save"):
        write_text(tmp_path / "none" / "a.sql", "")
    (tmp_path / "b.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="not a UTF-8 text"):
        read_text(tmp_path / "b.bin")


def exported(tmp_path: Path, name: str) -> tuple[Export, pa.Table]:
    table = pa.table({"n": list(range(2500)), "t": [None if n % 7 == 0 else f"row {n}" for n in range(2500)]})
    server = FakeServer({"t": table})
    submitted = server.submit("SELECT * FROM t ORDER BY n")
    return Export(server, submitted.query_id, submitted.schema, str(tmp_path / name)), table


def test_an_export_is_the_result(tmp_path: Path) -> None:
    export, table = exported(tmp_path, "out.parquet")
    assert export.write() == 2500
    assert pq.read_table(tmp_path / "out.parquet").equals(table)


def test_an_export_that_is_stopped_leaves_no_file(tmp_path: Path) -> None:
    export, _ = exported(tmp_path, "out.csv")
    with pytest.raises(Stopped):
        export.write(progress=export.stop)
    assert list(tmp_path.iterdir()) == []


def test_an_export_to_an_unknown_format_or_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"out\.xyz"):
        exported(tmp_path, "out.xyz")
    export, _ = exported(tmp_path, "none/out.csv")
    with pytest.raises(VolleyError, match="cannot write"):
        export.write()


def test_search_goes_on_from_where_one_is_in_both_directions() -> None:
    table = pa.table({"n": [1, 22, 3], "t": ["two", None, "TWO"]})
    pieces = [Piece(0, table), Piece(100, table)]
    assert find(pieces, "two", 0, forward=True) == (0, 1)
    assert find(pieces, "two", 1, forward=True) == (2, 1)
    assert find(pieces, "two", 3, forward=True) == (100, 1)
    assert find(pieces, "two", 99, forward=False) == (2, 1)
    assert find(pieces, "22", 0, forward=True) == (1, 0)
    assert find(pieces, "none", 0, forward=True) is None


def test_search_looks_into_nested_and_binary_values() -> None:
    pieces = [Piece(0, pa.table({"l": [["ab"], ["cd"]], "b": [b"\x01", b"\x02"]}))]
    assert find(pieces, "cd", 0, forward=True) == (1, 0)
    assert find(pieces, "x02", 0, forward=True) == (1, 1)
