from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from planner.tokens import tokens
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


def test_a_backslash_ends_no_string_with_escapes_and_hides_no_quote_of_another() -> None:
    assert words(r"E'it\'s' 1", r"'a\' 2", r"e'two \\", r"lines'' \' on' 3") == [
        [("sql.string", r"E'it\'s'"), ("sql.number", "1")],
        [("sql.string", r"'a\'"), ("sql.number", "2")],
        [("sql.string", r"e'two \\")],
        [("sql.string", r"lines'' \' on'"), ("sql.number", "3")],
    ]


@given(st.text(alphabet="aE1'\"-/*$\\ .;\n", max_size=40).map(lambda text: text + " "))
@example("a$$ 'b'")
@example("$E'b'")
def test_what_is_a_string_a_name_or_a_comment_is_what_the_scanner_says(text: str) -> None:
    told = ["comment" if letter.strip() else "" for letter in text]
    for kind, start, end in tokens(text):
        told[start:end] = [kind] * (end - start)
    lines = text.split("\n")
    coloured = [(*runs, ("end of line", 1)) for runs in highlight(lines, 0, len(lines))]
    shown = [attribute for runs in coloured for attribute, length in runs for _ in range(length)]
    for letter, kind, attribute in zip(text, told, shown, strict=False):
        quoted = kind in ("string", "dollar", "comment")
        if letter != "\n" and letter.strip():
            assert (attribute in ("sql.string", "sql.identifier", "sql.comment")) == quoted
            assert (attribute == "sql.comment") == (kind == "comment")


@given(st.lists(st.text(alphabet="a1'\"-/*$ .;", max_size=12), min_size=1, max_size=6))
def test_every_character_has_one_colour(lines: list[str]) -> None:
    for line, runs in zip(lines, highlight(lines, 0, len(lines)), strict=True):
        assert sum(length for _, length in runs) == len(line)
