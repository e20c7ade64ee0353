"""``flight run``: every statement of some files, in order or several at a time, each told in the order of the files."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from flight_server.cli.background import STOP_CHECK_SECONDS
from flight_server.cli.options import Access, connected, embedded_options, parameter_option, read_sql
from flight_server.cli.progress import QueryProgress
from flight_server.cli.running_statement import RunningStatement
from flight_server.cli.showing import Shown, default_rows, show, shown_rows, stdout_console
from flight_server.client import Client
from flight_server.client.parameters import bound, shared
from flight_server.client.statements import Statement, split_statements
from flight_server.errors import ClientError
from flight_server.settings.quantities import format_seconds
from planner.errors import VolleyError

MAX_PARALLEL = 64
TITLE_CHARS = 100
FOR_ALL = "--max-rows N shows more"


@dataclass(frozen=True, slots=True)
class _Task:
    """A statement of a file, where it stands there, and the values of its parameters as they were typed."""

    file: str
    statement: Statement
    given: Sequence[str] = ()

    @property
    def place(self) -> str:
        """The file and the line of the statement in it."""
        return f"{self.file}:{self.statement.line}"

    def placed(self, error: VolleyError) -> str:
        """The error with its place in the file before it."""
        line, column, message = self.statement.placed(str(error))
        return f"{self.file}:{line}{'' if column is None else f':{column}'}: {message}"


@dataclass(frozen=True, slots=True)
class _Outcome:
    task: _Task
    shown: Shown | None = None
    error: VolleyError | None = None
    seconds: float = 0.0


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@embedded_options
@click.option("--parallel", type=click.IntRange(1, MAX_PARALLEL), default=1, metavar="N", help="Run so many at a time.  [default: 1]")
@click.option("--keep-going", is_flag=True, help="Go on after a statement that failed.")
@click.option("--max-rows", type=click.IntRange(min=0), help="Show at most so many rows of each result.")
@click.option("--quiet", is_flag=True, help="Tell status, rows and time only, not the results.")
@parameter_option
def run(
    access: Access, files: tuple[str, ...], given: tuple[str, ...], parallel: int, keep_going: bool, max_rows: int | None, quiet: bool
) -> int:
    """Runs every statement of the files and tells status, rows, time and result of each.

    Exits with 1 if any failed; the first that fails ends the run unless --keep-going is given. A file - is stdin. Each statement takes
    those values of -p that it asks for.
    """
    tasks = _tasks(files, given)
    console = stdout_console()
    rows = default_rows(sys.stdout.isatty()) if max_rows is None else max_rows
    started = time.monotonic()
    told = failed = 0
    with connected(access) as client:
        for outcome in _Runner(client, rows, parallel).outcomes(tasks, keep_going):
            told += 1
            failed += outcome.error is not None
            _tell(console, outcome, f"[{told}/{len(tasks)}]", quiet)
    left = len(tasks) - told
    ended = f"{told - failed} completed, {failed} failed" + (f", {left} not run" if left else "")
    console.print(Text(f"{ended} · {format_seconds(time.monotonic() - started)}", style="bold red" if failed else "bold"))
    return 1 if failed else 0


def _tasks(files: Sequence[str], given: Sequence[str]) -> list[_Task]:
    """The statements of the files, each with the values that it takes. Raises ``ClientError`` for one that none takes."""
    found = [("stdin" if file == "-" else file, statement) for file in files for statement in split_statements(_read(file))]
    taken = shared((statement.text for _, statement in found), given) if given else [[] for _ in found]
    return [_Task(file, statement, values) for (file, statement), values in zip(found, taken, strict=True)]


def _read(file: str) -> str:
    try:
        return read_sql(file) if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file} is not UTF-8 text ({error.reason} at byte {error.start})") from None


class _Runner:
    """Runs tasks, several at a time, and knows which queries of theirs are on the server."""

    def __init__(self, client: Client, rows: int, parallel: int) -> None:
        self._client = client
        self._rows = rows
        self._parallel = parallel
        self._live: set[RunningStatement] = set()
        self._lock = threading.Lock()

    def outcomes(self, tasks: Sequence[_Task], keep_going: bool) -> Iterator[_Outcome]:
        """The outcome of each task in order; after one that failed no more are started unless ``keep_going``."""
        if self._parallel > 1:
            yield from self._parallel_outcomes(tasks, keep_going)
            return
        for task in tasks:
            outcome = self._run(task)
            yield outcome
            if outcome.error is not None and not keep_going:
                return

    def _parallel_outcomes(self, tasks: Sequence[_Task], keep_going: bool) -> Iterator[_Outcome]:
        pool = ThreadPoolExecutor(self._parallel, thread_name_prefix="flight-run")
        left = iter(tasks)
        running = deque(pool.submit(self._run, task) for task in islice(left, self._parallel))
        stopping = False
        try:
            while running:
                following = running.popleft()
                while not wait([following], STOP_CHECK_SECONDS).done:
                    pass  # awake now and then, so that Ctrl-C is heard whichever thread the system hands it to
                outcome = following.result()
                stopping = stopping or (outcome.error is not None and not keep_going)
                task = None if stopping else next(left, None)
                if task is not None:
                    running.append(pool.submit(self._run, task))
                yield outcome
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            with self._lock:
                live = list(self._live)
            for execution in live:
                execution.abandon()
            # The process may end behind this: what the server answers for only now must not outlive it.
            for execution in live:
                execution.see_it_killed()

    def _run(self, task: _Task) -> _Outcome:
        try:
            execution = RunningStatement(self._client, *bound(task.statement.text, task.given))
        except ClientError as error:
            return _Outcome(task, error=error)
        with self._lock:
            self._live.add(execution)
        try:
            with execution:
                shown = self._shown(execution)
            return _Outcome(task, shown=shown, seconds=shown.seconds)
        except VolleyError as error:
            return _Outcome(task, error=error, seconds=execution.seconds)
        finally:
            with self._lock:
                self._live.discard(execution)

    def _shown(self, execution: RunningStatement) -> Shown:
        if self._parallel > 1:
            return shown_rows(execution, self._rows, "all")
        with QueryProgress(self._client, execution.query_id):
            return shown_rows(execution, self._rows, "all")


def _tell(console: Console, outcome: _Outcome, number: str, quiet: bool) -> None:
    title = " ".join(outcome.task.statement.text.split())
    title = title if len(title) <= TITLE_CHARS else title[: TITLE_CHARS - 1] + "…"
    console.print(Text(f"{number} {outcome.task.place} ", style="bold").append(title, style="cyan not bold"), soft_wrap=True)
    if outcome.error is not None:
        console.print(Text(f"✗ failed after {format_seconds(outcome.seconds)}", style="red"))
        sys.stdout.flush()
        click.echo(f"error: {outcome.task.placed(outcome.error)}", err=True)
    else:
        assert outcome.shown is not None
        show(console, outcome.shown, status="✓ completed · ", footer_only=quiet, for_all=FOR_ALL)
    console.print()
    sys.stdout.flush()
