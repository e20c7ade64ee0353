"""Directories that belong to one process for as long as it lives, and that its successors clear away when it died.

A claim is an advisory lock on a file inside the directory. The operating system drops it with the process, however that ends,
so that "is the owner dead?" has no race with process ids that are used again.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
import weakref
from contextlib import suppress
from pathlib import Path

LOCK_NAME = ".owner"


class ClaimedDirectory:
    """An empty directory ``parent/<prefix>-<pid>-<random>``, removed by :meth:`close` or by a successor's claim with the same prefix."""

    def __init__(self, parent: str | Path, prefix: str) -> None:
        Path(parent).mkdir(parents=True, exist_ok=True)
        remove_abandoned(parent, prefix)
        self.path = Path(parent) / f"{prefix}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        # Locked before it has its name: a successor that clears away at the same moment must not see it unowned.
        nascent = Path(parent) / f".{self.path.name}"
        nascent.mkdir(mode=0o700)
        lock = os.open(nascent / LOCK_NAME, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        nascent.rename(self.path)

        self._remove = weakref.finalize(self, _remove, self.path, lock)

    def close(self) -> None:
        """Removes the directory and all that is in it. May be called again; happens by itself when the process ends in order."""
        self._remove()


def _remove(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def remove_abandoned(parent: str | Path, prefix: str) -> list[str]:
    """Removes the directories of that prefix whose owners are dead; returns their names."""
    removed = []
    for entry in sorted(Path(parent).glob(f"{prefix}-*")):
        if _abandoned(entry):
            shutil.rmtree(entry, ignore_errors=True)
            removed.append(entry.name)
    return removed


def _abandoned(directory: Path) -> bool:
    try:
        lock = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        # Its removal was cut short, or it is being removed just now: either way it is nobody's.
        return directory.is_dir()
    with suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(lock)
        return True
    os.close(lock)
    return False
