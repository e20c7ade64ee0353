"""The kinds of storage. A new one that fsspec knows is one more entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from operators.errors import StorageError
from operators.storage.backend import Backend
from operators.storage.connections import Connection
from operators.storage.local import LocalBackend

KINDS: Mapping[str, Callable[[Connection], Backend]] = {"file": LocalBackend}


def open_backend(connection: Connection) -> Backend:
    """Opens ``connection``; touches nothing yet. Raises ``StorageError`` for a kind that is not known."""
    kind = KINDS.get(connection.scheme)
    if kind is None:
        raise StorageError(
            f"the connection '{connection.name}' is of the unknown kind '{connection.scheme}://'",
            remedy=f"Known kinds: {', '.join(f'{scheme}://' for scheme in sorted(KINDS))}.",
        )
    return kind(connection)
