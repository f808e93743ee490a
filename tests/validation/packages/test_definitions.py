"""Which definition an address means, with and without a version, when several packages have one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.issues import Issue, Misconfigured
from fhir_adapter.validation import Validator
from fhir_adapter.validation.definitions import Definitions

Json = dict[str, Any]
MakeArchive = Callable[..., Path]
MakeFolder = Callable[[Mapping[str, object]], Path]

PATIENT = "http://hl7.org/fhir/StructureDefinition/Patient"


def errors(issues: list[Issue]) -> list[Issue]:
    """Those of severity error."""
    return [each for each in issues if each.severity == "error"]


def codes(definitions: Definitions) -> list[tuple[str, str]]:
    """Severity and code of every problem."""
    return [(each.severity, each.code) for each in definitions.problems]


def test_a_type_is_found_by_its_bare_name_and_by_its_address() -> None:
    """`Patient` is short for its canonical address."""
    definitions = Definitions.of([])
    by_name = definitions.structure("Patient")
    assert by_name is not None
    assert by_name["url"] == PATIENT
    assert definitions.structure(PATIENT) == by_name


@pytest.mark.parametrize("version", ["4.0.1", "4.0", "4"])
def test_a_version_is_met_by_one_that_begins_so(version: str) -> None:
    """`4.0` asks for any 4.0.x."""
    assert Definitions.of([]).structure(f"{PATIENT}|{version}") is not None


@pytest.mark.parametrize("version", ["5.0.0", "4.0.0", "4.0.11", "3"])
def test_another_version_is_another_definition(version: str) -> None:
    """It would be wrong to check against a version that was not asked for."""
    assert Definitions.of([]).structure(f"{PATIENT}|{version}") is None


def test_two_versions_are_kept_beside_each_other(make_archive: MakeArchive, profile: Json) -> None:
    """Without a version the one given last is meant."""
    first = make_archive({"package/p.json": profile}, name="first.tgz")
    second = make_archive({"package/p.json": {**profile, "version": "2.0.0"}}, name="second.tgz")
    definitions = Definitions.of([first, second])
    versions = [definitions.structure(profile["url"] + asked) for asked in ("", "|1.2.0", "|1.2", "|2")]
    assert [each and each["version"] for each in versions] == ["2.0.0", "1.2.0", "1.2.0", "2.0.0"]
    assert codes(definitions) == []


def test_the_last_of_the_same_version_counts_and_is_said(make_archive: MakeArchive, profile: Json) -> None:
    """Nobody can tell from the address which of them is meant."""
    first = make_archive({"package/p.json": profile}, name="first.tgz")
    second = make_archive({"package/p.json": {**profile, "name": "Other"}}, name="second.tgz")
    definitions = Definitions.of([first, second])
    found = definitions.structure(profile["url"])
    assert found is not None
    assert found["name"] == "Other"
    assert codes(definitions) == [("warning", "definition-twice")]
    assert profile["url"] in definitions.problems[0].message


def test_the_same_text_twice_is_no_problem(make_archive: MakeArchive, profile: Json) -> None:
    """Packages often carry what they build upon."""
    first = make_archive({"package/p.json": profile}, name="first.tgz")
    second = make_archive({"package/p.json": profile}, name="second.tgz")
    assert codes(Definitions.of([first, second])) == []


def test_what_replaces_a_definition_of_core_is_not_trusted(make_folder: MakeFolder) -> None:
    """Its snapshot may leave out rules of R4."""
    folder = make_folder({"p.json": {"resourceType": "StructureDefinition", "url": PATIENT, "version": "4.0.1"}})
    definitions = Definitions.of([folder])
    assert not definitions.is_trusted(PATIENT)
    assert codes(definitions) == [("warning", "definition-twice")]
    assert definitions.is_trusted("http://hl7.org/fhir/StructureDefinition/bp")


def test_a_profile_of_a_user_is_not_trusted(make_archive: MakeArchive, profile: Json) -> None:
    """Only the snapshots of R4 core and of this project are known to be complete."""
    definitions = Definitions.of([make_archive({"package/p.json": profile})])
    assert not definitions.is_trusted(profile["url"])
    assert not definitions.is_trusted("https://example.org/unknown")


def test_decimals_of_a_package_keep_their_digits(make_folder: MakeFolder) -> None:
    """A bound of 1.50 has two decimals."""
    text = b'{"resourceType":"StructureDefinition","url":"https://example.org/p","minValueDecimal":1.50}'
    found = Definitions.of([make_folder({"p.json": text})]).structure("https://example.org/p")
    assert found is not None
    assert str(found["minValueDecimal"]) == "1.50"
    assert isinstance(found["minValueDecimal"], Decimal)


def test_all_concept_maps_are_given(make_folder: MakeFolder) -> None:
    """Those of packages beside those of R4 core, each once."""
    mine = {"resourceType": "ConceptMap", "url": "https://example.org/fhir/ConceptMap/tests"}
    addresses = [each["url"] for each in Definitions.of([make_folder({"m.json": mine})]).concept_maps()]
    assert mine["url"] in addresses
    assert "http://hl7.org/fhir/ConceptMap/101" in addresses
    assert len(addresses) == len(set(addresses))


def test_the_digest_tells_other_definitions(make_archive: MakeArchive, profile: Json) -> None:
    """Compiled plans are kept by it: the same packages give the same, anything else another."""
    first = make_archive({"package/p.json": profile}, name="first.tgz")
    second = make_archive({"package/p.json": {**profile, "name": "Other"}}, name="second.tgz")
    digests = [Definitions.of(each).digest for each in ([], [first], [second], [first, second], [second, first])]
    assert len(set(digests)) == 5
    assert Definitions.of([first]).digest == digests[1]


def test_the_digest_of_a_folder_is_that_of_its_content(make_folder: MakeFolder, profile: Json) -> None:
    """A definition that is edited is another one."""
    before = Definitions.of([make_folder({"p.json": profile})]).digest
    after = Definitions.of([make_folder({"p.json": {**profile, "name": "Other"}})]).digest
    assert before != after


def test_another_version_of_fhir_is_refused() -> None:
    """There are no definitions of it here."""
    with pytest.raises(Misconfigured, match=r"known are 4\.0\.1"):
        Definitions.of([], fhir_version="5.0.0")


def test_this_projects_profiles_are_always_at_hand() -> None:
    """They are read from the folder that comes with the installation."""
    found = Definitions.of([]).resource(
        "OperationDefinition", "https://w3id.org/fhir-adapter/OperationDefinition/hscore"
    )
    assert found is not None
    assert found["code"] == "hscore"


def guide(*asked: object) -> Json:
    """An implementation guide, made up, with these rows of `global`."""
    return {"resourceType": "ImplementationGuide", "url": "https://example.org/fhir/guide", "global": list(asked)}


def test_a_guide_asks_a_profile_of_every_resource_of_a_type(make_archive: MakeArchive, profile: Json) -> None:
    """Named by the resource or not, in a Bundle too; a contained resource is only a part of another."""
    asked = {"type": "Observation", "profile": profile["url"]}
    package = make_archive({"package/p.json": profile, "package/guide.json": guide(asked)})
    validator = Validator([package])
    draft = {"resourceType": "Observation", "status": "preliminary", "code": {"text": "made up"}}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "urn:uuid:1c0f7a8e-0d6a-4d0e-9a51-2f3b1c7f0001", "resource": draft}],
    }
    holder = {**draft, "status": "final", "hasMember": [{"reference": "#a"}], "contained": [{**draft, "id": "a"}]}

    found = [[each.where.expression for each in errors(validator.check(one))] for one in (draft, bundle, holder)]

    assert found == [["Observation.status"], ["Bundle.entry[0].resource.status"], []]


def test_a_global_profile_that_is_not_at_hand_is_said(make_archive: MakeArchive) -> None:
    """As of any profile that is asked for."""
    package = make_archive({"package/guide.json": guide({"type": "Patient", "profile": "https://example.org/none"})})

    assert [each.code for each in Validator([package]).check({"resourceType": "Patient"})] == ["profile-unknown"]


@pytest.mark.parametrize("rows", [{}, [[]], [{"type": 1, "profile": "x"}], [{"type": "Patient"}], "Patient"])
def test_a_guide_whose_rows_cannot_be_read_asks_nothing(make_archive: MakeArchive, rows: object) -> None:
    """What a package says wrongly is asked of nobody."""
    package = make_archive({"package/guide.json": {**guide(), "global": rows}})

    assert Definitions.of([package]).global_profiles == {}
