"""Eyes for the tests of widgets."""

from __future__ import annotations

import urwid
from urwid import testing

SIZE = (100, 14)


def text(widget: urwid.Widget, size: tuple[int, int] = SIZE) -> str:
    """What a widget with the focus shows, line by line."""
    return "\n".join(testing.render_text(widget, size, focus=True, strip=True))
