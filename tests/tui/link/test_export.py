from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flight_server.client.output import compressed_endings, endings
from planner.errors import VolleyError
from tests.tui.fake_server import FakeServer
from tui.link.export import SUFFIXES, Export, ExportError, Stopped


def exported(tmp_path: Path, name: str) -> tuple[Export, pa.Table]:
    table = pa.table({"n": list(range(2500)), "t": [None if n % 7 == 0 else f"row {n}" for n in range(2500)]})
    server = FakeServer({"t": table})
    submitted = server.submit("SELECT * FROM t ORDER BY n")
    return Export(server, submitted.query_id, submitted.schema, str(tmp_path / name)), table


def test_an_export_is_the_result(tmp_path: Path) -> None:
    export, table = exported(tmp_path, "out.parquet")
    assert export.write() == 2500
    assert pq.read_table(tmp_path / "out.parquet").equals(table)


def test_an_export_that_is_stopped_leaves_no_file(tmp_path: Path) -> None:
    export, _ = exported(tmp_path, "out.csv")
    with pytest.raises(Stopped):
        export.write(progress=export.stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [*endings(), *(f"csv{more}" for more in compressed_endings())])
def test_every_ending_that_is_offered_is_a_format(tmp_path: Path, ending: str) -> None:
    export, _ = exported(tmp_path, f"out.{ending}")
    assert export.write() == 2500
    assert ending.rpartition(".")[2] in SUFFIXES


def test_an_export_to_an_unknown_format_or_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"out\.xyz"):
        exported(tmp_path, "out.xyz")
    export, _ = exported(tmp_path, "none/out.csv")
    with pytest.raises(VolleyError, match="cannot write"):
        export.write()
