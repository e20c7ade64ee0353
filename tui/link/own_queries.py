"""What the program asks a server for itself, beside what its user runs: sample rows, counts for a chart."""

from __future__ import annotations

import pyarrow as pa

from tui.link.server import Server


def own_query(server: Server, sql: str) -> pa.Table:
    """The whole answer, which is small; for a background thread.

    Every statement that no user has run goes through here; those that one has run go through ``RunBook``.
    """
    return server.query(sql)
