"""``google.protobuf.Any`` as Flight SQL uses it: the protocol's type URLs around our own messages."""

from __future__ import annotations

from typing import Protocol, TypeVar

from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped, unused-ignore]

from flight_server.errors import BadRequest
from flight_server.protocol.flight_sql_pb2 import AnyMessage

PACKAGE = "arrow.flight.protocol.sql."
TYPE_HOST = "type.googleapis.com/"
_TYPE_MARK = b"\n"

Parsed = TypeVar("Parsed", bound="Parsable")


class Parsable(Protocol):
    """A generated message's class method."""

    @classmethod
    def FromString(cls: type[Parsed], body: bytes) -> Parsed:
        """The message in ``body``."""


class Packed:
    """An ``Any``: the name of its type (None if it is not one of Flight SQL's) and the bytes of its message."""

    __slots__ = ("body", "type_name", "type_url")

    def __init__(self, type_url: str, body: bytes) -> None:
        self.type_url = type_url
        full_name = type_url.rpartition("/")[2]
        self.type_name = full_name.removeprefix(PACKAGE) if full_name.startswith(PACKAGE) else None
        self.body = body

    def read(self, kind: type[Parsed]) -> Parsed:
        """The message inside. Raises ``BadRequest`` if the bytes are none of that kind."""
        return parse(self.body, kind)


def unpack(data: bytes) -> Packed | None:
    """The ``Any`` in ``data``, or None if there is none: SQL texts and JSON are never taken for one."""
    if not data.startswith(_TYPE_MARK):
        return None
    try:
        message = AnyMessage.FromString(data)
    except DecodeError:
        return None
    packed = Packed(message.type_url, message.value)
    return packed if packed.type_name is not None or packed.type_url.startswith(TYPE_HOST) else None


def pack(name: str, message: Message) -> bytes:
    """``message`` inside an ``Any`` of Flight SQL's type ``name``."""
    packed: bytes = AnyMessage(type_url=TYPE_HOST + PACKAGE + name, value=message.SerializeToString()).SerializeToString()
    return packed


def parse(body: bytes, kind: type[Parsed]) -> Parsed:
    """A message. Raises ``BadRequest`` if the bytes are none of that kind."""
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise BadRequest(f"the request is not a valid {kind.__name__}") from error
