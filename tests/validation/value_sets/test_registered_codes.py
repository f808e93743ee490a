"""Which texts can be media types, language tags and currencies."""

from __future__ import annotations

import pytest

from fhir_adapter.validation.value_sets.answers import NO, YES
from fhir_adapter.validation.value_sets.registered_codes import currency, language_tag, media_type


@pytest.mark.parametrize(
    "code",
    [
        "application/pdf",
        "text/plain; charset=UTF-8",
        "application/fhir+json;fhirVersion=4.0",
        "application/dicom; variant=DICOM WADO-RS",
        "image/svg+xml",
        "json",
    ],
)
def test_media_types(code: str) -> None:
    """Of a registered kind, with any parameters, or one of FHIR's short names."""
    assert media_type(code) == YES


@pytest.mark.parametrize("code", ["pdf", "application", "application/", "text/plain text", "/pdf", "a/b/c", ""])
def test_no_media_types(code: str) -> None:
    """A kind and a subtype are needed."""
    assert media_type(code) == NO


def test_a_media_type_of_an_unknown_kind_cannot_be_told() -> None:
    """The form is right, the kind may be registered one day."""
    assert media_type("chemical/x-pdb").why == "the media type is of no registered kind"


@pytest.mark.parametrize("code", ["en", "zh-CN", "zh-Hans-CN", "de-CH-1996", "en-US-x-lvariant", "sr-Latn-RS", "EN-us"])
def test_language_tags(code: str) -> None:
    """With script, region, variant and private parts."""
    assert language_tag(code) == YES


@pytest.mark.parametrize("code", ["e", "zh_CN", "en-", "-en", "English language", "123", "en-US-12", ""])
def test_no_language_tags(code: str) -> None:
    """Underscores, blanks and digits come from operating systems and people."""
    assert language_tag(code) == NO


@pytest.mark.parametrize("code", ["yue", "i-klingon", "x-hospital", "chinese"])
def test_language_tags_that_cannot_be_told(code: str) -> None:
    """The register is not at hand; three letters and private tags may be right."""
    assert language_tag(code).why == "the register of languages is not at hand"


def test_currencies() -> None:
    """Three capital letters; those of other years cannot be told."""
    assert [currency(code) for code in ("CNY", "EUR")] == [YES, YES]
    assert [currency(code) for code in ("RMB¥", "cny", "US$", "")] == [NO] * 4
    assert currency("DEM").why == "the register of currencies of other years is not at hand"
