"""Whether a Reference may point where it points, and whether its `#fragment` is there.

Sources: https://hl7.org/fhir/R4/references.html and the invariants ref-1 and dom-3. An absolute address says nothing
sure about the type behind it, so only relative references, fragments and `Reference.type` are judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from fhir_adapter.validation.findings import Scan, is_safe_name, one_of

_RELATIVE = re.compile(r"([A-Za-z]+)(?:/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?|\?.+)")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_DEFINITION = "http://hl7.org/fhir/StructureDefinition/"
_CONTAINER = "#"


def reference_check(
    targets: Collection[str] | None, resource_types: Collection[str]
) -> Callable[[Mapping[str, Any], str, Scan], None]:
    """A check of References that may point to `targets`; None allows every resource type of R4."""
    allowed = targets or resource_types
    right = f"allowed here: {one_of(sorted(targets))}" if targets else "FHIR R4 has no such resource type"

    def refuse(kind: str, path: str, scan: Scan) -> None:
        found = f"a reference to {kind}" if is_safe_name(kind) else "a reference to an unknown type"
        scan.report("reference-type", f"{found}; {right}", path, "Reference.reference")

    def check(value: Mapping[str, Any], path: str, scan: Scan) -> None:
        address, declared = value.get("reference"), _declared_type(value)
        literal = _literal_type(address, path, scan) if isinstance(address, str) and address else None
        for kind, name in ((literal, "reference"), (declared, "type")):
            if kind is not None and kind not in allowed:
                refuse(kind, f"{path}.{name}", scan)
        if literal and declared and literal != declared and declared in resource_types:
            message = f"the type says {declared!r} but the reference points to another resource type"
            scan.report("reference-type", message, f"{path}.type", "Reference.type")

    return check


def contained_types(resource: Mapping[str, Any]) -> dict[str, str]:
    """The resource type of every contained resource by its id; what is malformed is left out."""
    found = {}
    for item in _list(resource.get("contained")):
        if isinstance(item, dict):
            key, kind = item.get("id"), item.get("resourceType")
            if isinstance(key, str) and isinstance(kind, str):
                found[key] = kind
    return found


def fragments_used(value: object) -> Iterator[str]:
    """Every text `#id` anywhere below, without its `#`."""
    ahead = [value]
    for item in ahead:
        if isinstance(item, dict):
            ahead.extend(item.values())
        elif isinstance(item, list):
            ahead.extend(item)
        elif isinstance(item, str) and item.startswith("#"):
            yield item[1:]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _declared_type(reference: Mapping[str, Any]) -> str | None:
    declared = reference.get("type")
    if not isinstance(declared, str) or not declared:
        return None
    name = declared.removeprefix(_DEFINITION)
    return None if _ABSOLUTE.match(name) else name


def _literal_type(address: str, path: str, scan: Scan) -> str | None:
    """The resource type that a literal reference names; None when it names none, which is reported where wrong."""
    if address.startswith("#"):
        return _contained_type(address, path, scan)
    if _ABSOLUTE.match(address):
        return None
    relative = _RELATIVE.fullmatch(address)
    if relative is None:
        message = "not a right reference: Type/id, Type/id/_history/version, an absolute address or #contained-id"
        scan.report("format", message, f"{path}.reference", "Reference.reference")
        return None
    return relative[1]


def _contained_type(address: str, path: str, scan: Scan) -> str | None:
    if address == _CONTAINER and scan.is_contained:
        return None
    kind = scan.contained.get(address[1:])
    if kind is None:
        message = "no contained resource has this id; a #fragment must name one of `contained`"
        scan.report("unresolved-fragment", message, f"{path}.reference", "ref-1")
    return kind
