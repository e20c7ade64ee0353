r"""Statements from elsewhere: files (``\i``, ``\ir``), an editor (``\e``), and queries that have a name (``\n``, ``\ns``, ``\nd``)."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from flight_server.cli.shell_commands import RunningShell, ShellCommand, ShellError, nearest, unquoted
from flight_server.client.box_tables import Cells, print_table, printable
from flight_server.client.parameters import bound, shared
from flight_server.client.statements import is_complete, split_statements

MAX_NESTED_FILES = 16
EDITOR = "vi"
_NAME = re.compile(r"[\w-]+")


class ScriptCommands:
    """``edited`` is what came out of the editor unfinished, for the next prompt; ``queries`` the folder of those with a name."""

    def __init__(self, shell: RunningShell, queries: Path) -> None:
        self.edited = ""
        self._shell = shell
        self._queries = queries
        self._files: list[Path] = []

    def commands(self) -> list[ShellCommand]:
        """These commands."""
        return [
            ShellCommand(
                "e [FILE]",
                "edit the statement before it, the last, or a file; runs what ends in ;",
                self._edit,
                True,
                "file",
            ),
            ShellCommand("i FILE", "run the statements and commands of a file", self._include, argument="file"),
            ShellCommand("ir FILE", "the same, beside the file in which it stands", self._include_beside, argument="file"),
            ShellCommand(
                "n [NAME [VALUE]…]", "run a query by its name, with values of its parameters; alone: list", self._run, argument="query"
            ),
            ShellCommand("ns NAME QUERY", "give a query a name", self._save, argument="query"),
            ShellCommand("nd NAME", "forget a query's name", self._forget, argument="query"),
        ]

    def names(self) -> list[str]:
        """The names that there are."""
        return sorted(path.stem for path in self._queries.glob("*.sql"))

    def _include(self, argument: str) -> None:
        self._run_file(argument, Path())

    def _include_beside(self, argument: str) -> None:
        self._run_file(argument, self._files[-1].parent if self._files else Path())

    def _run_file(self, argument: str, folder: Path) -> None:
        if not argument:
            raise ShellError("which file is to be run?", remedy="\\i FILE, or \\ir FILE for one beside the file in which it stands")
        path = folder / Path(unquoted(argument)).expanduser()
        if len(self._files) >= MAX_NESTED_FILES:
            raise ShellError(
                f"{printable(str(path))} is included in {MAX_NESTED_FILES} files, one in another", remedy="does one include itself?"
            )
        text = _read(path)
        self._files.append(path)
        try:
            self._shell.run_text(text, str(path))
        finally:
            self._files.pop()

    def _edit(self, argument: str) -> None:
        if self._shell.ask is None:
            raise ShellError("\\e wants a terminal")
        if argument:
            path = Path(unquoted(argument)).expanduser()
            _in_editor(path)
            text = _read(path)
        else:
            with tempfile.TemporaryDirectory(prefix="volley-") as folder:
                path = Path(folder) / "statement.sql"
                path.write_text(f"{self._shell.last or ''}\n", encoding="utf-8")
                _in_editor(path)
                text = _read(path)
        text = text.strip()
        if is_complete(text):
            self._shell.say(printable(text))
            self._shell.run_text(text)
        else:
            self.edited = text

    def _run(self, argument: str) -> None:
        name, _, values = argument.partition(" ")
        if not name:
            names = self.names()
            if not names:
                self._shell.say("no query has a name here: \\ns NAME QUERY gives one")
                return
            texts = tuple(printable(" ".join(_read(self._path(known)).split())) for known in names)
            print_table(self._shell.console, [Cells("name", "", False, tuple(names)), Cells("query", "", False, texts)], types=False)
            return
        statements = split_statements(_read(self._existing(name)))
        try:
            given = shlex.split(values)
        except ValueError as error:
            raise ShellError(f"the values of \\n {name} cannot be read: {error}") from None
        for statement, taken in zip(statements, shared((statement.text for statement in statements), given), strict=True):
            sql, parameters = bound(statement.text, taken)
            self._shell.remember(statement.text, sql, parameters)
            self._shell.execute(sql, parameters)

    def _save(self, argument: str) -> None:
        name, _, sql = argument.partition(" ")
        path = self._path(name)
        if not split_statements(sql):
            raise ShellError("\\ns wants a name and a query", remedy="\\ns NAME SELECT …")
        try:
            self._queries.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(sql.strip() + "\n")
        except FileExistsError:
            raise ShellError(f"there is a query {name} already", remedy=f"\\nd {name} forgets it") from None
        except OSError as error:
            raise ShellError(f"cannot write {path}: {error.strerror}") from None

    def _forget(self, argument: str) -> None:
        self._existing(argument).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ShellError(f"{printable(name) or 'nothing'} is no name of a query", remedy="letters, digits, _ and -")
        return self._queries / f"{name}.sql"

    def _existing(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            raise ShellError(f"there is no query {name}", remedy=nearest(name, self.names(), "\\n ") or "\\n lists them")
        return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ShellError(f"cannot read {printable(str(path))}: {reason}") from None


def _in_editor(path: Path) -> None:
    """Waits for the user's editor. Raises ``ShellError`` if there is none, or it fails."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or EDITOR
    ended = subprocess.run(f"{command} {shlex.quote(str(path))}", shell=True, check=False)
    if ended.returncode:
        raise ShellError(f"the editor {printable(command)} ended with status {ended.returncode}", remedy="$EDITOR names another")
