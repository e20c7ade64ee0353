"""Files on this machine that a server elsewhere was asked for, and does not see."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Sequence
from itertools import islice

from flight_server.client import Client, Submitted
from flight_server.client.box_tables import printable
from flight_server.errors import ClientError

MAX_ENTRIES = 10_000
"""Of a very large folder so many entries are looked at: somebody waits for the error."""
_ASKED_FOR = re.compile(
    r"there is no table (?P<table>'[^'\n]+'|\"[^\"\n]+\")"
    r"|no data files match (?P<pattern>'[^'\n]+'|\"[^\"\n]+\")"
    r"|(?P<outside>'[^'\n]+'|\"[^\"\n]+\") is outside the connections"
)


class ClientElsewhere(Client):
    """A client of a server that has its own files: where it lacks one that is here, its error names what would read it.

    ``instead`` is the command that starts a server of its own over a folder. Nothing about files here is sent to the server.
    """

    def __init__(self, uri: str, instead: Callable[[str], str], *, token: str | None = None, tls_ca: str | bytes | None = None) -> None:
        super().__init__(uri, token=token, tls_ca=tls_ca, session=True)
        self._instead = instead

    def submit(self, sql: str, parameters: Sequence[object] = (), *, ahead: int | None = None, purpose: str | None = None) -> Submitted:
        """See :meth:`Client.submit`."""
        try:
            return super().submit(sql, parameters, ahead=ahead, purpose=purpose)
        except ClientError as error:
            found = file_here(str(error))
            if found is None:
                raise
            name, folder = found
            remedy = f"{printable(name)} is on this machine, not at {self.uri}: {self._instead(folder)} reads it."
            raise ClientError(str(error), status=error.status, remedy=remedy) from error


def file_here(error: str) -> tuple[str, str] | None:
    """A file on this machine that the server which told ``error`` has not, and the folder that ``--data`` would name for it."""
    asked = _ASKED_FOR.match(error)
    if asked is None:
        return None
    if asked["table"] is not None:
        found = _named(asked["table"][1:-1])
        return None if found is None else (found, ".")
    # Only now: few errors are of this kind.
    from operators.storage.globs import literal_folder

    pattern = (asked["pattern"] or asked["outside"])[1:-1].removeprefix("file://")
    found = _matching(pattern)
    return None if found is None else (found, (os.path.dirname(literal_folder(pattern)) or "/") if os.path.isabs(pattern) else ".")


def _matching(pattern: str) -> str | None:
    """A data file that matches a path or pattern of the current folder, or of the root."""
    from operators.scan.table_files import extension

    if "://" in pattern or ".." in pattern.split("/"):
        return None
    names = islice(glob.iglob(pattern, recursive=True), MAX_ENTRIES)
    return next((name for name in names if extension(name) is not None and os.path.isfile(name)), None)


def _named(table: str) -> str | None:
    """What makes a table of that name in the current folder: a file, or a folder with one in it."""
    from operators.scan.table_files import extension, table_name

    try:
        with os.scandir() as entries:
            for entry in islice(entries, MAX_ENTRIES):
                if extension(entry.name) is not None and table_name(entry.name).lower() == table.lower() and entry.is_file():
                    return entry.name
                if entry.name.lower() == table.lower() and entry.is_dir() and _matching(f"{glob.escape(entry.name)}/**"):
                    return f"{entry.name}/"
    except OSError:
        pass  # a folder that cannot be read has nothing to offer
    return None
