"""What the shell does with what was typed: statements, and commands that begin with a backslash. Knows no terminal but its console.

The commands are in a module for each group: ``shell_tables`` (what there is), ``shell_results`` and ``shell_targets`` (how results are
shown, and where they go), ``shell_scripts`` (files, the editor, queries with a name), ``shell_variables``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from flight_server.cli.paging import page
from flight_server.cli.running_statement import RunningStatement
from flight_server.cli.shell_commands import ShellCommand, ShellError, ShellSettings, nearest
from flight_server.cli.shell_results import ResultCommands
from flight_server.cli.shell_scripts import ScriptCommands
from flight_server.cli.shell_tables import TableCommands
from flight_server.cli.shell_variables import VariableCommands, interpolated
from flight_server.cli.state_folder import state_folder
from flight_server.client import Client
from flight_server.client.box_tables import printable
from flight_server.client.statements import is_complete, split_statements
from planner.errors import VolleyError
from planner.tokens import tokens

WATCH_SECONDS = 2.0
NO_TABLES = "no tables here: the server shows the Parquet, CSV and JSON files of the folders that it was given with --data"
LEAVING = ("exit", "quit")
HELP = "help"
QUIT = "q"
_DOTTED = re.compile(r"\.[a-z]+\b")
_LIKE_DOTTED = {
    "tables": "\\d",
    "schema": "\\d TABLE",
    "mode": "\\pset format",
    "output": "\\o",
    "once": "\\g FILE",
    "read": "\\i",
    "timer": "\\timing",
}
"""What the commands of other shells, which begin with a dot, are called here."""


def command_start(text: str) -> int | None:
    """Where the first command of ``text`` begins: at a backslash that is in no string, name or comment."""
    return next((start for kind, start, _ in tokens(text) if kind == "other" and text[start] == "\\"), None)


def ends(text: str) -> bool:
    """Whether Enter runs ``text``: a command, a whole statement, or nothing at all."""
    stripped = text.strip()
    return (
        not stripped
        or stripped in (*LEAVING, HELP)
        or bool(_DOTTED.match(stripped))
        or is_complete(text)
        or command_start(text) is not None
    )


class ShellSession:
    """Runs what was typed. Errors are printed to ``errors``, not raised, and ``failures`` counts them; ``interrupted``: a Ctrl-C was one.

    ``ask`` asks whoever is at the terminal yes or no, None where nobody is; ``queries`` is the folder of queries with a name.
    """

    def __init__(
        self,
        client: Client,
        console: Console,
        errors: Console,
        *,
        sleep: Callable[[float], None] = time.sleep,
        ask: Callable[[str], bool] | None = None,
        pager: Callable[[str], None] = page,
        queries: Path | None = None,
        no_tables: str = NO_TABLES,
    ) -> None:
        self.client = client
        self.console = console
        self.settings = ShellSettings()
        self.last: str | None = None
        self.ask = ask
        self.failures = 0
        self.interrupted = False
        self._again: tuple[str, Sequence[object]] = ("", ())
        self._errors = errors
        self._sleep = sleep
        self._variables = VariableCommands(self)
        self._results = ResultCommands(self, self._interpolated, pager)
        self._scripts = ScriptCommands(self, state_folder() / "queries" if queries is None else queries)
        commands = [
            *TableCommands(self, no_tables).commands(),
            *self._results.commands(),
            *self._scripts.commands(),
            *self._variables.commands(),
            ShellCommand("watch [SECONDS]", "run the statement before it, or the last, again and again, until Ctrl-C", self._watch, True),
            ShellCommand("?", "this help", self._help),
            ShellCommand(QUIT, "leave (or Ctrl-D)", lambda _: None),
        ]
        self.commands = {command.name: command for command in commands}

    def run(self, text: str) -> bool:
        """Runs statements and commands; returns whether the shell goes on."""
        try:
            return self.run_text(text)
        except KeyboardInterrupt:
            self.interrupted = True
            self.console.print(Text("killed", style="yellow"))
        except VolleyError as error:
            self.failures += 1
            self._errors.print(Text(f"error: {error}", style="red"), soft_wrap=True)
        return True

    def run_text(self, text: str, file: str | None = None) -> bool:
        """Runs ``text`` up to the first error, which is raised; one of a statement of ``file`` with its place there."""
        for start, statements, command in _pieces(text):
            word = statements.strip().rstrip(";")
            if word in LEAVING and file is None:
                return False
            if word == HELP:
                self._help("")
                continue
            if (dotted := _DOTTED.match(word)) is not None:
                called = _LIKE_DOTTED.get(dotted[0][1:])
                raise ShellError(
                    f"commands begin with a backslash, not {dotted[0]}", remedy=f"{f'it is {called} here; ' if called else ''}\\? lists all"
                )
            taken = None if command is None else self._command(command)
            if taken is not None and not taken[0].takes_statement and split_statements(statements) and not is_complete(statements):
                raise ShellError(
                    f"\\{taken[0].name} cannot stand behind an unfinished statement", remedy="end it with ; or run it with \\g"
                )
            left = self._statements(text, start, statements, file, keep_last=taken is not None and taken[0].takes_statement)
            if left is not None:
                self.remember(left, left)
            if taken is not None:
                if taken[0].name == QUIT:
                    return False
                taken[0].run(taken[1])
        return True

    def execute(self, sql: str, parameters: Sequence[object] = (), *, rows: int | None = None) -> None:
        """Runs one statement and shows its result, or writes it where results go. ``rows``: so many are shown, not a screenful."""
        with RunningStatement(self.client, sql, parameters, look=self._results.looks) as execution:
            self._results.take(execution, rows)

    def execute_again(self) -> None:
        """Runs the last statement once more, with the values that it had."""
        self.execute(*self._again)

    def remember(self, text: str, sql: str, parameters: Sequence[object] = ()) -> None:
        """The last statement is ``text`` from now on, which runs as ``sql`` with values."""
        self.last, self._again = text, (sql, parameters)

    def say(self, text: str) -> None:
        """Tells something that is no data."""
        self.console.print(Text(text, style="dim"), soft_wrap=True)

    def take_edited(self) -> str:
        """What came out of the editor unfinished: the next prompt begins with it."""
        edited, self._scripts.edited = self._scripts.edited, ""
        return edited

    def query_names(self) -> list[str]:
        """The queries that have a name."""
        return self._scripts.names()

    def close(self) -> None:
        """Closes the file that results go to, if there is one."""
        self._results.close()

    def _command(self, text: str) -> tuple[ShellCommand, str]:
        name, _, argument = text.rstrip().rstrip(";").strip().partition(" ")
        command = self.commands.get(name)
        if command is None:
            remedy = nearest(name, self.commands, "\\")
            raise ShellError(f"there is no command \\{printable(name)}", remedy=f"{remedy} \\? lists all" if remedy else "\\? lists them")
        return command, argument.strip()

    def _statements(self, text: str, start: int, piece: str, file: str | None, *, keep_last: bool) -> str | None:
        """Runs the statements of a piece of ``text``; with ``keep_last`` all but the last, which is returned."""
        statements = split_statements(self._interpolated(piece))
        kept = statements.pop() if keep_last and statements else None
        for statement in statements:
            self.remember(statement.text, statement.text)
            try:
                self.execute(statement.text)
            except VolleyError as error:
                if file is None:
                    raise
                line, column, message = statement.placed(str(error))
                line += text.count("\n", 0, start)
                raise ShellError(f"{file}:{line}{'' if column is None else f':{column}'}: {message}") from error
        return None if kept is None else kept.text

    def _interpolated(self, sql: str) -> str:
        return interpolated(sql, self._variables.values)

    def _watch(self, argument: str) -> None:
        if self.last is None:
            raise ShellError("there is no statement to watch yet")
        try:
            seconds = float(argument) if argument else WATCH_SECONDS
        except ValueError:
            raise ShellError(f"\\watch takes seconds, not {printable(argument)}") from None
        paging, self.settings.pager = self.settings.pager, False  # each round would wait in it for somebody to leave
        try:
            while True:
                self.console.print(Text(time.strftime("%H:%M:%S"), style="bold"))
                self.execute_again()
                self._sleep(max(0.1, seconds))
        finally:
            self.settings.pager = paging

    def _help(self, _: str) -> None:
        width = max(len(command.usage) for command in self.commands.values()) + 3
        self.console.print(f"{'SELECT …;'.ljust(width)}runs a statement; it may go over several lines, up to its semicolon")
        for command in self.commands.values():
            self.console.print(f"\\{command.usage}".ljust(width) + command.help)
        self.console.print("--force behind a file writes over it. Ctrl-C kills the statement that runs, or clears the line.")


def _pieces(text: str) -> Iterator[tuple[int, str, str | None]]:
    """``text`` cut behind each command: where each piece begins, the statements before the command, and the command to its line's end."""
    start = 0
    while (found := command_start(text[start:])) is not None:
        end = text.find("\n", start + found)
        end = len(text) if end < 0 else end
        yield start, text[start : start + found], text[start + found + 1 : end]
        start = end
    yield start, text[start:], None
