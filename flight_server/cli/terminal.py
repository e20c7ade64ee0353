"""``flight tui``: the terminal UI."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

import click

from flight_server.cli.options import Access, embedded_options, embedded_uri
from flight_server.errors import ServerError

TERMINAL_UI = "volley.terminal_ui"
"""The group of entry points in which a terminal UI says where it starts."""


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@embedded_options
@click.option("--run", is_flag=True, help="Run the statements of the files at once, instead of listing them.")
@click.option("--theme", help="Colours of the UI: dark, light, 16 or mono.")
def tui(access: Access, files: tuple[str, ...], run: bool, theme: str | None) -> int:
    """Opens the terminal UI; the statements of the files are loaded as a list of queries, which runs when you say so, or with --run."""
    run_ui = _terminal_ui()
    if access.uri is not None:
        return run_ui(access.uri, files, run=run, token=access.token, tls_ca=access.tls_ca, theme=theme)
    with embedded_uri(access) as uri:
        return run_ui(uri, files, run=run, theme=theme)


def _terminal_ui() -> Callable[..., int]:
    """The installed terminal UI: it is above the server in the house, and nothing down here names it."""
    found = importlib.metadata.entry_points(group=TERMINAL_UI, name="main")
    if not found:
        raise ServerError("no terminal UI is installed", remedy="install Volley again: `pip install --force-reinstall volley`")
    main: Callable[..., int] = next(iter(found)).load()
    return main
