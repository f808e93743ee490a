"""Extensions: which definition an extension has, whether that one allows it here, and whether it is right by it.

Sources: https://hl7.org/fhir/R4/extensibility.html and https://hl7.org/fhir/R4/defining-extensions.html#context
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhir_adapter.validation.findings import is_safe_name
from fhir_adapter.validation.lists import out_of_bounds
from fhir_adapter.validation.objects import Check
from fhir_adapter.validation.plan import Element

if TYPE_CHECKING:
    from fhir_adapter.validation.elements import Elements
    from fhir_adapter.validation.run import Run

_REMEMBERED = 1_000
"""Of how many addresses of extensions the checks are kept at one element."""


class Extensions:
    """The extensions that may stand at one element: those that the profile names, and any other by its definition."""

    def __init__(self, elements: Elements, element: Element) -> None:
        self._elements = elements
        self._engine = elements.engine
        self._element = element
        self._slices = {url: each for each in element.slices for url in _urls(elements, each)}
        self._is_closed = bool(self._slices and element.slicing and element.slicing.rules == "closed")
        self._is_modifier = element.name == "modifierExtension"
        self._is_within = elements.structure.type == "Extension" and elements.structure.is_profile
        self._checks: dict[str, Check] = {}

    def check(self, items: list[Any], path: str, holder: str, run: Run) -> None:
        """All extensions of one element together."""
        counts: dict[str, int] = {}
        for index, item in enumerate(items):
            own = self._check_one(item, f"{path}[{index}]", run)
            if own is not None:
                counts[own.id] = counts.get(own.id, 0) + 1
        for each in self._element.slices:
            count = counts.get(each.id, 0)
            if count < each.min:
                message = f"{each.id}: {count} times; at least {each.min} are required"
                run.error("slice-missing", message, holder, each.id)
            elif each.max is not None and count > each.max:
                out_of_bounds(count, each, holder, run)

    def _check_one(self, item: Any, path: str, run: Run) -> Element | None:  # noqa: ANN401 - JSON
        url = item.get("url") if isinstance(item, dict) else None
        if not isinstance(url, str) or not url:
            self._engine.type_check("Extension")(item, path, run)
            return None
        own = self._slices.get(url)
        self._check_of(url, own)(item, path, run)
        if own is None:
            self._check_unnamed(url, path, run)
        if "|" in url:
            message = "the url of an extension names no version"
            run.error("extension-version", message, f"{path}.url", "Extension.url")
        if ":" in url:
            self._engine.check_context(url, path, run, is_modifier=self._is_modifier)
        return own

    def _check_of(self, url: str, own: Element | None) -> Check:
        found = self._checks.get(url)
        if found is None:
            ref = own.types[0] if own is not None and own.types else None
            found = self._elements.value(own, ref) if own is not None else self._engine.extension_check(url)
            if len(self._checks) < _REMEMBERED:
                self._checks[url] = found
        return found

    def _check_unnamed(self, url: str, path: str, run: Run) -> None:
        name = self._element.id
        if self._is_closed:
            run.error("slice-closed", f"{name}: only the extensions that are named may be here", path, name)
        elif ":" not in url and self._is_within:
            shown = repr(url) if is_safe_name(url) else "of this name"
            run.error("extension-unknown", f"{name}: the extension around it defines no part {shown}", path, name)


def _urls(elements: Elements, slice_: Element) -> list[str]:
    """The addresses by which extensions of a slice are known: of its profiles, or fixed in its children."""
    found = []
    for ref in slice_.types:
        for address in ref.profiles:
            definition = elements.engine.structure(address)
            url = definition.root.child("url") if definition else None
            found.append(url.fixed if url is not None and url.fixed else address.partition("|")[0])
    url = slice_.child("url")
    if url is not None and isinstance(url.fixed, str):
        found.append(url.fixed)
    return found
