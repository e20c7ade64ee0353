"""Python packages that cannot stand beside those of the tests: fetched once, into a folder of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.kept_builds import kept_folder

FETCH_SECONDS = 240


def fetched_packages(name: str) -> Path:
    """The folder with what ``NAME.txt`` beside this file lists, for ``PYTHONPATH``. Skips the test where pip cannot fetch it."""
    listed = Path(__file__).with_name(f"{name}.txt")
    folder = kept_folder(name.replace("_", "-"), listed)
    done = folder / "fetched"
    if not done.exists():
        fetch = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", str(folder), "-r", str(listed)]
        try:
            subprocess.run(fetch, capture_output=True, timeout=FETCH_SECONDS, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip(f"pip cannot fetch what {listed.name} lists")
        done.touch()
    return folder
