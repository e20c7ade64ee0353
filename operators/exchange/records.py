"""Records: Arrow record batches with an identity, the unit that exchanges queue, lease and count once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Payload = TypeVar("Payload")


@dataclass(frozen=True, slots=True, order=True)
class RecordKey:
    """The identity of a record: same producer, same input, same place in that input's output → same record.

    ``operator`` names the producer (``scan-0``), ``input_key`` the record that was leased to make this one, ``sequence`` its place among
    that record's outputs. ``slices`` is the path of a slice inside its parent record, empty for a whole record: slices sort in
    the order of their rows.
    """

    operator: str
    input_key: str
    sequence: int
    slices: tuple[int, ...] = ()

    def __str__(self) -> str:
        tail = "".join(f".{part}" for part in self.slices)
        return f"{self.operator}/{self.input_key}/{self.sequence}{tail}"


@dataclass(frozen=True, slots=True)
class Record(Generic[Payload]):
    """A payload (an Arrow record batch or a split) with its identity, partition and size in rows and bytes."""

    key: RecordKey
    payload: Payload
    partition: int = 0
    rows: int = 0
    bytes: int = 0
