"""``python -m flight_server.cli`` is ``flight``."""

from __future__ import annotations

from flight_server.cli import command

command()
