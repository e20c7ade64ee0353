"""The README's tour, getting started and the pages of docs/clients work by copy and paste, on the sample data."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flight_server.cli.sample_data import write_sample_data
from flight_server.process.launch import embedded
from flight_server.settings.config import Config

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GETTING_STARTED = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
CLIENT_PAGES = sorted((ROOT / "docs" / "clients").glob("*.md"))
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON_BLOCKS = _PYTHON.findall(README)
CLIENT_BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in CLIENT_PAGES
    if page.stem != "spark"  # tests/clients/test_spark.py runs it, with PySpark
    for number, block in enumerate(_PYTHON.findall(page.read_text(encoding="utf-8")), start=1)
]
GETTING_STARTED_BLOCKS = [pytest.param(block, id="getting-started") for block in _PYTHON.findall(GETTING_STARTED)]


def lines_of(page: str) -> list[str]:
    """What a page has typed into a shell, in its order."""
    return [line for block in re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL) for line in block.splitlines()]


def commands_of(page: str) -> list[str]:
    """The commands of a page that can run here, in their order: not those that wait for ever, or for somebody at a terminal."""
    return [line for line in lines_of(page) if re.match(r"flight (?!serve|tui|shell)|mkdir ", line)]


COMMANDS = commands_of(README) + commands_of((ROOT / "docs" / "command-line.md").read_text(encoding="utf-8"))
ADDRESS = "127.0.0.1:8815"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tour")
    write_sample_data(str(folder / "volley-data"), "small", Config())
    return folder


@pytest.fixture(scope="module")
def uri(folder: Path) -> Iterator[str]:
    with embedded(Config(data_roots=(str(folder / "volley-data"),), threads=1, memory_bytes=512 << 20)) as uri:
        yield uri


def at(block: str, uri: str) -> str:
    """The block with the address of the server that is there."""
    return block.replace(ADDRESS, uri.partition("://")[2])


def ran(command: list[str], folder: Path, uri: str | None) -> str:
    served = {} if uri is None else {"VOLLEY_URI": uri}
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **served},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_there_is_something_to_run() -> None:
    assert len(PYTHON_BLOCKS) == 3
    assert [page.stem for page in CLIENT_PAGES] == [
        "adbc",
        "index",
        "jdbc",
        "languages",
        "pandas",
        "polars",
        "pyarrow",
        "spark",
        "sqlalchemy",
    ]
    assert len(CLIENT_BLOCKS) >= 15
    assert len(COMMANDS) >= 7
    assert len(commands_of(GETTING_STARTED)) >= 9


@pytest.mark.parametrize(
    "block",
    [
        *(pytest.param(block, id=f"readme-{number}") for number, block in enumerate(PYTHON_BLOCKS, start=1)),
        *CLIENT_BLOCKS,
        *GETTING_STARTED_BLOCKS,
    ],
)
def test_python(block: str, folder: Path, uri: str) -> None:
    for module in re.findall(r"^import (\w+)", block, re.MULTILINE):
        pytest.importorskip(module)
    assert ADDRESS in block
    assert ran([sys.executable, "-c", at(block, uri)], folder, uri)


def test_the_loop_over_row_groups_reads_every_row_once(folder: Path, uri: str) -> None:
    assert ran([sys.executable, "-c", at(PYTHON_BLOCKS[1], uri)], folder, uri) == "100000 rows, each read once\n"


def test_the_first_block_prints_rows_in_both_places(folder: Path, uri: str) -> None:
    pytest.importorskip("adbc_driver_flightsql")
    printed = ran([sys.executable, "-c", at(PYTHON_BLOCKS[0], uri)], folder, uri)
    assert re.search(r"^country: \[\[\"\w+\"", printed, re.MULTILINE), printed
    assert re.search(r"^\(\d+,\)$", printed, re.MULTILINE), printed


def test_the_demonstration_asks_for_what_the_sample_data_has(folder: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "demo"))
    storyboard = importlib.import_module("storyboard")
    assert any(storyboard.REVENUE in step.keys for step in storyboard.STORY)
    for statement in storyboard.STATEMENTS:
        assert ran([sys.executable, "-m", "flight_server.cli", "query", "--format", "jsonl", statement], folder, uri)


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, folder: Path, uri: str) -> None:
    run_command(command, folder, uri)


def test_getting_started_from_top_to_bottom(folder: Path, uri: str) -> None:
    runnable = set(commands_of(GETTING_STARTED))
    here, served = folder, None
    for line in lines_of(GETTING_STARTED):
        if line.startswith("cd "):
            here = (here / line.removeprefix("cd ")).resolve()
        elif line.startswith("export VOLLEY_URI="):
            served = uri
        elif line in runnable:
            run_command(line, here, served)
    assert (folder / "sales.csv").read_text(encoding="utf-8").startswith("order_id,ordered_at,amount,country\n")
    assert GETTING_STARTED_BLOCKS


def run_command(command: str, folder: Path, uri: str | None) -> None:
    words = shlex.split(command)
    program = [sys.executable, "-m", "flight_server.cli"] if words[0] == "flight" else words[:1]
    assert ran([*program, *words[1:]], folder, uri) or "-o" in words or words[0] == "mkdir"
