"""What a search asks for, and which resources answer it, page by page in a stable order.

Pages go by the row number of a resource, which never changes: nothing is shown twice or left out because something
else was written between two pages. Source: https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fhir_adapter.sandbox.conditions import (
    Asked,
    Condition,
    condition,
    id_condition,
    last_updated_condition,
    understands,
)
from fhir_adapter.sandbox.parameters import parameters_of
from fhir_adapter.sandbox.storage import Session
from fhir_adapter.serving.outcome import FhirError, Problem, refusal

Query = Sequence[tuple[str, str]]

DEFAULT_COUNT = 50
MAX_COUNT = 1000
MOST_PARAMETERS = 100
MOST_VALUES = 30_000
COMMON_PARAMETERS = {"_id": ("token", id_condition), "_lastUpdated": ("date", last_updated_condition)}
RESULT_PARAMETERS = ("_count", "_summary", "_total")


@dataclass(frozen=True, slots=True)
class Search:
    """A search that was understood: `applied` is what the self link repeats, `ignored` what leniency dropped."""

    resource_type: str
    conditions: tuple[Condition, ...]
    applied: tuple[tuple[str, str], ...]
    ignored: tuple[Problem, ...]
    count: int
    count_only: bool
    total: bool


class Match(NamedTuple):
    """A resource that a search found."""

    rid: int
    id: str
    body: bytes


class Found(NamedTuple):
    """One page; `more` says whether another follows."""

    matches: list[Match]
    total: int | None
    more: bool


def understand(resource_type: str, query: Query, base: str, *, lenient: bool) -> Search:
    """Read a query; raises `FhirError` 400 for what is unknown (unless lenient) or means nothing."""
    if len(query) > MOST_PARAMETERS:
        raise refusal(400, "too-costly", f"{len(query)} search parameters; at most {MOST_PARAMETERS} are read")
    conditions, applied, ignored = [], [], []
    for name, value in query:
        try:
            conditions += _conditions(resource_type, name, value, base)
            applied.append((name, value))
        except _UnknownParameterError as error:
            if not lenient:
                raise
            ignored.append(Problem("not-supported", error.problems[0].message + "; it was ignored", None, "warning"))
    if sum(len(part.arguments) for part in conditions) > MOST_VALUES:
        raise refusal(400, "too-costly", f"more than {MOST_VALUES} values to compare with; ask in several searches")
    count = _count(query)
    counted = count == 0 or _one_of(query, "_summary", ("count", "false")) == "count"
    total = _one_of(query, "_total", ("accurate", "estimate", "none")) != "none"
    return Search(resource_type, tuple(conditions), tuple(applied), tuple(ignored), count, counted, total)


def run(search: Search, session: Session, after: int = 0) -> Found:
    """The page of resources behind row `after`, with the number of all that match."""
    where, arguments = _where(search)
    if search.count_only:
        return Found([], _total(session, where, arguments), more=False)
    sql = (
        "SELECT c.rid, c.id, v.body FROM current c CROSS JOIN version v ON v.pk = c.version "  # noqa: S608
        f"WHERE {where} AND c.rid > ? ORDER BY c.rid LIMIT ?"
    )
    rows = [Match(*row) for row in session.rows(sql, [*arguments, after, search.count + 1])]
    matches, more = rows[: search.count], len(rows) > search.count
    if not search.total:
        return Found(matches, None, more)
    whole = after == 0 and not more
    return Found(matches, len(matches) if whole else _total(session, where, arguments), more)


class _UnknownParameterError(FhirError):
    """A parameter or modifier that is not built: refused, or ignored when the client asked for lenient handling."""


def _conditions(resource_type: str, name: str, value: str, base: str) -> list[Condition]:
    if name in RESULT_PARAMETERS:
        return []
    code, _, modifier = name.partition(":")
    asked = Asked(name, value, modifier or None, base)
    if name in COMMON_PARAMETERS:
        return [COMMON_PARAMETERS[name][1](asked)]
    parameter = parameters_of(resource_type).get(code)
    if parameter is None or not understands(parameter, asked.modifier) or name.endswith(":"):
        message = f"{resource_type} has no search parameter {name!r} in this sandbox; see its CapabilityStatement"
        raise _UnknownParameterError(400, [Problem("not-supported", message)])
    return [condition(parameter, asked)]


def _count(query: Query) -> int:
    texts = [value for name, value in query if name == "_count"]
    if not texts:
        return DEFAULT_COUNT
    if len(texts) > 1 or not (texts[0].isascii() and texts[0].isdigit()):
        raise refusal(400, "invalid", "search parameter _count: one whole number, 0 or more")
    return MAX_COUNT if len(texts[0]) > len(str(MAX_COUNT)) else min(int(texts[0]), MAX_COUNT)


def _one_of(query: Query, name: str, known: Sequence[str]) -> str | None:
    texts = [value for key, value in query if key == name]
    if len(texts) > 1 or not set(texts) <= set(known):
        raise refusal(400, "not-supported", f"search parameter {name}: once, and one of {', '.join(known)}")
    return texts[0] if texts else None


def _where(search: Search) -> tuple[str, list[object]]:
    """The most selective condition is looked up in the index; the others are checked for each resource found by it."""
    parts = sorted(search.conditions, key=lambda part: part.rank)
    arguments: list[object] = []
    if parts and parts[0].param:  # index rows name the type and are there for living resources only
        first = parts.pop(0)
        sql = [f"c.rid IN (SELECT i.rid FROM idx i WHERE i.param = ? AND ({first.sql}))"]  # noqa: S608
        arguments += [first.param, *first.arguments]
    else:
        sql = ["c.type = ? AND c.deleted = 0"]
        arguments += [search.resource_type]
    for part in parts:
        sql.append(part.sql if part.param is None else _CHECKED.format(part.sql))
        arguments += [*([part.param] if part.param else []), *part.arguments]
    return " AND ".join(sql), arguments


_CHECKED = "EXISTS (SELECT 1 FROM idx i WHERE i.rid = c.rid AND i.param = ? AND ({}))"


def _total(session: Session, where: str, arguments: list[object]) -> int:
    ((total,),) = session.rows(f"SELECT count(*) FROM current c WHERE {where}", arguments)  # noqa: S608
    return int(total)
