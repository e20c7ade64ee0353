from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.editor import text_buffer
from tui.editor.text_buffer import Place, TextBuffer


def buffer(text: str, line: int = 0, column: int = 0) -> TextBuffer:
    made = TextBuffer(text)
    made.go(Place(line, column))
    return made


def test_typing_inserts_at_the_caret() -> None:
    made = buffer("ac", 0, 1)
    made.insert("b")
    assert (made.text, made.caret) == ("abc", Place(0, 2))


def test_a_pasted_text_of_several_lines_leaves_the_caret_behind_it() -> None:
    made = buffer("<>", 0, 1)
    made.insert("a\nb")
    assert (made.text, made.caret) == ("<a\nb>", Place(1, 1))


def test_a_new_line_keeps_the_indentation() -> None:
    made = buffer("  a", 0, 3)
    made.newline()
    assert made.text == "  a\n  "


def test_the_column_comes_back_after_a_shorter_line() -> None:
    made = buffer("abcdef\nx\nabcdef", 0, 5)
    made.move_lines(1)
    assert made.caret == Place(1, 1)
    made.move_lines(1)
    assert made.caret == Place(2, 5)


def test_shift_selects_and_typing_replaces_the_selection() -> None:
    made = buffer("select x", 0, 0)
    made.move_words(1, select=True)
    assert made.selected_text() == "select"
    made.insert("s")
    assert made.text == "s x"


def test_deleting_a_word_backwards() -> None:
    made = buffer("from lineitem", 0, 13)
    made.delete_word(-1)
    assert made.text == "from "


def test_cutting_to_the_end_of_the_line_then_the_line_break() -> None:
    made = buffer("ab\ncd", 0, 1)
    assert made.delete_to_end() == "b"
    assert made.delete_to_end() == "\n"
    assert made.text == "acd"


def test_comments_are_toggled_for_all_lines_of_the_selection() -> None:
    made = buffer("a\n\n  b")
    made.select_all()
    made.toggle_comment()
    assert made.text == "-- a\n\n  -- b"
    made.toggle_comment()
    assert made.text == "a\n\n  b"


def test_indenting_and_back() -> None:
    made = buffer("a\nb")
    made.select_all()
    made.indent(2)
    assert made.text == "  a\n  b"
    made.indent(-2)
    assert made.text == "a\nb"


def test_letters_typed_in_a_row_are_undone_together() -> None:
    made = buffer("")
    for letter in "abc":
        made.insert(letter)
    made.insert(" ")
    made.insert("d")
    assert made.undo()
    assert made.text == "abc "
    assert made.undo()
    assert made.undo()
    assert made.text == ""
    assert not made.undo()


@given(st.lists(st.sampled_from(["a", "\n", "word ", "<", "del", "undo", "up", "home", "cut"]), max_size=30))
def test_undoing_everything_gives_the_first_text_and_redoing_the_last(steps: list[str]) -> None:
    made = TextBuffer("one\n  two three")
    for step in steps:
        match step:
            case "<":
                made.delete(-1)
            case "del":
                made.delete(1)
            case "undo":
                made.undo()
            case "up":
                made.move_lines(-1)
            case "home":
                made.home(select=True)
            case "cut":
                made.delete_line()
            case text:
                made.insert(text)
        assert made.caret == made.clamp(made.caret)
        assert made.place(made.offset(made.caret)) == made.caret
    while made.redo():
        pass
    last = made.text
    while made.undo():
        pass
    assert made.text == "one\n  two three"
    while made.redo():
        pass
    assert made.text == last


def test_what_is_kept_to_undo_is_bounded_and_the_last_step_can_always_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_buffer, "MAX_UNDO_CHARS", 3_500)
    buffer = TextBuffer("x" * 1_000)
    for _ in range(10):
        buffer.insert(" ")
    assert [buffer.undo() for _ in range(4)] == [True, True, True, False]
    buffer.insert("y" * 10_000)
    assert buffer.undo()
    assert len(buffer.text) == 1_007
