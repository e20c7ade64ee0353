from __future__ import annotations

import io

import pyarrow as pa
import pytest
from rich.box import MINIMAL, ROUNDED, Box
from rich.console import Console

from flight_server.client.box_tables import (
    Cells,
    TableStyle,
    cells_of,
    print_record,
    print_table,
    printable,
    type_name,
    uncut_record,
    uncut_table,
)


def drawn(table: pa.Table, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False)
    print_table(console, cells_of(table))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


def test_a_table_has_names_types_and_rows() -> None:
    assert drawn(pa.table({"id": pa.array([1, 22], pa.int32()), "name": ["Ada", None]})) == [
        "╭─────────┬─────────╮",
        "│      id │ name    │",
        "│ integer │ varchar │",
        "├─────────┼─────────┤",
        "│       1 │ Ada     │",
        "│      22 │ NULL    │",
        "╰─────────┴─────────╯",
    ]


def test_text_gives_way_before_numbers() -> None:
    lines = drawn(pa.table({"id": [123456789012345678], "text": ["long " * 40]}), width=50)
    assert {len(line) for line in lines} == {50}
    assert "123456789012345678" in lines[4]
    assert lines[4].rstrip(" │").endswith("…")


def test_columns_in_the_middle_give_way_when_all_are_too_many() -> None:
    lines = drawn(pa.table({f"column_{index}": [index] for index in range(30)}), width=60)
    assert all(len(line) <= 60 for line in lines)
    assert "column_0" in lines[1]
    assert "column_29" in lines[1]
    assert lines[-1].startswith("… 2")


def test_one_column_is_always_shown() -> None:
    lines = drawn(pa.table({"a_very_long_name_of_a_column": ["x" * 100], "b": [1]}), width=16)
    assert all(len(line) <= 80 for line in lines)
    assert "a_very" in lines[1]


def test_nothing_in_a_value_reaches_the_terminal_as_a_command() -> None:
    assert printable("a\x1b[31mb\nc\td\u202e") == "a\\x1b[31mb\\nc\\td\\x202e"
    assert "[red]" in "".join(drawn(pa.table({"a": ["[red]x[/red]"]})))


def test_wide_characters_keep_the_borders_straight() -> None:
    lines = drawn(pa.table({"a": ["日本語", "x"]}))
    assert lines[4] == "│ 日本語  │"
    assert lines[5] == "│ x       │"


def test_rows_as_records() -> None:
    console = Console(file=io.StringIO(), width=80)
    print_record(console, [Cells("id", "integer", True, ("1",)), Cells("name", "varchar", False, (None,))])
    assert console.file.getvalue().splitlines()[1:] == ["id   │ 1", "name │ NULL"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.int64(), "bigint"),
        (pa.decimal128(15, 2), "decimal(15,2)"),
        (pa.list_(pa.int32()), "integer[]"),
        (pa.list_(pa.int32(), 3), "integer[3]"),
        (pa.struct([("a", pa.string())]), "struct(a varchar)"),
        (pa.map_(pa.string(), pa.int64()), "map(varchar, bigint)"),
        (pa.timestamp("us"), "timestamp"),
        (pa.timestamp("us", "UTC"), "timestamp with time zone"),
        (pa.dictionary(pa.int8(), pa.string()), "enum"),
    ],
)
def test_types_in_words_of_sql(kind: pa.DataType, name: str) -> None:
    assert type_name(kind) == name


@pytest.mark.parametrize("box", [ROUNDED, MINIMAL])
def test_tables_and_records_joined_as_texts_are_those_that_are_laid_out(box: Box) -> None:
    table = pa.table({"id": pa.array([1, None], pa.int32()), "名前": ["日本語", "x\ty"], "": [[1], None]})
    style = TableStyle(null="(none)", box=box)
    for print_it, joined in ((print_table, uncut_table), (print_record, uncut_record)):
        file = io.StringIO()
        laid_out = Console(file=file, width=100, force_terminal=True, color_system=None, highlight=False, markup=False)
        print_it(laid_out, cells_of(table), style=style)
        assert joined(cells_of(table), style=style) == file.getvalue()
