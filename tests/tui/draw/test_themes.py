from __future__ import annotations

import pytest
import urwid

from tui.draw.themes import THEMES, choose_theme, count_colours, palette


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_themes_have_the_same_names_and_are_valid(theme: str) -> None:
    assert THEMES[theme].keys() == THEMES["dark"].keys()

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
