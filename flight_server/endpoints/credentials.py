"""User names and tokens that clients send to a server which knows no users.

Many drivers always send one. On loopback they are accepted, unchecked, with a warning in the log: whoever is on this machine could come
without as well. Anywhere else they are refused, so that nobody thinks that a password keeps others out.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import logging
import socket
import threading

import pyarrow.flight as flight
from cachetools import LRUCache

from flight_server.errors import shorten

MAX_REMEMBERED_NAMES = 1_000
_ANSWER = "Bearer unchecked"
"""What a driver that sent a name and a password is given to send from then on."""

log = logging.getLogger(__name__)


def on_loopback(host: str) -> bool:
    """Whether a server at ``host``, a name or an address, can be reached from its own machine only."""
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except socket.gaierror:
        return False
    return bool(addresses) and all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in addresses)


class AnyHandshake(flight.ServerAuthHandler):  # type: ignore[misc, unused-ignore]
    """Lets drivers log in; what they send is looked at by :class:`UncheckedCallers`."""

    def authenticate(self, outgoing: flight.ServerAuthSender, incoming: flight.ServerAuthReader) -> None:
        """Nothing is asked."""

    def is_valid(self, token: bytes) -> str:
        """Nobody has a name."""
        return ""


class UncheckedCallers:
    """Looks at what callers send to log in. Refuses it unless ``accepting``. Thread-safe."""

    def __init__(self, accepting: bool) -> None:
        self._accepting = accepting
        self._lock = threading.Lock()
        self._warned: LRUCache[str, bool] = LRUCache(MAX_REMEMBERED_NAMES)

    def admit(self, authorization: str) -> str | None:
        """Lets a caller in who sends this header, and says what to answer it with. Raises ``FlightUnauthenticatedError``."""
        if not self._accepting:
            raise flight.FlightUnauthenticatedError(
                "this server knows no users, and takes names and tokens on 127.0.0.1 only: connect without a user name and without a token"
            )
        if authorization == _ANSWER:
            return None
        scheme, _, value = authorization.partition(" ")
        basic = scheme.lower() == "basic"
        self._warn(f"user {shorten(_user(value))!r}" if basic else "a token")
        return _ANSWER if basic else None

    def _warn(self, who: str) -> None:
        with self._lock:
            known = who in self._warned
            self._warned[who] = True
        if not known:
            log.warning("a client came with %s: accepted unchecked, since this server knows no users and serves on loopback only", who)


def _user(encoded: str) -> str:
    """The user name in a Basic header's value; ADBC leaves the padding out."""
    try:
        text = base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return "?"
    return text.partition(":")[0]
