from __future__ import annotations

import pytest

from operators.scan.column_types import partition_type, wider


@pytest.mark.parametrize(
    ("left", "right", "both"),
    [
        ("INTEGER", "BIGINT", "BIGINT"),
        ("UINTEGER", "INTEGER", "BIGINT"),
        ("UBIGINT", "BIGINT", "HUGEINT"),
        ("UTINYINT", "UINTEGER", "UINTEGER"),
        ("FLOAT", "DOUBLE", "DOUBLE"),
        ("INTEGER", "FLOAT", "DOUBLE"),
        ("DECIMAL(10,2)", "DECIMAL(12,4)", "DECIMAL(12,4)"),
        ("DECIMAL(10,2)", "INTEGER", "DECIMAL(12,2)"),
        ("DECIMAL(38,0)", "DECIMAL(38,10)", None),
        ("DATE", "TIMESTAMP", "TIMESTAMP"),
        ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", None),
        ("VARCHAR", "BIGINT", None),
        ("STRUCT(a INTEGER)", "STRUCT(a INTEGER)", "STRUCT(a INTEGER)"),
        ("STRUCT(a INTEGER)", "STRUCT(a BIGINT)", None),
        ('"NULL"', "VARCHAR", "VARCHAR"),
    ],
)
def test_wider(left: str, right: str, both: str | None) -> None:
    assert wider(left, right) == both
    assert wider(right, left) == both


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", "007"], "BIGINT"),
        (["9223372036854775807"], "BIGINT"),
        (["9223372036854775808"], "VARCHAR"),
        (["2024-01-31", None], "DATE"),
        (["2024-02-30"], "VARCHAR"),
        (["1", "x"], "VARCHAR"),
        (["٣"], "VARCHAR"),
        ([None], "VARCHAR"),
    ],
)
def test_partition_type(values: list[str | None], kind: str) -> None:
    assert partition_type(values) == kind
