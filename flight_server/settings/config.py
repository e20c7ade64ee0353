"""One frozen :class:`Config` out of flags, ``VOLLEY_*`` variables and a TOML file; an earlier one of these wins.

Variables are called as the keys: ``VOLLEY_PORT`` for ``[server] port``, ``VOLLEY_RESULTS_TTL`` for ``[results] ttl``,
``VOLLEY_CONNECTIONS_LAKE_SECRET`` for ``[connections.lake] secret``. Lists are separated by commas.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from flight_server.settings.quantities import machine_memory_bytes, machine_threads, parse_seconds, parse_size
from operators.results.materialize import TOTAL_BYTES, ResultLimits
from operators.storage.connections import PATIENCE_SECONDS
from planner.errors import Status, VolleyError
from planner.limits import DEFAULT_LIMITS
from planner.options import Distribution

DEFAULT_CONNECTION = "default"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8815
DEFAULT_MEMORY = "70%"
MAX_WORKERS = 256
MAX_THREADS = 1024
MAX_SQL_BYTES = 16 << 20
"""No server reads longer statements, whatever its ``limits.sql_bytes``."""
ENVIRONMENT_PREFIX = "VOLLEY_"

_OBJECT_STORE_OPTIONS = ("endpoint_url", "region", "key", "secret", "secret_file", "path_style", "patience")
_STORED = ResultLimits()
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]+")


class ConfigError(VolleyError):
    """A configuration that no server can start with: one line that names the place, and the remedy."""

    status = Status.INVALID_ARGUMENT


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """A named storage root. The secret shows in no ``repr``; ``secret_file`` was read into ``secret`` already."""

    url: str
    endpoint_url: str | None = None
    region: str | None = None
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    path_style: bool | None = None
    patience_seconds: float = PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class ResultsConfig:
    """How results are stored, for how long, and how much all together may have.

    ``stream_ttl_seconds``: for those that a Flight SQL stream has read to their end, where it is less than ``ttl_seconds``.
    """

    rows_per_group: int = _STORED.rows_per_group
    groups_per_file: int = _STORED.groups_per_file
    ttl_seconds: float = _STORED.ttl_seconds
    stream_ttl_seconds: float = _STORED.ttl_seconds
    total_bytes: int = TOTAL_BYTES


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """What one server and one query may use. ``queries`` run at once, ``queue`` wait behind them."""

    queries: int = 16
    queue: int = 1_000
    sql_bytes: int = DEFAULT_LIMITS.sql_bytes
    result_bytes: int = _STORED.result_bytes
    spill_bytes: int = 64 << 30
    abandon_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class PlannerConfig:
    """How queries are planned."""

    distribute: Distribution = "auto"


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that a server is told. Local paths are absolute; ``memory_bytes`` and ``threads`` are for the whole machine's share.

    ``kernel_threads``: so many may work on one fragment, where that is more than ``threads``: what runs on one worker alone has the
    threads of those beside it, which do nothing meanwhile.
    ``shallow_roots``: nobody has named the data roots, so that their folders are not looked through unless one is asked for.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    workers: int = 1
    threads: int = 1
    kernel_threads: int = 0
    memory_bytes: int = 1 << 30
    state: str | None = None
    join: tuple[str, ...] = ()
    data_roots: tuple[str, ...] = ()
    shallow_roots: bool = False
    connections: Mapping[str, ConnectionConfig] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    results: ResultsConfig = field(default_factory=ResultsConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    planner: PlannerConfig = field(default_factory=PlannerConfig)


class _Section(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A section as written; None for what is not."""


class ServerSection(_Section):
    """``[server]``; flags have the same names."""

    host: str | None = None
    port: int | None = None
    workers: int | None = None
    threads: int | None = None
    memory: str | int | None = None
    state: str | None = None
    data: list[str] | None = None
    join: list[str] | None = None
    allow_writes: bool | None = None


class _ConnectionSection(_Section):
    url: str | None = None
    endpoint_url: str | None = None
    region: str | None = None
    key: str | None = None
    secret: str | None = None
    secret_file: str | None = None
    path_style: bool | None = None
    patience: str | int | None = None


class _ResultsSection(_Section):
    rows_per_group: int | None = None
    groups_per_file: int | None = None
    ttl: str | int | None = None
    stream_ttl: str | int | None = None
    total_bytes: str | int | None = None


class _LimitsSection(_Section):
    queries: int | None = None
    queue: int | None = None
    sql_bytes: str | int | None = None
    result_bytes: str | int | None = None
    spill_bytes: str | int | None = None
    abandon: str | int | None = None


class PlannerSection(_Section):
    """``[planner]``; flags have the same names."""

    distribute: str | None = None


class _File(_Section):
    server: ServerSection = msgspec.field(default_factory=ServerSection)
    connections: dict[str, _ConnectionSection] = {}
    tables: dict[str, str] = {}
    results: _ResultsSection = msgspec.field(default_factory=_ResultsSection)
    limits: _LimitsSection = msgspec.field(default_factory=_LimitsSection)
    planner: PlannerSection = msgspec.field(default_factory=PlannerSection)
    auth: dict[str, object] = {}
    tls: dict[str, object] = {}


def load_config(
    path: str | None = None,
    flags: ServerSection | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    folder: str | None = None,
    planner: PlannerSection | None = None,
) -> Config:
    """The configuration that ``flags`` (with ``planner``, those of its section), ``environment`` (this process's if None) and the TOML file
    at ``path`` make together.

    Relative paths in the file start at the file's folder, others at ``folder`` (the current one if None).
    Raises :class:`ConfigError` with one line that names the flag, variable or key at fault.
    """
    environment = os.environ if environment is None else environment
    here = Path.cwd() if folder is None else Path(folder)
    written = _File() if path is None else _absolute(_read(path), Path(path).absolute().parent)
    variables = _absolute(_from_environment(environment, written), here)
    given = _absolute(_File(server=flags or ServerSection(), planner=planner or PlannerSection()), here)
    layers = (given, variables, written)
    _refuse_sections(written)
    for place, layer in zip(("--allow-writes", "VOLLEY_ALLOW_WRITES", "server.allow_writes"), layers, strict=True):
        _refuse_writes(place, layer.server)
    limits = _overlay([layer.limits for layer in layers])
    results = _overlay([layer.results for layer in layers])
    config = _build(_overlay([layer.server for layer in layers]), _connections(layers), written.tables, results, limits)
    config = replace(config, planner=PlannerConfig(_distribution(_overlay([layer.planner for layer in layers]))))
    _check(config)
    return config


def _read(path: str) -> _File:
    """The file's sections, strictly."""
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the configuration file {path}: {error.strerror}") from None
    try:
        return msgspec.toml.decode(text, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {_tell(str(error))}") from None


_TYPES = {
    "object | null": "a section",
    "object": "a section",
    "int | str | null": "a number or text",
    "int | null": "a whole number",
    "bool | null": "true or false",
    "array | null": "a list",
    "str | null": "text",
    "array": "a list",
    "int": "a number",
    "float": "a fraction",
    "bool": "true or false",
    "str": "text",
}


def _tell(message: str) -> str:
    """msgspec's words, turned around: the key first, as one writes it in TOML."""
    reason, _, place = message.partition(" - at `")
    key = place.rstrip("`").removeprefix("$").removeprefix(".").replace("[...]", ".*")
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", reason)
    if unknown is not None:
        return f"unknown key '{key + '.' if key else ''}{unknown[1]}'"
    for written, said in _TYPES.items():
        reason = reason.replace(f"`{written}`", said)
    return f"{key}: {reason[0].lower()}{reason[1:]}" if key else reason


def _from_environment(environment: Mapping[str, str], written: _File) -> _File:
    """The sections that ``VOLLEY_*`` variables make; connections of the file and new ones alike."""
    return _File(
        server=_section_from(environment, ENVIRONMENT_PREFIX, ServerSection),
        results=_section_from(environment, f"{ENVIRONMENT_PREFIX}RESULTS_", _ResultsSection),
        limits=_section_from(environment, f"{ENVIRONMENT_PREFIX}LIMITS_", _LimitsSection),
        planner=_section_from(environment, f"{ENVIRONMENT_PREFIX}PLANNER_", PlannerSection),
        connections={
            name: _section_from(environment, _connection_prefix(name), _ConnectionSection)
            for name in sorted({*written.connections, *_named_by_url(environment)})
        },
    )


def _connection_prefix(name: str) -> str:
    return f"{ENVIRONMENT_PREFIX}CONNECTIONS_{name.upper().replace('-', '_')}_"


def _named_by_url(environment: Mapping[str, str]) -> Iterator[str]:
    """Names of the connections that variables alone make: those with a URL."""
    for variable in environment:
        match = re.fullmatch(rf"{ENVIRONMENT_PREFIX}CONNECTIONS_(\w+?)_(?<!ENDPOINT_)URL", variable)
        if match is not None:
            yield match[1].lower()


SectionT = TypeVar("SectionT", bound=_Section)


def _section_from(environment: Mapping[str, str], prefix: str, kind: type[SectionT]) -> SectionT:
    values: dict[str, object] = {}
    for place in msgspec.structs.fields(kind):
        variable = prefix + place.name.upper()
        text = environment.get(variable)
        if text is None or text == "":
            continue
        value = [part.strip() for part in text.split(",")] if place.name in ("data", "join") else text
        try:
            values[place.name] = msgspec.convert(value, place.type, strict=False)
        except msgspec.ValidationError:
            wanted = "true or false" if place.type == (bool | None) else "a whole number"
            raise ConfigError(f"{variable} must be {wanted}") from None
    return kind(**values)


def _absolute(file: _File, folder: Path) -> _File:
    """``file`` with its local paths absolute, from ``folder``."""
    server = file.server
    if server.data is not None:
        server = msgspec.structs.replace(server, data=[_absolute_root(root, folder) for root in server.data])
    if server.state is not None:
        server = msgspec.structs.replace(server, state=str(folder / Path(server.state).expanduser()))
    connections = {
        name: section
        if section.secret_file is None
        else msgspec.structs.replace(section, secret_file=str(folder / Path(section.secret_file).expanduser()))
        for name, section in file.connections.items()
    }
    return msgspec.structs.replace(file, server=server, connections=connections)


def _absolute_root(root: str, folder: Path) -> str:
    if "://" in root:
        return root
    return os.path.normpath(folder / Path(root).expanduser())


def _overlay(sections: Sequence[SectionT]) -> SectionT:
    """Each key from the first section that has it."""
    chosen = {
        place.name: next((value for section in sections if (value := getattr(section, place.name)) is not None), None)
        for place in msgspec.structs.fields(sections[0])
    }
    return type(sections[0])(**chosen)


def _connections(layers: Sequence[_File]) -> dict[str, ConnectionConfig]:
    names = sorted({name for layer in layers for name in layer.connections})
    return {name: _connection(name, _overlay([layer.connections.get(name, _ConnectionSection()) for layer in layers])) for name in names}


def _connection(name: str, section: _ConnectionSection) -> ConnectionConfig:
    place = f"connections.{name}"
    if _NAME.fullmatch(name) is None or name in ("file", "s3"):
        raise ConfigError(f"{place}: a connection's name is two or more letters, digits, _ or -, and not file or s3")
    if section.url is None or "://" not in section.url:
        raise ConfigError(f"{place}.url must be a URL, such as s3://bucket/prefix or file:///folder")
    unused = [option for option in _OBJECT_STORE_OPTIONS if getattr(section, option) is not None]
    if unused and section.url.lower().startswith("file://"):
        raise ConfigError(f"{place}.{unused[0]} is for object stores; files on this machine need none")
    secret = section.secret
    if section.secret_file is not None:
        if secret is not None:
            raise ConfigError(f"{place} has both secret and secret_file: keep one")
        secret = _secret_from(place, section.secret_file)
    patience = _seconds(f"{place}.patience", section.patience, PATIENCE_SECONDS)
    return ConnectionConfig(section.url, section.endpoint_url, section.region, section.key, secret, section.path_style, patience)


def _secret_from(place: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{place}.secret_file cannot be read: {reason}") from None


def _build(
    server: ServerSection,
    connections: Mapping[str, ConnectionConfig],
    tables: Mapping[str, str],
    results: _ResultsSection,
    limits: _LimitsSection,
) -> Config:
    whole = ResultsConfig()
    most = LimitsConfig()
    return Config(
        host=server.host or DEFAULT_HOST,
        port=DEFAULT_PORT if server.port is None else server.port,
        workers=1 if server.workers is None else server.workers,
        threads=machine_threads() if server.threads is None else server.threads,
        memory_bytes=_bytes("server.memory", server.memory, DEFAULT_MEMORY, machine_memory_bytes()),
        state=server.state,
        join=tuple(server.join or ()),
        data_roots=tuple(server.data or ()),
        connections=connections,
        tables=tables,
        results=ResultsConfig(
            rows_per_group=whole.rows_per_group if results.rows_per_group is None else results.rows_per_group,
            groups_per_file=whole.groups_per_file if results.groups_per_file is None else results.groups_per_file,
            ttl_seconds=_seconds("results.ttl", results.ttl, whole.ttl_seconds),
            stream_ttl_seconds=_seconds("results.stream_ttl", results.stream_ttl, whole.stream_ttl_seconds),
            total_bytes=_bytes("results.total_bytes", results.total_bytes, whole.total_bytes),
        ),
        limits=LimitsConfig(
            queries=most.queries if limits.queries is None else limits.queries,
            queue=most.queue if limits.queue is None else limits.queue,
            sql_bytes=_bytes("limits.sql_bytes", limits.sql_bytes, most.sql_bytes),
            result_bytes=_bytes("limits.result_bytes", limits.result_bytes, most.result_bytes),
            spill_bytes=_bytes("limits.spill_bytes", limits.spill_bytes, most.spill_bytes),
            abandon_seconds=_seconds("limits.abandon", limits.abandon, most.abandon_seconds),
        ),
    )


def _distribution(planner: PlannerSection) -> Distribution:
    match planner.distribute:
        case None:
            return "auto"
        case "auto" | "always" | "never" as known:
            return known
        case other:
            raise ConfigError(f"planner.distribute: {other!r} is none of auto, always and never")


def _bytes(place: str, value: str | int | None, default: str | int, whole: int | None = None) -> int:
    try:
        return parse_size(str(default if value is None else value), whole_bytes=whole)
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None


def _seconds(place: str, value: str | int | None, default: float) -> float:
    try:
        return default if value is None else parse_seconds(str(value))
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None


def _check(config: Config) -> None:
    """Bounds, and that local roots are there. Raises ConfigError for the first that does not hold."""
    for place, value, low, high in (
        ("port", config.port, 0, 65_535),
        ("workers", config.workers, 1, MAX_WORKERS),
        ("threads", config.threads, 1, MAX_THREADS),
        ("results.rows_per_group", config.results.rows_per_group, 1, 10_000_000),
        ("results.groups_per_file", config.results.groups_per_file, 1, 100_000),
        ("limits.queries", config.limits.queries, 1, 10_000),
        ("limits.queue", config.limits.queue, 0, 1_000_000),
        ("limits.sql_bytes", config.limits.sql_bytes, 1, MAX_SQL_BYTES),
    ):
        if not low <= value <= high:
            raise ConfigError(f"{place} must be between {low} and {high}, not {value}")
    for root in config.data_roots:
        _check_root(root)
    for uri in config.join:
        if not uri.startswith(("grpc://", "grpc+tcp://", "grpc+tls://")):
            raise ConfigError(f"--join {uri}: a server's address looks like grpc://HOST:PORT")


def _check_root(root: str) -> None:
    path = Path(root.removeprefix("file://"))
    if "://" in str(root) and not root.startswith("file://"):
        return  # other storages are asked when the server starts
    if not path.exists():
        raise ConfigError(f"the data root {root} does not exist")
    if path.is_file():
        # Only now: this brings all kinds of storage.
        from operators.scan.table_files import extension

        if extension(path.name) is None:
            remedy = f"Give the folder that holds it, and write FROM read_files('{path.name}', format = 'csv'), or 'json' or 'parquet'."
            raise ConfigError(f"the data root {root} is a file whose name says no format", remedy=remedy)
    if not os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK):
        raise ConfigError(f"the data root {root} cannot be read: permission denied")


def _refuse_sections(written: _File) -> None:
    """Sections that are reserved: a server that ignored them would be open where its owner thinks it is closed."""
    for name, section in (("auth", written.auth), ("tls", written.tls)):
        if section:
            raise ConfigError(
                f"[{name}] is not supported yet", remedy="Remove the section, and serve on 127.0.0.1 or a trusted network only."
            )


def _refuse_writes(place: str, server: ServerSection) -> None:
    """``allow_writes`` is reserved too: what it promises would be refused statement by statement."""
    if server.allow_writes:
        raise ConfigError(f"{place} is not supported by this version: it serves read-only")
