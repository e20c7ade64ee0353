"""The arguments of ``read_files``: patterns of files, and options for the kernel's readers.

Options are an allow-list. A value is a literal of the kind that its option takes, written anew by the one place that quotes: nothing of the
user's text goes to a reader as it stands.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from planner.ast import SEQUENCES, Ast, name_parts
from planner.catalog import FileFormat, ReadOptions
from planner.literals import quote_literal
from planner.words import words

Kind = Literal["text", "true or false", "a whole number", "a number", "a list of texts", "text or a list of texts", "types"]

_KINDS: Mapping[Kind, str] = {
    "text": "text, in single quotes",
    "true or false": "true or false",
    "a whole number": "a whole number",
    "a number": "a number",
    "a list of texts": "a list such as ['a', 'b']",
    "text or a list of texts": "text, or a list such as ['a', 'b']",
    "types": "types by name, {'a': 'INTEGER'}, or a list of them, ['INTEGER', 'DATE']",
}

_CSV: Mapping[str, Kind] = {
    "all_varchar": "true or false",
    "allow_quoted_nulls": "true or false",
    "auto_type_candidates": "a list of texts",
    "column_names": "a list of texts",
    "column_types": "types",
    "columns": "types",
    "comment": "text",
    "compression": "text",
    "date_format": "text",
    "dateformat": "text",
    "decimal_separator": "text",
    "delim": "text",
    "delimiter": "text",
    "dtypes": "types",
    "encoding": "text",
    "escape": "text",
    "force_not_null": "a list of texts",
    "header": "true or false",
    "ignore_errors": "true or false",
    "max_line_size": "a whole number",
    "maximum_line_size": "a whole number",
    "names": "a list of texts",
    "new_line": "text",
    "normalize_names": "true or false",
    "null": "text or a list of texts",
    "null_padding": "true or false",
    "nullstr": "text or a list of texts",
    "quote": "text",
    "sample_size": "a whole number",
    "sep": "text",
    "separator": "text",
    "skip": "a whole number",
    "strict_mode": "true or false",
    "thousands": "text",
    "timestamp_format": "text",
    "timestampformat": "text",
    "types": "types",
}
_JSON: Mapping[str, Kind] = {
    "columns": "types",
    "compression": "text",
    "convert_strings_to_integers": "true or false",
    "date_format": "text",
    "dateformat": "text",
    "field_appearance_threshold": "a number",
    "ignore_errors": "true or false",
    "map_inference_threshold": "a whole number",
    "maximum_depth": "a whole number",
    "maximum_object_size": "a whole number",
    "records": "true or false",
    "sample_size": "a whole number",
    "timestamp_format": "text",
    "timestampformat": "text",
}
OPTIONS: Mapping[FileFormat, Mapping[str, Kind]] = {"csv": _CSV, "json": _JSON, "parquet": {}}
"""What the reader of each format may be told; ``format`` is for all of them."""

_OTHER_NAMES = words("column_names column_types date_format delimiter dtypes maximum_line_size null sep separator timestamp_format")
"""Options that the kernel knows by another name too; lists of what there is have one of them."""

FORMAT = "format"
_FILE_FORMATS: tuple[FileFormat, ...] = ("csv", "json", "parquet")
_JSON_LAYOUTS = ("auto", "array", "newline_delimited", "unstructured")
"""The reader of JSON calls its own option ``format``, too."""

_FORMAT_NAMES: Mapping[FileFormat, str] = {"csv": "CSV", "json": "JSON", "parquet": "Parquet"}


class BadArgument(Exception):
    """An argument that ``read_files`` does not take: ``node`` is where, None where it is the call as a whole."""

    def __init__(self, message: str, remedy: str, node: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.node = node


@dataclass(frozen=True, slots=True)
class Call:
    """What one call of ``read_files`` asks for, and where each option stands."""

    patterns: tuple[str, ...]
    options: ReadOptions
    places: Mapping[str, Ast]

    def misplaced(self, format: FileFormat) -> BadArgument | None:
        """What to say of the first option that is not for files of that format; None if all are."""
        for name, node in self.places.items():
            if name not in OPTIONS[format] and name != FORMAT:
                message = f"the option '{name}' is not for {_FORMAT_NAMES[format]} files"
                return BadArgument(message, _available(format), node)
        return None


def read_call(arguments: list[Ast]) -> Call:
    """The call with those arguments. Raises :class:`BadArgument`."""
    patterns: tuple[str, ...] | None = None
    values: dict[str, str] = {}
    places: dict[str, Ast] = {}
    format: FileFormat | None = None
    for argument in arguments:
        named = _named(argument)
        if named is None:
            if patterns is not None or places:
                raise _bad_pattern(argument)
            patterns = _patterns(argument)
            continue
        name, node = named
        if name in places:
            raise BadArgument(f"the option '{name}' is there twice", "Keep one of them.", argument)
        places[name] = argument
        value = _literal(node)
        if name == FORMAT:
            format, layout = _format(value, argument)
            values |= {} if layout is None else {FORMAT: quote_literal(layout)}
        else:
            values[name] = _checked(name, value, argument)
    if not patterns:
        raise _bad_pattern(None)
    return Call(patterns, ReadOptions(format, tuple(sorted(values.items()))), places)


def _bad_pattern(node: Ast | None) -> BadArgument:
    message = "read_files takes one string, the files' pattern, or a list of them, and named options behind it"
    return BadArgument(message, "Write read_files('folder/*.parquet'), or read_files('data.csv', delim = ';').", node)


def _named(argument: Ast) -> tuple[str, Ast] | None:
    """Name and value of ``name = value``, ``name := value`` and ``name => value``; None for an argument without a name."""
    expression = argument.get("Unnamed", {}).get("Expr", {})
    binary = expression.get("BinaryOp")
    if binary is not None and binary["op"] in ("Eq", "Assignment") and "Identifier" in binary["left"]:
        return str(binary["left"]["Identifier"]["value"]).lower(), binary["right"]
    named = argument.get("Named")
    if named is not None:
        return str(named["name"]["value"]).lower(), named["arg"].get("Expr", {})
    named = argument.get("ExprNamed")
    if named is not None and "Identifier" in named["name"]:
        return str(named["name"]["Identifier"]["value"]).lower(), named["arg"].get("Expr", {})
    return None


def _patterns(argument: Ast) -> tuple[str, ...]:
    value = _literal(argument.get("Unnamed", {}).get("Expr", {}))
    patterns = value if isinstance(value, list) else [value]
    if not patterns or not all(isinstance(pattern, str) for pattern in patterns):
        raise _bad_pattern(argument)
    return tuple(dict.fromkeys(patterns))


def _format(value: object, argument: Ast) -> tuple[FileFormat, str | None]:
    """The format of the files, and how JSON is laid out in them where that is said."""
    chosen = str(value).lower() if isinstance(value, str) else None
    for format in _FILE_FORMATS:
        if chosen == format:
            return format, None
    if chosen in _JSON_LAYOUTS:
        return "json", chosen
    listed = ", ".join((*_FILE_FORMATS, *_JSON_LAYOUTS))
    raise BadArgument("this is no format of files", f"Formats: {listed} (the last four say how JSON is laid out).", argument)


def _checked(name: str, value: object, argument: Ast) -> str:
    """The value of an option as SQL."""
    kind = _CSV.get(name) or _JSON.get(name)
    if kind is None:
        near = get_close_matches(name, {*_CSV, *_JSON, FORMAT}, 1, 0.6)
        meant = f"Did you mean {near[0]}? " if near else ""
        raise BadArgument(f"read_files has no option '{name}'", f"{meant}{_available('csv')} {_available('json')}", argument)
    if kind == "true or false" and value in (0, 1):
        value = bool(value)
    if not _TESTS[kind](value):
        raise BadArgument(f"the option '{name}' takes {_KINDS[kind]}", "Write it as a literal, or pass it as a parameter.", argument)
    return str(value) if isinstance(value, int | decimal.Decimal) and not isinstance(value, bool) else quote_literal(value)


def _available(format: FileFormat) -> str:
    names = ", ".join(sorted({FORMAT, *OPTIONS[format]} - _OTHER_NAMES))
    return f"Options for {_FORMAT_NAMES[format]}: {names}."


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or isinstance(value, decimal.Decimal)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_types(value: object) -> bool:
    return _are_texts(value) or (isinstance(value, dict) and bool(value) and all(map(_is_text, value.values())))


_TESTS: Mapping[Kind, Callable[[object], bool]] = {
    "text": _is_text,
    "true or false": _is_bool,
    "a whole number": _is_whole,
    "a number": _is_number,
    "a list of texts": _are_texts,
    "text or a list of texts": lambda value: _is_text(value) or _are_texts(value),
    "types": _are_types,
}


def _literal(node: Ast) -> object:
    """The value of a literal, of a list and of a struct of them; None for NULL and for whatever is no literal."""
    if len(node) != 1:
        return None
    kind, inner = next(iter(node.items()))
    match kind:
        case "Value":
            return _plain(inner["value"])
        case "Nested":
            return _literal(inner)
        case "Cast" if type(inner["data_type"]) is dict and "Custom" in inner["data_type"]:  # a parameter's value
            value = _literal(inner["expr"])
            fractional = _type_name(inner["data_type"]).startswith(("DOUBLE", "FLOAT", "DECIMAL"))
            return _number(value) if fractional and isinstance(value, str) else value
        case "UnaryOp" if inner["op"] in ("Minus", "Plus"):
            value = _literal(inner["expr"])
            if isinstance(value, bool) or not isinstance(value, int | decimal.Decimal):
                return None
            return -value if inner["op"] == "Minus" else value
        case "Array":
            return [_literal(element) for element in inner["elem"]]
        case "Dictionary":
            return {str(field["key"]["value"]): _literal(field["value"]) for field in inner}
        case _:
            return None


def _type_name(custom: Ast) -> str:
    parts = name_parts(custom["Custom"][0])
    return str(parts[0]["value"]) if parts else ""


def _plain(value: Any) -> object:
    if type(value) is not dict:
        return None
    (kind, inner), *_ = value.items()
    match kind:
        case "SingleQuotedString" | "EscapedStringLiteral":
            return str(inner)
        case "DollarQuotedString":
            return str(inner["value"])
        case "Boolean":
            return bool(inner)
        case "Number" if type(inner) in SEQUENCES:
            return _number(str(inner[0]))
        case _:
            return None


def _number(text: str) -> object:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = decimal.Decimal(text)
    except decimal.InvalidOperation:
        return None
    return value if value.is_finite() else None
