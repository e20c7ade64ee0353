from __future__ import annotations

from urwid import testing

from tui.draw.popup import TextView
from tui.panes.split import SHARES, SplitScreen

SIZE = (20, 10)


class Filled(TextView):
    """Takes keys, and remembers them, but for ``up`` and ``down``."""

    def __init__(self, fill: str) -> None:
        super().__init__([[("text", fill)]] * SIZE[1])
        self.pressed: list[str] = []

    def keypress(self, size: tuple[int, int], key: str) -> str | None:
        self.pressed.append(key)
        return key if key in ("up", "down") else None


def split() -> SplitScreen:
    return SplitScreen(Filled("u"), Filled("l"))


def upper_rows(made: SplitScreen) -> int:
    return sum("u" in line for line in testing.render_text(made, SIZE))


def test_the_border_moves_between_two_ends() -> None:
    made = split()
    assert upper_rows(made) == 4
    for _ in SHARES:
        made.grow(1)
    assert upper_rows(made) == 7
    for _ in SHARES:
        made.grow(-1)
    assert upper_rows(made) == 2


def test_zoomed_the_lower_widget_has_all_rows_and_going_up_gives_them_back() -> None:
    made = split()
    made.zoom()
    assert (upper_rows(made), made.in_lower) == (0, True)
    made.go(lower=False)
    assert (upper_rows(made), made.in_lower) == (4, False)


def test_keys_go_to_the_widget_with_the_focus_and_never_move_it() -> None:
    made = split()
    assert testing.press(made, SIZE, "down", "x") == ["down"]
    made.go(lower=True)
    assert testing.press(made, SIZE, "up", "y") == ["up"]
    assert (made.upper.pressed, made.lower.pressed) == (["down", "x"], ["up", "y"])
    assert made.in_lower
