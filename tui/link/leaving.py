"""Drops what only one sitting needed, when that ends."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from planner.errors import VolleyError
from tui.link.server import Server

LEAVE_SECONDS = 3.0


def drop_all(server: Server, query_ids: Sequence[str], seconds: float = LEAVE_SECONDS) -> None:
    """Drops queries and their results, and waits for that, but not for longer than ``seconds``.

    What a server does not drop in time it stops by itself, when nobody has asked for it for a while.
    """
    if not query_ids:
        return
    dropping = threading.Thread(target=_drop, args=(server, query_ids), name="tui-leaving", daemon=True)
    dropping.start()
    dropping.join(seconds)


def _drop(server: Server, query_ids: Sequence[str]) -> None:
    for query_id in query_ids:
        try:
            server.drop(query_id)
        except VolleyError:
            continue  # nobody is left who could be told, and the others may go
