r"""The shell's variables: ``\set``, ``\unset``, and ``:name`` in statements."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flight_server.cli.shell_commands import RunningShell, ShellCommand, ShellError, nearest, unquoted
from flight_server.client import quote_name, quote_text
from flight_server.client.box_tables import printable
from planner.tokens import tokens

_NAME = re.compile(r"[^\W\d]\w*")


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with the values of its ``:name``, as text of a string for ``:'name'``, as a name for ``:"name"``.

    Only outside of strings and comments, and only where there is such a variable: slices and paths of JSON have colons, too.
    """
    parts: list[str] = []
    last = colon = 0
    before = ""
    for kind, start, end in tokens(text):
        if before == ":" and start == colon + 1 and (kind == "word" or text[start] in "'\""):
            name = text[start:end]
            value = variables.get(name.strip("'\"") if kind == "string" else name)
            if value is not None:
                shown = {"'": quote_text, '"': quote_name}.get(name[0], str)(value)
                parts += [text[last:colon], shown]
                last = end
        before, colon = text[start:end], start
    return "".join([*parts, text[last:]]) if parts else text


class VariableCommands:
    """The commands about variables; ``values`` are theirs."""

    def __init__(self, shell: RunningShell) -> None:
        self.values: dict[str, str] = {}
        self._shell = shell

    def commands(self) -> list[ShellCommand]:
        """These commands."""
        return [
            ShellCommand(
                "set [NAME VALUE]", "set a variable: :NAME in a statement is its value, :'NAME' a string, :\"NAME\" a name", self._set
            ),
            ShellCommand("unset NAME", "forget a variable", self._unset),
        ]

    def _set(self, argument: str) -> None:
        name, _, value = argument.partition(" ")
        if not name:
            for known, said in sorted(self.values.items()):
                self._shell.console.print(f"{known} = {printable(said)}", soft_wrap=True)
            return
        if not _NAME.fullmatch(name):
            raise ShellError(f"{printable(name)} is no name of a variable", remedy="a letter, then letters, digits and _")
        self.values[name] = unquoted(value.strip())

    def _unset(self, argument: str) -> None:
        if self.values.pop(argument, None) is None:
            raise ShellError(f"there is no variable {printable(argument)}", remedy=nearest(argument, self.values))
