"""What the configuration says about a connection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Secret(str):
    """A string that never shows in a ``repr``, so that no log line or error made from its owner holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Connection:
    """A named storage root. What is None comes from the environment and the usual chain of its kind (AWS: variables, files, roles).

    ``only`` is the one file in the folder ``url`` that it reaches; None for all that is there. ``patience_seconds``: for how long a server
    that has answered before is waited for when it does not.
    """

    name: str
    url: str
    endpoint_url: str | None = None
    region: str | None = None
    key: Secret | None = None
    secret: Secret | None = None
    path_style: bool | None = None
    only: str | None = None
    patience_seconds: float = PATIENCE_SECONDS

    @property
    def scheme(self) -> str:
        """The kind of storage: what stands before ``://``; ``file`` for a bare path."""
        head, separator, _ = self.url.partition("://")
        return head.lower() if separator else "file"


def with_root(connection: Connection, root: str) -> Connection:
    """``connection`` at that data root: a URL, a folder, or a single file, of which it reaches nothing else."""
    path = None if "://" in root and not root.startswith("file://") else root_path(root)
    if path is None or not path.is_file():
        return replace(connection, url=root)
    return replace(connection, url=str(path.parent), only=path.name)


def root_path(url: str) -> Path:
    """The folder that a ``file://`` URL or a bare path names. Relative ones count from the working directory."""
    if not url.startswith("file:"):
        return Path(url).absolute()
    return Path(unquote(urlsplit(url).path))
