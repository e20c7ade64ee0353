"""``google.protobuf.Any`` as Flight SQL uses it: the protocol's type URLs around our own messages."""

from __future__ import annotations

from typing import Protocol, TypeVar

from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError, Message

from flight_server.errors import BadRequest

PACKAGE = "arrow.flight.protocol.sql."
TYPE_HOST = "type.googleapis.com/"
_TYPE_MARK = b"\n"

Parsed = TypeVar("Parsed", bound="Parsable")


class Parsable(Protocol):
    """A generated message's class method."""

    @classmethod
    def FromString(cls: type[Parsed], body: bytes) -> Parsed:
        """The message in ``body``."""


def unpack(data: bytes) -> Any | None:
    """The ``Any`` in ``data``, or None if there is none: SQL texts and JSON are never taken for one."""
    if not data.startswith(_TYPE_MARK):
        return None
    try:
        packed = Any.FromString(data)
    except DecodeError:
        return None
    return packed if type_name(packed) is not None or packed.type_url.startswith(TYPE_HOST) else None


def type_name(packed: Any) -> str | None:
    """What is inside, as Flight SQL calls it; None if it is nothing of Flight SQL's."""
    name: str = packed.TypeName()
    return name.removeprefix(PACKAGE) if name.startswith(PACKAGE) else None


def pack(message: Message) -> bytes:
    """``message`` inside an ``Any``, under the name that Flight SQL has for it: not under its own, which is in a package of ours."""
    packed: bytes = Any(type_url=TYPE_HOST + PACKAGE + message.DESCRIPTOR.name, value=message.SerializeToString()).SerializeToString()
    return packed


def read(packed: Any, kind: type[Parsed]) -> Parsed:
    """The message inside. Raises ``BadRequest`` if the bytes are none of that kind."""
    return parse(packed.value, kind)


def parse(body: bytes, kind: type[Parsed]) -> Parsed:
    """A message. Raises ``BadRequest`` if the bytes are none of that kind."""
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise BadRequest(f"the request is not a valid {kind.__name__}") from error
