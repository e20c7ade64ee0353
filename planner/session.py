"""What tools send before their first query: transactions, and the settings of a session.

None of it changes anything here: each statement reads the files as they are when it is planned, and there is one time zone, one schema
and one encoding. What says only what is so anyway is accepted; what would have to change something is refused.
"""

from __future__ import annotations

from planner.ast import SEQUENCES, Ast, name_parts, span_of
from planner.catalog import CATALOG_NAME, SCHEMA_NAME, SCHEMA_PREFIXES, Catalog, Column
from planner.errors import NotReadOnly, NotSupported, PlannerError, UnknownTable
from planner.parse import ParsedSql
from planner.show import Answer
from planner.words import words

TIME_ZONE = "UTC"
_TIME_ZONES = words("utc etc/utc etc/universal universal zulu etc/zulu gmt etc/gmt uct etc/uct z 0 +0 +00 +00:00")
_ENCODINGS = words("utf8 utf-8 unicode utf8mb4")
_SCHEMAS = frozenset(".".join(prefix) for prefix in SCHEMA_PREFIXES)
_DEFAULTS = words("default local")

DONE = Answer((Column("Success", "BOOLEAN"),), ())
"""What an accepted statement answers: no rows, under the kernel's own column for it."""

SETTINGS = {
    "timezone": TIME_ZONE,
    "search_path": SCHEMA_NAME,
    "schema": SCHEMA_NAME,
    "statement_timeout": "0",
    "client_encoding": "UTF8",
    "transaction_isolation": "read committed",
}
"""The settings that a statement may name, and what each of them is."""
_SPELLINGS = {("time", "zone"): "timezone", ("transaction", "isolation", "level"): "transaction_isolation", ("names",): "client_encoding"}

_KNOWN = "SET accepts TimeZone, search_path, schema, statement_timeout and client_encoding; settings are in the server's configuration."


def is_time_zone(name: str) -> bool:
    """Whether a name is one of the one time zone that there is."""
    return name.lower() in _TIME_ZONES


def accepted(kind: str, parsed: ParsedSql, catalog: Catalog) -> Answer | None:
    """The answer to a statement of a session that asks for what is so anyway; None where it is no statement of a session.

    SHOW of a setting is one, unless there is a table of that name. Raises ``NotSupported``, ``NotReadOnly`` and ``UnknownTable`` for
    those that ask for more.
    """
    ast = parsed.ast[kind]
    match kind:
        case "StartTransaction":
            if ast["statements"] or ast["modifier"] is not None:
                raise parsed.error(NotSupported, "a block of statements is not supported", None, "Send the statements one after another.")
            _check_modes(ast["modes"], parsed)
        case "Commit" | "Rollback":
            if ast.get("savepoint") is not None:
                remedy = "Nothing is written that could be taken back: leave savepoints out."
                raise parsed.error(NotSupported, "there are no savepoints", span_of(ast["savepoint"]), remedy)
        case "Use":
            _check_used(ast, parsed)
        case "Set":
            _check_set(ast, parsed)
        case "Reset":
            _check_reset(ast["reset"], parsed)
        case "ShowVariable":
            return _shown_setting(ast["variable"], catalog)
        case _:
            return None
    return DONE


def _shown_setting(parts: list[Ast], catalog: Catalog) -> Answer | None:
    written = tuple(str(part["value"]).lower() for part in parts)
    name = _SPELLINGS.get(written, written[0] if len(written) == 1 else "")
    if name not in SETTINGS or catalog.table(name, quoted=False) is not None:
        return None
    return Answer((Column(name, "VARCHAR"),), [(SETTINGS[name],)])


def _check_modes(modes: list[Ast], parsed: ParsedSql) -> None:
    for mode in modes:
        level = mode.get("IsolationLevel")
        if level not in (None, "ReadCommitted", "ReadUncommitted"):
            message = "each statement reads the files as they are when it is planned, in a transaction too"
            raise parsed.error(NotSupported, message, None, "Leave the isolation level out, or write READ COMMITTED.")


def _check_used(ast: Ast, parsed: ParsedSql) -> None:
    kind, name = next(iter(ast.items())) if type(ast) is dict else (ast, [])
    if kind == "Default":
        return
    parts = name_parts(name) if type(name) in SEQUENCES else None
    if not parts or ".".join(str(part["value"]) for part in parts).lower() not in _SCHEMAS:
        raise _no_schema(name, parsed)


def _no_schema(at: Ast | list[Ast] | None, parsed: ParsedSql) -> PlannerError:
    remedy = f"All tables are in {CATALOG_NAME}.{SCHEMA_NAME}: write their names alone."
    return parsed.error(UnknownTable, "there is no such catalog or schema", span_of(at), remedy)


def _check_set(ast: Ast, parsed: ParsedSql) -> None:
    ((form, written),) = ast.items() if type(ast) is dict else ((str(ast), {}),)
    match form:
        case "SingleAssignment":
            _check_value(_dotted(written["variable"]), written["variable"], written["values"], parsed)
        case "SetTimeZone":
            _check_value("timezone", written["value"], [written["value"]], parsed)
        case "SetNames":
            _check_value("client_encoding", None, [{"Identifier": written["charset_name"]}], parsed)
        case "SetNamesDefault":
            return
        case "SetTransaction":
            if written["snapshot"] is not None:
                raise parsed.error(NotSupported, "there are no snapshots to go back to", None)
            _check_modes(written["modes"], parsed)
        case _:
            raise parsed.error(NotReadOnly, "this SET is refused", None, _KNOWN)


def _check_reset(target: Ast | str, parsed: ParsedSql) -> None:
    if target == "ALL":
        return
    assert type(target) is dict
    name = target["ConfigurationParameter"]
    if _dotted(name) not in SETTINGS:
        raise _unknown_setting(_dotted(name), name, parsed)


def _dotted(name: list[Ast]) -> str:
    return ".".join(str(part["value"]) for part in name_parts(name) or ()).lower()


def _unknown_setting(name: str, at: Ast | list[Ast] | None, parsed: ParsedSql) -> PlannerError:
    return parsed.error(NotReadOnly, f"changing the setting '{name}' is refused", span_of(at), _KNOWN)


def _check_value(name: str, at: Ast | list[Ast] | None, values: list[Ast], parsed: ParsedSql) -> None:
    texts = [_text(value) for value in values]
    wanted = " ".join("" if text is None else text for text in texts).lower()
    if wanted in _DEFAULTS and name in SETTINGS:
        return
    # The parser gives TIME ZONE no place of its own.
    span = span_of(at) or span_of(values)
    match name:
        case "timezone":
            if not is_time_zone(wanted):
                remedy = "Write … AT TIME ZONE 'Europe/Berlin' where another is wanted."
                raise parsed.error(NotSupported, f"the time zone is {TIME_ZONE}, for every statement", span, remedy)
        case "search_path" | "schema":
            # As in PostgreSQL, schemas that are not there are passed over.
            listed = [part.strip().lower() for text in texts if text is not None for part in text.split(",")]
            if not _SCHEMAS.intersection(listed):
                raise _no_schema(at, parsed)
        case "statement_timeout":
            if wanted not in ("0", "0s", "0ms"):
                remedy = "Set the session option statement_timeout at the client, or give its call a deadline."
                raise parsed.error(NotSupported, "a statement cannot set the time-out of those after it", span, remedy)
        case "client_encoding":
            if wanted not in _ENCODINGS:
                raise parsed.error(NotSupported, "all text is UTF-8", span)
        case _:
            raise _unknown_setting(name, at, parsed)


def _text(value: Ast) -> str | None:
    """What a setting is set to, as text; None for an expression."""
    if "Identifier" in value:
        return str(value["Identifier"]["value"])
    inner = value["Value"]["value"] if "Value" in value else None
    if type(inner) is dict:
        ((kind, literal),) = inner.items()
        return str(literal[0]) if kind == "Number" else str(literal) if type(literal) is str else None
    return None
