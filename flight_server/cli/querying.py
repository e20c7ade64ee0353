"""``flight query`` and ``flight explain``: one statement."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import click
import pyarrow as pa

from flight_server.cli.options import Access, connected, embedded_options, parameter_option, read_sql
from flight_server.cli.overwriting import settle_replacing
from flight_server.cli.progress import QueryProgress
from flight_server.cli.running_statement import RunningStatement
from flight_server.cli.showing import (
    PAGER_ROWS,
    Counting,
    default_rows,
    first_rows,
    show,
    show_paged,
    shown_rows,
    stdout_console,
    times,
)
from flight_server.client import Client
from flight_server.client.output import BINARY, FORMATS, Format, format_of, refuse_compressing_twice, write_file, write_stream
from flight_server.client.parameters import bound
from flight_server.client.statements import one_line_up
from flight_server.errors import ClientError
from flight_server.settings.quantities import format_seconds, format_size


@dataclass(frozen=True, slots=True)
class _Look:
    """How a table is shown."""

    max_rows: int | None
    expanded: bool
    pager: bool


@click.command()
@click.argument("sql")
@embedded_options
@click.option("--format", "chosen", type=click.Choice(FORMATS), help="Default: table, or what the suffix of -o says.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="Write the result to this file, whole or not at all; texts also as .gz or .zst."
)
@click.option("--force", is_flag=True, help="Let -o write over a file that is there.")
@click.option("--max-rows", type=click.IntRange(min=0), help="Show or write at most so many rows.")
@click.option("-x", "--expanded", is_flag=True, help="Tables as one line for each column, for wide rows.")
@click.option("--pager", is_flag=True, help="Tables in a pager, as wide as they are; up to 2,000 rows if --max-rows says nothing.")
@parameter_option
@click.option("--timing", is_flag=True, help="Tell on stderr when the query was planned, gave its first rows, and ended.")
def query(
    access: Access, sql: str, chosen: str | None, output: str | None, force: bool, given: tuple[str, ...], timing: bool, **look: Any
) -> None:
    """Runs one statement and prints its result. SQL - reads it from stdin.

    Ctrl-C kills the query on the server, too.
    """
    text, parameters = bound(read_sql(sql), given)
    wanted = _Look(**look)
    format = _format(chosen, output, wanted)
    replace = output is not None and settle_replacing(output, force)
    # Where more than the first rows may be wanted, all are made, counted and kept.
    first_only = wanted.max_rows is not None or (output is None and format == "table" and sys.stdout.isatty())
    with connected(access) as client, RunningStatement(client, text, parameters, look=first_only) as execution:
        if output is not None:
            _write(client, execution, format, output, wanted.max_rows, replace)
        elif format == "table":
            _show(client, execution, wanted)
        else:
            _print(client, execution, format, wanted.max_rows)
        if timing:
            click.echo(times(execution), err=True)


def _format(chosen: str | None, output: str | None, look: _Look) -> Format:
    """The format that is asked for. Raises ``UsageError`` where options say two things, or too little."""
    format = cast("Format | None", chosen)
    if output is None:
        format = format or "table"
        if format in BINARY and sys.stdout.isatty():
            raise click.UsageError(f"{format} is not for a terminal; use -o FILE or a pipe")
    elif format is None:
        refuse_compressing_twice(output)
        format = format_of(output)
        if format is None:
            raise click.UsageError(f"the suffix of {output} means no format; add --format with one of {', '.join(FORMATS)}")
    if format != "table" and (look.expanded or look.pager):
        raise click.UsageError(f"--expanded and --pager are for tables; this writes {format}")
    if output is not None and look.pager:
        raise click.UsageError("--pager shows a table and -o writes it: keep one")
    return "line" if output is not None and look.expanded else format


@click.command()
@click.argument("sql")
@embedded_options
@click.option("--analyze", is_flag=True, help="Run it, and add rows, bytes, time and retries of each operator, and the spill of the run.")
@parameter_option
def explain(access: Access, sql: str, analyze: bool, given: tuple[str, ...]) -> None:
    """Shows the plan of a statement with its fragments and exchanges. SQL - reads it from stdin."""
    text, parameters = bound(read_sql(sql), given)
    # On a line of its own: the places that errors name are those of the statement, one line up.
    text = ("EXPLAIN ANALYZE\n" if analyze else "EXPLAIN\n") + text
    try:
        with (
            connected(access) as client,
            RunningStatement(client, text, parameters) as execution,
            QueryProgress(client, execution.query_id),
        ):
            table = pa.Table.from_batches(list(execution.batches()), execution.schema)
    except ClientError as error:
        raise ClientError(one_line_up(str(error)), status=error.status) from error
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        click.echo("\n".join(str(value) for value in row))


def _show(client: Client, execution: RunningStatement, look: _Look) -> None:
    # Without --max-rows people want to know how many rows there are in all; with it, more is nobody's concern.
    terminal = sys.stdout.isatty()
    counting: Counting = "none" if look.max_rows is not None else "soon" if terminal else "all"
    rows = look.max_rows if look.max_rows is not None else PAGER_ROWS if look.pager else default_rows(terminal)
    with QueryProgress(client, execution.query_id):
        shown = shown_rows(execution, rows, counting)
    if look.pager:
        show_paged(shown, as_records=look.expanded)
    else:
        show(stdout_console(), shown, as_records=look.expanded)


def _write(client: Client, execution: RunningStatement, format: Format, output: str, max_rows: int | None, replace: bool) -> None:
    with QueryProgress(client, execution.query_id) as progress:
        rows = write_file(progress.counted(_batches(execution, max_rows)), execution.schema, format, output, replace=replace)
    size = format_size(Path(output).stat().st_size)
    click.echo(f"wrote {output}: {rows:,} row{'' if rows == 1 else 's'}, {size}, {format_seconds(execution.seconds)}", err=True)


def _print(client: Client, execution: RunningStatement, format: Format, max_rows: int | None) -> None:
    with QueryProgress(client, execution.query_id) as progress:
        batches = _batches(execution, max_rows)
        if sys.stdout.isatty():
            batches = _after(progress, batches)
        sink = cast("BinaryIO", sys.stdout.buffer)
        write_stream(batches, execution.schema, "arrows" if format == "arrow" else format, sink)
        sink.flush()


def _batches(execution: RunningStatement, max_rows: int | None) -> Iterator[pa.RecordBatch]:
    batches = execution.batches(max_rows)
    return batches if max_rows is None else first_rows(batches, max_rows)


def _after(progress: QueryProgress, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """``batches``, with the bar out of the way before the first of them is printed on the same terminal."""
    for batch in batches:
        progress.stop()
        yield batch
