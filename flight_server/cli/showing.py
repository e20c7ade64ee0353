"""A result as a table on stdout: its first rows, how many more there are, and how long it took."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TextIO

import pyarrow as pa
from rich.console import Console
from rich.text import Text

from flight_server.cli.paging import page
from flight_server.cli.running_statement import RunningStatement
from flight_server.client.box_tables import (
    PLAIN_STYLE,
    UNCUT_CELLS,
    TableStyle,
    cells_of,
    print_record,
    print_table,
    uncut_record,
    uncut_table,
)
from flight_server.settings.quantities import format_seconds

TERMINAL_ROWS = 40
PIPE_ROWS = 1_000
PAGER_ROWS = 2_000
COUNT_SECONDS = 1.0
FOR_ALL = "-o FILE writes all"
FOR_COUNT = "SELECT count(*) counts them"

Counting = Literal["all", "soon", "none"]
"""How long one waits to know how many rows there are: until the query has ended, at most ``COUNT_SECONDS``, not at all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The part of a result that is shown. ``total`` counts all its rows; None if nobody waited to know, and ``least`` are there then."""

    table: pa.Table
    total: int | None
    seconds: float
    least: int | None = None

    @property
    def footer(self) -> str:
        """``3 rows · 12 ms``, ``245,760+ rows · 80 ms`` where there are more, ``3 rows shown · 12 ms`` where nobody asked."""
        if self.total is not None:
            said = rows_said(self.total)
        else:
            said = f"{rows_said(self.table.num_rows)} shown" if self.least is None else f"{self.least:,}+ rows"
        return f"{said} · {format_seconds(self.seconds)}"


def stdout_console() -> Console:
    """A console on stdout: the terminal's width, or all that the text needs when stdout is a file or a pipe."""
    console = Console(file=sys.stdout, highlight=False, emoji=False, markup=False)
    return console if console.is_terminal else file_console(sys.stdout)


def file_console(file: TextIO) -> Console:
    """A console on a file, in which nothing is cut to a width."""
    return Console(file=file, highlight=False, emoji=False, markup=False, width=UNCUT_CELLS)


def default_rows(terminal: bool) -> int:
    """How many rows a table shows when nobody said: a screenful on a terminal, more in a pipe."""
    return TERMINAL_ROWS if terminal else PIPE_ROWS


def first_rows(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The batches of the first ``rows`` rows."""
    for batch in batches:
        if rows <= 0:
            return
        yield batch.slice(0, rows)
        rows -= batch.num_rows


def shown_rows(execution: RunningStatement, rows: int, counting: Counting) -> Shown:
    """The first ``rows`` rows, and how many there are as far as ``counting`` waits for that. What is not wanted then is let go.

    Raises ``ClientError`` when the query fails, on the way or later.
    """
    head = pa.Table.from_batches(list(execution.batches(rows + 1)), execution.schema)
    total: int | None = head.num_rows
    least: int | None = None
    if head.num_rows > rows:
        total = None
        match counting:
            case "all":
                total = execution.total_rows()
            case "soon":
                made = execution.rows_made(COUNT_SECONDS)
                total, least = (made, None) if execution.whole else (None, made)
    execution.let_go()
    return Shown(head.slice(0, rows), total, execution.seconds, least)


def show(
    console: Console,
    shown: Shown,
    *,
    as_records: bool = False,
    status: str = "",
    footer_only: bool = False,
    style: TableStyle = PLAIN_STYLE,
    for_all: str = FOR_ALL,
) -> None:
    """Prints the table and its footer, which begins with ``status``. ``for_all`` says how to get the rows that are not shown."""
    if not footer_only:
        _show_rows(console, shown, as_records, style, for_all)
    console.print(Text(status + shown.footer, style="dim"))


def paged_text(shown: Shown, *, as_records: bool, style: TableStyle = PLAIN_STYLE, for_all: str = FOR_ALL) -> str:
    """What :func:`show` prints before the footer, in colours, as wide as it is: for a pager."""
    columns = cells_of(shown.table)
    text = uncut_record(columns, style=style, colours=True) if as_records else uncut_table(columns, style=style, colours=True)
    said = io.StringIO()
    console = Console(file=said, force_terminal=True, width=UNCUT_CELLS, highlight=False, emoji=False, markup=False)
    _tell_rows_left(console, shown, for_all)
    return text + said.getvalue()


def show_paged(shown: Shown, *, as_records: bool = False) -> None:
    """Shows it in the user's pager, as wide as it is, to be scrolled in all directions; prints it where stdout is no terminal."""
    if sys.stdout.isatty():
        page(paged_text(shown, as_records=as_records))
        show(stdout_console(), shown, footer_only=True)
    else:
        show(stdout_console(), shown, as_records=as_records)


def _show_rows(console: Console, shown: Shown, as_records: bool, style: TableStyle, for_all: str) -> None:
    if shown.table.num_columns:
        columns = cells_of(shown.table)
        if as_records:
            print_record(console, columns, style=style)
        else:
            print_table(console, columns, style=style)
    _tell_rows_left(console, shown, for_all)


def _tell_rows_left(console: Console, shown: Shown, for_all: str) -> None:
    rows = shown.table.num_rows
    if shown.total is not None:
        more = shown.total - rows
        if more > 0:
            console.print(Text(f"… {more:,} more row{'s' if more != 1 else ''} ({rows:,} shown; {for_all})", style="dim"))
    elif shown.least is not None:
        console.print(Text(f"… more rows ({rows:,} shown; {for_all}, {FOR_COUNT})", style="dim"))
    else:
        console.print(Text("… more rows", style="dim"))


def rows_in(rows: int, seconds: float) -> str:
    """``3 rows · 12 ms``."""
    return f"{rows_said(rows)} · {format_seconds(seconds)}"


def times(execution: RunningStatement) -> str:
    """When a statement was planned, gave its first rows, and had given what was wanted of it."""
    first = execution.seconds if execution.first_seconds is None else execution.first_seconds
    planned, all = execution.planned_seconds or 0.0, "all" if execution.whole else "shown"
    return f"planned {format_seconds(planned)} · first rows {format_seconds(first)} · {all} {format_seconds(execution.seconds)}"


def rows_said(rows: int) -> str:
    """``1 row``, ``2,500 rows``."""
    return f"{rows:,} row{'' if rows == 1 else 's'}"
