"""The kinds of storage. A new one that fsspec knows is one more entry here: ``"gs": other_kind`` with gcsfs installed."""

from __future__ import annotations

from collections.abc import Callable

from operators.errors import StorageError
from operators.storage.backend import Backend
from operators.storage.connections import Connection
from operators.storage.local import LocalBackend


def _s3(connection: Connection) -> Backend:
    # Its libraries take half a second to import: only those who use it pay.
    from operators.storage.s3 import S3Backend

    return S3Backend(connection)


def other_kind(connection: Connection) -> Backend:
    """Any kind that fsspec has a file system for."""
    from operators.storage.other import FsspecBackend

    return FsspecBackend(connection)


KINDS: dict[str, Callable[[Connection], Backend]] = {"file": LocalBackend, "s3": _s3}


def open_backend(connection: Connection) -> Backend:
    """Opens ``connection``; touches nothing yet. Raises ``StorageError`` for a kind that is not known."""
    kind = KINDS.get(connection.scheme)
    if kind is None:
        raise StorageError(
            f"the connection '{connection.name}' is of the unknown kind '{connection.scheme}://'",
            remedy=f"Known kinds: {', '.join(f'{scheme}://' for scheme in sorted(KINDS))}.",
        )
    return kind(connection)
