"""How soon a key press shows, in a real terminal, while six million rows stream."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import string
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.tui.terminal import ServerProcess, environment, flight

MAX_P95_SECONDS = 0.050
ROWS = 6_000_000
MIN_PRESSES = 60
ATTEMPTS = 3


class Pty:
    """The program on a pseudo-terminal: what it writes can be timed to the byte."""

    def __init__(self, home: Path, command: list[str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=subprocess.DEVNULL,
            env=environment(home) | {"TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""
        self._pressed_at = time.perf_counter()

    def press(self, keys: bytes) -> None:
        self.seen = b""
        self._pressed_at = time.perf_counter()
        os.write(self._master, keys)

    def until(self, text: str, seconds: float = 30.0) -> float:
        """Reads until ``text`` has been written; returns how long that took from the last key press on."""
        deadline = time.perf_counter() + seconds
        while text.encode() not in self.seen:
            left = deadline - time.perf_counter()
            assert left > 0, f"{text!r} did not show within {seconds} s"
            if select.select([self._master], [], [], left)[0]:
                self.seen += os.read(self._master, 1 << 16)
        return time.perf_counter() - self._pressed_at

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._master)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Pty]:
    columns = ", ".join(f"range * {number} AS c{number}" for number in range(1, 11))
    duckdb.connect().execute(f"COPY (SELECT 'name ' || range AS name, {columns} FROM range({ROWS})) TO '{tmp_path}/big.parquet'")
    server = ServerProcess(tmp_path, "--port", "0", "--data", str(tmp_path))
    opened = Pty(tmp_path, flight("tui", "--uri", server.uri))
    opened.until("●")
    yield opened
    opened.close()
    server.stop()


def presses(program: Pty, letters: random.Random) -> list[float]:
    """The time of each key press from the start of a query over all rows to its end."""
    program.press(b"\x01\x7fSELECT * FROM big -- \x1b[15~")
    program.until("running")
    times: list[float] = []
    typed = ""
    everything = b""
    while b"completed" not in everything and len(times) < 1000:
        letter = letters.choice(string.ascii_lowercase)
        typed = (typed + letter)[-5:]
        program.press(letter.encode())
        times.append(program.until(typed))
        everything += program.seen
        time.sleep(0.02)  # a fast typist; the query goes on meanwhile
    return times


def measure(program: Pty, letters: random.Random) -> float:
    """The 95th percentile over as many queries as it takes for enough key presses."""
    times: list[float] = []
    queries = 0
    while len(times) < MIN_PRESSES:
        times += presses(program, letters)
        queries += 1
        assert queries <= MIN_PRESSES
    times.sort()
    p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(
        f"\n{len(times)} key presses during {queries} queries over {ROWS:,} rows:"
        f" p50 {p50 * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms, worst {times[-1] * 1000:.1f} ms"
    )
    return p95


def test_a_key_press_repaints_within_50_ms_while_six_million_rows_stream(program: Pty) -> None:
    # A machine that does something else at this moment may have a bad second: three measurements, of which one must do.
    letters = random.Random(7)
    assert any(measure(program, letters) < MAX_P95_SECONDS for _ in range(ATTEMPTS))
