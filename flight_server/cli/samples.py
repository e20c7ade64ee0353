"""``flight sample-data``: data to try things on."""

from __future__ import annotations

import sys
from typing import cast

import click
from rich.console import Console
from rich.progress import Progress

from flight_server.cli.sample_data import SAMPLE_ROWS, SEED, Size, Written, data_root, plans, write_sample_data
from flight_server.cli.showing import stdout_console
from flight_server.client.box_tables import Cells, print_table
from flight_server.settings.config import load_config
from flight_server.settings.quantities import format_size


@click.command("sample-data")
@click.option("--to", "root", required=True, metavar="ROOT", help="A folder, an s3:// URL, or CONNECTION:path of the configuration.")
@click.option(
    "--size", type=click.Choice(list(SAMPLE_ROWS)), default="small", show_default=True, help="100 thousand, 10 or 100 million rows."
)
@click.option("--seed", type=int, default=SEED, help="Another seed, other data.")
@click.option("--config", envvar="VOLLEY_CONFIG", metavar="FILE", help="TOML file with the connections. [VOLLEY_CONFIG]")
def sample_data(root: str, size: str, seed: int, config: str | None) -> None:
    """Writes sample data: sample and wide (id, value1, value2), and customers with their orders, several files each.

    The same seed makes the same data everywhere. Files of these tables that are there already are replaced.
    """
    chosen = cast("Size", size)
    loaded = load_config(config)
    total = sum(plan.rows for plan in plans(chosen))
    with Progress(console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("writing", total=total)
        written = write_sample_data(
            root, chosen, loaded, seed=seed, wrote=lambda table, rows: bar.update(task, description=table, advance=rows)
        )
    with_config = "" if config is None else f" --config {config}"
    _tell(data_root(root, loaded) + with_config, written)


def _tell(data: str, written: list[Written]) -> None:
    columns = [
        Cells("table", "", False, tuple(table.table for table in written)),
        Cells("rows", "", True, tuple(f"{table.rows:,}" for table in written)),
        Cells("files", "", True, tuple(str(table.files) for table in written)),
        Cells("size", "", True, tuple(format_size(table.bytes) for table in written)),
    ]
    console = stdout_console()
    print_table(console, columns, types=False)
    console.print(f"Try: flight query 'SELECT * FROM orders LIMIT 5' --data {data}", soft_wrap=True)
