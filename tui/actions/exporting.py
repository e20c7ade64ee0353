"""Writing a result to a file: asks where to, says how far it is, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from planner.errors import VolleyError
from tui.actions.paths import complete_path
from tui.draw.amounts import plural
from tui.draw.chrome import Say
from tui.draw.popup import Dialogs
from tui.link.background import Background, Post
from tui.link.export import SUFFIXES, Export
from tui.link.run import Run
from tui.link.server import Server


@dataclass
class Exporting:
    """Exports the result of ``run()``."""

    run: Callable[[], Run | None]
    server: Server
    background: Background
    post: Post
    dialogs: Dialogs
    say: Say
    _running: Export | None = None

    def ask(self) -> None:
        """Asks for the file, then writes it; while one is being written, asks whether to stop that."""
        run = self.run()
        if run is None or run.query_id is None or run.schema is None:
            return
        if self._running is not None:
            running = self._running
            self.dialogs.ask("Export", f"{running.path} is being written. Stop it?", running.stop, answer="stop it")
            return
        query_id, schema = run.query_id, run.schema
        self.dialogs.prompt(
            "Export the whole result",
            "file ",
            f"result-{run.number}.csv",
            lambda text: self._start(query_id, schema, text.strip()),
            hint=f"the ending says the format: {SUFFIXES}",
            completer=complete_path,
        )

    def _start(self, query_id: str, schema: pa.Schema, path: str) -> None:
        if not path:
            return
        try:
            export = Export(self.server, query_id, schema, path)
        except VolleyError as error:
            self._failed(error)
            return
        if export.path.exists():
            question = f"{export.path} is there. Write over it?"
            self.dialogs.ask("Export", question, lambda: self._write(export), answer="write over it")
        else:
            self._write(export)

    def _write(self, export: Export) -> None:
        self._running = export
        self.say(f"writing {export.path} …")

        def progress() -> None:
            rows = export.rows
            self.post(lambda: self.say(f"writing {export.path}: {plural(rows, 'row')} …   e stops it"))

        def done(rows: int) -> None:
            self._running = None
            self.say(f"wrote {plural(rows, 'row')} to {export.path}")

        self.background.submit(lambda: export.write(progress), done, self._failed)

    def _failed(self, error: VolleyError) -> None:
        self._running = None
        self.say(str(error), "bad")
