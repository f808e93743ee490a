"""What is said of a Bundle whose entries, links, requests or results do not fit together."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.validation.bundles import check_bundle
from fhir_adapter.validation.run import Run
from fhir_adapter.validation.surroundings import Surroundings

Json = dict[str, Any]
Found = list[tuple[str, str, str | None]]

SERVER = "https://example.org/fhir"
PATIENT: Json = {"resourceType": "Patient", "id": "1"}
RESULT: Json = {"resourceType": "Observation", "id": "f1"}
OUTCOME: Json = {"resourceType": "OperationOutcome"}


def found(bundle: Json) -> Found:
    """Severity, code and expression of every issue."""
    run = Run("Bundle/1", bundle, Surroundings.of(bundle), {})
    check_bundle(bundle, "Bundle", run)
    return [(issue.severity, issue.code, issue.where.expression) for issue in run.issues]


def of(kind: str, *entries: Json, **elements: Any) -> Json:
    """A Bundle of some type."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **elements}


def entry(resource: Json | None, address: str | None = None, **elements: Any) -> Json:
    """An entry, with its full address when there is one."""
    held = {"resource": resource} if resource is not None else {}
    return {**({"fullUrl": address} if address else {}), **held, **elements}


def at(severity: str, code: str, *places: str) -> Found:
    """The same issue at some places."""
    return [(severity, code, place) for place in places]


# Addresses


@pytest.mark.parametrize(
    ("resource", "address"),
    [
        (PATIENT, f"{SERVER}/Patient/1"),
        (PATIENT, "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"),
        (OUTCOME, "http://nothing/nothing"),
        ({"resourceType": "ValueSet", "id": "a", "url": f"{SERVER}/ValueSet/a"}, f"{SERVER}/ValueSet/a"),
        ({"resourceType": "ValueSet", "url": "http://hl7.org/fhir/v2/vs"}, "http://hl7.org/fhir/v2/vs"),
        (None, None),
    ],
)
def test_an_absolute_address_that_agrees_with_the_resource_is_right(resource: Json | None, address: str | None) -> None:
    """Only an address of a server says type and id."""
    assert found(of("collection", entry(resource, address))) == []


@pytest.mark.parametrize(
    ("resource", "address"),
    [
        (PATIENT, None),
        (PATIENT, "Patient/1"),
        (PATIENT, f"{SERVER}/Patient/1/_history/2"),
        (PATIENT, f"{SERVER}/Patient/2"),
        (PATIENT, f"{SERVER}/Practitioner/1"),
        ({"resourceType": "Patient"}, f"{SERVER}/Patient/1"),
        ({"resourceType": "ValueSet", "id": "a", "url": "https://example.org/a"}, "https://example.org/a"),
    ],
)
def test_an_address_that_is_none_or_another_is_an_error(resource: Json, address: str | None) -> None:
    """Relative, of a version, of another resource, or that of the definition itself."""
    assert found(of("collection", entry(resource, address))) == at("error", "full-url", "Bundle.entry[0]")


@pytest.mark.parametrize("kind", ["transaction", "batch", "transaction-response", "batch-response"])
def test_where_a_server_gives_the_address_none_is_needed(kind: str) -> None:
    """Transactions and batches."""
    assert found(of(kind, entry(PATIENT))) == []


def test_the_same_address_twice_needs_two_versions() -> None:
    """bdl-7; a history is made of such entries."""
    address = f"{SERVER}/Patient/1"
    second = {**PATIENT, "meta": {"versionId": "2"}}
    assert found(of("collection", entry(PATIENT, address), entry(second, address))) == []
    assert found(of("collection", entry(second, address), entry(second, address))) == at("error", "invariant", "Bundle")
    assert found(of("history", entry(PATIENT, address), entry(PATIENT, address))) == []


# Requests and links


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "Patient"),
        ("PUT", "Patient/1"),
        ("PUT", "/Patient/1"),
        ("PUT", "Patient?identifier=x|1"),
        ("POST", "Observation/$validate"),
        ("GET", "Observation"),
        ("PUT", "https://other.example/Observation/1"),
        ("PUT", None),
    ],
)
def test_a_request_that_names_its_resource_is_right(method: str, url: str | None) -> None:
    """An operation may be handed anything."""
    assert found(of("transaction", entry(PATIENT, request={"method": method, "url": url}))) == []


@pytest.mark.parametrize(("method", "url"), [("POST", "Observation"), ("PUT", "Observation/1"), ("PUT", "Patient/2")])
def test_a_request_for_another_type_or_id_is_an_error(method: str, url: str) -> None:
    """A server would refuse it."""
    bundle = of("transaction", entry(PATIENT, request={"method": method, "url": url}))
    assert found(bundle) == at("error", "request-url", "Bundle.entry[0].request")


def links(*relations: str) -> list[Json]:
    """Links to somewhere."""
    return [{"relation": each, "url": f"{SERVER}/Patient"} for each in relations]


def test_links_between_pages_stand_once() -> None:
    """In results of a search or a history; other links may stand as often as they like."""
    bundle = of("history", link=links("self", "self", "next", "first", "first", "service-doc", "service-doc"))
    assert found(bundle) == at("error", "link-twice", "Bundle.link[1]", "Bundle.link[4]")


def test_links_between_pages_belong_to_pages() -> None:
    """Nowhere else is there a next one."""
    bundle = of("collection", link=links("self", "next", "self", "related"))
    assert found(bundle) == [
        ("error", "link-not-allowed", "Bundle.link[1].relation"),
        ("error", "link-twice", "Bundle.link[2].relation"),
    ]


# Results of a search


def match(resource: Json | None, mode: str | None = "match") -> Json:
    """A result with its mode."""
    address = f"{SERVER}/{resource['resourceType']}/{resource['id']}" if resource and "id" in resource else "urn:x:1"
    return entry(resource, address, **({"search": {"mode": mode}} if mode else {}))


def search(*entries: Json, url: str = f"{SERVER}/Patient?name=x") -> Json:
    """Results of a search."""
    return of("searchset", *entries, link=[{"relation": "self", "url": url}])


def test_results_that_tell_all_are_right() -> None:
    """Matches of the type that was searched, what they include, and what is to be said."""
    assert found(search(match(PATIENT), match(RESULT, "include"), match(OUTCOME, "outcome"))) == []
    assert found(search(match(PATIENT), match(RESULT), url=f"{SERVER}?_type=Patient,Observation")) == []
    assert found(of("searchset")) == []


def test_results_that_are_not_what_their_mode_says_are_errors() -> None:
    """Another type than was searched, no id, no resource, an outcome that is none, and no mode beside others."""
    bundle = search(
        match(RESULT), match({"resourceType": "Patient"}), match(PATIENT, "outcome"), match(None), match(PATIENT, None)
    )
    bundle["entry"][4]["fullUrl"] = "urn:x:2"
    bundle["entry"][3]["fullUrl"] = "urn:x:3"
    assert found(bundle) == [
        ("error", "search-results", "Bundle.entry[0].resource"),
        ("error", "search-results", "Bundle.entry[1].resource"),
        ("error", "search-results", "Bundle.entry[2].resource"),
        ("error", "search-results", "Bundle.entry[3]"),
        ("warning", "search-results", "Bundle.entry[4]"),
    ]


def test_results_without_modes_or_link_are_warnings() -> None:
    """One type that was searched needs none so much."""
    bare = match({"resourceType": "Patient"}, None)
    assert found(search(match(PATIENT, None))) == at("information", "search-results", "Bundle")
    assert found(search(match(PATIENT, None), bare)) == [
        ("information", "search-results", "Bundle"),
        ("warning", "search-results", "Bundle.entry[1].resource"),
    ]
    assert found(search(match(RESULT, None))) == at("warning", "search-results", "Bundle")
    assert found(search(match(PATIENT), url=f"{SERVER}?_id=1")) == at("information", "search-results", "Bundle")
    assert found(of("searchset", match(PATIENT))) == at("warning", "search-results", "Bundle")


# Documents and messages


def composition(**elements: Any) -> Json:
    """The first entry of a document."""
    content = {"resourceType": "Composition", "id": "c", "subject": {"reference": "Patient/1"}, **elements}
    return entry(content, f"{SERVER}/Composition/c")


SUBJECT = entry(PATIENT, f"{SERVER}/Patient/1")


def result(**elements: Any) -> Json:
    """A result in a document."""
    return entry({**RESULT, **elements}, f"{SERVER}/Observation/f1")


def section(reference: str) -> Json:
    """A section within a section that shows something."""
    return {"section": [{"entry": [{"reference": reference}]}]}


def test_a_document_whose_entries_are_linked_is_right() -> None:
    """Through sections of any depth, and through what they show."""
    device = entry({"resourceType": "Device", "id": "d"}, "urn:uuid:d")
    shown = result(device={"reference": "urn:uuid:d"})
    inside = composition(section=[section("Observation/f1"), section("#contained")])
    assert found(of("document", inside, SUBJECT, shown, device)) == []


def test_what_a_composition_names_must_be_in_the_document() -> None:
    """Subject, authors, attesters, events and sections."""
    first = composition(
        author=[{"reference": "Practitioner/1"}, {"display": "somebody"}],
        attester=[{"party": {"reference": "Practitioner/2"}}],
        event=[{"detail": [{"reference": "Procedure/1"}]}, None],
        section=[section("Observation/f1")],
        custodian="wrong",
    )
    assert found(of("document", first, SUBJECT)) == at(
        "error",
        "reference-not-in-bundle",
        "Bundle.entry[0].resource.author[0]",
        "Bundle.entry[0].resource.attester[0].party",
        "Bundle.entry[0].resource.event[0].detail[0]",
        "Bundle.entry[0].resource.section[0].section[0].entry[0]",
    )


def test_between_entries_with_urns_type_and_id_are_enough() -> None:
    """As HL7's own engine has it."""
    first = entry({"resourceType": "Composition", "id": "c", "subject": {"reference": "Patient/1"}}, "urn:uuid:c")
    assert found(of("document", first, entry(PATIENT, "urn:uuid:p"))) == []


def test_an_entry_of_a_document_that_nothing_links_is_an_error() -> None:
    """One that points at others is a warning, unless it is a Provenance."""
    apart = entry({"resourceType": "Device", "id": "d"}, f"{SERVER}/Device/d")
    back = result(subject={"reference": "Patient/1"})
    origin = entry({"resourceType": "Provenance", "target": [{"reference": f"{SERVER}/Composition/c"}]}, "urn:uuid:p")
    assert found(of("document", composition(), SUBJECT, apart, back, origin)) == [
        ("error", "unreachable", "Bundle.entry[2]"),
        ("warning", "unreachable", "Bundle.entry[3]"),
    ]


def test_a_message_is_taken_less_strictly() -> None:
    """What its header names must be there; what nothing links should be looked at."""
    header = {
        "resourceType": "MessageHeader",
        "id": "m",
        "focus": [{"reference": "Patient/1"}, {"reference": "Task/1"}],
    }
    apart = entry({"resourceType": "Device", "id": "d"}, f"{SERVER}/Device/d")
    bundle = of(
        "message",
        entry(header, f"{SERVER}/MessageHeader/m"),
        SUBJECT,
        apart,
        result(subject={"reference": "Patient/1"}),
    )
    assert found(bundle) == [
        ("error", "reference-not-in-bundle", "Bundle.entry[0].resource.focus[1]"),
        ("warning", "unreachable", "Bundle.entry[2]"),
        ("information", "unreachable", "Bundle.entry[3]"),
    ]


def test_an_address_in_an_element_links_too() -> None:
    """A url that is the full address of an entry."""
    letter = entry({"resourceType": "Binary", "id": "b"}, f"{SERVER}/Binary/b")
    shown = result(extension=[{"url": "https://example.org/e", "valueUrl": f"{SERVER}/Binary/b"}])
    assert found(of("document", composition(section=[section("Observation/f1")]), SUBJECT, shown, letter)) == []


def test_a_first_entry_of_another_type_is_left_to_the_invariants() -> None:
    """bdl-11 and bdl-12 tell it."""
    assert found(of("document", SUBJECT)) == []
    assert found(of("message")) == []


@pytest.mark.parametrize(
    "bundle",
    [
        {"resourceType": "Bundle", "type": 7, "entry": "x", "link": 3},
        {"resourceType": "Bundle", "type": "document", "entry": [None, "x", {"fullUrl": 3, "resource": []}]},
        {"resourceType": "Bundle", "type": "searchset", "link": [None, {"relation": 3}], "entry": [None]},
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": "x", "resource": {"id": []}}]},
    ],
)
def test_what_is_malformed_is_told_elsewhere(bundle: Json) -> None:
    """Nothing fails, and nothing is said of full addresses."""
    assert not [code for _, code, _ in found(bundle) if code == "full-url"]
