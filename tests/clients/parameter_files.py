"""Parameters of every Arrow type for clients in other languages: a file for each type, which their own libraries read, send, and write the
answers to.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from tests.arrow_values import ARROW_VALUES

ASKED = "SELECT $1 AS value, typeof($1) AS kind, $1::VARCHAR AS text, hash($1) AS hashed"
"""What is asked of each value: itself, and what the kernel takes it for."""

Answers = dict[str, list[str]]
"""By type: the columns with their own types as text, which tells NaN and far dates as well."""


@cache
def batches() -> dict[str, pa.RecordBatch]:
    """By type: a row for each value of it, the last one NULL."""
    by_type: dict[pa.DataType, list[pa.Scalar]] = {}
    for value in (value for group in ARROW_VALUES.values() for value in group):
        by_type.setdefault(value.type, []).append(value)
    return {str(kind).replace("/", "-"): pa.record_batch([_column(kind, values)], names=["1"]) for kind, values in by_type.items()}


def _column(kind: pa.DataType, values: list[pa.Scalar]) -> pa.Array:
    if pa.types.is_run_end_encoded(kind):
        return pa.RunEndEncodedArray.from_arrays([1, 2], pa.array([values[0].as_py(), None], kind.value_type))
    return pa.concat_arrays([*(pa.repeat(value, 1) for value in values), pa.nulls(1, kind)])


def write_parameters(folder: Path) -> None:
    """Writes a stream ``TYPE.parameters`` for each type. Programs write what came back to ``TYPE.parameters.answer``."""
    for name, batch in batches().items():
        with pa.ipc.new_stream(folder / f"{name}.parameters", batch.schema) as stream:
            stream.write_batch(batch)


def answers(folder: Path) -> Answers:
    """What a program has written."""
    found = {}
    for name in batches():
        file = folder / f"{name}.parameters.answer"
        if file.exists():
            with pa.ipc.open_stream(file) as stream:
                found[name] = _texts(stream.read_all())
    return found


@cache
def kernel_answers() -> Answers:
    """What the kernel makes of the same batches as tables."""
    asked = ASKED.replace("$1", "given.sent") + " FROM given"
    with duckdb.connect() as kernel:
        kernel.execute("SET TimeZone = 'UTC'")
        tables = {name: kernel.from_arrow(pa.Table.from_batches([batch]).rename_columns(["sent"])) for name, batch in batches().items()}
        return {name: _texts(table.query("given", asked).to_arrow_table()) for name, table in tables.items()}


def _texts(table: pa.Table) -> list[str]:
    return [f"{column.type} {pa.chunked_array(column.combine_chunks()).to_string(window=50)}" for column in table.columns]
