"""What a reference means: in the resource itself, in its Bundle, or in Parameters."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.validation.run import Run
from fhir_adapter.validation.surroundings import Surroundings

Json = dict[str, Any]

SERVER = "https://example.org/fhir"
UUID = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
OTHER = "urn:uuid:33333333-1cbf-4d64-b04d-cd9187a4c6e0"


def resource(kind: str, key: str, **elements: Any) -> Json:
    """A resource with type and id."""
    return {"resourceType": kind, "id": key, **elements}


def bundle(*entries: tuple[str | None, Json], kind: str = "collection") -> Json:
    """A Bundle of resources with their full addresses."""
    listed = [{"fullUrl": address, "resource": each} if address else {"resource": each} for address, each in entries]
    return {"resourceType": "Bundle", "type": kind, "entry": listed}


def seen_from(root: Json, each: Json, path: str, container: Json | None = None) -> Run:
    """A run that looks at one resource within a root."""
    run = Run("made up", each, Surroundings.of(root), {})
    run.root, run.owner = container or each, (each["resourceType"], path)
    return run


def places(root: Json, each: Json, reference: str) -> list[str]:
    """The paths of the resources to which a reference points that stands in an entry."""
    run = seen_from(root, each, "Bundle.entry[0].resource")
    return [target.path for target in run.surroundings.matches(reference, run)]


PATIENT = resource("Patient", "1", meta={"versionId": "2"})
OLDER = resource("Patient", "1", meta={"versionId": "1"})
RESULT = resource("Observation", "f1")


@pytest.mark.parametrize(
    ("source", "target", "reference"),
    [
        (f"{SERVER}/Observation/f1", f"{SERVER}/Patient/1", "Patient/1"),
        (f"{SERVER}/Observation/f1", f"{SERVER}/Patient/1", f"{SERVER}/Patient/1"),
        (f"{SERVER}/Observation/f1", f"{SERVER}/Patient/1", "Patient/1/_history/2"),
        (f"{SERVER}/Observation/f1", f"{SERVER}/Patient/1", f"{SERVER}/Patient/1/_history/2"),
        (f"{SERVER}/Observation/f1", UUID, UUID),
        ("urn:uuid:f1", "urn:uuid:1", "Patient/1"),
        ("Observation/f1", "Patient/1", "Patient/1"),
        (None, None, "Patient/1"),
        (None, UUID, UUID),
    ],
)
def test_a_reference_means_the_entry_whose_full_address_it_gives(
    source: str | None, target: str | None, reference: str
) -> None:
    """The full address of its own entry says what a relative reference means."""
    assert places(bundle((source, RESULT), (target, PATIENT)), RESULT, reference) == ["Bundle.entry[1].resource"]


@pytest.mark.parametrize(
    ("source", "target", "reference"),
    [
        (f"{SERVER}/Observation/f1", "https://other.example/Patient/1", "Patient/1"),
        (f"{SERVER}/Observation/f1", f"{SERVER}/Patient/1", "Patient/1/_history/9"),
        (f"{SERVER}/Observation/f1", f"{SERVER}/Patient/1", "Patient/2"),
        (f"{SERVER}/Observation/f1", f"{SERVER}/Patient/1", "Patient?identifier=1"),
        (f"{SERVER}/Observation/f1", UUID, "Patient/1"),
        (UUID, OTHER, "Patient/1"),
        ("urn:uuid:f1", "urn:uuid:1", "Observation/1"),
        ("urn:uuid:f1", "urn:uuid:1", "1"),
        (None, f"{SERVER}/Patient/1", "Patient/1"),
        ("http://nothing/nothing", "http://nothing/Patient/1", "Patient/1"),
    ],
)
def test_another_address_version_or_type_is_not_meant(source: str | None, target: str, reference: str) -> None:
    """Type and id alone are no match, and a search is never looked up."""
    assert places(bundle((source, RESULT), (target, PATIENT)), RESULT, reference) == []


def test_versions_of_one_resource_are_told_apart_by_the_version_that_is_named() -> None:
    """Two entries with one address are one match each with a version, and two without."""
    address = f"{SERVER}/Patient/1"
    root = bundle((f"{SERVER}/Observation/f1", RESULT), (address, OLDER), (address, PATIENT))

    assert places(root, RESULT, "Patient/1/_history/1") == ["Bundle.entry[1].resource"]
    assert places(root, RESULT, "Patient/1") == ["Bundle.entry[1].resource", "Bundle.entry[2].resource"]


def test_resolve_also_finds_the_only_resource_of_type_and_id_where_no_server_is_named() -> None:
    """As HL7's own engine does within expressions; in an entry with the address of a server the address decides."""
    root = bundle((UUID, RESULT), (OTHER, PATIENT))
    run = seen_from(root, RESULT, "Bundle.entry[0].resource")

    found = run.surroundings.resolve("Patient/1", run)

    assert found is not None
    assert (found.resource, found.full_url) == (PATIENT, OTHER)
    served = bundle((f"{SERVER}/Observation/f1", RESULT), (OTHER, PATIENT))
    run = seen_from(served, RESULT, "Bundle.entry[0].resource")
    assert run.surroundings.resolve("Patient/1", run) is None


def test_a_fragment_is_a_contained_resource_of_the_container() -> None:
    """`#p` is looked for among `contained`, and told with its path; `#` is the container, seen from within."""
    inner = resource("Patient", "p")
    outer = resource("Observation", "f1", contained=[resource("Device", "d"), inner])

    run = seen_from(outer, outer, "Observation")
    assert [each.path for each in run.surroundings.matches("#p", run)] == ["Observation.contained[1]"]
    assert run.surroundings.matches("#x", run) == []
    assert run.surroundings.matches("#", run) == []

    within = seen_from(outer, inner, "Observation.contained[1]", container=outer)
    assert [each.resource for each in within.surroundings.matches("#", within)] == [outer]
    assert [each.path for each in within.surroundings.matches("#d", within)] == ["Observation.contained[0]"]


def test_a_fragment_of_an_address_is_contained_in_that_entry() -> None:
    """`Patient/1#o` is the contained resource `o` of the Patient."""
    holder = resource("Patient", "1", contained=[resource("Organization", "o")])
    root = bundle((f"{SERVER}/Observation/f1", RESULT), (f"{SERVER}/Patient/1", holder))
    assert places(root, RESULT, "Patient/1#o") == ["Bundle.entry[1].resource.contained[0]"]


def test_parameters_hold_resources_that_refer_to_each_other_by_type_and_id() -> None:
    """At any depth of parts."""
    parts = [{"name": "in", "part": [{"name": "deep", "resource": PATIENT}]}, {"name": "it", "resource": RESULT}]
    root = {"resourceType": "Parameters", "parameter": parts}
    run = seen_from(root, RESULT, "Parameters.parameter[1].resource")

    found = run.surroundings.matches("Patient/1", run)

    assert [each.path for each in found] == ["Parameters.parameter[0].part[0].resource"]


def test_a_bundle_within_a_bundle_is_a_world_of_its_own() -> None:
    """References within the inner Bundle mean its own entries."""
    inner = bundle((None, RESULT), (None, PATIENT))
    root = bundle((None, inner), (None, resource("Patient", "2")))
    run = seen_from(root, RESULT, "Bundle.entry[0].resource.entry[0].resource")

    assert [each.path for each in run.surroundings.matches("Patient/1", run)] == [
        "Bundle.entry[0].resource.entry[1].resource"
    ]
    assert run.surroundings.matches("Patient/2", run) == []


def test_a_bundle_that_is_contained_is_seen_too() -> None:
    """A contained Bundle has entries like any other."""
    holder = resource("MeasureReport", "m", contained=[{**bundle((None, RESULT), (None, PATIENT)), "id": "b"}])
    run = seen_from(holder, RESULT, "MeasureReport.contained[0].entry[0].resource")
    assert [each.path for each in run.surroundings.matches("Patient/1", run)] == [
        "MeasureReport.contained[0].entry[1].resource"
    ]


@pytest.mark.parametrize(
    "root",
    [
        {"resourceType": "Bundle", "entry": "x"},
        {"resourceType": "Bundle", "entry": [None, 3, {"resource": []}, {"fullUrl": 7, "resource": {"id": 4}}]},
        {"resourceType": "Parameters", "parameter": [{"part": "x"}, None]},
        {"resourceType": 7, "contained": {"id": "x"}},
        {"resourceType": "Patient", "contained": [None, {"id": 3}]},
    ],
)
def test_what_is_malformed_is_passed_over(root: Json) -> None:
    """Nothing is found, and nothing fails."""
    run = Run("made up", root, Surroundings.of(root), {})
    assert [run.surroundings.resolve(each, run) for each in ("Patient/1", "#x", "#", "", "urn:x")] == [None] * 5


def test_names_are_the_ids_in_a_resource_and_what_is_found_in_its_narratives() -> None:
    """Where a link within a narrative may lead."""
    root = resource("Patient", "1", contact=[{"id": "c"}], text={"div": "<div/>"}, name=[["odd", {"id": 7}]])
    assert Surroundings.of(root).names(lambda text: [text]) == {"1", "c", "<div/>"}
