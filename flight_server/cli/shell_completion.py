"""Completion for the shell: commands, paths, the columns of the tables that the statement reads, all other names, functions, keywords.

The server's tables and columns are asked for once, and kept.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from flight_server.cli.shell_commands import ShellCommand
from flight_server.client import Client
from flight_server.client.sql_scope import TableInScope, tables_in_scope
from flight_server.client.sql_words import FUNCTIONS, KEYWORDS, quoted
from flight_server.errors import ClientError
from flight_server.protocol.messages import TableStatus
from planner.functions import READ_FILES
from planner.tokens import tokens

_WORD = re.compile(r'"?[\w$]*$')
_QUALIFIER = re.compile(r'(\w+|"[^"]+")\.$')
_COMMAND = re.compile(r"\\(\S*)$")
_ARGUMENT = re.compile(r"\\(\S+)\s+(\S*)$")
_BEFORE_PATH = frozenset(("FROM", "JOIN", "DESCRIBE", "SUMMARIZE"))
SETTINGS = ("format", "null", "border", "pager", "expanded", "timing")


class SqlCompleter(Completer):
    """Completes the word before the cursor. Names that need quotes get them.

    ``folder`` is where paths in FROM begin, None where they are not on this machine.
    """

    def __init__(
        self,
        client: Client,
        commands: Mapping[str, ShellCommand] | None = None,
        query_names: Callable[[], list[str]] = list,
        folder: str | None = None,
    ) -> None:
        self._client = client
        self._data = None if folder is None else PathCompleter(get_paths=lambda: [folder], file_filter=_is_data)
        self._commands = commands or {}
        self._query_names = query_names
        self._paths = PathCompleter(expanduser=True)
        self._tables: list[TableStatus] = []
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Asks the server for its tables in the background; until it answers, keywords are all there is."""
        threading.Thread(target=self._ask, name="flight-completion", daemon=True).start()

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What the word may become: names first, those in scope before the others, then functions and keywords in the case typed."""
        line = document.current_line_before_cursor
        if (command := _COMMAND.search(line)) is not None and open_string(document.text_before_cursor) is None:
            yield from self._command_names(command[1])
            return
        argument = _ARGUMENT.match(line.lstrip())
        known = self._commands.get(argument[1]) if argument is not None else None
        if argument is not None and known is not None and known.argument:
            yield from self._arguments(known, argument[2], complete_event)
            return
        yield from self._words(document, complete_event)

    def _command_names(self, typed: str) -> Iterator[Completion]:
        for name, command in self._commands.items():
            if name.startswith(typed):
                yield Completion(name, start_position=-len(typed), display=f"\\{command.usage}", display_meta=command.help)

    def _arguments(self, command: ShellCommand, typed: str, event: CompleteEvent) -> Iterator[Completion]:
        match command.argument:
            case "file":
                yield from self._paths.get_completions(Document(typed), event)
                return
            case "table":
                with self._lock:
                    names = [quoted(table.name) for table in self._tables]
            case "setting":
                names = list(SETTINGS)
            case _:
                names = self._query_names()
        for name in names:
            if name.lower().startswith(typed.lower()):
                yield Completion(name, start_position=-len(typed))

    def _words(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
        written = open_string(document.text_before_cursor)
        if written is not None:
            text, is_path = written
            if is_path and self._data is not None:
                yield from self._data.get_completions(Document(text), event)
            return
        found = _WORD.search(document.text_before_cursor)
        word = found[0] if found is not None else ""
        typed = word.strip('"').lower()
        before = document.text_before_cursor[: len(document.text_before_cursor) - len(word)]
        qualifier = _QUALIFIER.search(before)
        if not typed and qualifier is None and not event.completion_requested:
            return
        with self._lock:
            tables = self._tables
        scope = tables_in_scope(document.text, document.cursor_position)
        if qualifier is not None:
            scope = [table for table in scope if table.alias.lower() == qualifier[1].strip('"').lower()]
            names = columns_of(scope, tables)
        else:
            first = dict(columns_of(scope, tables))
            names = [*first.items(), *((name, kind) for name, kind in names_of(tables) if name not in first)]
        for name, kind in names:
            if name.lower().startswith(typed):
                yield Completion(quoted(name), start_position=-len(word), display=name, display_meta=kind)
        if word.startswith('"') or qualifier is not None:
            return
        for function in FUNCTIONS:
            if function.startswith(typed):
                yield Completion(function + "(", start_position=-len(word), display_meta="function")
        for keyword in KEYWORDS:
            if keyword.lower().startswith(typed):
                yield Completion(keyword.lower() if word.islower() else keyword, start_position=-len(word))

    def _ask(self) -> None:
        try:
            tables = self._client.tables(details=True)
        except ClientError:
            return  # the next statement meets the same server, and says what is wrong with it
        with self._lock:
            self._tables = tables


def open_string(text: str) -> tuple[str, bool] | None:
    """The beginning of a text in single quotes with which ``text`` ends, and whether a path stands there; None if it ends in none."""
    before, last = ["", ""], ""
    for _, start, end in tokens(text):
        before, last = [before[-1], last], text[start:end]
    if not last.startswith("'") or last.count("'") % 2 == 0:
        return None
    is_path = before[-1].upper() in _BEFORE_PATH or (before[-1] == "(" and before[0].lower() == READ_FILES)
    return last[1:], is_path


def _is_data(path: str) -> bool:
    # The server of this process has brought it already.
    from operators.scan.table_files import extension

    return os.path.isdir(path) or extension(path) is not None


def columns_of(scope: Iterable[TableInScope], tables: Iterable[TableStatus]) -> list[tuple[str, str]]:
    """The columns of the tables in scope, each name once, with what it is."""
    by_name = {table.name.lower(): table for table in tables}
    names: dict[str, str] = {}
    for place in scope:
        table = by_name.get(place.name.lower())
        for column in table.columns if table is not None else ():
            names.setdefault(column.name, f"{column.type.lower()} of {place.alias}")
    return list(names.items())


def names_of(tables: Iterable[TableStatus]) -> list[tuple[str, str]]:
    """The tables and then their columns, each name once, with what it is."""
    tables = list(tables)
    names: dict[str, str] = {table.name: "table" for table in tables}
    for table in tables:
        for column in table.columns:
            names.setdefault(column.name, f"{column.type.lower()} of {table.name}")
    return list(names.items())
