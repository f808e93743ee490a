"""What the model says of FHIR R4's types, and that its table is what the core package gives."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from fhir_adapter import fhirpath
from fhir_adapter.fhirpath.errors import ExpressionError
from fhir_adapter.fhirpath.generate_model import as_text, main, make_model, read_package
from fhir_adapter.fhirpath.model import Child, Model, Type, load_model

TABLE = Path(fhirpath.__file__).with_name("r4_model.json")
MANIFEST = {"name": "made.up", "version": "1.0.0", "license": "CC0-1.0"}


@pytest.fixture(scope="module")
def core_package() -> Path:
    """The package hl7.fhir.r4.core; skips the test where there is none."""
    named = os.environ.get("FHIR_ADAPTER_SHARED")
    folder = Path(named) if named else Path(__file__).parents[3] / "shared"
    package = folder / "data" / "fhir" / "hl7.fhir.r4.core-4.0.1.tgz"
    if not package.is_file():
        pytest.skip("needs data/fhir: set FHIR_ADAPTER_SHARED or put a folder `shared` beside the project's folder")
    return package


@pytest.fixture(scope="module")
def r4() -> Model:
    """The model of R4."""
    return load_model("4.0.1")


def type_of(model: Model, name: str) -> Type:
    """A type that must be there."""
    found = model.type(name)
    assert found is not None, name
    return found


def reachable(model: Model) -> list[str]:
    """The names of all types and of those that their elements lead to, each of which must be there."""
    ahead = list(model.names())
    for name in ahead:
        found = {kind for child in type_of(model, name).children.values() for kind in child.types}
        ahead += sorted(found.difference(ahead))
    return ahead


def elements_of_resources(package: Path) -> dict[str, list[str]]:
    """The names of the elements directly below each resource type in the order of its snapshot."""
    return {
        definition["type"]: [
            element["path"].partition(".")[2].removesuffix("[x]")
            for element in definition["snapshot"]["element"]
            if element["path"].count(".") == 1
        ]
        for definition in read_package(package)[1].values()
        if definition["kind"] == "resource" and definition.get("derivation") != "constraint"
    }


def test_the_table_is_what_the_package_gives(core_package: Path, tmp_path: Path) -> None:
    """The committed table is byte for byte what the command line makes of the package."""
    out = tmp_path / "out.json"

    assert main(["generate_model", str(core_package), str(out)]) == 0
    assert out.read_bytes() == TABLE.read_bytes()


def test_types_have_their_elements_in_the_order_of_the_package(core_package: Path, r4: Model) -> None:
    """Joined with its base, every resource type has exactly the elements of its snapshot, in the same order."""
    ordered = elements_of_resources(core_package)
    assert {name: list(type_of(r4, name).children) for name in ordered} == ordered


def test_the_generator_explains_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong command line ends with 2 and the usage."""
    assert main(["generate_model"]) == 2
    assert "PACKAGE.tgz OUT.json" in capsys.readouterr().err


def test_a_folder_in_place_of_a_definition_is_refused(tmp_path: Path) -> None:
    """The error names what is no file."""
    package = tmp_path / "package.tgz"
    folder = tarfile.TarInfo("package/StructureDefinition-Patient.json")
    folder.type = tarfile.DIRTYPE
    with tarfile.open(package, "w:gz") as archive:
        archive.addfile(folder)

    with pytest.raises(tarfile.ReadError, match=r"StructureDefinition-Patient\.json: not a file"):
        read_package(package)


def test_a_reference_to_content_may_be_a_whole_address() -> None:
    """R5 writes the address of the definition before the path that an element refers to."""
    address = "http://hl7.org/fhir/StructureDefinition/Tree"
    elements = [
        {"path": "Tree", "max": "*"},
        {"path": "Tree.branch", "max": "*", "contentReference": f"{address}#Tree.branch"},
    ]
    tree = {"url": address, "type": "Tree", "kind": "complex-type", "snapshot": {"element": elements}}

    made = make_model(MANIFEST, [tree])

    assert made["types"] == {"Tree": {"base": None, "kind": "complex", "elements": {"branch": "Tree.branch*"}}}


def test_profiles_are_no_types() -> None:
    """A definition that only constrains another is left out."""
    url = "http://hl7.org/fhir/StructureDefinition/"
    profile = {"url": f"{url}bp", "type": "Observation", "kind": "resource", "derivation": "constraint"}

    assert as_text(make_model(MANIFEST, [profile])).endswith('"types":{\n\n}\n}\n')


@pytest.mark.parametrize("version", ["4.0.1", "4.0", "R4"])
def test_a_version_has_several_names(version: str, r4: Model) -> None:
    """All names of a version give the same model, read once."""
    assert load_model(version) is r4
    assert r4.fhir_version == "4.0.1"


def test_an_unknown_version_names_the_known_ones() -> None:
    """Nobody has to guess which versions there are."""
    with pytest.raises(ExpressionError, match=r"'3\.0'.*known are 4\.0\.1, 4\.0, R4"):
        load_model("3.0")


def test_all_resource_types_are_known(r4: Model) -> None:
    """R4 has 148 of them, `Resource` and `DomainResource` included; profiles such as the vital signs are none."""
    assert sum(r4.is_resource(name) for name in r4.names()) == 148
    assert r4.type("vitalsigns") is None


def test_names_are_those_of_types_alone(r4: Model) -> None:
    """Sorted, with primitive types and abstract ones, without groups of elements."""
    names = r4.names()
    assert {"Patient", "Quantity", "Age", "code", "xhtml", "Element", "BackboneElement", "Resource"} <= set(names)
    assert names == tuple(sorted(names))
    assert not [name for name in names if "." in name]


def test_every_type_of_every_element_is_known(r4: Model) -> None:
    """Groups of elements and references to content lead to types of the model too."""
    assert len(reachable(r4)) == 682


def test_a_choice_has_one_key_for_each_type(r4: Model) -> None:
    """`Observation.value` is `valueQuantity` or one of ten others in JSON."""
    value = type_of(r4, "Observation").children["value"]
    assert value.choice
    assert not value.many
    assert value.keys == (
        ("valueQuantity", "Quantity"),
        ("valueCodeableConcept", "CodeableConcept"),
        ("valueString", "string"),
        ("valueBoolean", "boolean"),
        ("valueInteger", "integer"),
        ("valueRange", "Range"),
        ("valueRatio", "Ratio"),
        ("valueSampledData", "SampledData"),
        ("valueTime", "time"),
        ("valueDateTime", "dateTime"),
        ("valuePeriod", "Period"),
    )


def test_a_key_of_json_leads_to_its_element_and_type(r4: Model) -> None:
    """`valueQuantity` is the element `value` with a Quantity in it."""
    observation = type_of(r4, "Observation")
    assert observation.by_key["valueQuantity"] == (observation.children["value"], "Quantity")
    assert "value" not in observation.by_key


def test_an_element_of_one_type(r4: Model) -> None:
    """Name, type, repetition and key of an ordinary element."""
    expected = Child("name", ("HumanName",), many=True, choice=False, keys=(("name", "HumanName"),))
    assert type_of(r4, "Patient").children["name"] == expected


def test_a_group_of_elements_is_named_by_its_path(r4: Model) -> None:
    """`Patient.contact` has its own elements after those of `BackboneElement`."""
    assert type_of(r4, "Patient").children["contact"].types == ("Patient.contact",)
    contact = type_of(r4, "Patient.contact")
    assert (contact.base, contact.kind) == ("BackboneElement", "nested")
    assert list(contact.children)[:4] == ["id", "extension", "modifierExtension", "relationship"]


def test_a_group_in_a_datatype_derives_from_element(r4: Model) -> None:
    """`Timing.repeat` has no `modifierExtension`."""
    repeat = type_of(r4, "Timing.repeat")
    assert repeat.base == "Element"
    assert list(repeat.children)[:3] == ["id", "extension", "bounds"]


@pytest.mark.parametrize(
    ("owner", "name", "path"),
    [
        ("Bundle.entry", "link", "Bundle.link"),
        ("Questionnaire.item", "item", "Questionnaire.item"),
        ("Parameters.parameter", "part", "Parameters.parameter"),
        ("Observation.component", "referenceRange", "Observation.referenceRange"),
    ],
)
def test_a_reference_to_content_has_the_path_it_refers_to(r4: Model, owner: str, name: str, path: str) -> None:
    """Elements that are defined elsewhere in the same type share the type named there."""
    child = type_of(r4, owner).children[name]
    assert child.types == (path,)
    assert child.keys == ((name, path),)


@pytest.mark.parametrize(
    ("owner", "name", "kind"),
    [
        ("Patient", "id", "id"),
        ("Resource", "id", "id"),
        ("Element", "id", "string"),
        ("Patient.contact", "id", "string"),
        ("Quantity", "id", "string"),
        ("Extension", "url", "uri"),
        ("Narrative", "div", "xhtml"),
        ("Bundle.entry", "resource", "Resource"),
        ("Patient", "contained", "Resource"),
        ("Parameters.parameter", "resource", "Resource"),
    ],
)
def test_elements_whose_type_the_snapshots_write_in_their_own_way(r4: Model, owner: str, name: str, kind: str) -> None:
    """Types written as System types, as extensions or as any resource have FHIR's names here."""
    assert type_of(r4, owner).children[name].types == (kind,)


@pytest.mark.parametrize(
    ("name", "base", "kind"),
    [
        ("Patient", "DomainResource", "resource"),
        ("Bundle", "Resource", "resource"),
        ("Resource", None, "resource"),
        ("Element", None, "complex"),
        ("Age", "Quantity", "complex"),
        ("Money", "Element", "complex"),
        ("Timing", "BackboneElement", "complex"),
        ("code", "string", "primitive"),
        ("string", "Element", "primitive"),
        ("xhtml", "Element", "primitive"),
    ],
)
def test_types_know_their_base_and_kind(r4: Model, name: str, base: str | None, kind: str) -> None:
    """The base is the one that FHIR's definition names."""
    found = type_of(r4, name)
    assert (found.base, found.kind) == (base, kind)


@pytest.mark.parametrize("name", ["boolean", "code", "xhtml"])
def test_the_value_of_a_primitive_is_no_child(r4: Model, name: str) -> None:
    """A primitive has an id and extensions only."""
    assert list(type_of(r4, name).children) == ["id", "extension"]


def test_a_specialised_quantity_has_the_elements_of_quantity(r4: Model) -> None:
    """`Age` adds nothing."""
    assert type_of(r4, "Age").children == type_of(r4, "Quantity").children


def test_a_simple_quantity_is_a_quantity(r4: Model) -> None:
    """FHIR's profiles of Quantity are no types of their own."""
    assert type_of(r4, "Observation.referenceRange").children["low"].types == ("Quantity",)
    assert r4.type("SimpleQuantity") is None


def test_a_type_is_built_once(r4: Model) -> None:
    """Types can be compared by identity."""
    assert r4.type("Patient") is r4.type("Patient")


@pytest.mark.parametrize("name", ["Nonsense", "patient", "Patient.name", "", "System.String"])
def test_an_unknown_name_has_no_type(r4: Model, name: str) -> None:
    """Names are exact, and an element that has a datatype is no type itself."""
    assert r4.type(name) is None
    assert not r4.is_resource(name)


@pytest.mark.parametrize(
    ("name", "ancestor"),
    [
        ("code", "string"),
        ("code", "code"),
        ("code", "Element"),
        ("Patient", "Resource"),
        ("Patient", "DomainResource"),
        ("Age", "Quantity"),
        ("Patient.contact", "BackboneElement"),
        ("Patient.contact", "Element"),
    ],
)
def test_a_type_is_what_it_derives_from(r4: Model, name: str, ancestor: str) -> None:
    """Directly or by several steps."""
    assert r4.is_a(name, ancestor)


@pytest.mark.parametrize(
    ("name", "ancestor"),
    [
        ("string", "code"),
        ("Quantity", "Age"),
        ("Money", "Quantity"),
        ("Bundle", "DomainResource"),
        ("Patient", "Element"),
        ("Nonsense", "Nonsense"),
        ("", ""),
    ],
)
def test_a_type_is_not_what_it_does_not_derive_from(r4: Model, name: str, ancestor: str) -> None:
    """Neither the other way round, nor when the name is unknown."""
    assert not r4.is_a(name, ancestor)


def test_resources_are_told_from_datatypes(r4: Model) -> None:
    """Groups of elements of a resource are none."""
    assert r4.is_resource("Bundle")
    assert not r4.is_resource("Quantity")
    assert not r4.is_resource("Patient.contact")


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("boolean", "Boolean"),
        ("string", "String"),
        ("code", "String"),
        ("id", "String"),
        ("markdown", "String"),
        ("uri", "String"),
        ("canonical", "String"),
        ("base64Binary", "String"),
        ("xhtml", "String"),
        ("integer", "Integer"),
        ("positiveInt", "Integer"),
        ("unsignedInt", "Integer"),
        ("decimal", "Decimal"),
        ("date", "Date"),
        ("dateTime", "DateTime"),
        ("instant", "DateTime"),
        ("time", "Time"),
        ("Quantity", None),
        ("Patient", None),
        ("Nonsense", None),
    ],
)
def test_primitives_convert_to_system_types(r4: Model, name: str, system: str | None) -> None:
    """A derived primitive converts as its base does; other types do not convert."""
    assert r4.system_type(name) == system
