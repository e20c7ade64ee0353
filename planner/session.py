"""What tools send before their first query: transactions, and the settings of a session.

Transactions change nothing here: each statement reads the files as they are when it is planned. Of settings, a session has a time zone
and a time-out of its own; a statement that sets them is planned to what it sets, and whoever keeps the session applies that. All other
settings are the same for everybody: what says only what is so anyway is accepted, what would have to change something is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.ast import SEQUENCES, Ast, Span, name_parts, span_of
from planner.catalog import CATALOG_NAME, SCHEMA_NAME, SCHEMA_PREFIXES, Catalog, Column
from planner.errors import NotReadOnly, NotSupported, PlannerError, UnknownTable
from planner.options import PlanOptions
from planner.parse import ParsedSql
from planner.physical import SessionChange
from planner.settings import KNOWN_SETTINGS, SEARCH_PATH, SETTINGS, TIME_ZONE, TIMEOUT, timeout_seconds, timeout_text
from planner.show import Answer
from planner.time_zones import UTC, near_zones, zone_named
from planner.words import words

_SCHEMAS = frozenset(".".join(prefix) for prefix in SCHEMA_PREFIXES)
_DEFAULTS = words("default local")
_QUESTIONS = frozenset((("version", 0), ("current_setting", 1)))
"""Functions that are answered here, with how many arguments they take."""

SUCCESS = (Column("Success", "BOOLEAN"),)
"""What an accepted statement answers: no rows, under the kernel's own column for it."""
DONE = Answer(SUCCESS, ())
DEFAULTS = SessionChange(time_zone=UTC, timeout_seconds=0.0)
"""What RESET ALL goes back to."""

_SPELLINGS = {
    ("time", "zone"): TIME_ZONE,
    ("time_zone",): TIME_ZONE,
    ("transaction", "isolation", "level"): "transaction_isolation",
    ("names",): "client_encoding",
}

_KNOWN = f"SET accepts {', '.join(sorted(KNOWN_SETTINGS))}; other settings are in the server's configuration."
_TO_KEEP = "Have the client keep the server's cookie (ADBC: adbc.flight.sql.rpc.with_cookie_middleware=true)"


def asks_session(call: Ast) -> bool:
    """Whether a call is one of ``version()`` or ``current_setting('…')``."""
    match call:
        case {"name": [{"Identifier": {"value": name}}], "args": {"List": {"args": [*arguments]}}}:
            return (name.lower(), len(arguments)) in _QUESTIONS
    return False


@dataclass(frozen=True, slots=True)
class SessionStatements:
    """Answers the statements of a session. Raises ``NotSupported``, ``NotReadOnly`` and ``UnknownTable`` for those that ask for more."""

    parsed: ParsedSql
    catalog: Catalog
    options: PlanOptions

    def answer(self, kind: str) -> Answer | None:
        """The answer to a statement of that kind; None where it is no statement of a session.

        SHOW of a setting is one, unless there is a table of that name.
        """
        ast = self.parsed.ast[kind]
        match kind:
            case "StartTransaction":
                if ast["statements"] or ast["modifier"] is not None:
                    remedy = "Send the statements one after another."
                    raise self.parsed.error(NotSupported, "a block of statements is not supported", None, remedy)
                self._check_modes(ast["modes"])
            case "Commit" | "Rollback":
                if ast.get("savepoint") is not None:
                    remedy = "Nothing is written that could be taken back: leave savepoints out."
                    raise self.parsed.error(NotSupported, "there are no savepoints", span_of(ast["savepoint"]), remedy)
            case "Use":
                self._check_used(ast)
            case "Set":
                return self._set(ast)
            case "Reset":
                return self._reset(ast["reset"])
            case "Discard":
                return self._changed(DEFAULTS, None) if ast["object_type"] == "ALL" else DONE
            case "ShowVariable":
                return self._shown(ast["variable"])
            case _:
                return None
        return DONE

    def value_of(self, name: str) -> str | None:
        """What a setting is; None where there is none of that name."""
        name = _SPELLINGS.get((name.lower(),), name.lower())
        match name:
            case "timezone":
                return self.catalog.time_zone
            case "statement_timeout":
                return timeout_text(self.options.timeout_seconds)
            case "server_version":
                return self.options.server_version
            case _:
                return SETTINGS[name].value if name in SETTINGS else None

    def told(self, call: Ast) -> str | None:
        """What a call that :func:`asks_session` gives; None where the setting is not known."""
        arguments = call["args"]["List"]["args"]
        if not arguments:
            return f"Volley {self.options.server_version}"
        return self.value_of(_text(arguments[0].get("Unnamed", {}).get("Expr", {})) or "")

    def _shown(self, parts: list[Ast]) -> Answer | None:
        written = tuple(str(part["value"]).lower() for part in parts)
        name = _SPELLINGS.get(written, written[0] if len(written) == 1 else "")
        value = self.value_of(name)
        if value is None or self.catalog.table(name, quoted=False) is not None:
            return None
        return Answer((Column(name, "VARCHAR"),), [(value,)])

    def _check_modes(self, modes: list[Ast]) -> None:
        for mode in modes:
            level = mode.get("IsolationLevel")
            if level not in (None, "ReadCommitted", "ReadUncommitted"):
                message = "each statement reads the files as they are when it is planned, in a transaction too"
                raise self.parsed.error(NotSupported, message, None, "Leave the isolation level out, or write READ COMMITTED.")

    def _check_used(self, ast: Ast) -> None:
        kind, name = next(iter(ast.items())) if type(ast) is dict else (ast, [])
        if kind == "Default":
            return
        parts = name_parts(name) if type(name) in SEQUENCES else None
        if not parts or ".".join(str(part["value"]) for part in parts).lower() not in _SCHEMAS:
            raise self._no_schema(name)

    def _no_schema(self, at: Ast | list[Ast] | None) -> PlannerError:
        remedy = f"All tables are in {CATALOG_NAME}.{SCHEMA_NAME}: write their names alone."
        return self.parsed.error(UnknownTable, "there is no such catalog or schema", span_of(at), remedy)

    def _set(self, ast: Ast) -> Answer:
        ((form, written),) = ast.items() if type(ast) is dict else ((str(ast), {}),)
        match form:
            case "SingleAssignment":
                local = written["scope"] not in (None, "Session")
                return self._assigned(_dotted(written["variable"]), written["variable"], written["values"], local=local)
            case "SetTimeZone":
                return self._assigned(TIME_ZONE, written["value"], [written["value"]], local=written["local"])
            case "SetNames":
                return self._assigned("client_encoding", None, [{"Identifier": written["charset_name"]}])
            case "SetNamesDefault":
                return DONE
            case "SetTransaction":
                if written["snapshot"] is not None:
                    raise self.parsed.error(NotSupported, "there are no snapshots to go back to", None)
                self._check_modes(written["modes"])
                return DONE
            case "SetSessionAuthorization" if written["kind"] == "Default":
                return DONE
            case "SetRole" if written["role_name"] is None:
                return DONE
            case _:
                raise self.parsed.error(NotReadOnly, "this SET is refused", None, _KNOWN)

    def _reset(self, target: Ast | str) -> Answer:
        if type(target) is not dict:
            return self._changed(DEFAULTS, None)
        name = target["ConfigurationParameter"]
        return self._assigned(_dotted(name), name, [{"Identifier": {"value": "default"}}])

    def _assigned(self, written: str, at: Ast | list[Ast] | None, values: list[Ast], *, local: bool = False) -> Answer:
        name = _SPELLINGS.get((written,), written)
        if name not in KNOWN_SETTINGS:
            raise self.parsed.error(NotReadOnly, f"changing the setting '{written}' is refused", span_of(at), _KNOWN)
        texts = [_text(value) for value in values]
        wanted = ", ".join("" if text is None else text for text in texts)
        default = wanted.lower() in _DEFAULTS
        # The parser gives TIME ZONE no place of its own.
        span = span_of(values) or span_of(at)
        match name:
            case "timezone":
                change = SessionChange(time_zone=UTC if default else self._zone(wanted, span))
                return self._changed(change, span, local=local)
            case "statement_timeout":
                seconds = 0.0 if default else timeout_seconds(wanted.lower())
                if seconds is None:
                    message = "a time-out is a number of milliseconds, or one with a unit"
                    raise self.parsed.error(NotSupported, message, span, f"Write SET {TIMEOUT} = '90s'.")
                return self._changed(SessionChange(timeout_seconds=seconds), span, local=local)
        if not default and not SETTINGS[name].accepts(wanted.lower()):
            if name in SEARCH_PATH:
                raise self._no_schema(at)
            remedy = f"It is {SETTINGS[name].value}: leave the statement out."
            raise self.parsed.error(NotSupported, SETTINGS[name].refusal, span, remedy)
        return DONE

    def _zone(self, wanted: str, span: Span | None) -> str:
        known = self.catalog.time_zones()
        zone = zone_named(wanted, known)
        if zone is not None:
            return zone
        near = near_zones(wanted, known)
        remedy = f"Did you mean {' or '.join(near)}?" if near else "Write a name like 'Europe/Berlin', or whole hours like '+02:00'."
        shown = f" '{wanted}'" if wanted else ""
        raise self.parsed.error(NotSupported, f"there is no time zone{shown}", span, remedy)

    def _changed(self, change: SessionChange, span: Span | None, *, local: bool = False) -> Answer:
        """The answer to a statement that sets something for those after it, where somebody keeps that, or nothing changes."""
        zone, seconds = self.catalog.time_zone, self.options.timeout_seconds
        if change.time_zone in (None, zone) and change.timeout_seconds in (None, seconds):
            return DONE
        if local:
            message = "what holds for a transaction alone cannot be set: nothing hangs on transactions here"
            raise self.parsed.error(NotSupported, message, span, "Write SET without LOCAL, for the session.")
        if not self.options.in_session:
            what, instead = "a statement has no time-out", "give its call a deadline"
            if change.time_zone not in (None, zone):
                what, instead = f"the time zone is {zone}", "write … AT TIME ZONE 'Europe/Berlin'"
            message = f"{what} for a client that has no session"
            raise self.parsed.error(NotSupported, message, span, f"{_TO_KEEP}, or {instead}.")
        return Answer(SUCCESS, (), change=change)


def _dotted(name: list[Ast]) -> str:
    return ".".join(str(part["value"]) for part in name_parts(name) or ()).lower()


def _text(value: Ast) -> str | None:
    """What a setting is set to, as text; None for an expression."""
    if "Identifier" in value:
        return str(value["Identifier"]["value"])
    match value:
        case {"UnaryOp": {"op": "Minus" | "Plus" as sign, "expr": {"Value": {"value": {"Number": [number, *_]}}}}}:
            return f"{'-' if sign == 'Minus' else ''}{number}"
        case {"Interval": {"value": {"Value": {"value": {"SingleQuotedString": text}}}, "leading_field": "Hour", "last_field": "Minute"}}:
            return str(text)
        case {"Value": {"value": {"Number": [number, *_]}}}:
            return str(number)
        case {"Value": {"value": {"SingleQuotedString": text}}}:
            return str(text)
        case _:
            return None
