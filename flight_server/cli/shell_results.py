r"""The shell's results: how they are shown (``\pset``, ``\x``, ``\timing``), and where else they go (``\o``, ``\g``, ``\copy``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

import pyarrow as pa
from rich.box import MINIMAL, ROUNDED, Box

from flight_server.cli.progress import QueryProgress
from flight_server.cli.running_statement import RunningStatement
from flight_server.cli.shell_commands import FORCE, RunningShell, ShellCommand, ShellError, forced, nearest, switched, unquoted
from flight_server.cli.shell_targets import ResultTarget, target
from flight_server.cli.showing import PAGER_ROWS, Shown, default_rows, paged_text, rows_in, show, shown_rows, times
from flight_server.client.box_tables import TableStyle, cells_of, natural_width, printable
from flight_server.client.output import BINARY, FORMATS, FileExists, Format, write_stream
from planner.tokens import tokens

FOR_ALL = "\\g FILE writes all"
TOO_WIDE = "\\x shows rows as lines"
FOOTER_LINES = 6
SHOWN_FORMATS: tuple[Format, ...] = tuple(name for name in FORMATS if name not in BINARY)
BOXES: tuple[Box | None, ...] = (None, MINIMAL, ROUNDED)
_COPY = re.compile(r"\s+(to|from)\s+(.+)", re.IGNORECASE | re.DOTALL)


class ResultCommands:
    """Shows each result, or writes it where results go just now."""

    def __init__(self, shell: RunningShell, interpolated: Callable[[str], str], pager: Callable[[str], None]) -> None:
        self._shell = shell
        self._settings = shell.settings
        self._interpolated = interpolated
        self._pager = pager
        self._target: ResultTarget | None = None

    def commands(self) -> list[ShellCommand]:
        """These commands."""
        return [
            ShellCommand("g [FILE]", "run the statement before it, or the last; into FILE, or to |COMMAND", self._go, True, "file"),
            ShellCommand("gx", "the same, each row as lines", self._go_expanded, True),
            ShellCommand("o [FILE]", "results go to FILE or |COMMAND; alone: here again", self._redirect, argument="file"),
            ShellCommand("copy (QUERY) to FILE", "write a result, or a table, to a file", self._copy, argument="table"),
            ShellCommand("pset [NAME [VALUE]]", "format, null, border, pager … of what is shown", self._set, argument="setting"),
            ShellCommand("x [on|off]", "each row as lines, for wide tables", self._expand),
            ShellCommand("timing [on|off]", "tell when each statement was planned and gave its first rows", self._time),
        ]

    @property
    def looks(self) -> bool:
        """Whether only the first rows of a result are shown just now, to somebody who sits there."""
        return self._target is None and self._settings.format == "table" and self._shell.console.is_terminal and self._shell.ask is not None

    def take(self, execution: RunningStatement, rows: int | None = None) -> None:
        """Shows or writes the result of a statement; of what is shown ``rows``, or what a screen or the pager is for."""
        if self._target is not None:
            self._write(execution, self._target)
        elif self._settings.format == "table":
            self._show(execution, rows)
        else:
            self._print(execution)
        if self._settings.timing:
            self._shell.say(times(execution))

    def close(self) -> None:
        """Ends the file that results go to, if there is one."""
        if self._target is not None:
            ended, self._target = self._target, None
            ended.close()

    def _show(self, execution: RunningStatement, rows: int | None) -> None:
        console = self._shell.console
        paging = self._settings.pager and console.is_terminal
        most = rows or (PAGER_ROWS if paging else default_rows(console.is_terminal))
        with QueryProgress(self._shell.client, execution.query_id):
            shown = shown_rows(execution, most, "soon" if self.looks else "all")
        style = TableStyle(self._settings.null, BOXES[self._settings.border], TOO_WIDE)
        expanded = self._settings.expanded
        if paging and self._exceeds_screen(shown):
            self._pager(paged_text(shown, as_records=expanded, style=style, for_all=FOR_ALL))
            show(console, shown, footer_only=True)
        else:
            show(console, shown, as_records=expanded, style=style, for_all=FOR_ALL)

    def _exceeds_screen(self, shown: Shown) -> bool:
        width, height = self._shell.console.size
        rows, columns = int(shown.table.num_rows), int(shown.table.num_columns)
        if self._settings.expanded:
            return rows * (columns + 1) + FOOTER_LINES > height
        return rows + FOOTER_LINES > height or natural_width(cells_of(shown.table)) > width

    def _print(self, execution: RunningStatement) -> None:
        with QueryProgress(self._shell.client, execution.query_id) as progress:

            def batches() -> Iterator[pa.RecordBatch]:
                for batch in execution.batches():
                    progress.stop()  # before the first rows are printed over its bar
                    yield batch

            format = "line" if self._settings.expanded else self._settings.format
            rows = write_stream(batches(), execution.schema, format, cast("BinaryIO", _TextSink(self._shell.console.file.write)))
        self._shell.console.file.flush()
        if self._shell.ask is not None:
            self._shell.say(rows_in(rows, execution.seconds))

    def _write(self, execution: RunningStatement, target: ResultTarget) -> None:
        with QueryProgress(self._shell.client, execution.query_id) as progress:
            rows = target.write(progress.counted(execution.batches()), execution.schema)
        self._shell.say(f"{rows_in(rows, execution.seconds)} → {printable(target.name)}")

    def _open(self, argument: str, *, several: bool) -> ResultTarget:
        """Where an argument sends results. On a terminal one is asked before a file is written over."""
        path, force = forced(argument)
        default: Format = "line" if self._settings.expanded and self._settings.format == "table" else self._settings.format
        try:
            return target(path, default, replace=force, several=several)
        except FileExists:
            if self._shell.ask is None or not self._shell.ask(f"{path} exists. Write over it?"):
                raise
            return target(path, default, replace=True, several=several)

    def _redirect(self, argument: str) -> None:
        self.close()
        if argument:
            self._target = self._open(argument, several=True)
            self._shell.say(self._target.said)

    def _go(self, argument: str) -> None:
        if self._shell.last is None:
            raise ShellError("there is no statement to run yet", remedy="\\g stands behind one, or runs the last one again")
        if not argument:
            self._shell.execute_again()
        else:
            self._into(argument, self._shell.execute_again)

    def _into(self, argument: str, execute: Callable[[], None]) -> None:
        before, self._target = self._target, self._open(argument, several=False)
        try:
            execute()
        finally:
            self.close()
            self._target = before

    def _go_expanded(self, _: str) -> None:
        before, self._settings.expanded = self._settings.expanded, True
        try:
            self._go("")
        finally:
            self._settings.expanded = before

    def _copy(self, argument: str) -> None:
        source_end = _source_end(argument)
        found = _COPY.fullmatch(argument, source_end)
        if found is None or source_end == 0:
            raise ShellError("\\copy wants a query in parentheses or a table, and a file", remedy=f"\\copy (SELECT …) to 'FILE' [{FORCE}]")
        if found[1].lower() == "from":
            raise ShellError("\\copy only writes files", remedy="a query reads them: SELECT * FROM read_files('FILE')")
        source = argument[:source_end]
        sql = source[1:-1] if source.startswith("(") else f"SELECT * FROM {source}"
        self._into(found[2], lambda: self._shell.execute(self._interpolated(sql)))

    def _set(self, argument: str) -> None:
        name, _, value = argument.partition(" ")
        setters: dict[str, Callable[[str], None]] = {
            "format": self._set_format,
            "null": lambda value: setattr(self._settings, "null", value),
            "border": self._set_border,
            "pager": lambda value: setattr(self._settings, "pager", switched(self._settings.pager, value)),
            "expanded": lambda value: setattr(self._settings, "expanded", switched(self._settings.expanded, value)),
            "timing": lambda value: setattr(self._settings, "timing", switched(self._settings.timing, value)),
        }
        if name and name not in setters:
            remedy = nearest(name, setters) or f"there are {', '.join(setters)}"
            raise ShellError(f"there is no setting {printable(name)}", remedy=remedy)
        if name:
            setters[name](unquoted(value.strip()))
        for shown in [name] if name else setters:
            now = getattr(self._settings, shown)
            said = ("off", "on")[now] if isinstance(now, bool) else printable(str(now))
            self._shell.console.print(f"{shown} is {said}")

    def _set_format(self, value: str) -> None:
        found = next((name for name in SHOWN_FORMATS if name == {"md": "markdown", "aligned": "table"}.get(value, value)), None)
        if found is None:
            raise ShellError(f"there is no format {printable(value)} here", remedy=f"there are {', '.join(SHOWN_FORMATS)}")
        self._settings.format = found

    def _set_border(self, value: str) -> None:
        if value not in ("0", "1", "2"):
            raise ShellError(f"border is 0, 1 or 2, not {printable(value)}")
        self._settings.border = int(value)

    def _expand(self, argument: str) -> None:
        self._settings.expanded = switched(self._settings.expanded, argument)
        self._shell.console.print(f"rows are shown {'as lines' if self._settings.expanded else 'in a table'}")

    def _time(self, argument: str) -> None:
        self._settings.timing = switched(self._settings.timing, argument)
        self._shell.console.print(f"timing is {'on' if self._settings.timing else 'off'}")


class _TextSink:
    """Bytes of UTF-8 for something that takes text: each write is of whole characters."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def write(self, data: bytes | pa.Buffer) -> int:
        self._write(bytes(data).decode())
        return len(data)


def _source_end(argument: str) -> int:
    """Where the query in parentheses, or the table, of ``\\copy`` ends; 0 if there is none."""
    depth = end = 0
    for kind, start, token_end in tokens(argument):
        if depth == 0 and end and not (argument[start] == "." or argument[end - 1] == "."):
            break
        depth += {"open": 1, "close": -1}.get(kind, 0)
        end = token_end
        if depth == 0 and kind == "close":
            break
    return end if depth == 0 else 0
