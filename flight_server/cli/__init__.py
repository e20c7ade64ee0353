"""The ``flight`` command: one module for each group of commands, loaded only when it is called for.

    serve               serving      a server in this process
    query, explain      querying     one statement
    run                 batch        files of statements
    queries, status,    monitor      what a server is doing
    kill, drop, workers
    sample-data         samples      data to try things on
    tui                 terminal     the terminal UI
    shell               shell        an interactive prompt
    completion          completion   tab completion for bash, zsh and fish

Exit status: 0 done, 1 the query or server said no, 2 usage or configuration, 130 interrupted. Errors go to stderr, data to stdout.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import click

from planner.errors import VolleyError

__all__ = ["command", "flight", "main"]

REFUSED = 1
USAGE = 2
SIGNALLED = 128
INTERRUPTED = SIGNALLED + signal.SIGINT
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
DEBUG_VARIABLE = "VOLLEY_DEBUG"

_COMMANDS = {
    "serve": "flight_server.cli.serving:serve",
    "query": "flight_server.cli.querying:query",
    "run": "flight_server.cli.batch:run",
    "explain": "flight_server.cli.querying:explain",
    "queries": "flight_server.cli.monitor:queries",
    "status": "flight_server.cli.monitor:status",
    "kill": "flight_server.cli.monitor:kill",
    "drop": "flight_server.cli.monitor:drop",
    "workers": "flight_server.cli.monitor:workers",
    "sample-data": "flight_server.cli.samples:sample_data",
    "shell": "flight_server.cli.shell:shell",
    "tui": "flight_server.cli.terminal:tui",
    "completion": "flight_server.cli.completion:completion",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are first needed: ``flight kill`` need not wait for DuckDB."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with. Where there is none, those that look like it are named."""
        near = difflib.get_close_matches(args[0], _COMMANDS) if args and args[0] not in _COMMANDS else []
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if not near:
                raise
            raise click.UsageError(f"{error.message} Do you mean {' or '.join(near)}?", ctx) from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="volley", prog_name="volley")
def flight() -> None:
    """Volley: SQL over Parquet files in folders and buckets, served by Arrow Flight.

    \b
    flight query "SELECT 42 AS answer"              an embedded server, just for this
    flight serve --data ./lake                      a server; prints its URI
    flight query "SHOW TABLES" --uri grpc://HOST:PORT

    Exit status: 0 done, 1 the query or server said no, 2 usage, 130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line (``sys.argv`` if None) and returns its exit status."""
    try:
        with _ended_by_signals():
            status = flight.main(args=arguments, prog_name="flight", standalone_mode=False)
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, as in `flight query … | head`: nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except VolleyError as error:
        return _tell(error)
    except Exception as error:  # a bug of ours: a line for people, the traceback for those who look for it
        if isinstance(error, OSError) and error.errno in FULL:
            click.echo(f"error: the output cannot be written: {error.strerror}", err=True)
            return REFUSED
        if DEBUG_VARIABLE in os.environ:
            raise
        click.echo(f"error: internal error ({type(error).__name__}: {error})\nset {DEBUG_VARIABLE}=1 to see where", err=True)
        return REFUSED
    return status if isinstance(status, int) else 0


def command() -> NoReturn:
    """The process ``flight``: :func:`main`, and then its end.

    After a signal it ends at once. Everything is cleared away by then, but threads may still wait inside gRPC, and the
    interpreter's own way out can wait for them without end.
    """
    try:
        status = main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else REFUSED
    if status > SIGNALLED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP unwind the stack, so that an embedded server leaves nothing behind. ``serve`` has handlers of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(SIGNALLED + number)


def _tell(error: VolleyError) -> int:
    from flight_server.settings.config import ConfigError

    click.echo(f"error: {error}", err=True)
    return USAGE if isinstance(error, ConfigError) else REFUSED
