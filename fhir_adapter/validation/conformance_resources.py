"""What is asked of conformance resources beyond their elements: that they agree with the definitions that they name.

Sources: https://hl7.org/fhir/R4/searchparameter.html and https://hl7.org/fhir/R4/capabilitystatement.html; that a
definition of a structure can be used at all is what HL7's engine asks too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fhir_adapter.validation.findings import one_of
from fhir_adapter.validation.plan import PlanError, plan_of
from fhir_adapter.validation.snapshots import SnapshotError, snapshot_of
from fhir_adapter.validation.surroundings import as_list, as_object, text_of

if TYPE_CHECKING:
    from fhir_adapter.validation.engine import Engine
    from fhir_adapter.validation.run import Run

Json = Mapping[str, Any]

_FEWEST_COMPONENTS: Final = 2
_NEVER_CODED: Final = frozenset(("boolean", "date", "dateTime", "decimal", "instant", "integer", "time"))
"""Types of which a value set says nothing."""


def check_search_parameter(engine: Engine, resource: Json, path: str, run: Run) -> None:
    """One SearchParameter: it has the type of that from which it is derived, and a composite has its parts."""
    kind, base = text_of(resource, "type"), text_of(resource, "derivedFrom")
    stated = _parameter_type(engine, base)
    if kind and stated and kind != stated:
        message = f"the type is {kind!r}, but that of the parameter from which it is derived is {stated!r}"
        run.error("parameter-type", message, path, "SearchParameter.type")
    if kind == "composite" and len(as_list(resource.get("component"))) < _FEWEST_COMPONENTS:
        message = "a composite parameter needs at least two components"
        run.error("parameter-components", message, path, "SearchParameter.component")


def check_capability_statement(engine: Engine, resource: Json, path: str, run: Run) -> None:
    """One CapabilityStatement: its search parameters have the types of their definitions."""
    for place, parameter in _search_parameters(resource, path):
        kind = text_of(parameter, "type")
        stated = _parameter_type(engine, text_of(parameter, "definition"))
        if kind and stated and kind != stated:
            message = f"the type is {kind!r}, but by its definition the parameter is a {stated!r}"
            run.error("parameter-type", message, place, "CapabilityStatement.rest.resource.searchParam.type")


def check_structure_definition(engine: Engine, resource: Json, path: str, run: Run) -> None:
    """One StructureDefinition without a snapshot: one can be made."""
    if as_list(as_object(resource.get("snapshot")).get("element")) or not resource.get("differential"):
        return
    if resource.get("kind") == "logical" or resource.get("derivation") != "constraint":
        return
    base = text_of(resource, "baseDefinition")
    if base is None or engine.structure(base) is None:
        return
    try:
        structure = plan_of(snapshot_of(resource, engine.definitions.structure))
    except (SnapshotError, PlanError) as error:
        run.error("profile-unusable", f"no snapshot can be made: {error}", path, "StructureDefinition.snapshot")
        return
    for number, each in enumerate(as_list(as_object(resource.get("differential")).get("element"))):
        element = structure.by_path.get(text_of(as_object(each), "path") or "")
        types = {ref.code for ref in element.types} if element is not None else set()
        if "binding" in as_object(each) and types and types <= _NEVER_CODED:
            message = f"a value set cannot be bound to {one_of(sorted(types))}"
            run.error("binding-type", message, f"{path}.differential.element[{number}]", "ElementDefinition.binding")


def say_questionnaire(_engine: Engine, resource: Json, path: str, run: Run) -> None:
    """One QuestionnaireResponse: what its Questionnaire asks of the answers is not looked at yet."""
    if "questionnaire" in resource:
        message = "whether the answers are what the Questionnaire asks for is not looked at"
        run.not_evaluated(message, path, "QuestionnaireResponse.questionnaire")


WHOLE: Final[Mapping[str, Callable[[Engine, Json, str, Run], None]]] = {
    "CapabilityStatement": check_capability_statement,
    "QuestionnaireResponse": say_questionnaire,
    "SearchParameter": check_search_parameter,
    "StructureDefinition": check_structure_definition,
}
"""By type of resource."""


def _parameter_type(engine: Engine, address: str | None) -> str | None:
    found = engine.definitions.resource("SearchParameter", address) if address else None
    return text_of(found, "type") if found else None


def _search_parameters(resource: Json, path: str) -> Iterator[tuple[str, Json]]:
    for one, rest in enumerate(as_list(resource.get("rest"))):
        for two, each in enumerate(as_list(as_object(rest).get("resource"))):
            for three, parameter in enumerate(as_list(as_object(each).get("searchParam"))):
                yield f"{path}.rest[{one}].resource[{two}].searchParam[{three}]", as_object(parameter)
