"""Plays the storyboard to the real program on a pseudo-terminal and writes down what it draws, as an asciicast (version 2).

record.py OUT.cast SHOTS.json COMMAND…
"""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte
from storyboard import COLUMNS, ROWS, STORY, Step

LETTER_SECONDS = 0.045
WAIT_SECONDS = 60.0


class Recorder:
    """A program on a pseudo-terminal, the screen that it draws, and every piece of its output with its time."""

    def __init__(self, command: list[str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "", "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, env=environment, start_new_session=True)
        os.close(slave)
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._began = time.monotonic()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a piece may end inside a character
        self.events: list[tuple[float, str]] = []
        self.shots: dict[str, float] = {}

    @property
    def now(self) -> float:
        return time.monotonic() - self._began

    def play(self, step: Step) -> None:
        for letter in step.typed:
            os.write(self._master, letter.encode())
            self._record(LETTER_SECONDS)
        if step.keys:
            os.write(self._master, step.keys.encode())
        deadline = self.now + WAIT_SECONDS
        while step.see and not any(step.see in line for line in self._screen.display):
            if self.now > deadline:
                raise SystemExit(f"{step.see!r} did not show; the screen is\n" + "\n".join(self._screen.display))
            self._record(0.05)
        self._record(step.pause)
        if step.shot:
            self.shots[step.shot] = self.now

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _record(self, seconds: float) -> None:
        """Takes what is drawn for a while."""
        end = self.now + seconds
        while (left := end - self.now) > 0:
            if not select.select([self._master], [], [], left)[0]:
                return
            piece = os.read(self._master, 1 << 16)
            self._stream.feed(piece)
            self.events.append((self.now, self._decoder.decode(piece)))


def main() -> None:
    cast, shots, command = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    recorder = Recorder(command)
    try:
        for step in STORY:
            recorder.play(step)
    finally:
        recorder.close()
    lines = [json.dumps({"version": 2, "width": COLUMNS, "height": ROWS, "title": "flight tui"})]
    lines += [json.dumps([round(at, 4), "o", text]) for at, text in recorder.events]
    cast.write_text("\n".join(lines) + "\n", encoding="utf-8")
    shots.write_text(json.dumps(recorder.shots), encoding="utf-8")


main()
