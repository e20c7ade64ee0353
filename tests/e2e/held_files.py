"""Files that nobody can open until a test says so: whoever tries waits, and so a scan stands still at a known place."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType


class HeldFiles:
    """Holds ``files`` while its block runs, or until :meth:`let_go`; at most for the 45 s that Linux allows (``fs.lease-break-time``)."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._open: list[int] = []

    def __enter__(self) -> HeldFiles:
        # A lease's holder is told by this signal, which would end the process, that somebody wants the file.
        self._before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        for file in self._files:
            self._open.append(os.open(file, os.O_RDWR))
            fcntl.fcntl(self._open[-1], fcntl.F_SETLEASE, fcntl.F_WRLCK)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.let_go()
        signal.signal(signal.SIGIO, self._before)

    def let_go(self) -> None:
        """From now on the files can be opened."""
        while self._open:
            os.close(self._open.pop())
