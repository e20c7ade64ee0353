"""Real processes for the end-to-end tests: a server, and the program in a terminal (tmux), with keys in and the screen out."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 40.0
LOOK_SECONDS = 0.03
_NUMBERS = itertools.count()


def environment(home: Path) -> dict[str, str]:
    """The environment of a user whose home is ``home``."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VOLLEY_", "TMUX", "NO_COLOR"))}
    return {**kept, "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "PYTHONPATH": paths, "LC_ALL": "C.UTF-8"}


def flight(*arguments: str) -> list[str]:
    """The ``flight`` command of this checkout."""
    return [sys.executable, "-m", "flight_server.cli", *arguments]


class ServerProcess:
    """``flight serve``; :attr:`uri` once it is ready."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self._log = (home / "server.log").open("ab")
        self._process = subprocess.Popen(
            flight("serve", *arguments), env=environment(home), stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self._process.stdout is not None
        self.uri = self._process.stdout.readline().removeprefix("ready").strip()
        assert self.uri.startswith("grpc://"), (home / "server.log").read_text()

    @property
    def port(self) -> int:
        return int(self.uri.rpartition(":")[2])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()


class Terminal:
    """A program in a tmux session of its own."""

    def __init__(self, home: Path, command: list[str], *, columns: int = 100, rows: int = 30) -> None:
        # Never the name of one before: a tmux that ends would take the next one along.
        self._socket = f"volley-{os.getpid()}-{next(_NUMBERS)}"
        self._environment = environment(home)
        words = " ".join(f"'{word}'" for word in command)
        settings = [
            ("set", "-g", "default-terminal", "tmux-256color"),
            ("set", "-sg", "escape-time", "0"),
            ("set", "-g", "remain-on-exit", "on"),
        ]
        flat = [word for setting in settings for word in (*setting, ";")]
        self._tmux("-f", "/dev/null", "start-server", ";", *flat, "new-session", "-d", "-x", str(columns), "-y", str(rows), words)

    def keys(self, *names: str) -> None:
        """Presses keys, as tmux names them."""
        for name in names:
            self._tmux("send-keys", name)

    def dismiss(self, title: str) -> None:
        """Closes a dialog with Esc, and waits until it is gone: with the next key right behind it, Esc would be another key."""
        self.keys("Escape")
        self.wait(lambda screen: title not in screen, f"the end of {title!r}")

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def paste(self, text: str) -> None:
        """Pastes a text as the terminal does: in brackets, if the program has asked for them."""
        self._tmux("set-buffer", text, ";", "paste-buffer", "-p")

    def paste_large(self, text: str, folder: Path) -> None:
        """Pastes what is too long for an argument of a command; ``folder`` takes it meanwhile."""
        file = folder / "pasted"
        file.write_text(text)
        self._tmux("load-buffer", str(file), ";", "paste-buffer", "-p")

    def click(self, column: int, row: int) -> None:
        """Presses and releases the mouse there (both from 0), as a terminal reports it."""
        for end in "Mm":
            self._tmux("send-keys", "-l", f"\x1b[<0;{column + 1};{row + 1}{end}")

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def see(self, pattern: str, seconds: float = WAIT_SECONDS) -> str:
        """The screen as soon as ``pattern`` is on it."""
        return self.wait(lambda screen: re.search(pattern, screen) is not None, pattern, seconds)

    def wait(self, reached: Callable[[str], bool], what: str, seconds: float = WAIT_SECONDS) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            screen = self.screen()
            if reached(screen):
                return screen
            time.sleep(LOOK_SECONDS)
        raise AssertionError(f"{what!r} did not show within {seconds} s; the screen is\n{self.screen()}")

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    @property
    def rss_bytes(self) -> int:
        """The resident memory of the program."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found.group(1)) * 1024

    @property
    def pid(self) -> int:
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    @property
    def ended(self) -> bool:
        return self._tmux("display-message", "-p", "#{pane_dead}").strip() == "1"

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], env=self._environment, capture_output=True, check=False)

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(["tmux", "-L", self._socket, *arguments], env=self._environment, capture_output=True, text=True, check=True)
        return done.stdout
