"""What every refusal keeps to, whatever was refused."""

from __future__ import annotations

import re

SEEN_INSIDE = re.compile(r"Traceback|\.py\b|File \"|site-packages|/home/|/root/|/usr/|0x[0-9a-f]{8}", re.IGNORECASE)
MAX_MESSAGE_BYTES = 8_192


def no_insides(message: str, places: list[str]) -> None:
    """A message of a bounded size that shows neither the server's insides nor one of ``places``, and is no report of an internal error."""
    assert message.strip()
    assert SEEN_INSIDE.search(message) is None, message
    assert not any(place in message for place in places), message
    assert "incident" not in message, message
    assert len(message.encode()) < MAX_MESSAGE_BYTES
