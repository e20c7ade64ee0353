"""What the shell does with what was typed: statements, and the commands that begin with a backslash. Knows no terminal but its console."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

from flight_server.cli.progress import QueryProgress
from flight_server.cli.running_statement import RunningStatement
from flight_server.cli.showing import default_rows, file_console, show, shown_rows
from flight_server.client import Client
from flight_server.client.box_tables import Cells, print_table, printable
from flight_server.client.sql_words import quoted
from flight_server.client.statements import split_statements
from flight_server.settings.quantities import format_seconds, format_size
from planner.errors import VolleyError

WATCH_SECONDS = 2.0

HELP = """\
SELECT …;            runs a statement; it may go over several lines, up to its semicolon
\\d [TABLE]           tables, or the columns of one
\\dt                  tables with rows, files and bytes
\\timing [on|off]     tell when each statement was planned and gave its first rows
\\x [on|off]          each row as lines, for wide tables
\\watch [SECONDS]     run the last statement again and again, until Ctrl-C
\\i FILE              run the statements of a file
\\o [FILE]            write results to a file; without one, to the terminal again
\\?                   this help
\\q                   leave (or Ctrl-D)
Ctrl-C kills the statement that runs, or clears the line."""


class ShellError(VolleyError):
    """A command of the shell that cannot be done."""


class ShellSession:
    """Runs what was typed. Errors are printed to ``errors``, not raised, and ``failures`` counts them."""

    def __init__(self, client: Client, console: Console, errors: Console, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.failures = 0
        self._client = client
        self._console = console
        self._errors = errors
        self._sleep = sleep
        self._timing = False
        self._expanded = False
        self._last: str | None = None
        self._file: TextIO | None = None
        self._commands: dict[str, Callable[[str], None]] = {
            "d": self._describe,
            "dt": self._tables,
            "timing": self._set_timing,
            "x": self._set_expanded,
            "watch": self._watch,
            "i": self._include,
            "o": self._redirect,
            "?": lambda _: self._console.print(HELP),
        }

    def run(self, text: str) -> bool:
        """Runs statements or one command; returns whether the shell goes on."""
        text = text.strip()
        if text in ("\\q", "exit", "quit", "exit;", "quit;"):
            return False
        try:
            if text.startswith("\\"):
                self._command(text[1:])
            else:
                self._statements(text)
        except KeyboardInterrupt:
            self._console.print(Text("killed", style="yellow"))
        except VolleyError as error:
            self.failures += 1
            self._errors.print(Text(f"error: {error}", style="red"), soft_wrap=True)
        return True

    def close(self) -> None:
        """Closes the file that results go to, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _command(self, text: str) -> None:
        name, _, argument = text.rstrip(";").strip().partition(" ")
        command = self._commands.get(name)
        if command is None:
            raise ShellError(f"there is no command \\{printable(name)}", remedy="\\? lists them")
        command(argument.strip())

    def _statements(self, text: str) -> None:
        for statement in split_statements(text):
            self._last = statement.text
            self._execute(statement.text)

    def _execute(self, sql: str) -> None:
        with RunningStatement(self._client, sql) as execution:
            with QueryProgress(self._client, execution.query_id):
                shown = shown_rows(execution, default_rows(), count_all=True)
            console = self._console if self._file is None else file_console(self._file)
            show(console, shown, as_records=self._expanded)
            if self._timing:
                planned, first = execution.planned_seconds or 0.0, execution.first_seconds or shown.seconds
                said = f"planned {format_seconds(planned)} · first rows {format_seconds(first)} · all {format_seconds(shown.seconds)}"
                self._console.print(Text(said, style="dim"))

    def _describe(self, table: str) -> None:
        if table:
            self._execute(f"DESCRIBE {table if table.startswith(chr(34)) else quoted(table)}")
            return
        tables = self._client.tables(details=False)
        self._print([Cells("table", "", False, tuple(printable(t.name) for t in tables))], empty="no tables here")

    def _tables(self, _: str) -> None:
        tables = self._client.tables(details=True)
        self._print(
            [
                Cells("table", "", False, tuple(printable(t.name) for t in tables)),
                Cells("rows", "", True, tuple("" if t.rows is None else f"{t.rows:,}" for t in tables)),
                Cells("columns", "", True, tuple(str(len(t.columns)) for t in tables)),
                Cells("files", "", True, tuple(str(t.files) for t in tables)),
                Cells("size", "", True, tuple(format_size(t.bytes) for t in tables)),
                Cells("error", "", False, tuple(printable(t.error or "") for t in tables)),
            ],
            empty="no tables here",
        )

    def _print(self, columns: list[Cells], empty: str) -> None:
        shown = [column for column in columns if column.name != "error" or any(column.values)]
        if columns[0].values:
            print_table(self._console, shown, types=False)
        else:
            self._console.print(Text(empty, style="dim"))

    def _set_timing(self, argument: str) -> None:
        self._timing = _switched(self._timing, argument)
        self._console.print(f"timing is {'on' if self._timing else 'off'}")

    def _set_expanded(self, argument: str) -> None:
        self._expanded = _switched(self._expanded, argument)
        self._console.print(f"rows are shown {'as lines' if self._expanded else 'in a table'}")

    def _watch(self, argument: str) -> None:
        if self._last is None:
            raise ShellError("there is no statement to watch yet")
        try:
            seconds = float(argument) if argument else WATCH_SECONDS
        except ValueError:
            raise ShellError(f"\\watch takes seconds, not {printable(argument)}") from None
        while True:
            self._console.print(Text(time.strftime("%H:%M:%S"), style="bold"))
            self._execute(self._last)
            self._sleep(max(0.1, seconds))

    def _include(self, argument: str) -> None:
        try:
            text = Path(argument).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ShellError(f"cannot read {printable(argument) or 'a file without a name'}: {reason}") from None
        self._statements(text)

    def _redirect(self, argument: str) -> None:
        self.close()
        if not argument:
            return
        try:
            self._file = Path(argument).expanduser().open("w", encoding="utf-8")
        except OSError as error:
            raise ShellError(f"cannot write {printable(argument)}: {error.strerror}") from None


def _switched(now: bool, argument: str) -> bool:
    match argument.lower():
        case "":
            return not now
        case "on":
            return True
        case "off":
            return False
    raise ShellError(f"on or off, not {printable(argument)}")
