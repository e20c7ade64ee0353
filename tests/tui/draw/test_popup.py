from __future__ import annotations

import urwid
from urwid import testing

from tests.tui.looking import SIZE, text
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


def test_a_long_text_scrolls_and_escape_closes_it() -> None:
    screen = dialogs()
    screen.show_text("Text", [[("dialog", f"line {number}")] for number in range(100)])
    testing.press(screen, SIZE, "end")
    assert "line 99" in text(screen)
    testing.press(screen, SIZE, "esc")
    assert screen.depth == 0
