"""``flight serve`` as a process, for tests from end to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60
STOP_SECONDS = 60


def command(*arguments: str) -> list[str]:
    """The words that start ``flight``."""
    return [sys.executable, "-m", "flight_server.cli", *arguments]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without Volley's variables, and ``variables``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VOLLEY_")}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def run(*arguments: str, folder: Path | None = None, stdin: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment(**variables), input=stdin, capture_output=True, text=True, timeout=120
    )


class RunningServer:
    """A server process on a free port, as a context. ``uri`` is what its first line says, ``log`` what it wrote to stderr."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        self.uri = ""
        self.lines: list[str] = []
        self._arguments = ["serve", "--port", "0", *arguments]
        self._variables = variables
        self._log: list[str] = []

    def __enter__(self) -> RunningServer:
        self.process = subprocess.Popen(
            command(*self._arguments), env=environment(**self._variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._keep_log, daemon=True)
        self._reader.start()
        watchdog = threading.Timer(READY_SECONDS, self.process.kill)
        watchdog.start()
        first = self.process.stdout.readline()
        watchdog.cancel()
        if not first.startswith("ready grpc://"):
            self._reader.join(STOP_SECONDS)
            raise AssertionError(f"the server said {first!r}\n{self.log}")
        self.lines.append(first)
        self.uri = first.split()[1]
        return self

    @property
    def log(self) -> str:
        """What the server has written to stderr so far."""
        return "".join(self._log)

    def stop(self, *signals: signal.Signals) -> int:
        """Sends the signals (SIGTERM if none) and waits; the exit status."""
        for number in signals or (signal.SIGTERM,):
            self.process.send_signal(number)
        status = self.process.wait(STOP_SECONDS)
        assert self.process.stdout is not None
        self.lines += self.process.stdout.readlines()
        return status

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def _keep_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._log.append(line)
