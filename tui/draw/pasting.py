"""What the terminal pastes, in one piece: urwid makes a key of each letter, which takes a megabyte half a minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import urwid

_BEGIN, _END = b"\x1b[200~", b"\x1b[201~"
_LARGEST_BYTE = 255  # codes above it are other events


class Pasted(str):
    """A text between ``begin paste`` and ``end paste``, as it came; it is no key, whatever it says."""

    __slots__ = ()


class PastingScreen(urwid.display.raw.Screen):
    """The terminal. What is pasted comes as the keys ``begin paste``, a ``Pasted``, ``end paste``.

    Bracketed paste is switched on unasked: a terminal without it passes over that, and some that have it (tmux 3.3) do not answer.
    """

    def __init__(self) -> None:
        super().__init__(bracketed_paste_mode=True)
        self._pasted: bytearray | None = None

    def parse_input(self, event_loop: Any, callback: Callable[..., Any] | None, codes: list[int], wait_for_more: bool = True) -> Any:
        """As urwid has it, but for what is pasted."""
        if callback is None or any(code > _LARGEST_BYTE for code in codes):
            return super().parse_input(event_loop, callback, codes, wait_for_more)
        if self._pasted is not None:
            looked_at = max(0, len(self._pasted) - len(_END))
            self._pasted += bytes(codes)
            end = self._pasted.find(_END, looked_at)
            if end >= 0:
                text, rest = self._pasted[:end].decode("utf-8", "replace"), list(self._pasted[end + len(_END) :])
                self._pasted = None
                callback(["begin paste", Pasted(text.replace("\r\n", "\n").replace("\r", "\n")), "end paste"], [])
                self.parse_input(event_loop, callback, rest, wait_for_more)
            return None
        begin = bytes(codes).find(_BEGIN)
        if begin < 0:
            return super().parse_input(event_loop, callback, codes, wait_for_more)
        super().parse_input(event_loop, callback, codes[:begin], wait_for_more=False)
        self._pasted = bytearray()
        return self.parse_input(event_loop, callback, codes[begin + len(_BEGIN) :], wait_for_more)
