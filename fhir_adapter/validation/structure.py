"""What is wrong with this resource against FHIR R4 itself: names, types, counts, formats, codes, references."""

from __future__ import annotations

from functools import cache
from typing import Any

from fhir_adapter.issues import Issue, Where
from fhir_adapter.validation.compile_structure import compile_table
from fhir_adapter.validation.findings import MOST_ISSUES, Scan, TooManyError, json_type
from fhir_adapter.validation.members import Check
from fhir_adapter.validation.primitives import is_id
from fhir_adapter.validation.r4_table import read_table
from fhir_adapter.validation.references import contained_types


def check_structure(resource: object) -> list[Issue]:
    """As `fhir_adapter.validation.check_structure`, which is the door to this function."""
    if not isinstance(resource, dict):
        return [Issue("error", "wrong-json-type", f"{json_type(resource)}; a resource is an object", rule="Resource")]
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or not kind:
        message = "a resource needs the text `resourceType`"
        return [Issue("error", "no-resource-type", message, Where(expression="Resource"), "Resource")]
    check = _checks().get(kind)
    return [] if check is None else _findings(check, resource, kind)


def _findings(check: Check, resource: dict[str, Any], kind: str) -> list[Issue]:
    scan = Scan(_label(resource, kind), contained_types(resource))
    try:
        check(resource, kind, scan)
    except TooManyError:
        message = f"more than {MOST_ISSUES} defects; the rest was not looked at"
        scan.issues.append(
            Issue("error", "more-defects", message, Where(resource=scan.resource, expression=kind), kind)
        )
    except RecursionError:
        scan.report("too-deep", "nested too deep to be checked", kind, kind)
    return scan.issues


def _label(resource: dict[str, Any], kind: str) -> str:
    """`Observation/id`, without the id when that is none: it may hold anything."""
    found = resource.get("id")
    return f"{kind}/{found}" if is_id(found) else kind


@cache
def _checks() -> dict[str, Check]:
    """The checks of the resource types, compiled at the first call: it takes a few hundredths of a second."""
    table = read_table()
    checks = compile_table(table)
    return {name: checks[name] for name, spec in table.types.items() if spec.is_resource}
