"""What is said of references to a wrong type, to nothing, or to something that is not what the profile asks for."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.engine import Engine, Options
from fhir_adapter.validation.environment import environment
from fhir_adapter.validation.plan import CORE, Element, TypeRef
from fhir_adapter.validation.reference_targets import canonical_checks, reference_checks
from fhir_adapter.validation.run import Run
from fhir_adapter.validation.surroundings import Surroundings

Json = dict[str, Any]
Found = list[tuple[str, str]]

SERVER = "https://example.org/fhir"
URN = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
PATH = "Observation.subject"
ELEMENT = Element("Observation.subject", "Observation.subject", "subject")
BODY_WEIGHT = f"{CORE}bodyweight"
ANY = TypeRef("Reference")
SUBJECT = TypeRef("Reference", targets=(f"{CORE}Patient", f"{CORE}Group|4.0.1"))


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The definitions of R4."""
    return Engine(Definitions.of(), Options())


def observation(**elements: Any) -> Json:
    """A result."""
    return {"resourceType": "Observation", "id": "f1", **elements}


def issues(engine: Engine, value: Json, ref: TypeRef, root: Json, at: Json | None = None) -> Run:
    """What is found of a Reference in `at`, which is the root or an entry of it."""
    each = at if at is not None else root
    run = Run("made up", each, Surroundings.of(root), {})
    run.environment = environment(engine, run)
    run.owner = (str(each["resourceType"]), "Observation")
    for check in reference_checks(engine, ELEMENT, ref):
        check(value, PATH, run)
    return run


def found(
    engine: Engine, value: Json, ref: TypeRef = SUBJECT, root: Json | None = None, at: Json | None = None
) -> Found:
    """Severity and code of every issue, all of which stand at the Reference."""
    run = issues(engine, value, ref, root if root is not None else observation(), at)
    assert {issue.where.expression for issue in run.issues} <= {PATH}
    return [(issue.severity, issue.code) for issue in run.issues]


def bundle(*entries: tuple[str | None, Json], kind: str = "collection") -> Json:
    """A Bundle of resources with their full addresses."""
    listed = [{"fullUrl": address, "resource": each} if address else {"resource": each} for address, each in entries]
    return {"resourceType": "Bundle", "type": kind, "entry": listed}


# By itself


@pytest.mark.parametrize(
    "value",
    [
        {"reference": "Patient/1"},
        {"reference": "Group/g.1-A/_history/4", "type": "Group"},
        {"reference": "Patient?identifier=x|1"},
        {"reference": f"{SERVER}/Practitioner/1"},
        {"reference": URN, "type": f"{CORE}Patient"},
        {"reference": "Patient/1", "type": "https://example.org/logical"},
        {"identifier": {"value": "1"}, "type": "Patient"},
        {"display": "the first"},
        {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]},
    ],
)
def test_a_reference_that_may_be_right_is_not_doubted(engine: Engine, value: Json) -> None:
    """An absolute address may lead to a resource of any type."""
    assert found(engine, value) == []


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"reference": "Practitioner/1"}, "reference-type"),
        ({"reference": "Chicken/1"}, "reference-type"),
        ({"reference": "Practitioner?name=x"}, "reference-type"),
        ({"reference": "Patient/1", "type": "Group"}, "reference-type"),
        ({"display": "the first", "type": "Practitioner"}, "reference-type"),
        ({"reference": "1"}, "format"),
        ({"reference": "Patient/1/2"}, "format"),
        ({"reference": "Patient?"}, "format"),
        ({"reference": "Patient/1 2"}, "format"),
        ({"reference": "https://example.org/Patient/1 2"}, "format"),
        ({"reference": "#"}, "unresolved-fragment"),
        ({"reference": "#p"}, "unresolved-fragment"),
    ],
)
def test_a_reference_that_cannot_be_right_is_an_error(engine: Engine, value: Json, code: str) -> None:
    """By its type, its form, or because nothing is contained under its name."""
    assert found(engine, value) == [("error", code)]


def test_a_reference_to_nothing_at_all_is_a_warning(engine: Engine) -> None:
    """Neither an address, nor an identifier, nor words."""
    assert found(engine, {"type": "Patient"}) == [("warning", "reference-empty")]


def test_a_reference_to_anything_may_still_not_name_an_unknown_type(engine: Engine) -> None:
    """Without a target every type of R4 is right."""
    assert found(engine, {"reference": "Practitioner/1"}, ANY) == []
    assert found(engine, {"reference": "Practitioner/1"}, TypeRef("Reference", targets=(f"{CORE}Resource",))) == []
    assert found(engine, {"reference": "Chicken/1"}, ANY) == [("error", "reference-type")]


def test_no_word_of_a_reference_is_told_unless_it_looks_like_a_type(engine: Engine) -> None:
    """What stands before the slash may be a subject's data."""
    run = issues(engine, {"reference": "Chicken/secret"}, SUBJECT, observation())
    assert "secret" not in run.issues[0].message


def test_addresses_of_servers_are_judged_when_they_are_taken_at_their_word() -> None:
    """The option `assume_references`."""
    engine = Engine(Definitions.of(), Options(assume_references=True))
    assert found(engine, {"reference": f"{SERVER}/Practitioner/1"}) == [("error", "reference-type")]
    assert found(engine, {"reference": f"{SERVER}/Patient/1"}) == []
    assert found(engine, {"reference": "https://example.org/page"}) == []


# Contained


def test_a_contained_target_must_be_of_an_allowed_type(engine: Engine) -> None:
    """The type is that of the contained resource."""
    root = observation(contained=[{"resourceType": "Patient", "id": "p"}, {"resourceType": "Device", "id": "d"}])
    assert found(engine, {"reference": "#p"}, root=root) == []
    assert found(engine, {"reference": "#d"}, root=root) == [("error", "reference-type")]


# In a Bundle


def test_the_type_of_an_entry_is_known_whatever_its_address(engine: Engine) -> None:
    """An urn says nothing of the type, the entry does."""
    result = observation()
    root = bundle((f"{SERVER}/Observation/f1", result), (URN, {"resourceType": "Device", "id": "d"}))
    assert found(engine, {"reference": URN}, root=root, at=result) == [("error", "reference-type")]
    assert found(engine, {"reference": URN}, ANY, root=root, at=result) == []


@pytest.mark.parametrize(
    ("source", "reference", "expected"),
    [
        (f"{SERVER}/Observation/f1", "Patient/2", []),
        (f"{SERVER}/Observation/f1", "https://other.example/Patient/1", []),
        (f"{SERVER}/Observation/f1", "Patient?identifier=1", []),
        (f"{SERVER}/Observation/f1", "ftp://example.org/1", []),
        (f"{SERVER}/Observation/f1", URN, [("warning", "reference-not-in-bundle")]),
        (f"{SERVER}/Observation/f1", "Patient/1", [("warning", "reference-not-in-bundle")]),
        (f"{SERVER}/Observation/f1", "Patient/1/_history/3", [("warning", "reference-not-in-bundle")]),
        (URN, "Patient/1", [("warning", "reference-not-in-bundle")]),
        (None, "Patient/2", [("error", "reference-base")]),
    ],
)
def test_what_an_entry_seems_to_answer_but_does_not_is_told(
    engine: Engine, source: str | None, reference: str, expected: Found
) -> None:
    """As HL7's own engine warns: the type and id of an entry, but not its full address."""
    result = observation()
    root = bundle((source, result), ("https://third.example/Patient/1", {"resourceType": "Patient", "id": "1"}))
    assert found(engine, {"reference": reference}, root=root, at=result) == expected


def test_in_a_transaction_entries_need_no_address_and_mean_the_server(engine: Engine) -> None:
    """A relative reference then means what it means on the server."""
    result = observation()
    root = bundle((None, result), kind="transaction")
    assert found(engine, {"reference": "Patient/1"}, root=root, at=result) == []


def test_two_entries_with_the_address_that_is_meant_are_an_error(engine: Engine) -> None:
    """Nobody can tell which of them is meant."""
    result, address = observation(), f"{SERVER}/Patient/1"
    patient = {"resourceType": "Patient", "id": "1"}
    root = bundle((f"{SERVER}/Observation/f1", result), (address, patient), (address, dict(patient)))
    assert found(engine, {"reference": "Patient/1"}, root=root, at=result) == [("error", "reference-ambiguous")]


# What profiles ask


@pytest.mark.parametrize(
    ("allowed", "reference", "is_right"),
    [
        (("contained",), "#p", True),
        (("contained",), URN, False),
        (("contained",), "Patient/9", False),
        (("bundled",), URN, True),
        (("bundled",), "Patient/9", False),
        (("bundled",), "#p", False),
        (("referenced",), URN, True),
        (("referenced",), "Patient/9", True),
        (("referenced",), "#p", False),
        (("contained", "bundled"), "#p", True),
    ],
)
def test_the_target_must_be_where_the_profile_wants_it(
    engine: Engine, allowed: tuple[str, ...], reference: str, *, is_right: bool
) -> None:
    """Contained, in the same Bundle, or anywhere else."""
    result = observation(contained=[{"resourceType": "Patient", "id": "p"}])
    root = bundle((f"{SERVER}/Observation/f1", result), (URN, {"resourceType": "Patient", "id": "1"}))
    ref = TypeRef("Reference", targets=(f"{CORE}Patient",), aggregation=allowed)
    expected: Found = [] if is_right else [("error", "reference-place")]
    assert found(engine, {"reference": reference}, ref, root=root, at=result) == expected


@pytest.mark.parametrize(
    ("versioning", "reference", "is_right"),
    [
        ("specific", "Patient/1/_history/1", True),
        ("specific", "Patient/1", False),
        ("independent", "Patient/1/_history/1", False),
        ("independent", "Patient/1", True),
        ("either", "Patient/1", True),
    ],
)
def test_a_version_is_named_as_the_profile_wants_it(
    engine: Engine, versioning: str, reference: str, *, is_right: bool
) -> None:
    """Versioning: specific, independent, or either."""
    ref = TypeRef("Reference", targets=(f"{CORE}Patient",), versioning=versioning)
    expected: Found = [] if is_right else [("error", "reference-version")]
    assert found(engine, {"reference": reference}, ref) == expected


def weight(**elements: Any) -> Json:
    """A body weight that is right by the profile of R4."""
    vital_signs = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
    return {
        "resourceType": "Observation",
        "id": "w",
        "status": "final",
        "category": [{"coding": [vital_signs]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2016-03-01",
        "valueQuantity": {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        **elements,
    }


def test_a_target_in_sight_must_keep_the_profile_that_is_asked_for(engine: Engine) -> None:
    """In the same Bundle or contained; one that is elsewhere is not looked at."""
    result, ref = observation(), TypeRef("Reference", targets=(BODY_WEIGHT,))
    spoilt = weight(valueQuantity={"value": 70})

    right = bundle((f"{SERVER}/Observation/f1", result), (URN, weight()))
    assert found(engine, {"reference": URN}, ref, root=right, at=result) == []
    wrong = bundle((f"{SERVER}/Observation/f1", result), (URN, spoilt))
    assert found(engine, {"reference": URN}, ref, root=wrong, at=result) == [("error", "reference-profile")]
    holder = observation(contained=[spoilt])
    assert found(engine, {"reference": "#w"}, ref, root=holder) == [("error", "reference-profile")]
    assert found(engine, {"reference": "Observation/w"}, ref) == []


def test_the_plain_type_among_the_targets_is_enough(engine: Engine) -> None:
    """Or any one of several profiles."""
    spoilt = observation(contained=[weight(valueQuantity={"value": 70})])
    ref = TypeRef("Reference", targets=(BODY_WEIGHT, f"{CORE}Observation"))
    assert found(engine, {"reference": "#w"}, ref, root=spoilt) == []
    either = TypeRef("Reference", targets=(f"{CORE}bodyheight", BODY_WEIGHT))
    assert found(engine, {"reference": "#w"}, either, root=observation(contained=[weight()])) == []


def test_an_unknown_profile_of_the_target_is_a_warning_once_a_target_is_there(engine: Engine) -> None:
    """What it asks for cannot be told."""
    ref = TypeRef("Reference", targets=("https://example.org/StructureDefinition/unknown",))
    assert found(engine, {"reference": "#w"}, ref, root=observation(contained=[weight()])) == [
        ("warning", "profile-unknown")
    ]
    assert found(engine, {"reference": "Patient/1"}, ref) == []


def test_targets_that_point_at_each_other_are_looked_at_once() -> None:
    """A circle of references comes to an end, and leaves the run as it was."""
    calls: list[str] = []

    class Counting(Engine):
        def conforms(self, value: Any, address: str, path: str, run: Run) -> bool:
            calls.append(path)
            assert (run.resource, run.root, run.owner) == (value, value, ("Observation", path))
            for check in reference_checks(self, ELEMENT, ref):
                check({"reference": URN}, path, run)
            return super().conforms(value, address, path, run)

    counting, result, ref = (
        Counting(Definitions.of(), Options()),
        observation(),
        TypeRef("Reference", targets=(BODY_WEIGHT,)),
    )
    root = bundle((f"{SERVER}/Observation/f1", result), (URN, weight()))

    run = issues(counting, {"reference": URN}, ref, root, result)

    assert calls == ["Bundle.entry[1].resource"]
    assert (run.resource, run.root, run.depth) == (result, result, 0)


def test_a_long_chain_of_references_is_not_followed_to_its_end(engine: Engine) -> None:
    """What lies too deep is left to the check of that resource itself."""
    root = observation(contained=[weight(valueQuantity={"value": 70})])
    run = Run("made up", root, Surroundings.of(root), {})
    run.owner, run.depth = ("Observation", "Observation"), 8
    for check in reference_checks(engine, ELEMENT, TypeRef("Reference", targets=(BODY_WEIGHT,))):
        check({"reference": "#w"}, PATH, run)
    assert run.issues == []


# Canonical addresses


@pytest.mark.parametrize(
    ("value", "is_right"),
    [
        ("https://example.org/Library/1|2.0", True),
        ("urn:oid:1.2.3.4", True),
        ("#library", True),
        ("Library/1", False),
        ("library-1", False),
        (7, True),
    ],
)
def test_a_canonical_address_is_absolute_or_a_fragment(value: object, *, is_right: bool) -> None:
    """What is no text is told elsewhere."""
    run = Run("made up", {}, Surroundings.of({}), {})
    element = Element("Measure.library", "Measure.library", "library")
    for check in canonical_checks(element, TypeRef("canonical")):
        check(value, None, "Measure.library[0]", run)
    assert [issue.code for issue in run.issues] == ([] if is_right else ["canonical-relative"])
    assert list(canonical_checks(element, TypeRef("uri"))) == []
