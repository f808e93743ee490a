"""What a user may name as a package, what of it is used, and what is said of the rest."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.packages.refusals import PackageRefused

Json = dict[str, Any]
MakeArchive = Callable[..., Path]
MakeFolder = Callable[[Mapping[str, object]], Path]


def problems(definitions: Definitions) -> list[tuple[str, str]]:
    """Severity and code of every problem."""
    return [(each.severity, each.code) for each in definitions.problems]


def test_a_published_package_is_read(make_archive: MakeArchive, manifest: Json, profile: Json, value_set: Json) -> None:
    """A .tgz with `package/package.json` and the definitions beside it."""
    files = {"package/package.json": manifest, "package/a.json": profile, "package/b.json": value_set}
    definitions = Definitions.of([make_archive(files)])
    assert definitions.structure(profile["url"]) == profile
    assert definitions.value_set(value_set["url"]) == value_set
    assert problems(definitions) == []


def test_the_folders_of_a_published_package_hold_no_definitions(
    make_archive: MakeArchive, manifest: Json, profile: Json, value_set: Json
) -> None:
    """`package/example/` and what lies beside `package/` are examples and other material."""
    files = {
        "other/a.json": profile,
        "package/package.json": manifest,
        "package/example/a.json": profile,
        "package/b.json": value_set,
    }
    definitions = Definitions.of([make_archive(files)])
    assert definitions.structure(profile["url"]) is None
    assert definitions.value_set(value_set["url"]) == value_set


def test_an_archive_without_manifest_is_a_set_of_definitions(make_archive: MakeArchive, profile: Json) -> None:
    """A home-made .tgz of any layout, with members for its folders."""
    folder = tarfile.TarInfo("mine")
    folder.type = tarfile.DIRTYPE
    files = {"mine/package.json": {"name": "some-web-page"}, "mine/json/a.json": profile}
    definitions = Definitions.of([make_archive(files, folder)])
    assert definitions.structure(profile["url"]) == profile
    assert problems(definitions) == []


@pytest.mark.parametrize("above", ["", "package/"])
def test_an_unpacked_package_is_read(make_folder: MakeFolder, manifest: Json, profile: Json, above: str) -> None:
    """With `package/`, as the FHIR package cache has it, and without."""
    files = {f"{above}package.json": manifest, f"{above}a.json": profile, f"{above}example/b.json": {"url": "x"}}
    definitions = Definitions.of([make_folder(files)])
    assert definitions.structure(profile["url"]) == profile
    assert problems(definitions) == []


def test_a_folder_of_definitions_is_read_with_the_folders_below(make_folder: MakeFolder, profile: Json) -> None:
    """As SUSHI writes them; what begins with a point and what npm fetched is left alone."""
    files = {
        "fsh-generated/resources/a.json": profile,
        "package.json": {"name": "some-web-page", "version": "1.0.0"},
        ".git/b.json": b"{",
        ".index.json": b"{",
        "node_modules/c.json": b"{",
        "notes.txt": b"",
    }
    definitions = Definitions.of([make_folder(files)])
    assert definitions.structure(profile["url"]) == profile
    assert problems(definitions) == [("warning", "package-manifest")]


def test_one_definition_is_read(make_folder: MakeFolder, profile: Json) -> None:
    """A file beside the resources that are to be checked; a byte order mark is no defect."""
    folder = make_folder({"a.json": profile})
    marked = folder / "marked.json"
    marked.write_bytes(b"\xef\xbb\xbf" + (folder / "a.json").read_bytes())
    assert Definitions.of([folder / "a.json"]).structure(profile["url"]) == profile
    assert Definitions.of([str(marked)]).structure(profile["url"]) == profile


def test_a_bundle_of_definitions_is_read(make_folder: MakeFolder, profile: Json, value_set: Json) -> None:
    """As HL7 publishes its own (`profiles-types.json`); what in it cannot be used does not hide the rest."""
    entries = [{"resource": profile}, {"resource": {"resourceType": "ValueSet"}}, {}, {"resource": value_set}]
    definitions = Definitions.of([make_folder({"b.json": {"resourceType": "Bundle", "entry": entries}})])
    assert definitions.structure(profile["url"]) == profile
    assert definitions.value_set(value_set["url"]) == value_set
    assert problems(definitions) == [("warning", "definition-no-url")]


def test_a_bundle_in_a_published_package_is_an_example(
    make_archive: MakeArchive, manifest: Json, profile: Json, value_set: Json
) -> None:
    """What it holds is not defined by the package."""
    bundle = {"resourceType": "Bundle", "entry": [{"resource": profile}]}
    files = {"package/package.json": manifest, "package/b.json": bundle, "package/v.json": value_set}
    assert Definitions.of([make_archive(files)]).structure(profile["url"]) is None


def test_a_wrong_index_hides_nothing(make_archive: MakeArchive, manifest: Json, profile: Json) -> None:
    """What a package holds is seen from its files, not from its `.index.json`."""
    index = {"index-version": 1, "files": [{"filename": "z.json", "url": "https://example.org/elsewhere"}]}
    files = {"package/.index.json": index, "package/package.json": manifest, "package/a.json": profile}
    definitions = Definitions.of([make_archive(files)])
    assert definitions.structure(profile["url"]) == profile
    assert definitions.structure("https://example.org/elsewhere") is None


def test_one_bad_file_is_told_and_the_rest_is_used(make_archive: MakeArchive, manifest: Json, profile: Json) -> None:
    """With the name of the file, and without a word of its content."""
    files = {"package/package.json": manifest, "package/bad.json": b'{"a":secret', "package/good.json": profile}
    path = make_archive(files)
    definitions = Definitions.of([path])
    assert definitions.structure(profile["url"]) == profile
    assert problems(definitions) == [("error", "definition-unreadable")]
    assert definitions.problems[0].where.file == f"{path}/package/bad.json"
    assert "secret" not in definitions.problems[0].message


def test_the_examples_of_a_folder_are_no_problem(make_folder: MakeFolder, profile: Json) -> None:
    """Only what could be referred to needs an address."""
    files = {"p.json": {"resourceType": "Patient"}, "list.json": [], "text.json": b'"text"', "a.json": profile}
    assert problems(Definitions.of([make_folder(files)])) == []


def test_a_package_for_another_version_of_fhir_is_not_used(
    make_archive: MakeArchive, manifest: Json, value_set: Json
) -> None:
    """Its rules are those of other resources."""
    files = {"package/package.json": manifest | {"fhirVersions": ["5.0.0"]}, "package/b.json": value_set}
    definitions = Definitions.of([make_archive(files)])
    assert definitions.value_set(value_set["url"]) is None
    assert problems(definitions) == [("error", "package-fhir-version")]
    assert "right is 4.0.1" in definitions.problems[0].message


def test_the_version_of_fhir_is_also_told_by_what_a_package_builds_upon(
    make_archive: MakeArchive, manifest: Json, value_set: Json
) -> None:
    """Older packages state none."""
    del manifest["fhirVersions"]
    r5 = manifest | {"dependencies": {"hl7.fhir.r5.core": "5.0.0"}}
    definitions = Definitions.of([make_archive({"package/package.json": r5, "package/b.json": value_set})])
    assert problems(definitions) == [("error", "package-fhir-version")]


def test_a_definition_for_another_version_of_fhir_is_not_used(make_folder: MakeFolder, profile: Json) -> None:
    """A folder has no manifest to say so for all."""
    definitions = Definitions.of([make_folder({"a.json": profile | {"fhirVersion": "3.0.2"}})])
    assert definitions.structure(profile["url"]) is None
    assert ("error", "definition-fhir-version") in problems(definitions)


def test_a_missing_dependency_is_told(make_archive: MakeArchive, manifest: Json, profile: Json) -> None:
    """What it defines would be reported as unknown, and here is why."""
    manifest["dependencies"] |= {"hl7.terminology.r4": "5.0.0"}
    definitions = Definitions.of([make_archive({"package/package.json": manifest, "package/a.json": profile})])
    assert problems(definitions) == [("warning", "package-dependency")]
    assert "hl7.terminology.r4#5.0.0, which is not among the packages given" in definitions.problems[0].message


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("1.2.0", []),
        ("1.2.x", []),
        ("current", []),
        ("current$main", []),
        ("1.3.x", [("warning", "package-dependency")]),
        ("2.0.0", [("warning", "package-dependency")]),
    ],
)
def test_a_dependency_is_met_by_a_package_of_its_version(
    make_archive: MakeArchive, manifest: Json, profile: Json, value_set: Json, asked: str, expected: list[object]
) -> None:
    """Whichever is given first."""
    upper = manifest | {"name": "example.upper", "dependencies": {"example.trial": asked}}
    above = make_archive({"package/package.json": upper, "package/a.json": profile}, name="above.tgz")
    below = make_archive({"package/package.json": manifest, "package/b.json": value_set}, name="below.tgz")
    assert problems(Definitions.of([above, below])) == expected


def test_r4_core_need_not_be_given_and_may_be(
    make_archive: MakeArchive, make_folder: MakeFolder, manifest: Json, profile: Json
) -> None:
    """It is here already: what is given is not read again, and stays trusted."""
    core = manifest | {"name": "hl7.fhir.r4.core", "version": "4.0.1"}
    files = {"package/package.json": core, "package/a.json": profile}
    definitions = Definitions.of([make_archive(files), make_folder(files)])
    assert problems(definitions) == []
    assert definitions.digest == Definitions.of([]).digest


def test_a_package_without_definitions_is_told(make_archive: MakeArchive, manifest: Json) -> None:
    """Somebody expected something of it."""
    definitions = Definitions.of([make_archive({"package/package.json": manifest})])
    assert problems(definitions) == [("warning", "package-empty")]


@pytest.mark.parametrize(
    "manifest_text",
    [b"{", b"[]", b"{}", b'{"name": 1}', b'{"name": "x"}', b'{"name": "x", "pad": "' + b"a" * 300_000 + b'"}'],
    ids=["no-json", "list", "empty", "no-name", "no-fhir", "too-large"],
)
def test_a_manifest_that_is_none_is_told(make_archive: MakeArchive, manifest_text: bytes, profile: Json) -> None:
    """The definitions are used all the same."""
    definitions = Definitions.of([make_archive({"package/package.json": manifest_text, "package/a.json": profile})])
    assert definitions.structure(profile["url"]) == profile
    assert problems(definitions) == [("warning", "package-manifest")]


def test_a_version_of_a_table_of_v2_in_its_url_is_its_version(make_folder: MakeFolder) -> None:
    """As HL7's own examples write it."""
    system = {"resourceType": "CodeSystem", "url": "https://example.org/table|2.4", "version": "0391"}
    definitions = Definitions.of([make_folder({"s.json": system})])
    assert definitions.code_system("https://example.org/table|2.4") == system
    assert definitions.code_system("https://example.org/table|2.6") is None


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    """With what would be right."""
    path = tmp_path / "definitions.json.zip"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(PackageRefused, match="neither a package"):
        Definitions.of([path])


def test_one_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    """There is nothing else in it that could be used."""
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a":')
    with pytest.raises(PackageRefused, match="line 1 column 6"):
        Definitions.of([path])


def test_a_package_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    """As for any file."""
    with pytest.raises(FileNotFoundError):
        Definitions.of([tmp_path / "missing.tgz"])
