"""The user's pager, in which wide tables are scrolled sideways."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import BinaryIO, cast

PAGER = "less -SRX"
LESS = "SRX"  # what ``less`` does where only its name is known: lines are not folded, colours shown, the screen left as it is


def page(text: str) -> None:
    """Shows ``text`` in ``$PAGER``, or ``less -SRX``, until it is left; prints it where there is none."""
    command = os.environ.get("PAGER") or PAGER
    words = shlex.split(command)
    if not words or shutil.which(words[0]) is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    variables = {"LESS": os.environ.get("LESS", LESS), "LESSCHARSET": "utf-8"}
    with contextlib.suppress(KeyboardInterrupt), piped(command, variables) as process:
        sink_of(process).write(text.encode("utf-8", "replace"))


def sink_of(process: subprocess.Popen[bytes]) -> BinaryIO:
    """What :func:`piped` gives its command to read."""
    assert process.stdin is not None
    return cast("BinaryIO", process.stdin)


@contextlib.contextmanager
def piped(command: str, variables: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A command line of the system's shell that reads what one writes, and has ended when the context has. Ctrl-C meanwhile is its own."""
    sys.stdout.flush()
    process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, env={**os.environ, **(variables or {})})
    sink = sink_of(process)
    try:
        # Who leaves a pager, or takes only the first lines, closes the pipe: nobody misses the rest.
        with contextlib.suppress(BrokenPipeError):
            yield process
    finally:
        with contextlib.suppress(BrokenPipeError):
            sink.close()
        while process.returncode is None:
            with contextlib.suppress(KeyboardInterrupt):
                process.wait()
