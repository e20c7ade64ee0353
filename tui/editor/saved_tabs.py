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
    The tabs of a sitting that is over come to the next one that starts, whichever file that has.
    """

    def __init__(self, folder: Path | None) -> None:
        """Takes the first file of ``folder`` that no other sitting has; without a folder, nothing is kept."""
        self._path: Path | None = None
        self._lock: int | None = None
        self._written = b""
        self._adopted: list[tuple[Path, int]] = []
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
        return [*self._restore_own(self._path, documents), *self._adopt(self._path, documents)]

    def keep(self, documents: Documents) -> None:
        """Writes the tabs, if they are not written as they are. Raises ``FileError``."""
        if self._path is None:
            return
        tabs, here = documents.kept()
        text = msgspec.json.encode(_Kept(tabs, here))
        if text != self._written:
            write_text(self._path, text.decode(), mode=0o600)
            self._written = text
        for path, _lock in self._adopted:
            path.unlink(missing_ok=True)
        self._let_go()

    def close(self) -> None:
        """Leaves the file to the next sitting."""
        self._let_go()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = self._path = None

    def _let_go(self) -> None:
        """Leaves files of other sittings to whoever takes them next."""
        for _path, lock in self._adopted:
            os.close(lock)
        self._adopted = []

    def _restore_own(self, path: Path, documents: Documents) -> list[str]:
        try:
            self._written = path.read_bytes()
            kept = _DECODER.decode(self._written)
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError) as error:
            self._written = b""
            return [f"the tabs of the last sitting cannot be read: {error}", *self._set_aside()]
        return documents.restore(kept.tabs, kept.here)

    def _adopt(self, own: Path, documents: Documents) -> list[str]:
        """Opens the tabs of sittings that are over, behind the others. Their files go when the tabs have been written here."""
        notes: list[str] = []
        for path in _files(own.parent):
            if path == own or not path.exists() or (lock := _locked(path)) is None:
                continue
            try:
                kept = _DECODER.decode(path.read_bytes())
            except (OSError, msgspec.MsgspecError):
                os.close(lock)  # who has it next tells of it, and sets it aside
                continue
            notes += documents.adopt(kept.tabs)
            self._adopted.append((path, lock))
        return notes

    def _take_file(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            return
        for path in _files(folder):
            lock = _locked(path)
            if lock is not None:
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


def _files(folder: Path) -> list[Path]:
    return [folder / ("tabs.json" if number == 1 else f"tabs-{number}.json") for number in range(1, MAX_SITTINGS + 1)]


def _locked(path: Path) -> int | None:
    """Takes a file for this sitting; None if another one has it, or nobody can have it."""
    try:
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
