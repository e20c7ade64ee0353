"""Results as clients get them: dictionary-encoded columns (the kernel's ENUM) travel as plain values, and without our own metadata.

pyarrow's ``GeneratorStream``, the only kind that can carry a place with each batch, sends no dictionaries.
"""

from __future__ import annotations

import pyarrow as pa

from planner.arrow_types import TYPE_KEY
from planner.origins import TABLE_KEY

OWN_KEYS = frozenset((TABLE_KEY, TYPE_KEY))
"""The planner's words on a column, which do not travel to clients as they are."""


def wire_schema(schema: pa.Schema) -> pa.Schema:
    """``schema`` without dictionaries at any depth; the same object if there are none."""
    if not any(has_dictionary(field.type) for field in schema):
        return schema
    return pa.schema([_plain_field(field) for field in schema], schema.metadata)


def bare_schema(schema: pa.Schema) -> pa.Schema:
    """``schema`` without the planner's words on its columns; the same object if there are none."""
    if not any(field.metadata and not OWN_KEYS.isdisjoint(field.metadata) for field in schema):
        return schema
    return pa.schema([field.with_metadata(_others(field.metadata)) for field in schema], schema.metadata)


def _others(metadata: dict[bytes, bytes] | None) -> dict[bytes, bytes] | None:
    return {key: value for key, value in (metadata or {}).items() if key not in OWN_KEYS} or None


def wire_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """``batch`` with the columns of ``schema``, which is ``wire_schema`` of its own."""
    if batch.schema == schema:
        return batch
    columns = [_as_type(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.record_batch(columns, schema=schema)


def has_dictionary(kind: pa.DataType) -> bool:
    """Whether there is a dictionary in a type, at any depth."""
    return pa.types.is_dictionary(kind) or any(has_dictionary(kind.field(index).type) for index in range(kind.num_fields))


def _plain_field(field: pa.Field) -> pa.Field:
    return field.with_type(_plain(field.type))


def _plain(kind: pa.DataType) -> pa.DataType:
    if not has_dictionary(kind):
        return kind
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    children = [_plain_field(kind.field(index)) for index in range(kind.num_fields)]
    if pa.types.is_struct(kind):
        return pa.struct(children)
    if pa.types.is_map(kind):
        return pa.map_(_plain_field(kind.key_field), _plain_field(kind.item_field), keys_sorted=kind.keys_sorted)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(children[0], kind.list_size)
    if pa.types.is_large_list(kind):
        return pa.large_list(children[0])
    if pa.types.is_list(kind):
        return pa.list_(children[0])
    if pa.types.is_union(kind):
        return pa.union(children, kind.mode, kind.type_codes)
    raise NotImplementedError(f"dictionaries inside {kind}")


def _as_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    try:
        return column.cast(kind)
    except pa.ArrowNotImplementedError:
        # Kinds that pyarrow cannot cast (maps, unions of dictionaries) are rare and small enough to be copied value by value.
        return _copied(column, kind)


def _copied(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_union(kind):
        children = [_as_type(column.field(index), kind.field(index).type) for index in range(kind.num_fields)]
        names = [kind.field(index).name for index in range(kind.num_fields)]
        if kind.mode == "sparse":
            return pa.UnionArray.from_sparse(column.type_codes, children, names, kind.type_codes)
        return pa.UnionArray.from_dense(column.type_codes, column.offsets, children, names, kind.type_codes)
    return pa.array(column.to_pylist(), kind)
