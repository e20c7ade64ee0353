"""``flight serve``: a server in this process."""

from __future__ import annotations

import click

from flight_server.settings.config import PlannerSection, ServerSection, load_config


@click.command()
@click.option(
    "--data",
    multiple=True,
    metavar="ROOT",
    help="Folder or s3://bucket/prefix whose files and folders are tables, or one file; repeatable.",
)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.  [default: 8815]")
@click.option("--workers", type=int, help="Worker processes on this machine.  [default: 1]")
@click.option("--threads", type=int, help="Threads for queries.  [default: the cores]")
@click.option("--memory", metavar="SIZE", help="Memory for queries, as 8GB, 6GiB or 50%.  [default: 70%]")
@click.option("--state", metavar="DIR", help="Folder for results and what must survive a restart.  [default: temporary]")
@click.option("--config", envvar="VOLLEY_CONFIG", metavar="FILE", help="TOML file; options here win over it. [VOLLEY_CONFIG]")
@click.option("--join", multiple=True, metavar="URI", help="Another worker of the cluster to join; repeatable.")
@click.option(
    "--distribute", metavar="WHEN", help="Whether workers share a query: auto, wherever they can (always), or never.  [default: auto]"
)
@click.option("--allow-writes", is_flag=True, help="Not supported by this version: it serves read-only.")
def serve(
    data: tuple[str, ...],
    host: str | None,
    port: int | None,
    workers: int | None,
    threads: int | None,
    memory: str | None,
    state: str | None,
    config: str | None,
    join: tuple[str, ...],
    distribute: str | None,
    allow_writes: bool,
) -> int:
    """Runs a server. Prints `ready grpc://HOST:PORT` once queries are accepted; logs go to stderr.

    Every option is also a variable, such as VOLLEY_PORT, and a key of the configuration file. SIGTERM or Ctrl-C lets
    running queries end and exits 0; a second one exits at once.
    """
    flags = ServerSection(
        host=host,
        port=port,
        workers=workers,
        threads=threads,
        memory=memory,
        state=state,
        data=list(data) or None,
        join=list(join) or None,
        allow_writes=allow_writes or None,
    )
    loaded = load_config(config, flags, planner=PlannerSection(distribute=distribute))

    # Only now: this brings the kernel, and a mistake in the configuration should not take a second to be told.
    from flight_server.process.launch import serve as run_server

    return run_server(loaded)
