"""What libraries and an embedded server write to the standard error goes to a file while the screen is ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_LOG_BYTES = 1 << 20


@contextmanager
def stderr_aside(path: Path) -> Iterator[None]:
    """Lets descriptor 2 write to ``path`` instead of the terminal; nowhere if that cannot be written. Undone at the end."""
    sys.stderr.flush()
    terminal = os.dup(2)
    target = _open(path)
    os.dup2(target, 2)
    os.close(target)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)


def _open(path: Path) -> int:
    """The file, begun anew when it has grown large."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        large = path.exists() and path.stat().st_size > MAX_LOG_BYTES
        return os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if large else os.O_APPEND), 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
