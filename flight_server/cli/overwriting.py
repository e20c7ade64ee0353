"""Whether a file that is there may be written over: ``--force`` says so, and on a terminal one is asked."""

from __future__ import annotations

import sys

import click

from flight_server.client.output import refuse_to_replace, would_replace


def settle_replacing(path: str, force: bool) -> bool:
    """Whether ``path`` may be written over; before anything is done for it. Raises ``FileExists`` if it is there and has to stay."""
    if force or not would_replace(path):
        return force
    if sys.stdin.isatty() and sys.stderr.isatty() and click.confirm(f"{path} exists. Write over it?", err=True):
        return True
    refuse_to_replace(path)
    return False
