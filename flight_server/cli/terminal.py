"""``flight tui``: the terminal UI."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import click

from flight_server.cli.options import Access, embedded_options, embedded_uri


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@embedded_options
@click.option("--theme", help="Colours of the UI: dark, light, 16 or mono.")
def tui(access: Access, files: tuple[str, ...], theme: str | None) -> int:
    """Opens the terminal UI; the statements of the files are loaded as a list of queries."""
    # By name: the UI is above the server in the house, and nothing down here depends on it.
    run_ui: Callable[..., int] = importlib.import_module("tui.app").main
    if access.uri is not None:
        return run_ui(access.uri, files, token=access.token, tls_ca=access.tls_ca, theme=theme)
    with embedded_uri(access) as uri:
        return run_ui(uri, files, theme=theme)
