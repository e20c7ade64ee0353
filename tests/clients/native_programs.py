"""The programs in Go, Rust and Node that the tests run, fetched and built. Where a tool or a registry is missing, the test is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from flight_server import protocol
from tests.clients.kept_builds import kept_folder

HERE = Path(__file__).parent
FETCH_SECONDS = 120
BUILD_SECONDS = 420


def go_program() -> Path:
    """The program of ``go/``."""
    need("go")
    source = HERE / "go"
    program = kept_folder("go", source / "go.mod", source / "go.sum", *sorted(source.glob("*.go"))) / "probe"
    try:
        fetched = subprocess.run(["go", "mod", "download"], cwd=source, capture_output=True, text=True, timeout=BUILD_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip("the Go modules cannot be fetched in time")
    if fetched.returncode != 0:
        pytest.skip(f"the Go modules cannot be fetched: {fetched.stderr.splitlines()[-1]}")
    built = subprocess.run(["go", "build", "-o", str(program), "."], cwd=source, capture_output=True, text=True, timeout=BUILD_SECONDS)
    assert built.returncode == 0, built.stderr
    return program


def rust_program() -> Path:
    """The program of ``rust/``."""
    need("cargo")
    crate = HERE / "rust"
    target = kept_folder("rust", crate / "Cargo.toml", crate / "Cargo.lock")
    try:
        fetched = subprocess.run(["cargo", "fetch", "--locked"], cwd=crate, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip("the Rust crates cannot be fetched in time")
    if fetched.returncode != 0:
        pytest.skip(f"the Rust crates cannot be fetched: {fetched.stderr.splitlines()[-1]}")
    build = ["cargo", "build", "--locked", "--offline", "--target-dir", str(target)]
    try:
        built = subprocess.run(build, cwd=crate, capture_output=True, text=True, timeout=BUILD_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip("the Rust client cannot be built in time; what is built is kept for the next run")
    assert built.returncode == 0, built.stderr
    return target / "debug" / "reader"


def node_packages() -> Path:
    """The folder with the node_modules that ``node/`` needs."""
    need("node", "npm")
    wanted = [HERE / "node" / name for name in ("package.json", "package-lock.json")]
    folder = kept_folder("node", *wanted)
    done = folder / "fetched"
    if not done.exists():
        for file in wanted:
            shutil.copy(file, folder)
        fetch = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run(fetch, cwd=folder, capture_output=True, timeout=FETCH_SECONDS, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("npm cannot fetch the packages")
        done.touch()
    return folder / "node_modules"


def run_node(packages: Path, uri: str, task: str, *arguments: str, seconds: float) -> str:
    """What ``node/reader.js`` prints."""
    flight_sql = Path(protocol.__file__).with_name("flight_sql.proto")
    files = [str(file) for file in (HERE / "node" / "flight.proto", flight_sql)]
    command = ["node", str(HERE / "node" / "reader.js"), uri.removeprefix("grpc://"), *files, task, *arguments]
    environment = {**os.environ, "NODE_PATH": str(packages)}
    ended = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=seconds)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
