from __future__ import annotations

import pytest
from urwid import testing

from flight_server.protocol.messages import ColumnStatus, TableStatus
from tui.editor.editor import MAX_OFFERED_CHARS, Editor
from tui.editor.lines import Mark
from tui.editor.text_buffer import Place

SIZE = (50, 10)
TABLES = [TableStatus("lineitem", columns=[ColumnStatus("l_orderkey", "BIGINT"), ColumnStatus("l_tax", "DOUBLE")])]


def editor(text: str = "") -> tuple[Editor, list[str]]:
    actions: list[str] = []
    return Editor(text, actions.append, lambda: TABLES), actions


def typed(widget: Editor, *pieces: str) -> None:
    """Presses the keys of words; names of keys are in angle brackets."""
    for piece in pieces:
        testing.press(widget, SIZE, *([piece[1:-1]] if piece.startswith("<") and piece.endswith(">") else list(piece)))


def test_lines_have_numbers_and_colours() -> None:
    widget, _ = editor("SELECT 1\nFROM t")
    assert testing.render_text(widget, SIZE, strip=True)[:2] == ["  1 SELECT 1", "  2 FROM t"]
    assert ("sql.keyword", "FROM") in testing.render_runs(widget, SIZE)[1]


def test_an_empty_editor_says_what_to_do() -> None:
    widget, _ = editor()
    assert "F5" in testing.render_text(widget, (100, 5))[0]


def test_tab_completes_and_a_choice_is_made_with_the_arrows() -> None:
    widget, _ = editor()
    typed(widget, "select * from li", "<tab>")
    assert widget.buffer.text == "select * from lineitem"
    typed(widget, " where l_", "<tab>")
    assert "l_orderkey" in "\n".join(testing.render_text(widget, SIZE, focus=True))
    typed(widget, "<down>", "<enter>")
    assert widget.buffer.text == "select * from lineitem where l_tax"


def test_columns_of_the_tables_at_the_cursor_come_while_one_types_and_tab_takes_one() -> None:
    widget, _ = editor()
    typed(widget, "select 1 from lineitem where l_t")
    assert "column  lineitem" in "\n".join(testing.render_text(widget, SIZE, focus=True))
    typed(widget, "<tab>")
    assert widget.buffer.text == "select 1 from lineitem where l_tax"


def test_a_list_that_came_by_itself_takes_no_other_key_until_one_goes_into_it() -> None:
    widget, _ = editor("select 1 from lineitem\nwhere ")
    typed(widget, "<ctrl end>", "l_", "<up>")
    assert widget.buffer.caret.line == 0
    typed(widget, "<ctrl end>", "o", "<enter>", "1")
    assert widget.buffer.text.endswith("where l_o\n1")
    typed(widget, "<backspace>", "<backspace>", "<backspace>", "t", "<down>", "<enter>")
    assert widget.buffer.text.endswith("where l_tax")


@pytest.mark.parametrize("text", ["select", "select 12", "select 'li", "-- li", "select i", "xy"])
def test_nothing_comes_by_itself_for_whole_words_numbers_texts_and_single_letters(text: str) -> None:
    shown = "".join(testing.render_text(editor_with(text), SIZE, focus=True))
    assert "keyword" not in shown
    assert "function" not in shown
    assert "table " not in shown


def editor_with(text: str) -> Editor:
    """An editor into which a text was typed letter by letter."""
    widget, _ = editor()
    typed(widget, text)
    return widget


def test_in_a_very_long_text_completion_waits_to_be_asked() -> None:
    widget, _ = editor("select 1 from lineitem where " + " " * MAX_OFFERED_CHARS)
    typed(widget, "<end>", "l_")
    assert "column" not in "".join(testing.render_text(widget, SIZE, focus=True))
    typed(widget, "<ctrl @>")
    assert "column" in "".join(testing.render_text(widget, SIZE, focus=True))


def test_typing_on_narrows_the_list_and_escape_closes_it_first() -> None:
    widget, actions = editor()
    typed(widget, "select * from lineitem where l_", "<tab>", "t")
    assert "l_orderkey" not in "\n".join(testing.render_text(widget, SIZE, focus=True))
    typed(widget, "<esc>")
    assert "leave" not in actions
    typed(widget, "<esc>")
    assert actions[-1] == "leave"


def test_tab_indents_where_there_is_no_word() -> None:
    widget, _ = editor()
    typed(widget, "<tab>", "x")
    assert widget.buffer.text == "  x"


@pytest.mark.parametrize(("key", "action"), [("f5", "run"), ("meta enter", "run"), ("meta r", "run all"), ("ctrl r", "history")])
def test_keys_that_others_act_on(key: str, action: str) -> None:
    widget, actions = editor("SELECT 1")
    assert testing.press(widget, SIZE, key) == []
    assert actions == [action]


def test_keys_of_the_whole_program_are_passed_on() -> None:
    widget, _ = editor()
    assert testing.press(widget, SIZE, "f2", "ctrl q") == ["f2", "ctrl q"]


def test_a_paste_is_one_step_and_is_neither_indented_nor_completed() -> None:
    widget, _ = editor()
    typed(widget, "<begin paste>", "  select", "<tab>", "<enter>", "  from", "<end paste>")
    assert widget.buffer.text == "  select\t\n  from"
    typed(widget, "<ctrl z>")
    assert widget.buffer.text == ""


@pytest.mark.parametrize("how", ["paste", "insert"])
def test_a_text_that_comes_from_elsewhere_closes_the_list_of_candidates_and_is_not_taken_away_by_it(how: str) -> None:
    widget, _ = editor()
    typed(widget, "SELECT l_t")
    if how == "paste":
        typed(widget, "<begin paste>", "ax, 1 FROM t", "<end paste>")
    else:
        widget.insert("ax, 1 FROM t")
    typed(widget, "<tab>")
    assert widget.buffer.text.startswith("SELECT l_tax, 1 FROM t")


def test_copy_cut_and_paste() -> None:
    widget, actions = editor("one two")
    typed(widget, "<shift end>", "<ctrl x>", "<ctrl v>", "<ctrl v>")
    assert widget.buffer.text == "one twoone two"
    assert "copied" in actions


def test_control_c_without_a_selection_is_for_the_query() -> None:
    widget, actions = editor("one")
    typed(widget, "<ctrl c>")
    assert actions == ["copy"]


def test_an_error_is_marked_at_its_word_and_goes_away_with_the_next_change() -> None:
    widget, _ = editor("SELECT\n  wrong FROM t")
    widget.set_mark(Mark(Place(1, 2), "no column wrong"))
    row = testing.render_runs(widget, SIZE, focus=True)[1]
    assert row[0] == ("gutter.error", " ▶2 ")
    assert ("error.mark", "wrong") in row
    assert widget.buffer.caret == Place(1, 2)
    typed(widget, "x")
    assert widget.mark is None


def test_the_caret_stays_in_sight_in_long_texts_and_long_lines() -> None:
    widget, _ = editor("\n".join(f"line {number} " + "x" * 100 for number in range(100)))
    typed(widget, "<ctrl end>")
    canvas = widget.render(SIZE, True)
    assert canvas.cursor is not None
    assert "100" in testing.render_text(widget, SIZE, focus=True)[9]


def test_the_mouse_puts_the_caret_and_selects() -> None:
    widget, _ = editor("SELECT 1\nFROM t")
    testing.render_text(widget, SIZE)
    testing.click(widget, SIZE, 4, 1)
    testing.click(widget, SIZE, 8, 1, event="mouse drag")
    assert widget.buffer.selected_text() == "FROM"


@pytest.mark.parametrize("line", ["x" * 300, "漢" * 150, "\t" * 60, "e\u0301" * 150, "\x1b" * 300, "漢字\tx\x1b" * 60])
def test_the_caret_is_where_its_character_is_drawn_whatever_the_line_holds(line: str) -> None:
    widget, _ = editor(line)
    for column in range(0, len(line) + 1, 7):
        widget.buffer.go(Place(0, column))
        cursor = widget.render(SIZE, True).cursor
        assert cursor is not None
        testing.click(widget, SIZE, *cursor)
        after = widget.buffer.caret.column
        assert after == column or not line[min(after, column) : max(after, column)].strip("\u0301")


def test_a_tab_is_drawn_as_room_and_stays_a_tab() -> None:
    widget, _ = editor("\tSELECT 'a\tb'")
    assert testing.render_text(widget, SIZE, strip=True)[0] == "  1     SELECT 'a    b'"
    typed(widget, "<end>", "<begin paste>", "<tab>", "<end paste>")
    assert widget.buffer.text == "\tSELECT 'a\tb'\t"


def test_control_characters_of_a_text_never_reach_the_terminal() -> None:
    widget, _ = editor("SELECT '\x1b]0;owned\x07\x9b2J'")
    assert testing.render_text(widget, SIZE, strip=True)[0] == "  1 SELECT '·]0;owned··2J'"


def test_any_size_can_be_drawn() -> None:
    testing.check_box_sizing(editor("SELECT 1\nFROM t")[0])
