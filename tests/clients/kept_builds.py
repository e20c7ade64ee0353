"""Where what the tests fetch and build for clients in other languages is kept from run to run: outside of the tree, in the user's cache."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def kept_folder(name: str, *files: Path) -> Path:
    """A folder for ``name`` that is another one as soon as any of ``files``, which say what is to be built, changes. It exists."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    print_of_files = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = cache / "volley-tests" / f"{name}-{print_of_files}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
