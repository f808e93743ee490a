"""Whether contained resources can be found, and are there for a reason.

Source: https://hl7.org/fhir/R4/references.html#contained and the invariant dom-3. A contained resource is there for a
reason when something refers to it, or when it refers to the resource around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhir_adapter.validation.run import Run


def check_contained(resource: Mapping[str, Any], path: str, run: Run) -> None:
    """The contained resources of one resource, as far as they are objects."""
    listed = resource.get("contained")
    if not isinstance(listed, list):
        return
    used = set(_fragments(resource))
    seen: set[str] = set()
    for number, each in enumerate(listed):
        if not isinstance(each, dict):
            continue
        place, identifier = f"{path}.contained[{number}]", each.get("id")
        if not isinstance(identifier, str):
            run.error("contained-id", "a contained resource needs an id, or nothing can refer to it", place, "dom-3")
            continue
        if identifier in seen:
            run.error("contained-id", "two contained resources have the same id", place, "Resource.id")
        seen.add(identifier)
        if identifier not in used and "" not in set(_fragments(each)):
            message = "nothing refers to this contained resource, and it does not refer to the one around it"
            run.error("contained-unused", message, place, "dom-3")


def _fragments(value: object) -> Iterator[str]:
    """Every text `#id` anywhere below, without its `#`."""
    ahead = [value]
    for item in ahead:
        if isinstance(item, dict):
            ahead.extend(item.values())
        elif isinstance(item, list):
            ahead.extend(item)
        elif isinstance(item, str) and item.startswith("#"):
            yield item[1:]
