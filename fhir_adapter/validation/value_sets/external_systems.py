"""What can be told of the codes of a terminology that no package holds: the form that they must have.

Sources: https://hl7.org/fhir/R4/terminologies-systems.html; the SNOMED CT technical guide (identifiers); the LOINC
users' guide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from fhir_adapter.validation.packages.own_profiles import BASE
from fhir_adapter.validation.value_sets.answers import NO, Answer, unknown
from fhir_adapter.validation.value_sets.check_digits import has_loinc_digit, has_verhoeff_digit
from fhir_adapter.validation.value_sets.registered_codes import currency, language_tag, media_type
from fhir_adapter.validation.value_sets.ucum_codes import ucum_code

_OPEN: Final = unknown("the terminology is not at hand")

_SNOMED = re.compile(r"[1-9]\d{5,17}", re.ASCII)
_SNOMED_EXPRESSION = re.compile(r"\d{6}.*[\s:+|=]|[\s:+|=].*\d{6}", re.ASCII | re.DOTALL)
_CONCEPTS: Final = frozenset({"00", "10"})
"""The digits before the check digit: concepts of the international edition and of extensions."""

_LOINC = re.compile(r"\d{1,7}-\d", re.ASCII)
_LOINC_PART = re.compile(r"(?:LP|LA|LL|LG|MTHU)\d{1,8}(?:-\d)?", re.ASCII)


def _snomed(code: str) -> Answer:
    """A concept, or an expression of several, which is not read."""
    if _SNOMED.fullmatch(code):
        return _OPEN if code[-3:-1] in _CONCEPTS and has_verhoeff_digit(code) else NO
    return _OPEN if _SNOMED_EXPRESSION.search(code) else NO


def _loinc(code: str) -> Answer:
    if _LOINC.fullmatch(code):
        return _OPEN if has_loinc_digit(code) else NO
    return _OPEN if _LOINC_PART.fullmatch(code) else NO


def _form(pattern: str) -> Callable[[str], Answer]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda code: _OPEN if compiled.fullmatch(code) else NO


_TESTS: Mapping[str, Callable[[str], Answer]] = {
    "http://snomed.info/sct": _snomed,
    "http://loinc.org": _loinc,
    "http://unitsofmeasure.org": ucum_code,
    "urn:ietf:bcp:13": media_type,
    "urn:ietf:bcp:47": language_tag,
    "urn:iso:std:iso:4217": currency,
    "urn:iso:std:iso:3166": _form(r"[A-Z]{2,4}|\d{3}"),
    "urn:iso:std:iso:3166:-2": _form(r"[A-Z]{2}-[A-Z0-9]{1,3}"),
    "http://www.nlm.nih.gov/research/umls/rxnorm": _form(r"\d{1,8}"),
    "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl": _form(r"C\d{1,7}"),
    "http://hl7.org/fhir/sid/cvx": _form(r"\d{1,4}"),
    "http://hl7.org/fhir/sid/ndc": _form(r"[0-9*-]{9,14}"),
    "http://www.ama-assn.org/go/cpt": _form(r"[0-9A-Z]{5}(?:[-:, ]+[0-9A-Z]{2})*"),
}

_NAMES: Mapping[str, str] = {
    "http://snomed.info/sct": "SNOMED CT",
    "http://loinc.org": "LOINC",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl": "the NCI Thesaurus",
}

_OTHERS: Final = frozenset(
    {
        "http://cancer.sanger.ac.uk/cancergenome/projects/cosmic",
        "http://fdasis.nlm.nih.gov",
        "http://id.who.int/icd/release/11/mms",
        "http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem",
        "http://ncimeta.nci.nih.gov",
        "http://nucc.org/provider-taxonomy",
        "http://radlex.org",
        "http://standardterms.edqm.eu",
        "http://unstats.un.org/unsd/methods/m49/m49.htm",
        "http://va.gov/terminology/medrt",
        "http://varnomen.hgvs.org/",
        "http://www.ada.org/snodent",
        "http://www.ebi.ac.uk/ipd/imgt/hla",
        "http://www.ensembl.org",
        "http://www.genenames.org",
        "http://www.meddra.org",
        "http://www.ncbi.nlm.nih.gov/clinvar",
        "http://www.ncbi.nlm.nih.gov/nuccore",
        "http://www.ncbi.nlm.nih.gov/projects/SNP",
        "http://www.nlm.nih.gov/research/umls/ndfrt",
        "http://www.omim.org",
        "http://www.pharmgkb.org",
        "http://www.sequenceontology.org",
        "http://www.whocc.no/atc",
        "https://www.iana.org/time-zones",
        "urn:ietf:rfc:3986",
        "urn:iso:std:iso:11073:10101",
    }
)
_HL7_ADDRESSES: Final = "http://hl7.org/fhir/sid/"
"""Where HL7 gives addresses to terminologies of others: ICD, ATC, ICPC, NPI."""

_TRIALS: Final = f"{BASE}trials/"
"""Where the codes of a trial's own export have their systems: they are listed nowhere but there."""

_PLAIN = re.compile(r"(?:https?://|urn:)[A-Za-z0-9._:/-]{1,160}", re.ASCII)


def external_code(system: str, code: str) -> Answer:
    """Whether a terminology that is not at hand has a code: no when the code cannot be one of its codes."""
    test = _TESTS.get(system)
    answer = test(code) if test else _OPEN
    if system.startswith(_TRIALS):
        return unknown("the trial's own export is where its codes are listed")
    return unknown(f"{shown_system(system)} is not at hand") if answer is _OPEN else answer


def is_external(system: str) -> bool:
    """Whether a system is a terminology that FHIR names, or a trial's own, but no package holds."""
    return system in _TESTS or system in _OTHERS or system.startswith((_HL7_ADDRESSES, _TRIALS))


def right_address(system: str) -> str | None:
    """The address of a terminology that was written with `https`, `www.` or a solidus too many."""
    bare = system.casefold().removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
    return _BARE.get(bare)


def shown_system(system: str) -> str:
    """A code system for a message: its name, or its address where it looks like one."""
    name = _NAMES.get(system)
    return name or (f"the code system {system}" if _PLAIN.fullmatch(system) else "the code system")


_BARE: Mapping[str, str] = {
    each.removeprefix("http://").removeprefix("www.").rstrip("/"): each
    for each in (*_TESTS, "http://www.whocc.no/atc", "http://hl7.org/fhir/sid/icd-10")
    if each.startswith("http://")
}
