"""Where the shell's results go instead of the terminal: a file, whole or one result behind another, or a command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa

from flight_server.cli.paging import piped, sink_of
from flight_server.cli.shell_commands import ShellError
from flight_server.client.output import (
    ONE_RESULT,
    Format,
    OutputError,
    compressed,
    format_of,
    refuse_compressing_twice,
    refuse_to_replace,
    write_file,
    write_stream,
)

SEVERAL = "csv, tsv, jsonl, md, html and txt take one behind another"


class ResultTarget(Protocol):
    """Something that takes results. ``said`` tells what is going to happen to them."""

    name: str
    said: str

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
        """Takes one result; returns its rows."""

    def close(self) -> None:
        """Takes no more."""


class OneResultFile:
    """A file of one result, which appears when it is whole; it refuses a second."""

    def __init__(self, path: Path, format: Format, replace: bool) -> None:
        """Raises ``OutputError`` if the file is there and may not go, or cannot be of that format."""
        refuse_compressing_twice(path, format)
        if not replace:
            refuse_to_replace(path)
        self.name = str(path)
        self.said = f"the next result goes to {path} as {format}"
        self._path = path
        self._format = format
        self._replace = replace
        self._full = False

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
        """Writes the file, whole or not at all. Raises ``ShellError`` for a second result."""
        if self._full:
            raise ShellError(f"{self.name} has its result, and {self._format} holds one", remedy=f"\\o another file; {SEVERAL}")
        rows = write_file(batches, schema, self._format, self._path, replace=self._replace)
        self._full = True
        return rows

    def close(self) -> None:
        """Nothing is open between results."""


class AppendedFile:
    """A text file that takes one result behind another, an empty line between them where rows could be taken for each other's."""

    def __init__(self, path: Path, format: Format, replace: bool) -> None:
        """Raises ``OutputError`` if the file cannot be written, or is there and may not go."""
        if not replace:
            refuse_to_replace(path)
        self.name = str(path)
        self.said = f"results go to {path} as {format}, one behind another, until \\o"
        self._format = format
        self._stack = ExitStack()
        self._results = 0
        try:
            file = self._stack.enter_context(path.open("wb"))
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror}") from None
        self._sink: BinaryIO = self._stack.enter_context(compressed(file, path, format))

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
        """Appends the result; what came of one that fails stays."""
        try:
            if self._results and self._format not in ("jsonl", "table"):
                self._sink.write(b"\n")
            self._results += 1
            rows = write_stream(batches, schema, self._format, self._sink)
            self._sink.flush()
        except OSError as error:
            raise OutputError(f"cannot write {self.name}: {error.strerror}") from None
        return rows

    def close(self) -> None:
        """Ends the file. Raises ``OutputError`` if its last bytes cannot be written."""
        try:
            self._stack.close()
        except OSError as error:
            raise OutputError(f"cannot write {self.name}: {error.strerror}") from None


class PipedCommand:
    """A command line of the system's shell, run with each result as its input."""

    def __init__(self, command: str, format: Format) -> None:
        if not command:
            raise ShellError("| wants a command behind it")
        self.name = f"| {command}"
        self.said = f"results go to {command} as {format}, until \\o"
        self._command = command
        self._format = format

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
        """Runs the command, which may take as much of it as it likes. ``name`` tells how it ended, if not well."""
        rows = 0

        def counted() -> Iterator[pa.RecordBatch]:
            nonlocal rows
            for batch in batches:
                rows += batch.num_rows
                yield batch

        with piped(self._command) as process:
            write_stream(counted(), schema, self._format, sink_of(process))
        status = process.returncode
        self.name = f"| {self._command}{f' (ended with status {status})' if status else ''}"
        return rows

    def close(self) -> None:
        """Nothing runs between results."""


def target(argument: str, default: Format, *, replace: bool, several: bool) -> ResultTarget:
    """Where an argument sends results: ``|command``, or a file of the format of its suffix, or of ``default``.

    With ``several``, a text file takes one result behind another, and is there from the start. Else a file is written whole or not at all.
    """
    if argument.startswith("|"):
        return PipedCommand(argument[1:].strip(), default)
    path = Path(argument).expanduser()
    refuse_compressing_twice(path)
    format = format_of(path) or default
    return AppendedFile(path, format, replace) if several and format not in ONE_RESULT else OneResultFile(path, format, replace)
