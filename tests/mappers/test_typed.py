"""A second opinion on everything that is emitted for the public study: typed models, the structural check, numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from fhir_adapter.mappers.typed import typed
from fhir_adapter.validation import check_structure

Resources = list[dict[str, Any]]


def every_value(value: object) -> Iterator[object]:
    """All values below."""
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    for child in children:
        yield from every_value(child)


def test_the_models_accept_everything_we_emit(public_study: Resources) -> None:
    """Each resource of the public study is one to `fhir.resources` too, under its own type and id."""
    models = [typed(resource) for resource in public_study]
    assert [(model.get_resource_type(), model.id) for model in models] == [
        (resource["resourceType"], resource["id"]) for resource in public_study
    ]


def test_the_models_refuse_what_is_none() -> None:
    """The opinion is one: an Observation without a code is refused."""
    with pytest.raises(ValidationError):
        typed({"resourceType": "Observation", "status": "final"})


def test_the_structural_check_finds_nothing(public_study: Resources) -> None:
    """Every resource of the public study is sound R4."""
    assert [issue for resource in public_study for issue in check_structure(resource)] == []


def test_no_float_is_emitted(public_study: Resources) -> None:
    """Numbers are Decimal or int: no digit was lost on the way."""
    assert not [value for value in every_value(public_study) if isinstance(value, float)]


def test_no_empty_element_is_emitted(public_study: Resources) -> None:
    """FHIR JSON has neither empty texts, nor empty lists or objects, nor null here."""
    assert not [value for value in every_value(public_study) if value is None or value in ("", [], {})]


def test_every_id_is_given_once(public_study: Resources) -> None:
    """Two resources of one type never share an id."""
    names = [(resource["resourceType"], resource["id"]) for resource in public_study]
    assert len(set(names)) == len(names)


def test_every_business_identifier_is_given_once(public_study: Resources) -> None:
    """Two resources of one type never share an identifier."""
    identifiers = [
        (resource["resourceType"], identifier["system"], identifier["value"])
        for resource in public_study
        for identifier in every_identifier(resource)
    ]
    assert len(set(identifiers)) == len(identifiers)


def every_identifier(resource: dict[str, Any]) -> list[dict[str, Any]]:
    """The identifiers of a resource, which for an AdverseEvent is one."""
    stated = resource["identifier"]
    return stated if isinstance(stated, list) else [stated]


def test_the_public_study_is_labelled(public_study: Resources) -> None:
    """Every resource says that it is anonymised."""
    labels = [resource["meta"]["security"][0]["code"] for resource in public_study]
    assert set(labels) == {"ANONYED"}
