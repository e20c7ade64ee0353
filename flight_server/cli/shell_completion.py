"""Completion for the shell: keywords, functions, and the server's tables and columns, asked for once and kept."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from flight_server.client import Client
from flight_server.client.sql_words import FUNCTIONS, KEYWORDS, quoted
from flight_server.errors import ClientError
from flight_server.protocol.messages import TableStatus

_WORD = re.compile(r'"?[\w$]*$')


class SqlCompleter(Completer):
    """Completes the word before the cursor. Names that need quotes get them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._names: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Asks the server for its tables in the background; until it answers, keywords are all there is."""
        threading.Thread(target=self._ask, name="flight-completion", daemon=True).start()

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What the word may become: names first, then functions and keywords in the case of what was typed."""
        found = _WORD.search(document.text_before_cursor)
        word = found[0] if found is not None else ""
        typed = word.strip('"').lower()
        if not typed and not complete_event.completion_requested:
            return
        with self._lock:
            names = list(self._names)
        for name, kind in names:
            if name.lower().startswith(typed):
                yield Completion(quoted(name), start_position=-len(word), display=name, display_meta=kind)
        if word.startswith('"'):
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
            self._names = names_of(tables)


def names_of(tables: Iterable[TableStatus]) -> list[tuple[str, str]]:
    """The tables and then their columns, each name once, with what it is."""
    tables = list(tables)
    names: dict[str, str] = {table.name: "table" for table in tables}
    for table in tables:
        for column in table.columns:
            names.setdefault(column.name, f"{column.type.lower()} of {table.name}")
    return list(names.items())
