"""TPC-H's tables as the planner sees them, at any scale and without a file: columns, and row groups as tpchgen-cli writes them.

What footers say of them was read at scale 10: compressed and encoded bytes for each row, and which columns ascend from row group to row
group. Texts have no bounds here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from planner.catalog import Column, ColumnRange, DataFile, RowGroup, Table
from planner.quoting import quote_name
from tests.planner.memory_catalog import FolderCatalog, connect

ROWS_IN_GROUP = 115_000
_FIRST, _LAST = datetime.date(1992, 1, 1), datetime.date(1998, 12, 31)

# Rows at scale 1 (whatever the scale, where they are negative), and of each column its type, compressed and encoded bytes of a value, and
# for numbers the greatest of it at scale 1 (negative: whatever the scale); "+" before a name: it ascends.
_TABLES = {
    "customer": (150_000, """
        +c_custkey BIGINT 5.95 9.95 150000, c_name VARCHAR 6.92 23.95, c_address VARCHAR 30.2 30.63, c_nationkey BIGINT .63 .63 -24,
        c_phone VARCHAR 13.82 20.95, c_acctbal DECIMAL(15;2) 6.8 9.79, c_mktsegment VARCHAR .38 .38, c_comment VARCHAR 27.73 77.05"""),
    "lineitem": (5_998_605, """
        +l_orderkey BIGINT 2.67 3.79 6000000, l_partkey BIGINT 6.88 9.82 200000, l_suppkey BIGINT 4.69 6.76 10000,
        l_linenumber INTEGER .26 .38 -7, l_quantity DECIMAL(15;2) .76 .76, l_extendedprice DECIMAL(15;2) 6.92 9.59,
        l_discount DECIMAL(15;2) .5 .5, l_tax DECIMAL(15;2) .5 .5, l_returnflag VARCHAR .25 .25, l_linestatus VARCHAR .16 .16,
        l_shipdate DATE 1.59 1.59, l_commitdate DATE 1.59 1.59, l_receiptdate DATE 1.59 1.59, l_shipinstruct VARCHAR .25 .25,
        l_shipmode VARCHAR .38 .38, l_comment VARCHAR 13.41 31.01"""),
    "nation": (-25, """
        n_nationkey BIGINT 6.72 10.2 -24, n_name VARCHAR 12.2 13.28, n_regionkey BIGINT 3.08 3.4 -4, n_comment VARCHAR 46.4 80.48"""),
    "orders": (1_500_000, """
        +o_orderkey BIGINT 6.01 10.02 6000000, o_custkey BIGINT 6.73 9.61 150000, o_orderstatus VARCHAR .25 .25,
        o_totalprice DECIMAL(15;2) 7.62 10.01, o_orderdate DATE 1.6 1.6, o_orderpriority VARCHAR .38 .38, o_clerk VARCHAR 2.31 3.7,
        o_shippriority INTEGER .01 .01 0, o_comment VARCHAR 20.2 52.88"""),
    "part": (200_000, """
        +p_partkey BIGINT 6.03 10.03 200000, p_name VARCHAR 13.91 37.29, p_mfgr VARCHAR .38 .38, p_brand VARCHAR .63 .63,
        p_type VARCHAR 1.02 1.04, p_size INTEGER .76 .76 -50, p_container VARCHAR .76 .76, p_retailprice DECIMAL(15;2) 2.13 2.53,
        p_comment VARCHAR 8.85 16.73"""),
    "partsupp": (800_000, """
        +ps_partkey BIGINT 2.5 3.71 200000, ps_suppkey BIGINT 5.96 9.96 10000, ps_availqty INTEGER 2.52 2.52 -9999,
        ps_supplycost DECIMAL(15;2) 5.48 8.19, ps_comment VARCHAR 42.84 127.77"""),
    "region": (-5, "r_regionkey BIGINT 13.6 15.2 -4, r_name VARCHAR 18 18, r_comment VARCHAR 64.8 77.6"),
    "supplier": (10_000, """
        +s_suppkey BIGINT 5.93 9.93 10000, s_name VARCHAR 6.9 23.93, s_address VARCHAR 30.6 30.89, s_nationkey BIGINT .63 .63 -24,
        s_phone VARCHAR 13.79 20.93, s_acctbal DECIMAL(15;2) 6.8 9.81, s_comment VARCHAR 24.97 67.25"""),
}  # fmt: skip


class TpchCatalog(FolderCatalog):
    """The tables at ``scale``. Nothing can be run over them."""

    def __init__(self, scale: float) -> None:
        self.time_zone = "UTC"
        self.connection = connect()
        self.tables = {}
        self._columns: dict[str, tuple[Column, ...]] = {}
        self._groups: dict[str, tuple[RowGroup, ...]] = {}
        for name, (rows, written) in _TABLES.items():
            columns = [line.split() for line in written.replace("\n", " ").split(",")]
            self._columns[name] = tuple(Column(first.removeprefix("+"), kind.replace(";", ",")) for first, kind, *_ in columns)
            self._groups[name] = tuple(_row_groups(columns, round(-rows if rows < 0 else rows * scale), scale))
            size = sum(sum(group.column_bytes.values()) for group in self._groups[name])
            self.tables[name] = Table(name, (DataFile(f"default:{name}", size, "1"),))
            listed = ", ".join(f"{quote_name(column.name)} {column.type}" for column in self._columns[name])
            self.connection.execute(f"CREATE TABLE {name} ({listed})")

    def columns(self, table: Table) -> tuple[Column, ...]:
        return self._columns[table.name]

    def row_groups(self, file: DataFile) -> tuple[RowGroup, ...] | None:
        return self._groups[file.path.partition(":")[2]]


def _row_groups(columns: list[list[str]], rows: int, scale: float) -> Iterator[RowGroup]:
    count = -(-rows // ROWS_IN_GROUP)
    for index in range(count):
        here = min(ROWS_IN_GROUP, rows - index * ROWS_IN_GROUP)
        sizes, encoded, ranges = {}, {}, {}
        for first, kind, compressed, before, *most in columns:
            name = first.removeprefix("+")
            sizes[name], encoded[name] = round(float(compressed) * here), round(float(before) * here)
            greatest = -int(most[0]) if most and int(most[0]) <= 0 else round(int(most[0]) * scale) if most else 0
            if first != name:
                ranges[name] = ColumnRange(greatest * index // count + 1, greatest * (index + 1) // count, 0)
            elif most:
                ranges[name] = ColumnRange(0, greatest, 0)
            elif kind == "DATE":
                ranges[name] = ColumnRange(_FIRST, _LAST, 0)
        yield RowGroup(index, index * ROWS_IN_GROUP, here, sizes, ranges, encoded)
