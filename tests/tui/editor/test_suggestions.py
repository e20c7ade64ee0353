from __future__ import annotations

import pytest

from tui.draw.canvas import draw
from tui.editor.completion import Candidate
from tui.editor.suggestions import MAX_ROWS, Suggestions

SIZE = (40, 20)


def suggestions(count: int) -> Suggestions:
    return Suggestions(0, [Candidate(f"name{number}", "column", "BIGINT") for number in range(count)])


def shown(made: Suggestions, column: int, row: int) -> list[str]:
    """What is over an empty canvas, line by line."""
    canvas = made.over(draw([], *SIZE), SIZE, column, row)
    return [line.decode().rstrip() for line in canvas.text]


def test_the_list_opens_under_the_word_in_line_with_it() -> None:
    lines = shown(suggestions(2), 10, 3)
    assert lines[:3] == [""] * 3
    assert [line.index("name") for line in lines[4:6]] == [10, 10]
    assert "column  BIGINT" in lines[4]


def test_it_opens_above_where_there_is_more_room() -> None:
    lines = shown(suggestions(20), 10, 18)
    assert lines[18] == ""
    assert [line.split()[0] for line in lines[18 - MAX_ROWS : 18]] == [f"name{number}" for number in range(MAX_ROWS)]


@pytest.mark.parametrize(("rows", "chosen"), [([1], "name1"), ([-1], "name19"), ([-1, 1], "name0")])
def test_moving_goes_round(rows: list[int], chosen: str) -> None:
    made = suggestions(20)
    for step in rows:
        made.move(step)
    assert made.chosen == chosen


def test_the_current_one_is_always_in_sight() -> None:
    made = suggestions(20)
    for _ in range(20):
        assert any(made.chosen in line.split() for line in shown(made, 0, 0))
        made.move(1)


def test_at_the_right_border_it_moves_to_the_left() -> None:
    assert all(len(line) <= SIZE[0] and ("name" in line) for line in shown(suggestions(2), 39, 0)[1:3])
