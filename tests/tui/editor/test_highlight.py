from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.editor.highlight import highlight


def words(*lines: str) -> list[list[tuple[str, str]]]:
    """The attribute and text of all runs that are not plain space."""
    result = []
    for line, runs in zip(lines, highlight(list(lines), 0, len(lines)), strict=True):
        start, found = 0, []
        for attribute, length in runs:
            if line[start : start + length].strip():
                found.append((attribute, line[start : start + length]))
            start += length
        result.append(found)
    return result


def test_words_are_told_apart() -> None:
    assert words("SELECT sum(tax), 1.5 FROM t -- note") == [
        [
            ("sql.keyword", "SELECT"),
            ("sql.function", "sum"),
            ("sql.operator", "("),
            ("text", "tax"),
            ("sql.operator", ")"),
            ("sql.operator", ","),
            ("sql.number", "1.5"),
            ("sql.keyword", "FROM"),
            ("text", "t"),
            ("sql.comment", "-- note"),
        ]
    ]


def test_what_is_open_goes_on_in_the_next_line() -> None:
    found = words("SELECT 'a", "b' /* c", "/* d */ e", "*/ 1 $x$ f", "$x$ 2")
    assert [line[0][0] for line in found] == ["sql.keyword", "sql.string", "sql.comment", "sql.comment", "sql.string"]
    assert found[4][-1] == ("sql.number", "2")


@given(st.lists(st.text(alphabet="a1'\"-/*$ .;", max_size=12), min_size=1, max_size=6))
def test_every_character_has_one_colour(lines: list[str]) -> None:
    for line, runs in zip(lines, highlight(lines, 0, len(lines)), strict=True):
        assert sum(length for _, length in runs) == len(line)
