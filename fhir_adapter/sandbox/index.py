"""Which rows of the search index a resource has: one for each value that a search parameter can find it by.

Source: https://hl7.org/fhir/R4/search.html#ptypes (what each kind of parameter matches on each data type).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from fhir_adapter.sandbox.moments import ALWAYS, FOREVER, interval
from fhir_adapter.sandbox.parameters import Parameter, parameters_of, table_text

INDEX_VERSION = "2"
"""To be raised when this file makes other rows from the same resource: stored indexes are then made anew."""


class IndexRow(NamedTuple):
    """A value under its parameter: `value` for text compared as a whole, `low` and `high` for stretches."""

    param: str
    system: str | None = None
    value: str | None = None
    exact: str | None = None
    low: int | None = None
    high: int | None = None


Extract = Callable[[Parameter, Any], Iterator[IndexRow]]

_VERSION_PART = re.compile(r"/_history/[^/]*$")
_CONTACT_SYSTEMS = frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"})
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("line", "city", "district", "state", "postalCode", "country")


def index_rows(resource: Mapping[str, Any]) -> list[IndexRow]:
    """The rows of a resource, each once; values of a type that the parameter cannot match are passed over."""
    by_element = _parameters_by_element(resource["resourceType"])
    rows = (
        row
        for element in resource
        for parameter, path in by_element.get(element, ())
        for value in values_at(resource, path)
        for row in EXTRACT[parameter.kind](parameter, value)
    )
    return list(dict.fromkeys(rows))


def fingerprint() -> str:
    """What an index was made with; another fingerprint means that it must be made anew."""
    return INDEX_VERSION + ":" + hashlib.sha256(table_text()).hexdigest()


def values_at(resource: Mapping[str, Any], path: tuple[str, ...]) -> list[Any]:
    """All values below a path, lists opened."""
    found: list[Any] = [resource]
    for key in path:
        inner = [node[key] for node in found if isinstance(node, dict) and key in node]
        found = [item for value in inner for item in (value if isinstance(value, list) else (value,))]
    return found


def normalized(text: str) -> str:
    """Text as string searches compare it: without case, accents and surplus blanks."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(plain.casefold().split())


def unversioned(reference: str) -> str:
    """A reference without the version it may name."""
    return _VERSION_PART.sub("", reference)


@cache
def _parameters_by_element(resource_type: str) -> dict[str, list[tuple[Parameter, tuple[str, ...]]]]:
    """The parameters by the top element they read: a resource is asked only for what it has."""
    found: dict[str, list[tuple[Parameter, tuple[str, ...]]]] = {}
    for parameter in parameters_of(resource_type).values():
        for path in parameter.paths:
            found.setdefault(path[0], []).append((parameter, path))
    return found


def _token(parameter: Parameter, value: Any) -> Iterator[IndexRow]:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        yield IndexRow(parameter.key, None, "true" if value else "false")
    elif isinstance(value, (str, int)):
        yield IndexRow(parameter.key, None, str(value))
    elif isinstance(value, dict) and isinstance(value.get("coding"), list):
        for coding in value["coding"]:
            yield from _token(parameter, coding)
    elif isinstance(value, dict):
        yield from _coded(parameter, value)


def _coded(parameter: Parameter, value: dict[str, Any]) -> Iterator[IndexRow]:
    """Coding, Identifier and ContactPoint; the system of a ContactPoint (`phone`) is no code system."""
    code, system = value.get("code", value.get("value")), value.get("system")
    if isinstance(code, str):
        coded = isinstance(system, str) and system not in _CONTACT_SYSTEMS
        yield IndexRow(parameter.key, system if coded else None, code)


def _reference(parameter: Parameter, value: Any) -> Iterator[IndexRow]:  # noqa: ANN401 - any JSON value
    target = value.get("reference") if isinstance(value, dict) else value
    if not isinstance(target, str) or target.startswith("#"):
        return
    target = unversioned(target)
    kind = target.split("/")[-2] if "/" in target else None
    if isinstance(value, str) or not parameter.targets or kind in (None, *parameter.targets):
        yield IndexRow(parameter.key, None, target)


def _date(parameter: Parameter, value: Any) -> Iterator[IndexRow]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        span = interval(value)
        if span:
            yield IndexRow(parameter.key, low=span[0], high=span[1])
    elif isinstance(value, dict):
        for event in values_at(value, ("event",)):
            yield from _date(parameter, event)
        yield from _period(parameter, value)
        for bounds in values_at(value, ("repeat", "boundsPeriod")):
            yield from _period(parameter, bounds if isinstance(bounds, dict) else {})


def _period(parameter: Parameter, value: dict[str, Any]) -> Iterator[IndexRow]:
    start, end = (interval(text) if isinstance(text := value.get(key), str) else None for key in ("start", "end"))
    if start or end:
        yield IndexRow(parameter.key, low=start[0] if start else ALWAYS, high=end[1] if end else FOREVER)


def _string(parameter: Parameter, value: Any) -> Iterator[IndexRow]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        yield IndexRow(parameter.key, None, normalized(value), value)
    elif isinstance(value, dict):
        for part in (*_NAME_PARTS, *_ADDRESS_PARTS):
            for text in values_at(value, (part,)):
                yield from _string(parameter, text)


def _uri(parameter: Parameter, value: Any) -> Iterator[IndexRow]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        yield IndexRow(parameter.key, None, value)


EXTRACT: Mapping[str, Extract] = {
    "token": _token,
    "reference": _reference,
    "date": _date,
    "string": _string,
    "uri": _uri,
}
