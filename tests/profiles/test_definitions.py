"""The definitions in profiles/: named as promised, made of the tables, and what SUSHI makes of the sources."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from fhir_adapter.mappers import canonical
from fhir_adapter.mappers.r4.score import SCORE_WINDOW
from fhir_adapter.scores.explain import TITLES
from fhir_adapter.scores.hscore_table import BANDS, COUNTED, PRESENT
from fhir_adapter.terminology.tables import HSCORE_ITEM, analytes, findings
from fhir_adapter.validation.canonical_resources import canonical_resource, known_resources
from tests.profiles.build import PLACE, PROFILES, build, is_prepared

STRUCTURES = [name for name in known_resources() if name.startswith("StructureDefinition-")]


def definition(name: str) -> Any:
    return canonical_resource(name)


def codes(value_set: str) -> set[str]:
    """The codes that a value set lists."""
    includes = definition(f"ValueSet-{value_set}")["compose"]["include"]
    return {one["code"] for include in includes for one in include["concept"]}


def dashed(name: str) -> str:
    return name.replace("_", "-")


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_profile_has_its_snapshot_and_says_that_it_is_experimental(name: str) -> None:
    """Servers that make no snapshots can use it, and nobody takes it for settled."""
    found = definition(name)
    assert found["url"] == f"{canonical.BASE}/StructureDefinition/{found['id']}"
    assert (found["experimental"], found["version"], found["fhirVersion"]) == (True, "0.1.0", "4.0.1")
    assert found["snapshot"]["element"]
    assert found["description"]


def test_the_mappers_name_extensions_that_there_are() -> None:
    """The address of each is that of its definition."""
    named = (canonical.SOURCE_VALUE, canonical.DERIVED_DOSE, canonical.REGISTRY_STATUS)
    assert {f"StructureDefinition-{one.rpartition('/')[2]}" for one in named} <= set(STRUCTURES)


@pytest.mark.parametrize("name", sorted(analytes()))
def test_the_value_sets_of_an_analyte_are_its_table(name: str) -> None:
    """The codes that are read, and the units that can be converted."""
    assert codes(f"analyte-{dashed(name)}") == set(analytes()[name].codes)
    assert codes(f"analyte-{dashed(name)}-units") == set(analytes()[name].units)


def test_the_code_systems_are_those_that_the_program_writes() -> None:
    """Analytes, items of the score, and the names of windows."""
    assert {one["code"] for one in definition("CodeSystem-analyte")["concept"]} == {dashed(one) for one in analytes()}
    items = {one["code"] for one in definition("CodeSystem-hscore-item")["concept"]}
    score = {"hscore", "hscore-low", "hscore-high", "hscore-cutoff"}
    own = {code for system, code in findings().codes if system == HSCORE_ITEM}
    assert items == score | own | {dashed(item) for item in TITLES}
    assert definition("CodeSystem-hscore-item")["url"] == HSCORE_ITEM
    assert definition("CodeSystem-score-window")["url"] == SCORE_WINDOW


def points() -> dict[str, set[int]]:
    """The points that each item can have, from the table of the paper."""
    return {
        **{item: {0, most} for item, most in PRESENT.items()},
        **{item: {band.points for band in bands} for item, bands in BANDS.items()},
        **{item: set(parts.points) for item, parts in COUNTED.items()},
    }


@pytest.mark.parametrize("item", sorted(TITLES))
def test_the_points_of_an_item_are_those_of_the_paper(item: str) -> None:
    """Its invariant lists them."""
    elements = definition("StructureDefinition-hscore-score")["snapshot"]["element"]
    slices = {one.get("patternCodeableConcept", {}).get("coding", [{}])[0].get("code"): one["id"] for one in elements}
    owner = slices[dashed(item)].removesuffix(".code")
    rules = next(one["constraint"] for one in elements if one["id"] == owner)
    listed = next(one["expression"] for one in rules if one["key"].startswith("hscore-points-"))
    assert {int(one) for one in re.findall(r"\d+", listed.rpartition("in (")[2])} == points()[item]


@pytest.mark.skipif(not is_prepared(PLACE), reason="SUSHI is not in build/profiles/: `make profiles` brings it there")
def test_sushi_makes_the_definitions_that_are_committed() -> None:
    """The sources and the tables were not changed without `make profiles`."""
    committed = {file.name: file.read_text(encoding="utf-8") for file in PROFILES.glob("*.json")}
    made = {name: text for name, text in committed.items() if not name.startswith("OperationDefinition")}
    assert {name: json.loads(text) for name, text in build(PLACE).items()} == {
        name: json.loads(text) for name, text in made.items()
    }
