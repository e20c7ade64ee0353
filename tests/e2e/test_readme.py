"""The README's tour and docs/clients.md work by copy and paste: Python blocks and commands, against a server on the sample data."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flight_server.config import Config
from flight_server.launch import embedded
from flight_server.sample_data import write_sample_data

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLIENTS = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON_BLOCKS = _PYTHON.findall(README)
CLIENT_BLOCKS = _PYTHON.findall(CLIENTS)
SHELL_BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in SHELL_BLOCKS for line in block.splitlines() if line.startswith("flight ") and "serve" not in line]
URI = "grpc://127.0.0.1:8815"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tour")
    write_sample_data(str(folder / "volley-data"), "small", Config())
    return folder


@pytest.fixture(scope="module")
def uri(folder: Path) -> Iterator[str]:
    with embedded(Config(data_roots=(str(folder / "volley-data"),), threads=1, memory_bytes=512 << 20)) as uri:
        yield uri


def ran(command: list[str], folder: Path, uri: str) -> str:
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "VOLLEY_URI": uri},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_there_is_something_to_run() -> None:
    assert len(PYTHON_BLOCKS) == 3
    assert len(CLIENT_BLOCKS) == 5
    assert len(COMMANDS) >= 7


@pytest.mark.parametrize(
    "block",
    [*PYTHON_BLOCKS, *CLIENT_BLOCKS],
    ids=["adbc", "row groups", "client", "clients-adbc", "clients-pandas", "clients-polars", "clients-flight", "clients-actions"],
)
def test_python(block: str, folder: Path, uri: str) -> None:
    for module in re.findall(r"^import (\w+)", block, re.MULTILINE):
        pytest.importorskip(module)
    assert URI in block
    assert ran([sys.executable, "-c", block.replace(URI, uri)], folder, uri)


def test_the_loop_over_row_groups_reads_every_row_once(folder: Path, uri: str) -> None:
    assert ran([sys.executable, "-c", PYTHON_BLOCKS[1].replace(URI, uri)], folder, uri) == "100000 rows, each read once\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, folder: Path, uri: str) -> None:
    words = shlex.split(command)
    assert ran([sys.executable, "-m", "flight_server.cli", *words[1:]], folder, uri) or "-o" in words
