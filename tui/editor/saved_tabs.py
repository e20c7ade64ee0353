"""The tabs of the editor across sittings: a file in the state folder, written whole while one types and read at the next start."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from tui.editor.documents import Documents, KeptTab
from tui.editor.text_files import write_text

KEEP_SECONDS = 2.0
"""A crash loses what was typed in so long a time."""
MAX_SITTINGS = 16
"""Sittings at a time that keep tabs of their own."""


class _Kept(msgspec.Struct, frozen=True):
    """What the file holds: the tabs in their order, and the number of the one in sight."""

    tabs: list[KeptTab]
    here: int = 0


_DECODER = msgspec.json.Decoder(_Kept)


class SavedTabs:
    """Keeps the tabs of one sitting. Belongs to the thread of the loop.

    Each sitting that is open at a time has a file of its own, so that none writes over another's tabs; the first has ``tabs.json``.
    """

    def __init__(self, folder: Path | None) -> None:
        """Takes the first file of ``folder`` that no other sitting has; without a folder, nothing is kept."""
        self._path: Path | None = None
        self._lock: int | None = None
        self._written = b""
        if folder is not None:
            self._take_file(folder)

    @property
    def keeps(self) -> bool:
        """Whether tabs come back at the next start."""
        return self._path is not None

    def restore(self, documents: Documents) -> list[str]:
        """Opens the tabs of the last sitting; returns what its user should know of them, a line each."""
        if self._path is None:
            return []
        try:
            self._written = self._path.read_bytes()
            kept = _DECODER.decode(self._written)
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError) as error:
            self._written = b""
            return [f"the tabs of the last sitting cannot be read: {error}", *self._set_aside()]
        return documents.restore(kept.tabs, kept.here)

    def keep(self, documents: Documents) -> None:
        """Writes the tabs, if they are not written as they are. Raises ``FileError``."""
        if self._path is None:
            return
        tabs, here = documents.kept()
        text = msgspec.json.encode(_Kept(tabs, here))
        if text != self._written:
            write_text(self._path, text.decode(), mode=0o600)
            self._written = text

    def close(self) -> None:
        """Leaves the file to the next sitting."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = self._path = None

    def _take_file(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            return
        for number in range(1, MAX_SITTINGS + 1):
            path = folder / ("tabs.json" if number == 1 else f"tabs-{number}.json")
            try:
                lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            except OSError:
                return
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                continue
            self._path, self._lock = path, lock
            return

    def _set_aside(self) -> list[str]:
        """What cannot be read is not written over: it may be of a newer version, or be mended by hand."""
        assert self._path is not None
        aside = self._path.with_suffix(".unread")
        try:
            os.replace(self._path, aside)
        except OSError as error:
            self._path = None
            return [f"tabs are not kept this time: {error.strerror}"]
        return [f"it is {aside} now"]
