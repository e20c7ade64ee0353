"""The configuration's connections, as the storage room knows them."""

from __future__ import annotations

from dataclasses import replace

from flight_server.settings.config import DEFAULT_CONNECTION, Config, ConnectionConfig
from operators.storage import Connection, Secret
from operators.storage.connections import with_root

DEFAULT = DEFAULT_CONNECTION


def connections_of(config: Config) -> list[Connection]:
    """All connections. Without a default one, ``read_files`` starts at the first data root, with the keys of the connection it lies in."""
    connections = [connection(name, given) for name, given in config.connections.items()]
    if DEFAULT not in config.connections and config.data_roots:
        root = config.data_roots[0]
        around = containing(config, root)
        given = ConnectionConfig(root) if around is None else replace(config.connections[around], url=root)
        connections.append(with_root(connection(DEFAULT, given), root))
    return connections


def connection(name: str, given: ConnectionConfig) -> Connection:
    """One connection; its keys become secrets."""
    key = None if given.key is None else Secret(given.key)
    secret = None if given.secret is None else Secret(given.secret)
    patience = given.patience_seconds
    return Connection(name, given.url, given.endpoint_url, given.region, key, secret, given.path_style, patience_seconds=patience)


def containing(config: Config, url: str) -> str | None:
    """The name of the connection in which ``url`` lies, the closest one if there are several; None if there is none."""
    found = {name: given.url.rstrip("/") for name, given in config.connections.items()}
    inside = [name for name, root in found.items() if url == root or url.startswith(f"{root}/")]
    return max(inside, key=lambda name: len(found[name]), default=None)
