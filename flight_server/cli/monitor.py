"""``flight queries``, ``status``, ``kill``, ``drop`` and ``workers``: what a server is doing."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

import click
import msgspec
from rich.text import Text

from flight_server.cli.options import Access, connected, server_options
from flight_server.cli.progress import describe
from flight_server.cli.showing import stdout_console
from flight_server.client import Client
from flight_server.client.box_tables import Cells, print_table, printable
from flight_server.errors import ClientError
from flight_server.protocol.messages import ENDED, OperatorStatus, QueryLine, QueryStatus, WorkerStatus, encode
from flight_server.settings.quantities import format_seconds, format_size
from planner.errors import Status

SQL_CHARS = 60
MIN_PREFIX_CHARS = 4
LISTED = 20
Format = Literal["table", "json"]

_format = click.option(
    "--format", type=click.Choice(["table", "json"]), default="table", help="json: the server's own words, one object a line."
)


@click.command()
@server_options
@_format
@click.option("--running", is_flag=True, help="Only those that run or wait.")
@click.option("-n", "limit", type=click.IntRange(min=1), metavar="N", help=f"Only the newest N.  [default: {LISTED}]")
@click.option("--all", "everything", is_flag=True, help="All of them, also what a program asked for itself: samples, counts, charts.")
def queries(access: Access, format: Format, running: bool, limit: int | None, everything: bool) -> None:
    """Lists queries, the newest first."""
    most = LISTED if limit is None and not everything else limit
    with connected(access) as client:
        # One more than is shown tells whether there are more. Which of them run is not known before.
        asked = None if running or most is None else most + 1
        found = [query for query in client.queries(everything=everything, limit=asked) if not running or query.state not in ENDED]
    more = most is not None and len(found) > most
    found = found[:most]
    _print_queries(found, format)
    if more:
        click.echo(f"only the newest {len(found)} are shown: -n N shows N, --all all of them", err=True)


def _print_queries(found: Sequence[QueryLine], format: Format) -> None:
    if format == "json":
        _print_json(found)
        return
    if not found:
        click.echo("no queries", err=True)
        return
    now = time.time()
    print_table(
        stdout_console(),
        [
            _column("query", [query.query_id for query in found]),
            _column("state", [query.state for query in found]),
            _column("done", [f"{query.progress:.0%}" for query in found], right=True),
            _column("rows", [f"{query.result.rows:,}" for query in found], right=True),
            _column("bytes", [format_size(query.result.bytes) for query in found], right=True),
            *([_column("for", [query.purpose for query in found])] if any(query.purpose for query in found) else []),
            _column("time", [format_seconds(_elapsed(query, now)) for query in found], right=True),
            _column("started", [_ago(now - query.submitted_at) for query in found], right=True),
            _column("statement", [_one_line(query.sql) for query in found]),
        ],
        types=False,
    )


@click.command()
@click.argument("query_id")
@server_options
@_format
@click.option("--watch", is_flag=True, help="Wait until the query has ended; with --format json, print each change.")
def status(access: Access, query_id: str, format: Format, watch: bool) -> None:
    """Shows a query: its state, the progress of each operator, and why it failed. The beginning of its id is enough."""
    with connected(access) as client:
        query = find_query(client, query_id)
        for change in client.watch(query.query_id) if watch else ():
            query = change
            if format == "json":
                _print_json([query])
    if format == "table":
        _print_status(query)
    elif not watch:
        _print_json([query])


@click.command()
@click.argument("query_ids", metavar="QUERY_ID...", nargs=-1, required=True)
@server_options
def kill(access: Access, query_ids: tuple[str, ...]) -> None:
    """Kills queries. The beginning of an id is enough where only one query has it."""
    with connected(access) as client:
        for query_id in query_ids:
            query = find_query(client, query_id)
            if query.state in ENDED:
                click.echo(f"{query.query_id} had {query.state} already")
                continue
            client.kill(query.query_id)
            click.echo(f"killed {query.query_id}")


@click.command()
@click.argument("query_ids", metavar="QUERY_ID...", nargs=-1, required=True)
@server_options
def drop(access: Access, query_ids: tuple[str, ...]) -> None:
    """Removes queries and their stored results at once; those that run are killed. The beginning of an id is enough, as for kill."""
    with connected(access) as client:
        for query_id in query_ids:
            query = find_query(client, query_id)
            client.drop(query.query_id)
            if query.state in ENDED:
                click.echo(f"dropped {query.query_id}: {query.result.rows:,} rows, {format_size(query.result.bytes)}")
            else:
                click.echo(f"killed and dropped {query.query_id}")


@click.command()
@server_options
@_format
def workers(access: Access, format: Format) -> None:
    """Lists the workers: id, URI, pid, slots, memory, state."""
    with connected(access) as client:
        found = client.workers()
    if format == "json":
        _print_json(found)
        return
    fields: Sequence[tuple[str, Callable[[WorkerStatus], str], bool]] = (
        ("worker", lambda worker: worker.worker_id, False),
        ("uri", lambda worker: worker.uri, False),
        ("pid", lambda worker: str(worker.pid), True),
        ("slots", lambda worker: f"{worker.slots_used} of {worker.slots}", True),
        ("memory", lambda worker: f"{format_size(worker.memory_used_bytes)} of {format_size(worker.memory_limit_bytes)}", True),
        ("cpu", lambda worker: f"{worker.cpu_percent:.0f} %", True),
        ("queries", lambda worker: str(worker.queries), True),
        ("state", lambda worker: worker.state, False),
    )
    columns = [_column(name, [tell(worker) for worker in found], right=right) for name, tell, right in fields]
    print_table(stdout_console(), columns, types=False)


def find_query(client: Client, query_id: str) -> QueryStatus:
    """The query of that id, or the only one whose id begins so. Raises ``ClientError``."""
    exact = client.status(query_id)
    if exact is not None:
        return exact
    listed = client.queries(everything=True) if len(query_id) >= MIN_PREFIX_CHARS else []
    alike = [query for query in listed if query.query_id.startswith(query_id)]
    if len(alike) == 1 and (found := client.status(alike[0].query_id)) is not None:
        return found
    if len(alike) > 1:
        raise ClientError(
            f"{len(alike)} queries have ids that begin with {query_id}", status=Status.INVALID_ARGUMENT, remedy="give more of it"
        )
    raise ClientError(
        f"there is no query {printable(query_id)}",
        status=Status.NOT_FOUND,
        remedy="its result may have expired; `flight queries` lists what there is",
    )


def _print_json(messages: Sequence[Any]) -> None:
    for message in messages:
        assert isinstance(message, msgspec.Struct)
        click.echo(encode(message))


def _print_status(query: QueryStatus) -> None:
    console = stdout_console()
    now = time.time()
    said = describe(query)
    started = datetime.datetime.fromtimestamp(query.submitted_at).astimezone().isoformat(sep=" ", timespec="seconds")
    lines = [
        ("query", query.query_id),
        ("state", f"{query.state}, {query.progress:.0%}" if query.state == "running" else query.state),
        ("submitted", started),
        ("time", format_seconds(_elapsed(query, now))),
        ("result", f"{query.result.rows:,} rows, {format_size(query.result.bytes)}, {len(query.result.row_groups)} row groups"),
        ("worker", query.worker_id),
        ("progress", said),
        ("statement", printable(query.sql)),
    ]
    for name, value in lines:
        if value:
            console.print(Text(f"{name:<10}", style="bold").append(value, style="not bold"), soft_wrap=True)
    if query.error is not None:
        console.print(Text(f"{'error':<10}", style="bold red").append(f"{query.error.status}: {query.error.message}"), soft_wrap=True)
    if query.operators:
        _print_operators(query)


def _print_operators(query: QueryStatus) -> None:
    operators = query.operators
    print_table(
        stdout_console(),
        [
            _column("operator", [operator.operator for operator in operators]),
            _column("what", [_one_line(operator.title) for operator in operators]),
            _column("state", [operator.state for operator in operators]),
            _column("records", [_records(operator) for operator in operators], right=True),
            _column("rows", [f"{operator.rows:,}" for operator in operators], right=True),
            _column("bytes", [format_size(operator.bytes) for operator in operators], right=True),
            _column("kernel", [format_seconds(operator.seconds) for operator in operators], right=True),
            _column("queued", [str(operator.queue_depth) for operator in operators], right=True),
            _column("leased", [str(operator.leases) for operator in operators], right=True),
            _column("retries", [str(operator.retries) for operator in operators], right=True),
        ],
        types=False,
    )


def _records(operator: OperatorStatus) -> str:
    return f"{operator.records_done} of {operator.records_total}" if operator.records_total else str(operator.records_done or "")


def _column(name: str, values: Sequence[str], *, right: bool = False) -> Cells:
    return Cells(name, "", right, tuple(values))


def _one_line(sql: str) -> str:
    line = printable(" ".join(sql.split()))
    return line if len(line) <= SQL_CHARS else line[: SQL_CHARS - 1] + "…"


def _elapsed(query: QueryLine | QueryStatus, now: float) -> float:
    return max(0.0, (query.ended_at or now) - query.submitted_at)


def _ago(seconds: float) -> str:
    return "now" if seconds < 1 else f"{format_seconds(round(seconds)).replace('.00', '')} ago"
