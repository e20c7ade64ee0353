from __future__ import annotations

import pytest

from tui.draw.pasting import Pasted, PastingScreen

TYPED = b"a\x1b[200~SELECT '\xc3\xa4\xff',\r\n\t2\r\x1b[A\x1b[200~\x1b[201~b\x1b[200~f5\x1b[201~"
KEYS = ["a", "begin paste", "SELECT 'ä�',\n\t2\n\x1b[A\x1b[200~", "end paste", "b", "begin paste", "f5", "end paste"]


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 1000])
def test_what_is_pasted_comes_in_one_piece_however_the_terminal_cuts_it(size: int) -> None:
    screen = PastingScreen()
    keys: list[object] = []
    for piece in (TYPED[start : start + size] for start in range(0, len(TYPED), size)):
        screen.parse_input(None, lambda found, _raw: keys.extend(found), [*screen._partial_codes, *piece])
    assert keys == KEYS
    assert [type(key) for key in keys if key == "f5"] == [Pasted]
