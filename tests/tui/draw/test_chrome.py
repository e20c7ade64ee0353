from __future__ import annotations

import pytest
from urwid import testing

from tui import keys
from tui.draw.chrome import KeyLine


@pytest.mark.parametrize("context", keys.TITLES)
@pytest.mark.parametrize("columns", [30, 80, 120])
def test_the_last_line_says_where_all_keys_are_listed_however_narrow_it_is(context: str, columns: int) -> None:
    line = KeyLine(lambda: 0.0, lambda _key: None)
    line.show(context)
    assert " F1 keys" in testing.render_text(line, (columns,))[0]
