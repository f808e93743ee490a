"""What of a definition of R4 core a validator needs: the rest (narrative, documentation, mappings) is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Json = dict[str, Any]

_EXTENSIONS: Final = "http://hl7.org/fhir/StructureDefinition/"
_KEPT_EXTENSIONS: Final = frozenset(
    _EXTENSIONS + name
    for name in (
        "codesystem-replacedby",
        "elementdefinition-bestpractice",
        "elementdefinition-maxValueSet",
        "elementdefinition-minValueSet",
        "regex",
        "structuredefinition-fhir-type",
        "structuredefinition-hierarchy",
        "structuredefinition-standards-status",
        "valueset-special-status",
    )
)
_DOCUMENTATION: Final = frozenset(
    {
        "comment",
        "contact",
        "copyright",
        "date",
        "definition",
        "description",
        "jurisdiction",
        "keyword",
        "mapping",
        "meta",
        "publisher",
        "purpose",
        "requirements",
        "text",
        "useContext",
    }
)
_OF_ELEMENTS: Final = _DOCUMENTATION | {
    "alias",
    "condition",
    "example",
    "isModifierReason",
    "isSummary",
    "meaningWhenMissing",
    "orderMeaning",
    "short",
}
_OF_SEARCH_PARAMETERS: Final = _DOCUMENTATION | {"xpath", "xpathUsage"}


def trimmed(resource: Json) -> Json:
    """A conformance resource without what no check of an instance looks at."""
    kept = _without(
        resource, _OF_SEARCH_PARAMETERS if resource["resourceType"] == "SearchParameter" else _DOCUMENTATION
    )
    trim = _TRIMS.get(resource["resourceType"])
    return trim(kept) if trim else kept


def _structure(definition: Json) -> Json:
    form = "snapshot" if "snapshot" in definition else "differential"
    definition[form] = {"element": [_element(each) for each in definition[form]["element"]]}
    if form == "snapshot":
        definition.pop("differential", None)
    return definition


def _element(definition: Json) -> Json:
    element = _without(definition, _OF_ELEMENTS)
    if "constraint" in element:
        element["constraint"] = [_without(each, frozenset({"xpath", "requirements"})) for each in element["constraint"]]
    if "binding" in element:
        element["binding"] = _without(element["binding"], frozenset({"description"}))
    if "type" in element:
        element["type"] = [_without(each, frozenset()) for each in element["type"]]
    return element


def _code_system(definition: Json) -> Json:
    if "concept" in definition:
        definition["concept"] = [_concept(each) for each in definition["concept"]]
    if "property" in definition:
        definition["property"] = [_without(each, frozenset({"description"})) for each in definition["property"]]
    return definition


def _concept(definition: Json) -> Json:
    concept = _without(definition, frozenset({"definition"}))
    if "concept" in concept:
        concept["concept"] = [_concept(each) for each in concept["concept"]]
    return concept


def _value_set(definition: Json) -> Json:
    compose = definition["compose"] = dict(definition["compose"])
    for part in ("include", "exclude"):
        if part in compose:
            compose[part] = [_include(each) for each in compose[part]]
    return definition


def _include(definition: Json) -> Json:
    include = dict(definition)
    if "concept" in include:
        include["concept"] = [_without(each, frozenset()) for each in include["concept"]]
    return include


def _without(definition: Json, names: frozenset[str]) -> Json:
    """A copy without those elements, their `_` siblings, and extensions that say nothing to a validator."""
    kept = {key: value for key, value in definition.items() if key.removeprefix("_") not in names}
    if "extension" in kept:
        kept["extension"] = [each for each in kept["extension"] if each["url"] in _KEPT_EXTENSIONS]
        if not kept["extension"]:
            del kept["extension"]
    return kept


_TRIMS: Final[Mapping[str, Callable[[Json], Json]]] = {
    "StructureDefinition": _structure,
    "CodeSystem": _code_system,
    "ValueSet": _value_set,
}
