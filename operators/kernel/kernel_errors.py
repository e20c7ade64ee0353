"""Turning what the kernel raises into errors for people: the right kind, without paths of the server or internal SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb
import pyarrow as pa

from operators.errors import FileUnreadable, Interrupted, KernelError, OperatorError, OutOfMemory, PathRefused

FAILURES = (duckdb.Error, pa.ArrowException, OSError)
"""What the kernel raises; a stream that fails half-way raises Arrow's errors and OSError."""

MAX_MESSAGE_CHARS = 2000
_EXCERPT = re.compile(r"\n+LINE \d+:.*", re.DOTALL)
_ABSOLUTE_PATH = re.compile(r"""(["'])/[^"'\n]*\1|(?<![\w:/.~-])/(?:[\w.=%+@~-]+/)+[^\s"',;)]*""")
_KERNEL_PREFIX = re.compile(r"[A-Z][A-Za-z ]* Error: ")
_DECODER_FAULT = re.compile(r"Invalid Error: T(?:Protocol|Transport)Exception")
_FILE_FAULT = re.compile(
    r"No magic bytes|too small to be a|Parquet|TProtocolException|TTransportException|Snappy|ZSTD|GZIP|LZ4|decompress|thrift"
    r"|No files found|Malformed JSON in file|CSV Error|page header|Corrupt",
    re.IGNORECASE,
)


class ErrorTranslator:
    """Knows the directories of this server, and by what name messages call each."""

    def __init__(self, directories: Mapping[str, str]) -> None:
        # The longest first: a directory inside another one has its own name.
        self._names = sorted(directories.items(), key=lambda item: len(item[0]), reverse=True)

    def translate(self, error: Exception) -> OperatorError:
        """``error`` of the kernel, or of a stream that it feeds, as one that may be shown."""
        text = str(error)
        message = self.clean(text)
        if text.startswith("INTERRUPT"):
            return Interrupted("the run was stopped")
        if invalidates(error):
            return KernelError(
                "the kernel failed at this statement, by a fault of its own", remedy="Write it in another way, and report it."
            )
        if text.startswith("Out of Memory") or "bad_alloc" in text:
            return OutOfMemory(_first_line(message), remedy="Ask for less at a time, or give the server more memory or spill space.")
        if text.startswith("Permission Error"):
            return PathRefused("the statement reaches for something outside the connections")
        if text.startswith("IO Error") or self._blames_file(text):
            if "spill" in text or "temp_directory" in text or "max_temp_directory_size" in text:
                return OutOfMemory(_first_line(message), remedy="Ask for less at a time, or give the server more spill space.")
            return FileUnreadable(_hide_paths(message), remedy="Replace or remove the file, then run the query again.")
        return KernelError(message)

    def clean(self, text: str) -> str:
        """``text`` without excerpts of internal SQL, and with the names of directories in the place of their paths."""
        text = _EXCERPT.sub("", text)
        for path, name in self._names:
            text = text.replace(path.rstrip("/") + "/", name if name.endswith(":") else f"{name}/").replace(path, name)
        return text.strip()[:MAX_MESSAGE_CHARS]

    def _blames_file(self, text: str) -> bool:
        """Decoders raise without the kernel's usual prefix, or name no file; its readers do."""
        if _KERNEL_PREFIX.match(text) is None or _DECODER_FAULT.match(text) is not None:
            return True
        return _FILE_FAULT.search(text) is not None and any(path in text for path, _ in self._names)


def invalidates(error: Exception) -> bool:
    """Whether the kernel's instance is of no more use after ``error``."""
    return str(error).startswith(("INTERNAL Error", "FATAL Error"))


def _hide_paths(text: str) -> str:
    return _ABSOLUTE_PATH.sub("a file of the server", text)


def _first_line(text: str) -> str:
    """The kernel's advice after the first line is about settings that its users cannot reach."""
    return text.split("\n", 1)[0]
