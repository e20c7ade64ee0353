"""What the product imports, an installation has: nothing comes along only because a test needs it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PACKAGES = ("planner", "operators", "flight_server", "tui")


def test_every_library_that_is_imported_comes_along() -> None:
    installed = set(_installed())
    distributions = packages_distributions()
    imported = {name: file for file, name in _imported() if name not in PACKAGES and name not in sys.stdlib_module_names}
    assert {"pyarrow", "duckdb", "sqloxide", "urwid", "google"} <= imported.keys()
    missing = {name: file for name, file in imported.items() if installed.isdisjoint(map(canonicalize_name, distributions.get(name, ())))}
    assert missing == {}


def _installed() -> Iterator[str]:
    """The distributions that ``pip install`` brings along: those that setup.cfg names, and those that these need."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    waiting = [Requirement(line) for line in setup["options"]["install_requires"].split("\n") if line]
    seen = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in seen or not (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        yield name
        waiting += map(Requirement, requires(name) or ())


def _imported() -> Iterator[tuple[str, str]]:
    """The files of the product with the modules that each imports, wherever in it."""
    for file in (file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
                names = [node.module]
            yield from ((str(file.relative_to(ROOT)), name.partition(".")[0]) for name in names)
