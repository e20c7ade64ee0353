"""What every group of the shell's commands is made of: a command, what it may do with the shell, and what can be wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rich.console import Console

from flight_server.client import Client
from flight_server.client.box_tables import printable
from flight_server.client.output import Format
from planner.errors import Status, VolleyError

FORCE = "--force"


class ShellError(VolleyError):
    """A command of the shell that cannot be done."""

    status = Status.INVALID_ARGUMENT


@dataclass(slots=True)
class ShellSettings:
    """How results are shown; ``\\pset`` changes it. ``border``: 0 none, 1 between columns, 2 all around."""

    format: Format = "table"
    null: str = "NULL"
    border: int = 2
    pager: bool = True
    expanded: bool = False
    timing: bool = False


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """A command: ``usage`` begins with its name, without the backslash. ``takes_statement``: it may stand behind an unfinished one."""

    usage: str
    help: str
    run: Callable[[str], None]
    takes_statement: bool = False
    argument: Literal["", "file", "table", "setting", "query"] = ""

    @property
    def name(self) -> str:
        """What one types behind the backslash."""
        return self.usage.partition(" ")[0]


class RunningShell(Protocol):
    """What commands may use of the shell."""

    client: Client
    console: Console
    settings: ShellSettings
    last: str | None
    """The statement that ran last, or is about to: what the editor shows."""
    ask: Callable[[str], bool] | None
    """Asks whoever is at the terminal yes or no; None where nobody is."""

    def execute(self, sql: str, parameters: Sequence[object] = (), *, rows: int | None = None) -> None:
        """Runs one statement and shows its result, or writes it where results go. ``rows``: so many are shown, not a screenful."""

    def execute_again(self) -> None:
        """Runs the last statement once more, with the values that it had. There must be one."""

    def remember(self, text: str, sql: str, parameters: Sequence[object] = ()) -> None:
        """The last statement is ``text`` from now on, which runs as ``sql`` with values."""

    def run_text(self, text: str, file: str | None = None) -> bool:
        """Runs statements and commands; ``file`` is where they are from. Returns whether the shell goes on."""

    def say(self, text: str) -> None:
        """Tells something that is no data."""


def switched(now: bool, argument: str) -> bool:
    """What a switch becomes: the other way round, unless ``argument`` says on or off."""
    match argument.lower():
        case "":
            return not now
        case "on" | "off" as said:
            return said == "on"
    raise ShellError(f"on or off, not {printable(argument)}")


def unquoted(argument: str) -> str:
    """An argument without the quotes around it, if it has some."""
    quoted = len(argument) >= 2 and argument[0] == argument[-1] and argument[0] in "'\""
    return argument[1:-1].replace(argument[0] * 2, argument[0]) if quoted else argument


def forced(argument: str) -> tuple[str, bool]:
    """A file argument, and whether ``--force`` stood behind it."""
    words = argument.rsplit(None, 1)
    return (unquoted(words[0]), True) if len(words) == 2 and words[1] == FORCE else (unquoted(argument), False)


def nearest(word: str, known: Iterable[str], before: str = "") -> str | None:
    """``do you mean …?`` with those of ``known`` that look like ``word``; None if none does."""
    near = difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)
    return f"do you mean {' or '.join(before + name for name in near)}?" if near else None
