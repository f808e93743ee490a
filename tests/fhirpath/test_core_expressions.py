"""Every expression that the package hl7.fhir.r4.core itself holds can be compiled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_adapter.fhirpath import ExpressionError, compile, parse  # noqa: A004 - the name of the interface
from fhir_adapter.fhirpath.generate_model import read_package
from fhir_adapter.fhirpath.model import load_model
from fhir_adapter.fhirpath.tree import Binary, Node
from tests.fhirpath.examples import CORE, rules_of


def test_every_invariant_compiles(packages: Path) -> None:
    """Those of all resources and datatypes; about 200 expressions."""
    texts = {rule.expression for rules in rules_of(packages / CORE).values() for rule in rules}
    assert len(texts) > 190
    assert [text for text in texts if not compile(text).tree] == []


def test_every_constraint_of_a_profile_compiles(packages: Path) -> None:
    """Those of profiles, extensions and patterns too, though no resource of R4 alone is held to them."""
    texts = {
        constraint["expression"]
        for definition in read_package(packages / CORE)[1].values()
        for element in definition.get("snapshot", {}).get("element", ())
        for constraint in element.get("constraint", ())
        if "expression" in constraint
    }
    assert len(texts) > 200
    assert [text for text in texts if not compile(text).tree] == []


def test_every_search_parameter_compiles(packages: Path) -> None:
    """All of R4 that have an expression."""
    parameters = read_package(packages / CORE, ("SearchParameter-",))[1].values()
    texts = [parameter["expression"] for parameter in parameters if "expression" in parameter]
    assert len(texts) > 1300
    assert [text for text in texts if not compile(text).tree] == []


def test_every_expression_prints_as_it_reads(packages: Path) -> None:
    """Printed and read again, each says the same."""
    trees = [parse(text) for _, _, text in (*invariants(packages), *search_parameters(packages))]
    assert [parse(str(tree)) for tree in trees] == trees


FAULTS = {
    # Compares a CodeableConcept with a text: `category.coding.code` is meant.
    ("con-3", "Condition"),
    # A ChargeItemDefinition has a title and no name.
    ("cid-0", "ChargeItemDefinition"),
    # Speaks of the limits of a Range, at an element that may be a decimal too.
    ("ras-1", "decimal"),
    # The specification's example of a search parameter is for a Patient and asks a DocumentReference.
    ("example-extension", "Patient"),
}
"""What is wrong in R4 itself: the rule or search parameter, and the type of the element at which it stands."""


def test_strict_mode_refuses_what_is_wrong_in_r4_only(packages: Path) -> None:
    """Every invariant at every element that has it and every search parameter at every type that has it, but four."""
    asked = {*invariants(packages), *search_parameters(packages)}
    assert {(name, kind) for name, kind, text in asked if not _compiles_strictly(text, kind)} == FAULTS


def invariants(packages: Path) -> Iterator[tuple[str, str, str]]:
    """Key, type and expression of each invariant, for each type that may stand at an element."""
    for path, rules in rules_of(packages / CORE).items():
        for kind in types_at(path):
            yield from ((rule.key, kind, rule.expression) for rule in rules)


def types_at(path: str) -> tuple[str, ...]:
    """The types that the element of a definition may have: two for `RiskAssessment.prediction.probability[x]`."""
    above, _, name = path.removesuffix("[x]").rpartition(".")
    if not above:
        return (path,)
    return tuple(
        kind
        for each in types_at(above)
        if (found := load_model().type(each)) and name in found.children
        for kind in found.children[name].types
    )


def search_parameters(packages: Path) -> Iterator[tuple[str, str, str]]:
    """Name, type and expression of each search parameter; for each of several types, the part that is about it."""
    for parameter in read_package(packages / CORE, ("SearchParameter-",))[1].values():
        for kind in parameter["base"] if "expression" in parameter else ():
            parts = _alternatives(parse(parameter["expression"]))
            about = [part for part in parts if part.lstrip("(").startswith(f"{kind}.")]
            yield parameter["id"], kind, " | ".join(about or parts)


def _alternatives(tree: Node) -> list[str]:
    if isinstance(tree, Binary) and tree.operator == "|":
        return _alternatives(tree.left) + _alternatives(tree.right)
    return [str(tree)]


def _compiles_strictly(text: str, kind: str) -> bool:
    try:
        compile(text, type=kind, strict=True)
    except ExpressionError:
        return False
    return True


@pytest.mark.parametrize("text", ["name.givn", "Patient.nam", "maritalStatus.coding.cod"])
def test_strict_mode_suggests_a_name(text: str) -> None:
    """A slip of the pen is found before any resource is there."""
    with pytest.raises(ExpressionError, match="did you mean"):
        compile(text, type="Patient", strict=True)
