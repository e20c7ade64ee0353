"""Where what a user of the command line leaves behind is kept: history, queries with a name."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """The user's folder for it, by the XDG base directories; it may not be there yet."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "volley"
