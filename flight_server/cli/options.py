"""Options that several commands have, and how a command reaches a server: by its URI, or by starting one for itself."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from flight_server.cli.files_here import ClientElsewhere
from flight_server.client import Client
from flight_server.settings.config import DEFAULT_CONNECTION, DEFAULT_HOST, DEFAULT_PORT, Config, ServerSection, load_config

BYTE_ORDER_MARK = "\ufeff"
LOCAL_URI = f"grpc://{DEFAULT_HOST}:{DEFAULT_PORT}"

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a server. Without ``uri``, an embedded one with ``data`` and ``config``, or else of the current folder."""

    uri: str | None
    token: str | None
    tls_ca: bytes | None
    data: tuple[str, ...] = ()
    config: str | None = None


def server_options(function: Function) -> Function:
    """``--uri``, ``--user``, ``--token``, ``--tls-ca``: passed on as ``access``, for commands that need a running server."""
    return _with_access(function, embedded=False)


def embedded_options(function: Function) -> Function:
    """The same with ``--data`` and ``--config``, for commands that start a server of their own when there is no ``--uri``."""
    return _with_access(function, embedded=True)


def _with_access(function: Function, *, embedded: bool) -> Function:
    def command(
        uri: str | None,
        user: str | None,
        token: str | None,
        tls_ca: str | None,
        data: tuple[str, ...] = (),
        config: str | None = None,
        **others: Any,
    ) -> Any:
        context = click.get_current_context()
        if user is not None:
            raise click.UsageError("--user is not supported by this version: servers know no passwords")
        if uri is not None and (data or config is not None):
            if context.get_parameter_source("uri") is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError("--data and --config are for an embedded server; the server at --uri has its own")
            uri = None  # VOLLEY_URI is a default; what the command line says about an embedded server is meant
        uri = uri if embedded else uri or LOCAL_URI
        token_is_meant = context.get_parameter_source("token") is click.core.ParameterSource.COMMANDLINE
        if uri is None and (token_is_meant or tls_ca is not None):
            raise click.UsageError("--token and --tls-ca are for a server at --uri; an embedded one asks nobody who they are")
        if tls_ca is not None and uri is not None and not uri.strip().startswith("grpc+tls://"):
            raise click.UsageError(f"--tls-ca is for a server with TLS, grpc+tls://HOST:PORT; {uri} has none")
        access = Access(uri, token, None if tls_ca is None else Path(tls_ca).read_bytes(), data, config)
        return function(access=access, **others)

    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    command.__click_params__ = list(getattr(function, "__click_params__", []))  # type: ignore[attr-defined]
    without = "without it, a server is started in this process and leaves nothing behind" if embedded else f"default {LOCAL_URI}"
    options: list[Callable[[Any], Any]] = [
        click.option("--tls-ca", type=click.Path(exists=True, dir_okay=False), help="PEM file of authorities to trust, for grpc+tls://."),
        click.option("--token", envvar="VOLLEY_TOKEN", help="Bearer token for the server at --uri. [VOLLEY_TOKEN]"),
        click.option("--user", help="Not supported by this version: servers know no passwords."),
        click.option("--uri", envvar="VOLLEY_URI", help=f"The server, grpc://HOST:PORT; {without}. [VOLLEY_URI]"),
    ]
    if embedded:
        options += [
            click.option("--config", envvar="VOLLEY_CONFIG", help="TOML file for the embedded server. [VOLLEY_CONFIG]"),
            click.option(
                "--data",
                multiple=True,
                metavar="ROOT",
                help="Folder or file with tables, also s3://bucket/…, for the embedded server; repeatable. Default: the current folder.",
            ),
        ]
    wrapped: Any = command
    for option in options:
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def parameter_option(function: Function) -> Function:
    """``-p``: passed on as ``given``, the values of a statement's parameters as they were typed."""
    option = click.option(
        "-p",
        "--parameter",
        "given",
        multiple=True,
        metavar="[NAME=]VALUE",
        help="The value of a parameter: NAME=VALUE for $name, VALUE for each ? or $1 in turn; NULL is no value. Repeatable.",
    )
    return option(function)


def read_sql(argument: str) -> str:
    """The statements that an argument gives: itself, or stdin for ``-``, without the mark with which some editors begin a file."""
    return sys.stdin.read().removeprefix(BYTE_ORDER_MARK) if argument == "-" else argument


@contextmanager
def connected(access: Access) -> Iterator[Client]:
    """A client of the server that ``access`` names, or of one that lives as long as the context. Raises ``VolleyError``."""
    if access.uri is not None:
        with ClientElsewhere(access.uri, _instead(), token=access.token, tls_ca=access.tls_ca) as client:
            yield client
        return
    with embedded_uri(access) as uri, Client(uri, session=True) as client:
        yield client


def _instead() -> Callable[[str], str]:
    """The command that is being run, as one would type it for a server of its own over a folder."""
    context = click.get_current_context()
    rest = {"query": ' "…"', "explain": ' "…"', "run": " FILE"}.get(context.info_name or "", "")
    return lambda folder: f"`{context.command_path} --data {shlex.quote(folder)}{rest}`"


@contextmanager
def embedded_uri(access: Access) -> Iterator[str]:
    """The URI of a server in this process, with its own temporary state."""
    from flight_server.process.launch import embedded

    with embedded(embedded_config(access)) as uri:
        yield uri


def paths_start_at(access: Access) -> str | None:
    """The folder on this machine where paths in SQL begin; None where they begin elsewhere, or nobody here knows."""
    if access.uri is not None:
        return None
    config = embedded_config(access)
    if DEFAULT_CONNECTION in config.connections or not config.data_roots:
        return None
    return next((root for root in config.data_roots[:1] if os.path.isdir(root)), None)


def embedded_config(access: Access) -> Config:
    """What an embedded server is told: it sees the current folder where nothing says what else. Raises ``ConfigError``."""
    config = load_config(access.config, ServerSection(data=list(access.data) or None, workers=1))
    here = str(Path.cwd())
    # A folder that may not be read is no reason to refuse `SELECT 1`.
    if config.data_roots or DEFAULT_CONNECTION in config.connections or not os.access(here, os.R_OK | os.X_OK):
        return config
    return replace(config, data_roots=(here,), shallow_roots=True)
