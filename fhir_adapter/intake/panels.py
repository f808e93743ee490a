"""Whether the members of a panel were read: then its own code, which names no result, is none that was missed."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from fhir_adapter.issues import Issue
from fhir_adapter.mappers.r4.read_observation import codings_of
from fhir_adapter.terminology import TABLES_ONLY, SiteCodes, match_codes


def without_panel_code(
    issues: Iterable[Issue], resource: Mapping[str, object], names: Container[str], site: SiteCodes = TABLES_ONLY
) -> list[Issue]:
    """The issues of reading a resource; `names` (`Observation/1`) are those that were read beside it."""
    told = list(issues)
    if not _is_panel(resource) or not all(one in names for one in _members(resource)):
        return told
    if match_codes(codings_of(resource.get("code")), site).kind != "unknown":
        return told
    # Its own code is looked at before those of the members inside it, which stay said.
    first = next((place for place, issue in enumerate(told) if issue.code == "unknown-code"), len(told))
    return [*told[:first], *told[first + 1 :]]


def _is_panel(resource: Mapping[str, object]) -> bool:
    valued = any(name.startswith("value") or name in ("component", "dataAbsentReason") for name in resource)
    return bool(resource.get("hasMember")) and not valued


def _members(resource: Mapping[str, object]) -> list[str]:
    """The members outside, each as `Observation/1`; those inside are read with the panel."""
    stated = resource.get("hasMember")
    members = stated if isinstance(stated, list) else [stated]
    references = [str(one.get("reference") or "") if isinstance(one, dict) else "" for one in members]
    outside = [one.partition("/_history/")[0] for one in references if not one.startswith("#")]
    return ["/".join(one.split("/")[-2:]) for one in outside]
