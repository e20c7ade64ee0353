"""The statements that were run, across sittings: a file of JSON lines, newest last."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

MAX_ENTRIES = 2_000
MAX_SQL_CHARS = 100_000


class PastStatement(msgspec.Struct, frozen=True):
    """A statement that was run: when (Unix seconds), how it ended, its rows and seconds."""

    sql: str
    at: float
    state: str = "completed"
    rows: int = 0
    seconds: float = 0.0


_ENTRIES = msgspec.json.Decoder(PastStatement)


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the program keeps what outlives it: in the user's state folder (``XDG_STATE_HOME``)."""
    base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "volley"


class History:
    """Reads once, appends at each statement. A file that cannot be written keeps the history in memory only."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._entries = _read(path) if path is not None else []

    def add(self, sql: str, state: str, rows: int, seconds: float) -> None:
        entry = PastStatement(sql[:MAX_SQL_CHARS], time.time(), state, rows, seconds)
        self._entries.append(entry)
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(msgspec.json.encode(entry) + b"\n")
        except OSError:
            self._path = None

    def newest(self) -> list[PastStatement]:
        """Each statement once, the one run last first."""
        seen: dict[str, PastStatement] = {}
        for entry in reversed(self._entries):
            seen.setdefault(" ".join(entry.sql.split()), entry)
        return list(seen.values())


def _read(path: Path) -> list[PastStatement]:
    """The last entries of the file; lines that are no entries (cut off, from a newer version) are passed over."""
    try:
        lines = path.read_bytes().splitlines()[-MAX_ENTRIES:]
    except OSError:
        return []
    entries = []
    for line in lines:
        try:
            entries.append(_ENTRIES.decode(line))
        except msgspec.MsgspecError:
            continue
    return entries
