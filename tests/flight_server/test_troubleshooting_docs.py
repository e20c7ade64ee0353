"""docs/troubleshooting.md quotes messages that there are: each piece of them stands in the source, the kernel's are said by it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flight_server.client import Client
from flight_server.errors import ClientError
from flight_server.process.launch import embedded
from flight_server.settings.config import Config

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
KERNEL, AFTER_KERNEL = "Said by the kernel", "\n## The query fails"
_KERNEL_ROW = re.compile(r"^\| `(.+?)` \| `(.+?)` \|", re.MULTILINE)
_FIRST_CELL = re.compile(r"^\| (`.+?`.*?) \| ", re.MULTILINE)
FROM_KERNEL = ("Out of Memory Error",)  # what only a full memory makes it say


def _kernel_part() -> str:
    return PAGE[PAGE.index(KERNEL) : PAGE.index(AFTER_KERNEL)]


def _quoted() -> list[str]:
    page = PAGE.replace(_kernel_part(), "")
    return [quote for cell in _FIRST_CELL.findall(page) for quote in re.findall(r"`(.+?)`", cell)]


def _strings(module: ast.Module) -> Iterator[str]:
    nodes = list(ast.walk(module))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.fixture(scope="module")
def told() -> str:
    """Every string of the source but its docstrings."""
    paths = [path for package in ("planner", "operators", "flight_server", "tui") for path in sorted((ROOT / package).rglob("*.py"))]
    return "\0".join(text for path in paths for text in _strings(ast.parse(path.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with embedded(Config(threads=1, memory_bytes=512 << 20)) as uri, Client(uri) as connected:
        yield connected


def test_the_page_has_messages() -> None:
    assert len(_quoted()) > 70


@pytest.mark.parametrize("message", [quote for quote in _quoted() if quote not in FROM_KERNEL])
def test_a_quoted_message_is_one_of_the_source(message: str, told: str) -> None:
    for piece in message.split("…"):
        assert piece.strip() in told


@pytest.mark.parametrize(("message", "sql"), _KERNEL_ROW.findall(_kernel_part()))
def test_the_kernel_says_so(message: str, sql: str, client: Client) -> None:
    with pytest.raises(ClientError, match=re.escape(message)):
        client.query(sql)
