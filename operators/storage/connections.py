"""What the configuration says about a connection."""

from __future__ import annotations

from dataclasses import dataclass


class Secret(str):
    """A string that never shows in a ``repr``, so that no log line or error made from its owner holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True, slots=True)
class Connection:
    """A named storage root. What is None comes from the environment and the usual chain of its kind (AWS: variables, files, roles)."""

    name: str
    url: str
    endpoint_url: str | None = None
    region: str | None = None
    key: Secret | None = None
    secret: Secret | None = None
    path_style: bool | None = None

    @property
    def scheme(self) -> str:
        """The kind of storage: what stands before ``://``; ``file`` for a bare path."""
        head, separator, _ = self.url.partition("://")
        return head.lower() if separator else "file"
