"""What is said of extensions whose definitions are not at hand."""

from __future__ import annotations

import pytest

from fhir_adapter.validation import Validator


@pytest.mark.parametrize("strictness", ["warning", "error"])
@pytest.mark.parametrize("element", ["AdverseEvent.occurrence", "ResearchStudy.outcomeMeasure"])
def test_an_element_of_another_version_of_fhir_cannot_be_told(element: str, strictness: str) -> None:
    """HL7 gives each an address, and no package for R4 holds its definition."""
    extension = {"url": f"http://hl7.org/fhir/5.0/StructureDefinition/extension-{element}", "valueString": "x"}
    validator = Validator(unknown_extensions=strictness)

    (issue,) = validator.check({"resourceType": "Patient", "extension": [extension]})

    assert (issue.severity, issue.code, issue.rule) == ("information", "not-evaluated", extension["url"])


@pytest.mark.parametrize("name", ["made-up", "extension-Patient.name?", "../extension-Patient.name"])
def test_what_only_looks_like_one_is_unknown(name: str) -> None:
    """It has no address of such an element."""
    extension = {"url": f"http://hl7.org/fhir/5.0/StructureDefinition/{name}", "valueString": "x"}

    codes = [issue.code for issue in Validator().check({"resourceType": "Patient", "extension": [extension]})]

    assert codes == ["extension-unknown"]
