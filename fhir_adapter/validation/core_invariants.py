"""Which rules between elements FHIR R4 itself lays down, of those that a mapping can break.

Each row is one invariant of the core definitions: its id there, the type it stands on, the element without which it
cannot be broken, what would be right, and the function that tells whether it holds. The functions may meet malformed
values (these are reported on their own) and must answer all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_adapter.validation.references import fragments_used

Value = Mapping[str, Any]
_DATE_ONLY = len("YYYY-MM-DD")
_WITH_REQUESTS = ("batch", "transaction", "history")
_WITH_RESPONSES = ("batch-response", "transaction-response", "history")


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule: `holds` is asked only where `touches` is present (or always, where it is None)."""

    id: str
    types: tuple[str, ...]
    touches: str | None
    right: str
    holds: Callable[[Value], bool]


def has(value: Value, *names: str) -> bool:
    """True when one of the elements is there, be it only as the `_` sibling of a primitive."""
    return any(name in value or f"_{name}" in value for name in names)


def has_choice(value: Value, base: str) -> bool:
    """True when the choice element (`value[x]`) is there under any of its names."""
    return any(
        name.lstrip("_").startswith(base) and name.lstrip("_") != base for name in value if isinstance(name, str)
    )


def _items(value: Value, name: str) -> list[Value]:
    found = value.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _text(value: Value, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _codings(value: Value) -> set[tuple[str, str]]:
    """System and code of every coding of the element `code`."""
    concept = value.get("code")
    codings = _items(concept, "coding") if isinstance(concept, dict) else []
    return {(_text(coding, "system"), _text(coding, "code")) for coding in codings if _text(coding, "code")}


def _obs_6(observation: Value) -> bool:
    return not has_choice(observation, "value")


def _obs_7(observation: Value) -> bool:
    if not has_choice(observation, "value"):
        return True
    own = _codings(observation)
    return all(own.isdisjoint(_codings(component)) for component in _items(observation, "component"))


def _ext_1(extension: Value) -> bool:
    return ("extension" in extension) != has_choice(extension, "value")


def _per_1(period: Value) -> bool:
    start, end = _text(period, "start"), _text(period, "end")
    if not start or not end:
        return True
    if len(start) <= _DATE_ONLY and len(end) <= _DATE_ONLY:
        known = min(len(start), len(end))
        return start[:known] <= end[:known]
    first, last = _moment(start), _moment(end)
    return first is None or last is None or first <= last


def _moment(text: str) -> datetime | None:
    """The instant, a leap second counted as the second before; None for a day alone, which is one in some zone."""
    try:
        moment = datetime.fromisoformat(text.replace(":60", ":59", 1) if text[16:19] == ":60" else text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _dom_2(resource: Value) -> bool:
    return not any("contained" in item for item in _items(resource, "contained"))


def _dom_3(resource: Value) -> bool:
    used = set(fragments_used(resource))
    return all(_text(item, "id") in used or "" in fragments_used(item) for item in _items(resource, "contained"))


def _meta_of_contained(resource: Value) -> list[Value]:
    return [item["meta"] for item in _items(resource, "contained") if isinstance(item.get("meta"), dict)]


def _dom_4(resource: Value) -> bool:
    return not any(has(meta, "versionId", "lastUpdated") for meta in _meta_of_contained(resource))


def _dom_5(resource: Value) -> bool:
    return not any("security" in meta for meta in _meta_of_contained(resource))


def _bdl_3(bundle: Value) -> bool:
    expected = bundle.get("type") in _WITH_REQUESTS
    return all(("request" in entry) == expected for entry in _items(bundle, "entry"))


def _bdl_4(bundle: Value) -> bool:
    expected = bundle.get("type") in _WITH_RESPONSES
    return all(("response" in entry) == expected for entry in _items(bundle, "entry"))


def _bdl_7(bundle: Value) -> bool:
    if bundle.get("type") == "history":
        return True
    keys = [(_text(entry, "fullUrl"), _version(entry)) for entry in _items(bundle, "entry") if _text(entry, "fullUrl")]
    return len(set(keys)) == len(keys)


def _version(entry: Value) -> str:
    resource = entry.get("resource")
    meta = resource.get("meta") if isinstance(resource, dict) else None
    return _text(meta, "versionId") if isinstance(meta, dict) else ""


def _inv_1(parameter: Value) -> bool:
    filled = ("part" in parameter, has_choice(parameter, "value"), "resource" in parameter)
    return sum(filled) == 1


_QUANTITIES = ("Quantity", "Age", "Count", "Distance", "Duration")

INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "bdl-3", ("Bundle",), "entry", "every entry has a request in a batch, transaction or history only", _bdl_3
    ),
    Invariant("bdl-4", ("Bundle",), "entry", "every entry has a response in a response or history only", _bdl_4),
    Invariant(
        "bdl-5",
        ("Bundle.entry",),
        None,
        "an entry has a resource, a request or a response",
        lambda v: has(v, "resource", "request", "response"),
    ),
    Invariant("bdl-7", ("Bundle",), "entry", "fullUrl and version occur only once in a bundle", _bdl_7),
    Invariant(
        "cpt-2", ("ContactPoint",), "value", "a contact point with a value says its system", lambda v: has(v, "system")
    ),
    Invariant("dom-2", ("*",), "contained", "a contained resource contains no other", _dom_2),
    Invariant("dom-3", ("*",), "contained", "every contained resource has an id that is referred to as #id", _dom_3),
    Invariant("dom-4", ("*",), "contained", "a contained resource has no versionId and no lastUpdated", _dom_4),
    Invariant("dom-5", ("*",), "contained", "a contained resource has no security label", _dom_5),
    Invariant("ext-1", ("Extension",), None, "an extension has either a value or extensions", _ext_1),
    Invariant(
        "grp-1",
        ("Group",),
        "member",
        "only a group with actual = true lists members",
        lambda v: v.get("actual") is True,
    ),
    Invariant(
        "inv-1", ("Parameters.parameter",), None, "a parameter has a value, a resource or parts, one of them", _inv_1
    ),
    Invariant(
        "mad-1",
        ("MedicationAdministration.dosage",),
        None,
        "a dosage has a dose or a rate",
        lambda v: has(v, "dose") or has_choice(v, "rate"),
    ),
    Invariant(
        "obs-3",
        ("Observation.referenceRange",),
        None,
        "a reference range has low, high or text",
        lambda v: has(v, "low", "high", "text"),
    ),
    Invariant(
        "obs-6", ("Observation",), "dataAbsentReason", "a dataAbsentReason stands only where no value is", _obs_6
    ),
    Invariant(
        "obs-7", ("Observation",), "component", "a component with the Observation's own code holds the value", _obs_7
    ),
    Invariant(
        "org-1",
        ("Organization",),
        None,
        "an organization has an identifier or a name",
        lambda v: has(v, "identifier", "name"),
    ),
    Invariant(
        "pat-1",
        ("Patient.contact",),
        None,
        "a contact has a name, telecom, address or organization",
        lambda v: has(v, "name", "telecom", "address", "organization"),
    ),
    Invariant("per-1", ("Period",), "start", "a period does not end before it starts", _per_1),
    Invariant("qty-3", _QUANTITIES, "code", "a unit code says its system", lambda v: has(v, "system")),
)


def invariants_of(type_name: str, *, has_contained: bool) -> tuple[Invariant, ...]:
    """The invariants that stand on one type."""
    return tuple(i for i in INVARIANTS if type_name in i.types or (has_contained and "*" in i.types))
