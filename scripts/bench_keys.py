#!/usr/bin/env python
"""How soon a key press shows in the terminal UI while a result of millions of rows streams: p50, p95 and the worst, in milliseconds."""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import select
import string
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from bench_setup import percentile, server

TYPING_SECONDS = 0.02  # between two keys: a fast typist
PATIENCE_SECONDS = 30.0
RUN = b"\x01\x7fSELECT * FROM big -- \x1b[15~"  # select all, backspace, a statement, F5
MAKE_ALL = b"\x1b[18~G\x1b[<0;30;5M\x1b[<0;30;5m"  # F7, G, a click into the editor: all rows are made while one types there


class Keyboard:
    """The terminal UI on a pseudo-terminal: what it writes can be timed to the byte."""

    def __init__(self, home: Path, uri: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flight_server.cli", "tui", "--uri", uri],
            stdin=slave,
            stdout=slave,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"XDG_STATE_HOME": str(home / "state"), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""
        self._pressed_at = time.perf_counter()

    def press(self, keys: bytes) -> None:
        self.seen = b""
        self._pressed_at = time.perf_counter()
        os.write(self._master, keys)

    def until(self, text: str) -> float:
        """Reads until ``text`` has been written; returns how long that took from the last key press on."""
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while text.encode() not in self.seen:
            left = deadline - time.perf_counter()
            if left <= 0:
                raise SystemExit(f"{text!r} did not show within {PATIENCE_SECONDS:.0f} s")
            if select.select([self._master], [], [], left)[0]:
                self.seen += os.read(self._master, 1 << 16)
        return time.perf_counter() - self._pressed_at

    def read(self) -> None:
        """Takes what has been written: a program whose terminal nobody reads stands still."""
        while select.select([self._master], [], [], 0)[0]:
            self.seen += os.read(self._master, 1 << 16)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._master)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6_000_000)
    parser.add_argument("--presses", type=int, default=200)
    arguments = parser.parse_args()
    letters = random.Random(7)
    times: list[float] = []
    queries = 0
    with _keyboard(arguments.rows) as keyboard:
        while len(times) < arguments.presses:
            times += _presses(keyboard, letters, arguments.presses - len(times))
            queries += 1
    figures = "   ".join(f"{name} {value * 1000:.1f}" for name, value in _figures(times).items())
    print(f"{len(times)} key presses during {queries} queries over {arguments.rows:,} rows:   {figures}   (ms)")
    return 0


@contextmanager
def _keyboard(rows: int) -> Iterator[Keyboard]:
    with tempfile.TemporaryDirectory() as folder:
        columns = ", ".join(f"range * {number} AS c{number}" for number in range(1, 11))
        duckdb.sql(f"SELECT 'name ' || range AS name, {columns} FROM range({rows})").write_parquet(f"{folder}/big.parquet")
        with server(Path(folder)) as (uri, _):
            keyboard = Keyboard(Path(folder), uri)
            try:
                keyboard.until("●")
                yield keyboard
            finally:
                keyboard.close()


def _presses(keyboard: Keyboard, letters: random.Random, most: int) -> list[float]:
    """The time of each key press from the start of a query over all rows to its end."""
    keyboard.press(RUN)
    keyboard.until("held")
    keyboard.press(MAKE_ALL)
    keyboard.until("running")
    times: list[float] = []
    typed = ""
    everything = b""
    while "✓".encode() not in everything and len(times) < most:
        letter = letters.choice(string.ascii_lowercase)
        typed = (typed + letter)[-5:]
        keyboard.press(letter.encode())
        times.append(keyboard.until(typed))
        everything += keyboard.seen
        time.sleep(TYPING_SECONDS)
    return times


def _figures(times: list[float]) -> dict[str, float]:
    return {"p50": percentile(times, 0.5), "p95": percentile(times, 0.95), "worst": max(times)}


if __name__ == "__main__":
    sys.exit(main())
