"""Copying, for the editor and for other programs."""

from __future__ import annotations

from dataclasses import dataclass

import urwid

from tui.draw.chrome import Say
from tui.editor.documents import Documents

MAX_TOLD_CHARACTERS = 60


@dataclass(frozen=True)
class Clipboard:
    """The pasteboard of the editor's tabs and, where the terminal has one, its clipboard."""

    documents: Documents
    screen: urwid.BaseScreen
    say: Say

    def copy(self, text: str) -> None:
        """Puts a text on both, and says so."""
        self.documents.pasteboard.text = text
        if hasattr(self.screen, "copy_to_clipboard"):
            self.screen.copy_to_clipboard(text)
        short = len(text) < MAX_TOLD_CHARACTERS and "\n" not in text
        self.say(f"copied: {text}" if short else f"copied {len(text):,} characters")
