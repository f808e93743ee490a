"""What resources are called: stable, unguessable, different for different things, safe in a URL."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.mappers import Names
from fhir_adapter.trial_folder import IdentifierSystem
from tests.mappers.small import BASE, context

_KEYS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=3).map(tuple)


def names(**changes: object) -> Names:
    """The names of the made-up trial, with some settings changed."""
    return context(**changes).names


def test_an_id_is_the_same_in_every_run() -> None:
    """It is a version 5 UUID of the namespace and the key."""
    expected = uuid.uuid5(uuid.UUID("3c0b7f6e-2f0d-4d2a-9a55-7d6c1c0e8a01"), "Patient|001")
    assert names().id("Patient", "001") == str(expected)


def test_an_id_differs_by_namespace() -> None:
    """Without the namespace nobody can guess it from a subject number."""
    assert names().id("Patient", "001") != names(namespace=uuid.UUID(int=1)).id("Patient", "001")


def test_an_id_differs_by_type_and_by_key() -> None:
    """A patient and a research subject of one key are two resources."""
    made = names()
    found = [made.id("Patient", "001"), made.id("ResearchSubject", "001"), made.id("Patient", "1")]
    assert len(set(found)) == 3


def test_the_parts_of_a_key_do_not_run_together() -> None:
    """A slash inside a part is not the slash between parts."""
    made = names()
    assert made.value("a/b", "c") == "a%2Fb/c"
    assert made.id("Observation", "a/b", "c") != made.id("Observation", "a", "b/c")


@given(_KEYS, _KEYS)
def test_different_keys_have_different_values(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """Two values are equal only when the keys are, but for Unicode normalisation."""
    made = names()
    equal = made.value(*one) == made.value(*other)
    assert equal is (made.value(*one).split("/") == made.value(*other).split("/"))
    assert len(made.value(*one).split("/")) == len(one)


@pytest.mark.parametrize(
    ("part", "written"),
    [
        ("001", "001"),
        ("INJECTION SITE", "INJECTION%20SITE"),
        ("a|b,c$d", "a%7Cb%2Cc%24d"),
        ("100%", "100%25"),
        ("a\\b?c#d&e", "a%5Cb%3Fc%23d%26e"),
        ("<x>\"y'", "%3Cx%3E%22y%27"),
        ("a\u00a0b", "a%C2%A0b"),
        ("李-01", "李-01"),
        ("2024-01-10T08:15+08:00", "2024-01-10T08:15+08:00"),
    ],
)
def test_what_search_or_urls_misread_is_percent_encoded(part: str, written: str) -> None:
    """Blanks, bars, commas, dollars and their like are encoded; letters of every script are not."""
    assert names().value(part) == written


def test_c57_both_spellings_of_a_letter_are_one_name() -> None:
    """An accent as one character or as two."""
    made = names()
    assert made.id("Patient", "caf\u00e9") == made.id("Patient", "cafe\u0301")


def test_an_identifier_is_in_the_trials_system() -> None:
    """{base}/{trial}/{kind}, and no assigner unless the trial names one."""
    assert names().identifier("dose", "001", "2024-01-10") == {"system": f"{BASE}/dose", "value": "001/2024-01-10"}


def test_an_identifier_names_its_assigner() -> None:
    """System and assigner as the trial folder states them."""
    made = names(identifier_systems={"subject": IdentifierSystem("urn:ward", "Ward 1")})
    assert made.identifier("subject", "001") == {
        "system": "urn:ward",
        "value": "001",
        "assigner": {"display": "Ward 1"},
    }


def test_a_reference_is_type_and_id() -> None:
    """It points to the resource of that type and key."""
    made = names()
    assert made.reference("Patient", "001") == {"reference": f"Patient/{made.id('Patient', '001')}"}


def test_the_trials_own_words_have_a_code_system() -> None:
    """Tests, visits and findings as the trial calls them."""
    assert names().code_system("test") == f"{BASE}/code/test"
