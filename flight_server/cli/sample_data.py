"""Sample data: made from a seed, the same on every machine, and streamed: a hundred million rows need no more memory than ten.

sample/       id int32, value1 string, value2 float32, in several files
wide/         the same with long strings
customers/    customer_id, name, country, segment, since
orders/       order_id, customer_id, ordered_at, amount, status: each of some customer
"""

from __future__ import annotations

import datetime
import decimal
import posixpath
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flight_server.settings.config import Config
from flight_server.settings.connections import connection, containing
from operators.storage.connections import Connection
from operators.storage.kinds import open_backend
from planner.errors import Status, VolleyError

Size = Literal["small", "large", "huge"]
SEED = 20_240_229
ROWS_PER_BATCH = 122_880
ROWS_PER_FILE = 1_228_800
MIN_FILES = 4


class SampleDataError(VolleyError):
    """The data cannot be written there."""

    status = Status.INVALID_ARGUMENT


@dataclass(frozen=True, slots=True)
class Written:
    """A table that was written."""

    table: str
    rows: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class TablePlan:
    """A table to be made: so many rows by ``make(first row, rows, random)``."""

    name: str
    rows: int
    make: Callable[[int, int, _Random], pa.RecordBatch]

    @property
    def files(self) -> int:
        """How many files it is written to."""
        return max(MIN_FILES, -(-self.rows // ROWS_PER_FILE))


SAMPLE_ROWS: dict[Size, int] = {"small": 100_000, "large": 10_000_000, "huge": 100_000_000}
WIDE_ROWS: dict[Size, int] = {"small": 10_000, "large": 500_000, "huge": 5_000_000}
CUSTOMER_ROWS: dict[Size, int] = {"small": 1_000, "large": 50_000, "huge": 500_000}
ORDER_ROWS: dict[Size, int] = {"small": 20_000, "large": 1_000_000, "huge": 10_000_000}

_WORDS = ("arrow", "bow", "fletching", "nock", "quiver", "shaft", "string", "target", "vane", "volley", "yew", "archer")
_COUNTRIES = ("Argentina", "Brazil", "Canada", "Egypt", "France", "Germany", "India", "Japan", "Kenya", "Norway", "Poland", "Vietnam")
_SEGMENTS = ("consumer", "corporate", "home office", "small business")
_STATUSES = ("delivered", "delivered", "delivered", "shipped", "open", "returned")
_FIRST_NAMES = (
    "Ada",
    "Alan",
    "Barbara",
    "Dennis",
    "Donald",
    "Edgar",
    "Frances",
    "Grace",
    "Jean",
    "Jim",
    "John",
    "Katherine",
    "Radia",
    "Tony",
)
_LAST_NAMES = (
    "Allen",
    "Bartik",
    "Codd",
    "Gray",
    "Hoare",
    "Hopper",
    "Johnson",
    "Knuth",
    "Liskov",
    "Lovelace",
    "Perlman",
    "Ritchie",
    "Turing",
)
_EPOCH = datetime.date(1970, 1, 1)
_ORDERS_FROM = (datetime.date(2022, 1, 1) - _EPOCH).days
_ORDER_DAYS = 3 * 365
_JOINED_FROM = (datetime.date(2015, 1, 1) - _EPOCH).days
_JOINED_DAYS = 7 * 365


def plans(size: Size) -> list[TablePlan]:
    """The tables of a size."""
    customers = CUSTOMER_ROWS[size]
    return [
        TablePlan("sample", SAMPLE_ROWS[size], _sample_rows),
        TablePlan("wide", WIDE_ROWS[size], _wide_rows),
        TablePlan("customers", customers, _customer_rows),
        TablePlan("orders", ORDER_ROWS[size], lambda first, rows, random: _order_rows(first, rows, random, customers)),
    ]


def write_sample_data(
    root: str, size: Size, config: Config, *, seed: int = SEED, wrote: Callable[[str, int], None] = lambda table, rows: None
) -> list[Written]:
    """Writes all tables of ``size`` below ``root``, a folder or a URL; tells ``wrote(table, rows)`` after each batch.

    Connections of ``config`` give the keys for URLs that lie inside them. A table that is there already is replaced, files of other
    names are left alone. Raises :class:`SampleDataError`, or ``StorageError`` where a bucket cannot be used.
    """
    try:
        filesystem, base = _open_root(root, config)
        return [_write_table(filesystem, base, plan, seed, wrote) for plan in plans(size)]
    except VolleyError:
        raise
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        raise SampleDataError(f"cannot write to {root}: {reason}") from None


def batches(plan: TablePlan, file: int, seed: int = SEED) -> Iterator[pa.RecordBatch]:
    """The batches of one file of a table: the same for the same seed, whatever was made before."""
    first, end = _bounds(plan, file)
    for start in range(first, end, ROWS_PER_BATCH):
        yield plan.make(start, min(ROWS_PER_BATCH, end - start), _Random(f"{seed}/{plan.name}/{start}"))


def _bounds(plan: TablePlan, file: int) -> tuple[int, int]:
    return plan.rows * file // plan.files, plan.rows * (file + 1) // plan.files


def _write_table(filesystem: Any, base: str, plan: TablePlan, seed: int, wrote: Callable[[str, int], None]) -> Written:
    folder = posixpath.join(base, plan.name)
    filesystem.makedirs(folder, exist_ok=True)
    total = 0
    for file in range(plan.files):
        path = posixpath.join(folder, f"part-{file:04d}.parquet")
        schema = plan.make(0, 0, _Random("")).schema
        with filesystem.open(path, "wb") as sink, pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            for batch in batches(plan, file, seed):
                writer.write_batch(batch, row_group_size=ROWS_PER_BATCH)
                wrote(plan.name, batch.num_rows)
        total += int(filesystem.size(path))
    return Written(plan.name, plan.rows, plan.files, total)


def data_root(root: str, config: Config) -> str:
    """``root`` as a server's ``--data`` takes it: a folder or a URL."""
    place, below = _located(root, config)
    return f"{place.url.rstrip('/')}/{below}" if below else place.url


def _open_root(root: str, config: Config) -> tuple[Any, str]:
    """The file system of ``root`` and the path in it. Raises ``StorageError`` where nothing answers there."""
    place, below = _located(root, config)
    backend = open_backend(place)
    if backend.local_root() is None:
        backend.check()  # a folder is made; a bucket must be there
    filesystem, base = backend.filesystem()
    return filesystem, posixpath.join(base, below) if below else base


def _located(root: str, config: Config) -> tuple[Connection, str]:
    """The connection that ``root`` is in, and where in it: ``NAME:path``, a URL inside one, or a place of its own."""
    name, _, path = root.partition(":")
    if name in config.connections and not path.startswith("//"):
        return connection(name, config.connections[name]), path.strip("/")
    around = containing(config, root)
    if around is not None:
        given = config.connections[around]
        return connection(name, given), root.removeprefix(given.url.rstrip("/")).strip("/")
    return Connection(root, root), ""


class _Random:
    """Columns of random numbers, each from the one seed and its own place in the order in which they are asked for."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._drawn = 0

    def fractions(self, rows: int) -> pa.DoubleArray:
        """Doubles from 0 to below 1."""
        self._drawn += 1
        return pc.random(rows, initializer=zlib.crc32(f"{self._name}/{self._drawn}".encode()))

    def integers(self, below: int, rows: int) -> pa.Int32Array:
        """Whole numbers from 0 to below ``below``."""
        return pc.floor(pc.multiply(self.fractions(rows), float(below))).cast(pa.int32())

    def pick(self, values: Sequence[str], rows: int) -> pa.StringArray:
        """Some of ``values``, each as likely."""
        return pa.array(values, pa.string()).take(self.integers(len(values), rows))

    def words(self, count: int, rows: int) -> pa.StringArray:
        """Texts of ``count`` words."""
        return pc.binary_join_element_wise(*(self.pick(_WORDS, rows) for _ in range(count)), " ")

    def days(self, first: int, count: int, rows: int) -> pa.Date32Array:
        """Dates within ``count`` days from ``first``, which counts from 1970."""
        return pc.add(self.integers(count, rows), pa.scalar(first, pa.int32())).cast(pa.date32())


def _ids(first: int, rows: int, kind: pa.DataType) -> pa.Array:
    return pa.array(range(first, first + rows), kind)


def _sample_rows(first: int, rows: int, random: _Random) -> pa.RecordBatch:
    return _numbered(first, rows, random, words=2)


def _wide_rows(first: int, rows: int, random: _Random) -> pa.RecordBatch:
    return _numbered(first, rows, random, words=60)


def _numbered(first: int, rows: int, random: _Random, words: int) -> pa.RecordBatch:
    value1 = random.words(words, rows)
    return pa.record_batch(
        {"id": _ids(first, rows, pa.int32()), "value1": value1, "value2": random.fractions(rows).cast(pa.float32(), safe=False)}
    )


def _customer_rows(first: int, rows: int, random: _Random) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "customer_id": _ids(first + 1, rows, pa.int32()),
            "name": pc.binary_join_element_wise(random.pick(_FIRST_NAMES, rows), random.pick(_LAST_NAMES, rows), " "),
            "country": random.pick(_COUNTRIES, rows),
            "segment": random.pick(_SEGMENTS, rows),
            "since": random.days(_JOINED_FROM, _JOINED_DAYS, rows),
        }
    )


def _order_rows(first: int, rows: int, random: _Random, customers: int) -> pa.RecordBatch:
    # Squared, so that some customers order much more than others, as they do.
    fraction = random.fractions(rows)
    customer = pc.floor(pc.multiply(pc.multiply(fraction, fraction), float(customers))).cast(pa.int32())
    return pa.record_batch(
        {
            "order_id": _ids(first + 1, rows, pa.int64()),
            "customer_id": pc.add(customer, pa.scalar(1, pa.int32())),
            "ordered_at": random.days(_ORDERS_FROM, _ORDER_DAYS, rows),
            "amount": _amounts(random.fractions(rows)),
            "status": random.pick(_STATUSES, rows),
        }
    )


def _amounts(fractions: pa.DoubleArray) -> pa.Decimal128Array:
    """Many small amounts and few large ones, to the cent."""
    cents = pc.floor(pc.divide(1_000.0, pc.add(fractions, 0.005))).cast(pa.int64())
    hundredth = pa.scalar(decimal.Decimal("0.01"), pa.decimal128(3, 2))
    return pc.multiply(cents.cast(pa.decimal128(19, 0)), hundredth).cast(pa.decimal128(12, 2))
