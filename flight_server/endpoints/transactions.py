"""Transactions, as far as reading has any: a handle between its begin and its end, which statements may carry.

Nothing hangs on one. Each statement reads the files as they are when it is planned (READ COMMITTED, as databases call it), inside a
transaction or without; there is nothing to commit, and nothing to take back.
"""

from __future__ import annotations

import secrets
import threading

from cachetools import LRUCache

from flight_server.errors import UnknownHandle

MAX_TRANSACTIONS = 16_384


class Transactions:
    """The transactions that were begun and not ended, at most ``limit``: then the longest unused one is forgotten. Thread-safe."""

    def __init__(self, limit: int = MAX_TRANSACTIONS) -> None:
        self._lock = threading.Lock()
        self._owners: LRUCache[str, str] = LRUCache(limit)

    def begin(self, owner: str) -> bytes:
        """A new transaction's handle."""
        name = secrets.token_hex(16)
        with self._lock:
            self._owners[name] = owner
        return name.encode()

    def check(self, handle: bytes, owner: str) -> None:
        """Raises ``UnknownHandle`` where the owner has begun no transaction of that handle, or has ended it. No handle is none needed."""
        with self._lock:
            if handle and not self._has(handle, owner):
                raise _unknown()

    def end(self, handle: bytes, owner: str) -> None:
        """Forgets a transaction. Raises ``UnknownHandle``."""
        with self._lock:
            if not self._has(handle, owner):
                raise _unknown()
            del self._owners[handle.decode("ascii")]

    def _has(self, handle: bytes, owner: str) -> bool:
        return self._owners.get(handle.decode("ascii", "replace")) == owner


def _unknown() -> UnknownHandle:
    return UnknownHandle("there is no such transaction", remedy="begin another: it was ended, or the server was restarted")
