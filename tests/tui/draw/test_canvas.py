from __future__ import annotations

import pytest

from tui.draw.canvas import draw, visible, width


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\tb\r\n", "\x9b1m", "right\u202eleft", "zero\u200bwidth", "\ud800 half", "\ufefffirst", "漢字 e\u0301"]
)
def test_what_a_terminal_would_obey_is_drawn_as_dots_and_fills_its_columns(text: str) -> None:
    canvas = draw([[("text", text)]], 20, 1)
    drawn = canvas.text[0].decode()
    assert drawn == visible(text) + " " * (20 - width(visible(text)))
    assert drawn.replace("\u0301", "").isprintable()
