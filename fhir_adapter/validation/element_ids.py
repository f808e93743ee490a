"""Whether the ids of elements are unique within their resource, so that a link to one leads to one place.

Source: https://hl7.org/fhir/R4/element.html#id. What a resource contains, and the entries of a Bundle, have ids of
their own. Snapshot and differential of a definition repeat each other's ids on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fhir_adapter.validation.lists import Further
from fhir_adapter.validation.plan import Element

if TYPE_CHECKING:
    from fhir_adapter.validation.run import Run

_RULE = "Element.id"
_REPEATS = "StructureDefinition"


def element_id_checks(element: Element) -> Iterator[Further]:
    """The check of the id of an element; of any other element there is none, so it costs nothing where no ids are."""
    if element.base_path == _RULE:
        yield _check_unique


def _check_unique(value: Any, _sibling: Any, path: str, run: Run) -> None:  # noqa: ANN401 - JSON
    """Several profiles may lead to the same element; only another element with the same id is wrong."""
    if not isinstance(value, str) or run.owner[0] == _REPEATS:
        return
    place = path.removesuffix(".id")
    if run.surroundings.element_ids.setdefault((id(run.resource), value), place) != place:
        run.error("duplicate-id", "another element of the resource has the same id", place, _RULE)
