"""What the program asks a server for itself, beside what its user runs: sample rows, counts for a chart."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import pyarrow as pa

from planner.errors import VolleyError
from tui.link.server import Server

Purpose = Literal["sample", "chart"]


def own_query(server: Server, sql: str, purpose: Purpose) -> pa.Table:
    """The whole answer, which is small; for a background thread. Nothing of it stays at the server, where ``purpose`` marks it meanwhile.

    Every statement that no user has run goes through here; those that one has run go through ``RunBook``.
    """
    submitted = server.submit(sql, purpose=purpose)
    try:
        return pa.Table.from_batches([batch for batch, _place in server.read(submitted.ticket)], submitted.schema)
    finally:
        with suppress(VolleyError):  # then it stays until it expires, hidden by its purpose; the answer is whole
            server.drop(submitted.query_id)
