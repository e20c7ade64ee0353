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
    with contextlib.suppress(KeyboardInterrupt), piped(command, variables) as sink:
        sink.write(text.encode("utf-8", "replace"))


@contextlib.contextmanager
def piped(command: str, variables: dict[str, str] | None = None) -> Iterator[BinaryIO]:
    """The input of a command line of the system's shell, which has ended when the context has. Ctrl-C meanwhile is the command's."""
    sys.stdout.flush()
    process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, env={**os.environ, **(variables or {})})
    assert process.stdin is not None
    try:
        # Who leaves a pager, or takes only the first lines, closes the pipe: nobody misses the rest.
        with contextlib.suppress(BrokenPipeError):
            yield cast("BinaryIO", process.stdin)
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        while process.returncode is None:
            with contextlib.suppress(KeyboardInterrupt):
                process.wait()
