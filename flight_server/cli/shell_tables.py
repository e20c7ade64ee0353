r"""What there is to ask for: ``\d`` and ``\dt``."""

from __future__ import annotations

from flight_server.cli.shell_commands import RunningShell, ShellCommand
from flight_server.client.box_tables import Cells, print_table, printable
from flight_server.client.sql_words import quoted
from flight_server.settings.quantities import format_size
from planner.catalog import SCHEMA_PREFIXES

MAX_COLUMNS = 100_000


class TableCommands:
    """``no_tables`` says how to get some, where one stands."""

    def __init__(self, shell: RunningShell, no_tables: str) -> None:
        self._shell = shell
        self._no_tables = no_tables

    def commands(self) -> list[ShellCommand]:
        """These commands."""
        return [
            ShellCommand("d [TABLE]", "tables, or the columns of one", self._describe, argument="table"),
            ShellCommand("dt", "tables with rows, files and bytes", self._tables),
        ]

    def _describe(self, table: str) -> None:
        if table:
            self._shell.execute(f"DESCRIBE {_written(table)}", rows=MAX_COLUMNS)
            return
        tables = self._shell.client.tables(details=False)
        self._print([Cells("table", "", False, tuple(printable(t.name) for t in tables))])

    def _tables(self, _: str) -> None:
        tables = self._shell.client.tables(details=True)
        self._print(
            [
                Cells("table", "", False, tuple(printable(t.name) for t in tables)),
                Cells("rows", "", True, tuple("" if t.rows is None else f"{t.rows:,}" for t in tables)),
                Cells("columns", "", True, tuple(str(len(t.columns)) for t in tables)),
                Cells("files", "", True, tuple(str(t.files) for t in tables)),
                Cells("size", "", True, tuple(format_size(t.bytes) for t in tables)),
                Cells("error", "", False, tuple(printable(t.error or "") for t in tables)),
            ]
        )

    def _print(self, columns: list[Cells]) -> None:
        shown = [column for column in columns if column.name != "error" or any(column.values)]
        if columns[0].values:
            print_table(self._shell.console, shown, types=False)
        else:
            self._shell.say(self._no_tables)


def _written(table: str) -> str:
    """A table as SQL writes it: a name in quotes and a path as they stand, any other with the quotes that it needs."""
    if '"' in table or table.startswith("'"):
        return table
    *schema, name = table.split(".")
    in_schema = tuple(part.lower() for part in schema) in SCHEMA_PREFIXES
    return ".".join([*schema, quoted(name)]) if in_schema else quoted(table)
