"""A shell that is typed into, and prints to a text."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from flight_server.cli.shell_session import ShellSession
from flight_server.client import Client


class TypedShell:
    """A session without a terminal, or at one of ``size`` columns and rows whose pager keeps what it is shown in ``paged``."""

    def __init__(
        self, client: Client, queries: Path, *, ask: Callable[[str], bool] | None = None, size: tuple[int, int] | None = None
    ) -> None:
        self.slept: list[float] = []
        self.paged: list[str] = []
        self._out = io.StringIO()
        width, height = size or (200, 50)
        console = Console(
            file=self._out, width=width, height=height, highlight=False, markup=False, force_terminal=size is not None, color_system=None
        )
        self.session = ShellSession(client, console, console, sleep=self._sleep, ask=ask, pager=self.paged.append, queries=queries)

    def run(self, text: str) -> str:
        """What is printed for ``text``."""
        before = len(self._out.getvalue())
        assert self.session.run(text)
        return self._out.getvalue()[before:]

    def __enter__(self) -> TypedShell:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == 2:
            raise KeyboardInterrupt
