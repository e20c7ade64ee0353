"""``flight shell``: an interactive prompt, by prompt_toolkit on a terminal, plain lines from a pipe."""

from __future__ import annotations

import sys

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import PostgresLexer
from rich.console import Console

from flight_server.cli.options import BYTE_ORDER_MARK, Access, connected, embedded_options, paths_start_at
from flight_server.cli.shell_completion import SqlCompleter
from flight_server.cli.shell_session import NO_TABLES, ShellSession, ends
from flight_server.cli.showing import stdout_console
from flight_server.cli.state_folder import state_folder
from flight_server.client import Client

PROMPT = "volley> "
CONTINUED = "     -> "
NO_TABLES_EMBEDDED = "no tables here: `flight shell --data FOLDER` shows the Parquet, CSV and JSON files of a folder"


@click.command()
@embedded_options
def shell(access: Access) -> int:
    """An interactive prompt: history, editing over several lines, completion, highlighting; \\? lists its commands.

    From a pipe it runs the statements and commands that it reads, and exits with 1 if any failed.
    """
    with connected(access) as client:
        at_terminal = sys.stdin.isatty()
        session = ShellSession(
            client,
            stdout_console(),
            Console(stderr=True, highlight=False, markup=False),
            ask=_ask if at_terminal else None,
            no_tables=NO_TABLES if access.uri is not None else NO_TABLES_EMBEDDED,
        )
        try:
            if at_terminal:
                _converse(client, session, paths_start_at(access))
                return 0
            _read_lines(session)
            return 1 if session.failures else 0
        finally:
            session.close()


def _converse(client: Client, session: ShellSession, folder: str | None) -> None:
    completer = SqlCompleter(client, session.commands, session.query_names, folder)
    completer.refresh()
    prompt: PromptSession[str] = PromptSession(
        history=_history(),
        lexer=PygmentsLexer(PostgresLexer),
        completer=completer,
        complete_while_typing=True,
        auto_suggest=AutoSuggestFromHistory(),
        key_bindings=_keys(),
        multiline=True,
        prompt_continuation=CONTINUED,
    )
    click.echo(f"Volley at {client.uri}. \\? for help, \\q to leave.")
    while True:
        try:
            text = prompt.prompt(PROMPT, default=session.take_edited())
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not session.run(text):
            return


def _ask(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort:
        return False


def _read_lines(session: ShellSession) -> None:
    waiting = ""
    for number, line in enumerate(sys.stdin):
        waiting += line if number else line.removeprefix(BYTE_ORDER_MARK)
        if ends(waiting):
            if not _run_whole(session, waiting):
                return
            waiting = ""
    if waiting.strip():
        _run_whole(session, waiting)


def _run_whole(session: ShellSession, text: str) -> bool:
    """As ``ShellSession.run``; but nobody is there to type what comes next: Ctrl-C ends it all."""
    goes_on = session.run(text)
    if session.interrupted:
        raise KeyboardInterrupt
    return goes_on


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None
        elif ends(buffer.text) and not buffer.document.text_after_cursor.strip():
            buffer.validate_and_handle()
        else:
            buffer.newline()

    return keys


def _history() -> History:
    """What was typed before, kept in the user's state folder; in memory where that cannot be written."""
    folder = state_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "history").touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(folder / "history"))
