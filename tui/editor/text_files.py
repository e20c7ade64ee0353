"""The files that tabs come from: read as texts, and written so that they are as before or as they should be, never in between."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from planner.errors import Status, VolleyError

MAX_FILE_BYTES = 4 << 20
_BYTE_ORDER_MARK = "\ufeff"


class FileError(VolleyError):
    """A file that cannot be opened or saved."""

    status = Status.NOT_FOUND


@dataclass(frozen=True, slots=True)
class TextForm:
    """What of a file is no text, and stays as it was when the text is saved: its line ends, and the mark at its begin."""

    line_end: str = "\n"
    mark: str = ""

    def whole(self, text: str) -> str:
        """``text`` as the file holds it; its last line is ended."""
        ended = text if text.endswith("\n") or not text else text + "\n"
        return self.mark + ended.replace("\n", self.line_end)


@dataclass(frozen=True, slots=True)
class FileText:
    """The text of a file, its lines ended by ``\\n``, and the form that it has there."""

    text: str
    form: TextForm


def read_text(path: Path) -> FileText:
    """The text of a file. Raises ``FileError`` if it is not there, too large, or no text."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FileError(f"{path} is larger than {MAX_FILE_BYTES >> 20} MB, too large to edit here")
        found = path.read_bytes().decode()
    except OSError as error:
        raise FileError(f"cannot open {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        remedy = f"iconv -f latin1 -t utf-8 {path.name} makes one, if it is in Latin-1"
        raise FileError(f"cannot open {path}: it is not a UTF-8 text", remedy=remedy) from error
    mark = _BYTE_ORDER_MARK if found.startswith(_BYTE_ORDER_MARK) else ""
    text = found.removeprefix(mark)
    ends = "\r\n" if text.count("\r\n") == text.count("\n") > 0 else "\n"
    return FileText(text.replace("\r\n", "\n").replace("\r", "\n"), TextForm(ends, mark))


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes a file whole or not at all; ``mode`` is of a new one, a link stays one. Raises ``FileError``."""
    target = Path(os.path.realpath(path))
    try:
        content = text.encode()
        if not target.exists():
            _replace(target, content, mode)
        elif not os.access(target, os.W_OK):
            raise FileError(f"cannot save {path}: it is write-protected")
        elif stat.S_ISREG(target.stat().st_mode):
            _replace(target, content, target.stat().st_mode & 0o7777)
        else:
            target.write_bytes(content)  # a device or a pipe, which is not there to be replaced
    except OSError as error:
        raise FileError(f"cannot save {path}: {error.strerror}") from error
    except UnicodeEncodeError as error:
        raise FileError(f"cannot save {path}: character {error.start + 1} is none that a file could hold") from error


def _replace(target: Path, content: bytes, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(name, mode)
        os.replace(name, target)
    except OSError:
        os.unlink(name)
        raise


def stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file does: its time and size; None if it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
