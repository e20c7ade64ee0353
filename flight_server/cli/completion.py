"""``flight completion``: what a shell needs to complete our commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Prints the completion script of a shell.

    \b
    bash:  echo 'eval "$(flight completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(flight completion zsh)"' >> ~/.zshrc
    fish:  flight completion fish > ~/.config/fish/completions/flight.fish
    """
    from flight_server.cli import flight

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(flight, {}, "flight", "_FLIGHT_COMPLETE").source())
