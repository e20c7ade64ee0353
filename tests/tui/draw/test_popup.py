from __future__ import annotations

import pytest
import urwid
from urwid import testing

from tests.tui.looking import SIZE, text
from tui.draw.pasting import Pasted
from tui.draw.popup import Choice, Dialogs


def dialogs() -> Dialogs:
    return Dialogs(urwid.SolidFill("."))


def test_a_question_takes_y_and_n_and_a_click_on_no() -> None:
    answers: list[bool] = []
    for key in ("y", "n"):
        screen = dialogs()
        screen.ask("Kill", "Kill it?", lambda: answers.append(True), answer="kill")
        assert "Kill it?" in text(screen, (60, 12))
        testing.press(screen, (60, 12), key)
        assert screen.depth == 0
    assert answers == [True]


def test_a_line_is_typed_and_taken_with_enter() -> None:
    taken: list[str] = []
    screen = dialogs()
    screen.prompt("Open", "file ", "a", taken.append)
    text(screen)
    testing.press(screen, SIZE, "b", "enter")
    assert taken == ["ab"]
    assert screen.depth == 0


def test_a_list_is_narrowed_by_typing() -> None:
    taken: list[str] = []
    screen = dialogs()
    choices = [Choice("SELECT one FROM a", "1 s ago", "one"), Choice("SELECT two FROM b", "2 s ago", "two")]
    screen.choose("History", choices, lambda choice: taken.append(choice.value), footer="Enter")
    testing.press(screen, SIZE, *"b sel")
    shown = text(screen)
    assert "two" in shown
    assert "one" not in shown
    testing.press(screen, SIZE, "enter")
    assert taken == ["two"]


@pytest.mark.parametrize(
    ("keys", "typed"),
    [(("ctrl w",), "one "), (("ctrl u",), ""), (("begin paste", Pasted("two"), "enter", "end paste"), "one FROtwo")],
)
def test_the_line_of_a_list_is_edited_and_a_paste_chooses_nothing(keys: tuple[str, ...], typed: str) -> None:
    screen = dialogs()
    screen.choose("History", [Choice("SELECT one FROM a", "", "one")], lambda _choice: None, footer="Enter")
    testing.press(screen, SIZE, *"one FRO", *keys)
    assert f" › {typed}  " in text(screen)
    assert screen.depth == 1


def test_a_paste_answers_no_question() -> None:
    screen = dialogs()
    answers: list[bool] = []
    screen.ask("Kill", "Kill it?", lambda: answers.append(True), answer="kill")
    testing.press(screen, SIZE, "begin paste", "y", "enter", Pasted("y"), "end paste")
    assert (answers, screen.depth) == ([], 1)
    testing.press(screen, SIZE, "y")
    assert answers == [True]


def test_a_long_text_scrolls_and_escape_closes_it() -> None:
    screen = dialogs()
    screen.show_text("Text", [[("dialog", f"line {number}")] for number in range(100)])
    testing.press(screen, SIZE, "end")
    assert "line 99" in text(screen)
    testing.press(screen, SIZE, "esc")
    assert screen.depth == 0


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("ctrl a", "ctrl k"), ""),
        (("ctrl u",), ""),
        (("ctrl w",), "one two "),
        (("ctrl w", "ctrl y"), "one two three"),
        (("meta b", "meta b", "x"), "one xtwo three"),
        (("ctrl a", "meta f", "x"), "onex two three"),
        (("ctrl a", "x", "ctrl e", "y"), "xone two threey"),
        (("begin paste", "!", "enter", "?", "enter", "end paste"), "one two three! ?"),
    ],
)
def test_a_prompt_is_edited_as_a_shell_is(keys: tuple[str, ...], text: str) -> None:
    dialogs = Dialogs(urwid.SolidFill(" "))
    taken: list[str] = []
    dialogs.prompt("Title", "label ", "one two three", taken.append)
    testing.press(dialogs, (80, 24), *keys, "enter")
    assert taken == [text]
    assert dialogs.depth == 0
