"""R4 core as it is shipped: all of it is there, small, quick to open, and what a validator needs is kept."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.packages import core as core_module
from fhir_adapter.validation.packages.core import ABOUT, Core, r4_core
from fhir_adapter.validation.packages.generate_core import main, read_core

Json = dict[str, Any]

ARCHIVE = Path(core_module.__file__).with_name("r4_core.zip")
CORE = Path("fhir", "hl7.fhir.r4.core-4.0.1.tgz")
TYPES = "http://hl7.org/fhir/StructureDefinition/"


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    """R4 core and this project's profiles."""
    return Definitions.of([])


def structures() -> Iterator[Json]:
    """Every StructureDefinition of R4 core."""
    for address in r4_core().rows("StructureDefinition"):
        found = r4_core().read("StructureDefinition", address)
        assert found is not None, address
        yield found


def bound_value_sets() -> set[str]:
    """The value sets of R4 core that its elements are bound to as required."""
    elements = [each for one in structures() for each in one.get("snapshot", {}).get("element", [])]
    bindings = [each["binding"] for each in elements if each.get("binding", {}).get("strength") == "required"]
    return {each["valueSet"] for each in bindings}


def test_the_package_gives_the_archive_that_is_shipped(shared_data: Path, tmp_path: Path) -> None:
    """The same package gives the same content, whatever version of zlib packs it."""
    out = tmp_path / "r4_core.zip"
    assert main(["generate_core", str(shared_data / CORE), str(out)]) == 0
    with zipfile.ZipFile(out) as made, zipfile.ZipFile(ARCHIVE) as shipped:
        assert made.namelist() == shipped.namelist()
        assert all(made.read(name) == shipped.read(name) for name in made.namelist())


def test_nothing_of_the_package_with_an_address_is_left_out(shared_data: Path) -> None:
    """Every StructureDefinition, ValueSet, CodeSystem and ConceptMap of the package is found by its address."""
    _, resources = read_core(shared_data / CORE)
    kinds = [each for each in resources if each["resourceType"] in ("StructureDefinition", "ValueSet", "CodeSystem")]
    assert len(kinds) == 655 + 1316 + 1062
    assert all(r4_core().read(each["resourceType"], each["url"]) == each for each in kinds)


def test_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    """Without its arguments it does nothing."""
    assert main(["generate_core"]) == 2
    assert "PACKAGE.tgz OUT.zip" in capsys.readouterr().err


def test_the_archive_is_small_and_says_whose_it_is() -> None:
    """It is shipped with every installation, so it names its licence inside."""
    assert ARCHIVE.stat().st_size < 2_500_000
    with zipfile.ZipFile(ARCHIVE) as archive:
        about = json.loads(archive.read(ABOUT))
    assert (about["name"], about["version"]) == ("hl7.fhir.r4.core", "4.0.1")
    assert "CC0" in about["licence"]


def test_a_definition_is_read_without_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening reads two members, and a definition one more: its shelf."""
    read: list[str] = []
    plain = zipfile.ZipFile.read

    def noted(archive: zipfile.ZipFile, name: str) -> bytes:
        read.append(name)
        return plain(archive, name)

    monkeypatch.setattr(zipfile.ZipFile, "read", noted)
    core = Core(ARCHIVE.read_bytes())
    assert core.read("StructureDefinition", TYPES + "Observation") is not None
    assert read[:2] == ["about.json", "index.json"]
    assert len(read) == 3


def test_a_definition_keeps_what_is_checked_and_loses_what_is_told(definitions: Definitions) -> None:
    """The snapshot keeps types, bindings and invariants; the texts for readers are gone."""
    patient = definitions.structure("Patient")
    assert patient is not None
    assert "text" not in patient
    assert "differential" not in patient
    gender = next(each for each in patient["snapshot"]["element"] if each["path"] == "Patient.gender")
    assert "definition" not in gender
    assert gender["type"] == [{"code": "code"}]
    assert gender["binding"]["valueSet"] == "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1"
    contact = next(each for each in patient["snapshot"]["element"] if each["path"] == "Patient.contact")
    rule = next(each for each in contact["constraint"] if each["key"] == "pat-1")
    assert sorted(rule) == ["expression", "human", "key", "severity"]


def test_where_an_extension_may_stand_is_kept(definitions: Definitions) -> None:
    """The contexts of extensions are rules, not documentation."""
    birth_place = definitions.structure(TYPES + "patient-birthPlace")
    assert birth_place is not None
    assert birth_place["context"] == [{"type": "element", "expression": "Patient"}]


def test_a_code_system_keeps_its_tree_its_names_and_its_properties(definitions: Definitions) -> None:
    """What filters of value sets and checks of displays look at."""
    system = definitions.code_system("http://terminology.hl7.org/CodeSystem/v3-ActCode")
    assert system is not None
    assert system["content"] == "complete"
    assert any("concept" in each for each in system["concept"])
    assert all("definition" not in each for each in system["concept"])
    first = system["concept"][0]
    assert {"code", "display"} <= set(first)


@pytest.mark.parametrize("name", ["vitalsigns", "bodyweight", "bp", "heartrate"])
def test_the_vital_sign_profiles_are_there(definitions: Definitions, name: str) -> None:
    """They are profiles of R4 core itself, and their snapshots repeat all that Observation asks for."""
    found = definitions.structure(TYPES + name)
    assert found is not None
    assert found["snapshot"]["element"][0]["path"] == "Observation"
    assert definitions.is_trusted(TYPES + name)


def test_every_base_of_a_definition_is_there(definitions: Definitions) -> None:
    """So snapshots can be made from any of them."""
    bases = {each["baseDefinition"] for each in structures() if "baseDefinition" in each}
    assert [each for each in sorted(bases) if definitions.structure(each) is None] == []


def test_every_required_value_set_is_there(definitions: Definitions) -> None:
    """Value sets of HL7 V3 have versions of their own, but are bound with the version of R4; one is LOINC's."""
    missing = [each for each in sorted(bound_value_sets()) if definitions.value_set(each) is None]
    assert missing == ["http://loinc.org/vs/LL379-9|4.0.1"]


def test_other_kinds_are_read_when_they_are_asked_for(definitions: Definitions) -> None:
    """Search parameters are no part of the index that every validator reads."""
    found = definitions.resource("SearchParameter", "http://hl7.org/fhir/SearchParameter/Patient-active")
    assert found is not None
    assert found["expression"] == "Patient.active"


def test_a_table_of_v2_is_found_by_the_version_in_its_address(definitions: Definitions) -> None:
    """`v2-0391|2.4` and `v2-0391|2.6` are two code systems of the package."""
    address = "http://terminology.hl7.org/CodeSystem/v2-0391"
    older, newer = definitions.code_system(address + "|2.4"), definitions.code_system(address + "|2.6")
    assert older is not None
    assert newer is not None
    assert len(older["concept"]) < len(newer["concept"])


def test_what_r4_core_lacks_is_not_found(definitions: Definitions) -> None:
    """Terminologies of others are named in value sets and are no part of the package."""
    assert definitions.code_system("http://loinc.org") is None
    assert definitions.structure("Banana") is None
